"""Labels of face parsing: the 19 classes of CelebAMask-HQ, in the order of the official file."""

from __future__ import annotations

BACKGROUND, SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, GLASSES = range(7)
LEFT_EAR, RIGHT_EAR, EARRING, NOSE, INNER_MOUTH, UPPER_LIP, LOWER_LIP = range(7, 14)
NECK, NECKLACE, CLOTH, HAIR, HAT = range(14, 19)

NAMES = (
    *("background", "skin", "left brow", "right brow", "left eye", "right eye", "glasses"),
    *("left ear", "right ear", "earring", "nose", "mouth", "upper lip", "lower lip"),
    *("neck", "necklace", "cloth", "hair", "hat"),
)
"""Name of label k."""

EYES = (LEFT_EYE, RIGHT_EYE)
MOUTH = (INNER_MOUTH, UPPER_LIP, LOWER_LIP)
FACE = (SKIN, LEFT_BROW, RIGHT_BROW, *EYES, NOSE, *MOUTH)
"""The face without hair, glasses and ears, features included."""
HEAD = tuple(label for label in range(len(NAMES)) if label not in (BACKGROUND, NECKLACE, CLOTH))
"""Labels that move with the head, the neck included."""
