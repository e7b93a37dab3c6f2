"""Dubbing of real videos: mouths from their own frames, and occlusions in front of them."""
