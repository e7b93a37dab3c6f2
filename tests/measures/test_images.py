"""Picture measures with known answers, and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gohd_core.measures.images import frame_figures, perceptual_distance, psnr, region_mask, sharpness, ssim


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    coarse = torch.rand(2, 3, 12, 12, generator=rng)
    return F.interpolate(coarse, size=(96, 96), mode="bicubic", align_corners=False).clamp(0, 1)


def blurred(image: torch.Tensor, times: int) -> torch.Tensor:
    for _ in range(times):
        image = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="reflect"), 3, 1)
    return image


def test_identical_pictures(picture):
    assert torch.allclose(psnr(picture, picture), torch.full((2,), 100.0))
    assert torch.allclose(ssim(picture, picture), torch.ones(2), atol=1e-5)
    assert torch.equal(perceptual_distance(picture, picture), torch.zeros(2))
    assert torch.allclose(sharpness(picture, picture), torch.ones(2))


def test_psnr_of_a_known_difference(picture):
    off = picture.clone()
    off[:, 0] += 0.1
    assert psnr(off, picture) == pytest.approx([10 * np.log10(3 / 0.01)] * 2, abs=1e-3)


def test_regions_see_nothing_else(picture):
    boxes = torch.tensor([[[0.25, 0.25, 0.5, 0.5]]]).expand(2, -1, -1)
    changed = picture.clone()
    changed[:, :, 60:] = 0
    assert torch.allclose(psnr(changed, picture, boxes), torch.full((2,), 100.0))
    assert (psnr(changed, picture) < 40).all()
    assert region_mask(boxes, (96, 96), 2).sum() == 2 * 24 * 24


def test_ssim_is_scikit_images(picture):
    metrics = pytest.importorskip("skimage.metrics")
    noisy = (picture + 0.1 * torch.randn(picture.shape, generator=torch.Generator().manual_seed(1))).clamp(
        0, 1
    )
    weights = np.array([0.299, 0.587, 0.114])
    for made, true, ours in zip(noisy, picture, ssim(noisy, picture), strict=True):
        grey = [(x.permute(1, 2, 0).numpy() * weights).sum(-1) for x in (made, true)]
        _, values = metrics.structural_similarity(
            *grey, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
        )
        inner = values[5:-5, 5:-5].mean()
        box = torch.tensor([[[5 / 96, 5 / 96, 91 / 96, 91 / 96]]])
        assert float(ssim(made[None], true[None], box)) == pytest.approx(inner, abs=2e-3)
        assert 0 < float(ours) < 1


def test_perceptual_distance_orders_as_people_do(picture):
    shifted = torch.roll(picture, 1, -1)
    far = torch.roll(picture, 12, -1)
    small, large = (perceptual_distance(blurred(picture, n), picture).mean() for n in (2, 12))
    near, wide = (perceptual_distance(x, picture).mean() for x in (shifted, far))
    assert 0 < small < large
    assert near < 0.5 * wide
    assert torch.allclose(perceptual_distance(far, picture), perceptual_distance(picture, far))


def test_sharpness_falls_with_blur(picture):
    assert (sharpness(blurred(picture, 6), picture) < 0.99).all()
    assert torch.allclose(sharpness(picture * 0.5, picture), torch.full((2,), 0.5))


def test_regions_together_are_regions_one_by_one(picture):
    boxes = torch.tensor([[[0.1, 0.2, 0.5, 0.5], [0.6, 0.6, 0.9, 0.8]]]).expand(2, -1, -1)
    made = blurred(picture, 3)
    found = frame_figures(made, picture, {"": None, "part ": boxes})
    for prefix, where in (("", None), ("part ", boxes)):
        for name, measure in (("PSNR dB", psnr), ("SSIM", ssim), ("perc.", perceptual_distance)):
            assert torch.equal(found[prefix + name], measure(made, picture, where)), prefix + name
