"""The pack's main path in a process with another default dtype or device; see `test_foreign_defaults.py`.

    python tests/foreign_defaults.py WEIGHTS OUT DTYPE DEVICE

Writes a talking and a driven video and what they were made of; all numbers must be those of a plain process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch


def main(weights: str, out: str, dtype: str, device: str) -> None:
    torch.set_default_dtype(getattr(torch, dtype))
    torch.set_default_device(device)
    import gohd_core as gohd
    from gohd_core.driving import driven_motion, extract_motion
    from gohd_core.models import Models
    from gohd_core.pipeline import talk
    from gohd_core.portraits import prepare_portrait
    from gohd_core.render import marked, paste_back, read_frames
    from gohd_core.talk_options import TalkOptions
    from gohd_core.video.reader import VideoReader

    models = Models.load(weights)
    y, x = np.mgrid[:96, :96]
    picture = np.stack([x * 2, y * 2, 200 - x], -1).astype(np.uint8)
    time = np.arange(4800) / 16_000
    features = gohd.audio_features(
        0.3 * np.sin(1500 * time) * np.sin(20 * time), 16_000, models.pose.alignment
    )
    readers = {"extractor": models.extractor, "gaze_estimator": models.gaze_estimator}
    portrait = prepare_portrait(picture, whole=True, **readers)
    motion, frames = talk(portrait, features, models, TalkOptions(steps=2, gaze="sample"))
    drawn = torch.cat(list(marked(paste_back(frames, portrait))))
    film = VideoReader.of_images([np.roll(picture, k, 1) for k in range(6)], 25)
    driving = extract_motion(film, models.extractor, models.gaze_estimator)
    driven = driven_motion(portrait, {"video": driving.motion})
    edited = driven.resampled(30)
    np.savez(
        Path(out),
        talk=motion.descriptors().numpy(),
        drawn=drawn.float().numpy(),
        driven=driven.descriptors().numpy(),
        edited=edited.descriptors().numpy(),
        score=np.float64(read_frames((drawn.movedim(1, -1) + 1) / 2).score),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
