"""Sounds for training: features, augmentation, noises."""
