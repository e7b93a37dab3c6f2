"""Procedural talking heads and synthesised speech: training data with exact ground truth.

    dataset making camera    data sets, one clip from its recipe and number, camera and pose conventions
    head/                    the linear head: mean, 80 identity modes, 64 expression modes
    person/                  one person: shape, skin, eyes, mouth, hair, clothes
    rendering/               OpenGL renderer, dense flow between frames, contact sheets
    speech/                  sentences, voices, engines/, phones, rooms
    motion/                  a speaker's mouth, eyes, brows, head and gaze
    ground_truth/            landmarks, contours, eyes and teeth from coefficients alone

Folders keep one direction of imports (`tests/test_architecture.py`).
"""
