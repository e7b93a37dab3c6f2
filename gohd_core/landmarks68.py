"""Groups of the 68 landmarks (iBUG 300-W, 0-based); left and right are the person's own."""

from __future__ import annotations

JAW = slice(0, 17)
RIGHT_BROW = slice(17, 22)
LEFT_BROW = slice(22, 27)
BROWS = slice(17, 27)
NOSE_BRIDGE = slice(27, 31)
NOSTRILS = slice(31, 36)
RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
EYES = slice(36, 48)
MOUTH = slice(48, 68)
OUTER_LIPS = slice(48, 60)
INNER_LIPS = slice(60, 68)

NOSE_TIP = 30
CHIN = slice(7, 10)
RIGHT_EYE_CORNERS = (36, 39)
LEFT_EYE_CORNERS = (42, 45)
MOUTH_CORNERS = (48, 54)

EYES_AND_BROWS = (*range(17, 27), *range(36, 48))
JAW_AND_MOUTH = (*range(17), *range(48, 68))
RIGID = (*range(27, 36), *RIGHT_EYE_CORNERS, *LEFT_EYE_CORNERS)
"""Nose and corners of the eyes: they move with the skull alone."""

LIDS = ((37, 38, 40, 41), (43, 44, 46, 47))
"""Per eye two landmarks on the upper lid and two on the lower one."""

LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
"""Landmarks of the inner lips that face each other, upper and lower."""

LINES = (
    (JAW, False),
    (RIGHT_BROW, False),
    (LEFT_BROW, False),
    (NOSE_BRIDGE, False),
    (NOSTRILS, False),
    (RIGHT_EYE, True),
    (LEFT_EYE, True),
    (OUTER_LIPS, True),
    (INNER_LIPS, True),
)
"""Groups that are joined by a line, and whether it closes."""

MIRRORED = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Index of each landmark in a mirrored picture."""
