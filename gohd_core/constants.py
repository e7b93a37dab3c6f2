"""Rates, sizes and spaces that every part of GoHD shares, with their units and where they come from."""

from __future__ import annotations

FPS = 25
"""Frames of motion a second (paper, supplement C: videos at 25 fps)."""

MAX_FPS = 120
"""Frames a second of the fastest motion and the fastest video that is written."""

SAMPLE_RATE = 16_000
"""Audio samples a second that all features are computed at (supplement C)."""

SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
"""Audio samples under one frame of motion: 640."""

N_MELS = 80
"""Mel bands of a spectrogram row."""

MEL_BINS_PER_FRAME = 4
"""Spectrogram rows that the diffusion models take per frame."""

MEL_CONDITION = N_MELS * MEL_BINS_PER_FRAME
"""Width of the diffusion models' audio condition a_t: 320 (eq. 1-3)."""

LIP_CHUNK = 16
"""Spectrogram rows (0.2 s at 80 rows/s) that the expression predictor takes per frame (eq. 5)."""

N_EXPRESSION = 64
"""Expression coefficients e of the morphable model (eq. 10)."""

N_IDENTITY = 80
"""Identity coefficients i of the morphable model (eq. 10)."""

N_POSE = 6
"""Head pose p: three Euler angles in radians, then three translations (supplement A)."""

N_GAZE = 2
"""Gaze g: pitch and yaw in radians (supplement A)."""

N_EYE_MOTION = 21
"""Handcrafted eye motion f: one eye ratio and 20 brow displacements (Fig. 4)."""

N_DESCRIPTOR = N_EXPRESSION + N_POSE + N_GAZE
"""Width of one motion descriptor: expression 64, pose 6, gaze 2."""

WINDOW_RADIUS = 13
"""Frames before and after the current one that the animator sees (radius r of §3.3)."""

WINDOW = 2 * WINDOW_RADIUS + 1
"""Length of the animator's coefficient window: 27."""

N_LANDMARKS = 68
"""The standard facial landmarks (Fig. 11)."""

BFM09 = "bfm09"
"""Coefficient space of the official weights: the Basel Face Model 2009 as Deep3DFaceRecon uses it."""

STYLISED = "stylised"
"""Coefficient space of the built-in weights: our procedural head."""

SPACES = (BFM09, STYLISED)
