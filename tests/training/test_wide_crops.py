"""Crops for InsightFace's networks are whole: against the frame, sampled by another implementation."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.transform
import torch

from fgbench import storage
from fgbench.config import WideFacesConfig
from fgbench.errors import ManifestError
from fgbench.faces.chips import cut_chip
from fgbench.faces.geometry import invert
from fgbench.media.images import decode
from fgbench.methods.insightface.crops import TEMPLATE, five_points, load_crops
from fgbench.methods.insightface.opened import RecognitionNetwork
from fgbench.methods.insightface.wide_crops import TABLE, load_wide_crops, wide_copy
from fgbench.methods.protocol import FacePosition
from fgbench.preparation import augmentation
from tests.support.wide_work import CHANGE, wide_work

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture
def work(tmp_path):
    return wide_work(tmp_path)


def whole_crop(frame, points):
    """The crop averaged from the frame, and where it lies there, (112, 112, 2)."""
    to_crop = skimage.transform.estimate_transform("similarity", five_points(points), np.array(TEMPLATE))
    parts = (np.arange(448) + 0.5) / 4 - 0.5
    grid = np.stack(np.meshgrid(parts, parts), -1).reshape(-1, 2)
    x, y = to_crop.inverse(grid).T
    planes = [
        skimage.transform.warp(
            frame.picture[:, :, plane].astype(float), np.stack([y, x])[:, None], order=1, preserve_range=True
        )
        for plane in range(3)
    ]
    crop = np.stack(planes, -1).reshape(112, 4, 112, 4, 3).mean((1, 3))
    return crop, np.stack([x, y], -1).reshape(112, 4, 112, 4, 2).mean((1, 3))


def test_a_crop_has_no_repeated_border_where_the_surroundings_are_in_the_frame(work):
    manifests, frame, points, transform, name = work
    expected, positions = whole_crop(frame, points)
    stored = load_crops(manifests, [name], device=CPU)[0].permute(1, 2, 0).numpy().astype(float)
    actual = load_wide_crops(manifests, [name], device=CPU)[0].permute(1, 2, 0).numpy().astype(float)
    in_face = positions @ transform[:, :2].T + transform[:, 2]
    outside = ((in_face < 0) | (in_face > 223)).any(axis=-1)
    assert 0.15 < outside.mean() < 0.35
    assert np.abs(stored - expected)[outside].mean() > 15
    assert np.abs(actual - expected)[outside].mean() < 3
    assert np.abs(actual - expected)[~outside].mean() < 3


def test_the_middle_of_a_wider_face_is_the_stored_one(work):
    manifests, frame, _, transform, _ = work
    row = next(iter(storage.read_rows(manifests / TABLE / "00000.parquet")))
    wide = decode(row["image"]["bytes"]).astype(float)
    assert wide.shape == (392, 392, 3)
    inner = wide[84:308, 84:308]
    assert np.abs(inner - cut_chip(frame, transform, size=224)).mean() < 3  # JPEG
    shift = np.array(row["transform"]).reshape(2, 3) - transform
    np.testing.assert_allclose(shift, [[0, 0, 84], [0, 0, 84]], atol=1e-3)


def test_a_copy_of_a_wider_face_is_that_of_the_stored_one_where_it_lies(work):
    manifests, _, _, _, name = work
    row = next(iter(storage.read_rows(manifests / TABLE / "00000.parquet")))
    shift = np.array([[1.0, 0.0, 84.0], [0.0, 1.0, 84.0]])
    wide = decode(row["image"]["bytes"])
    change = augmentation.Augmentation(**CHANGE)
    actual, moves = wide_copy(wide, change, shift)
    expected = augmentation.apply(np.ascontiguousarray(wide[84:308, 84:308]), change)
    corners = np.array([[0, 0, 1], [223, 0, 1], [0, 223, 1], [223, 223, 1]])
    from_ = corners @ invert(augmentation.movement(change, width_px=224, height_px=224)).T
    assert from_.min() < 0, "its corners come from outside the stored face"
    middle = slice(40, 184)
    difference = actual[84:308, 84:308][middle, middle].astype(int) - expected[middle, middle]
    assert np.abs(difference).max() <= 1
    crops = load_wide_crops(manifests, ["copy", name], device=CPU, jobs=2).float()
    assert (crops[0] - crops[1]).abs().mean() < 4  # the noise
    assert not torch.equal(crops[0], crops[1])
    np.testing.assert_allclose(moves[:, :2], augmentation.movement(change, width_px=2, height_px=2)[:, :2])


def test_an_image_without_a_wider_face_is_named(work):
    manifests, *_, name = work
    (manifests / TABLE / "00000.parquet").unlink()
    with pytest.raises(ManifestError, match=rf"1 images have no wider face .* e\.g\. {name}") as caught:
        load_wide_crops(manifests, [name], device=CPU)
    assert "crops: stored" in caught.value.hint


def test_the_crop_of_a_picture_is_that_of_the_work_folder(work):
    """A face of a file is cut from its frame as the stage cuts wide faces; but for JPEG, which these are."""
    manifests, frame, points, transform, name = work
    stored = load_wide_crops(manifests, [name], device=CPU)[0].permute(1, 2, 0).numpy().astype(float)
    network = RecognitionNetwork(
        model=None,
        crops="wide",
        margin=WideFacesConfig().margin,
        is_frozen=False,
        grey=False,
        trained=None,
        device=CPU,
        labels=None,
    )
    positioned = FacePosition(frame=frame, landmarks=points.astype(np.float32), transform=transform)
    actual = network.crop(cut_chip(frame, transform, size=224), positioned).astype(float)
    assert np.abs(actual - stored).mean() < 1.0
    narrow = (
        replace(network, crops="stored").crop(cut_chip(frame, transform, size=224), positioned).astype(float)
    )
    assert np.abs(narrow - stored).mean() > 3.0, "a part of it lies outside the stored face"
