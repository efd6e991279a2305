"""Scales of published weights, against what torchvision computes, and that of flow."""

import numpy as np
import pytest
import torch

from fgbench.inputs.clip_frames import HeldRows
from fgbench.inputs.crops import normalise
from fgbench.methods.tmsau.published_scales import published_scale

FIELDS = (
    np.random.default_rng(0).normal(127.5, [[[[2.0]], [[5.0]]]], (40, 2, 16, 16)).round().astype(np.uint8)
)


def test_googlenets_is_what_torchvision_makes_of_imagenets_mean_and_deviation():
    """``transform_input`` of torchvision: x * (std / 0.5) + (mean - 0.5) / 0.5, after ImageNet's scale."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pictures = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (4, 3, 8, 8), np.uint8))
    scale = published_scale("rgb", HeldRows(pictures))
    usual = (np.moveaxis(pictures.numpy(), 1, -1) / 255 - mean) / std
    expected = np.moveaxis(usual * (std / 0.5) + (mean - 0.5) / 0.5, -1, 1)
    np.testing.assert_allclose(normalise(pictures, scale.mean, scale.std), expected, atol=1e-5)


def test_vgg16s_is_imagenets():
    pictures = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    scale = published_scale("vgg-lstm", HeldRows(pictures))
    actual = normalise(pictures, scale.mean, scale.std).flatten()
    np.testing.assert_allclose(actual, [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225], rtol=1e-5)


def test_flow_has_the_deviation_of_imagenets_pictures_and_its_own_middle():
    """In TSN's way, its bytes less 127.5 divided by 127.5, it would have 0.016 and 0.039."""
    scale = published_scale("flow", HeldRows(torch.from_numpy(FIELDS)))
    assert scale.mean == (127.5, 127.5)
    seen = normalise(torch.from_numpy(FIELDS), scale.mean, scale.std).numpy()
    rms = np.sqrt((seen**2).mean(axis=(0, 2, 3)))
    assert rms == pytest.approx([0.678 / 3 / 0.5] * 2, rel=1e-5)
