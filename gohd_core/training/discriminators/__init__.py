"""Discriminators of adversarial training, by the modality that they see."""
