"""Options by name, and limits, that the library, its commands and its nodes share. Imports nothing."""

from __future__ import annotations

TRACKS = ("pose", "expression", "gaze")
"""Parts of a motion."""

MIXED_PARTS = ("pose", "expression", "eyes", "gaze")
"""Parts of a motion with sources of their own in `mix_motion`."""

DRIVEN_PARTS = ("pose", "mouth", "eyes", "gaze")
"""Parts of a portrait that `driven_motion` drives."""

FILLS = ("hold", "loop", "ping-pong", "retime")
"""Ways to lengthen a motion, see `Motion.fitted`."""

LENGTHS = ("longest", "shortest")
"""Lengths of a mixture; or as long as one of its parts."""

SMOOTHING = ("gaussian", "savitzky-golay", "one-euro")
"""Filters against jitter: see `editing.smoothed`."""

STEADYING = ("savitzky-golay", "one-euro", "gaussian", "mean", "none")
"""Filters for motion read from a video; "mean" is the official one."""

CENTRES = ("first", "mean", "zero")
"""Centres that a track is scaled around."""

EASES = ("smooth", "linear", "hold")
"""Interpolation from a key on: eased at both ends, straight, or a step at the next key."""

GAZES = ("hold", "sample")
"""Gaze of a talking portrait: its own, or sampled by the gaze diffusion."""

SAMPLERS = ("dpmpp_2m", "ddim", "ddpm")
"""Samplers of the diffusions."""

ALIGNMENTS = ("release", "aligned", "mel100")
"""Alignments of spectrogram rows to frames, see `audio.alignment`."""

MISSING = ("hold", "interpolate", "mark")
"""Frames without a face: hold the last face, go straight to the next one, or stay at rest (all zero).

All of them are marked as not observed, whatever is done.
"""

ORDERS = ("largest", "smallest", "left", "right", "top", "bottom", "central")
"""Orders of the faces of a picture."""

SQUARE = 1.02
"""Pictures whose sides differ by less than this factor count as square."""

COLOURS = ("constant", "smoothed", "none")
"""Colour matching of pasted frames to the picture around them."""

PASTE_LENGTHS = ("face", "longest")
"""Lengths of a face pasted into a background."""

CORNERS = ("bottom right", "bottom left", "top right", "top left")
"""Corners for a visible mark."""

PRECISIONS = ("float32", "bfloat16", "float16")
"""Number formats of the animator's decoder."""

ENGINES = ("espeak", "flite", "festival")
"""Speech engines that a data set draws from unless it names others, such as neural voices."""

SPLITS = ("train", "validation", "test")
"""Parts of a data set."""

CLIP_KINDS = ("talk", "stills")
"""Kinds of stylised data."""

MOODS = ("neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "tender")
"""Moods of `motion.mood`."""

FACE_FILES = ("csv", "json", "vrm", "blender")
"""Forms of a face's motion for other tools: see `driving.face_files`."""

FRAMINGS = ("liveportrait", "wan animate")
"""Framings of driving videos for other models, see `render.driver_framing`."""
