"""Procedural talking heads and synthesised speech: training data with exact ground truth."""
