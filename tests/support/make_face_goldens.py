"""Writes the small goldens of the face area: python -m tests.support.make_face_goldens

Geometry is copied from the official implementation's stored results. Network outputs are our own, on
generated pictures, written only after tests/face/test_parity.py has passed: they hold a clean clone to the
numbers that matched the official ones.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import gohd_core as gohd
from tests.support import recipe
from tests.support.face_helpers import picture

SEED = 20
CROP = ("boxes_ltrb", "image_hw", "crop_ltrb", "sliced_hw", "smooth_in_12", "smooth_out_12")
ALIGN = ("lm68_f64", "crop_box_f64", "resized_wh", "trans_params_f64")
GAZE_BOXES = np.array([[20.4, 10, 150, 160.9], [-5, 30, 120, 190]])


def main() -> None:
    """Writes face_recon, gaze, face_parsing and face_geometry into tests/golden/."""
    with tempfile.TemporaryDirectory() as folder:
        path = recipe.write_official("face_recon", Path(folder) / "a.pth", SEED)
        columns = gohd.load_extractor(path).extract(picture(224, 224)).coefficients.columns()
        recipe.save_small_golden("face_recon", SEED, {"coeff": columns.numpy()})
        path = recipe.write_official("gaze", Path(folder) / "b.pkl", SEED)
        gaze = gohd.load_gaze_estimator(path).estimate(picture(200, 180), GAZE_BOXES)
        recipe.save_small_golden("gaze", SEED, {"pitch_yaw": gaze.values.numpy()})
        path = recipe.write_official("face_parsing", Path(folder) / "c.pth", SEED)
        logits = gohd.load_face_parser(path).logits(picture(96, 96))
        recipe.save_small_golden("face_parsing", SEED, {"logits_sub": logits[:, :, ::32, ::32].numpy()})
    crop, align = recipe.golden("crop"), recipe.golden("face_align")
    arrays = {f"crop/{key}": crop[key] for key in CROP}
    for case in ("syn0", "syn1", "outside", "noface"):
        arrays |= {f"{case}/{key}": align[f"{case}_{key}"] for key in ALIGN}
    np.savez_compressed(recipe.SMALL / "face_geometry.npz", **arrays)


if __name__ == "__main__":
    main()
