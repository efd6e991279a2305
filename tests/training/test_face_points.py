"""Crops for InsightFace's networks: points, fit and warp against other implementations."""

import cv2
import numpy as np
import pytest
import skimage.transform
import torch

from fgbench.errors import ManifestError
from fgbench.faces.geometry import apply_transform, chip_transform, mean_face
from fgbench.media.images import decode, encode
from fgbench.methods.insightface.crops import (
    TEMPLATE,
    crop_transform,
    crop_transforms,
    five_points,
    load_crops,
    warp_crop,
)
from fgbench.preparation import augmentation
from tests.support.shaken_landmarks import TURN, landmarks
from tests.support.tiny_manifests import image_row, picture, write_faces, write_images

CPU = torch.device("cpu")


def test_points_are_eyes_nose_and_mouth():
    points = np.arange(136.0).reshape(68, 2) ** 1.5
    expected = [
        points[[36, 37, 38, 39, 40, 41]].mean(0),
        points[[42, 43, 44, 45, 46, 47]].mean(0),
        points[30],
        points[48],
        points[54],
    ]
    np.testing.assert_allclose(five_points(points), expected)


def test_points_of_the_5_point_model_are_those_of_the_mean_face():
    mean_five = [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
    actual = five_points(apply_transform(TURN, np.array(mean_five) * 300))
    np.testing.assert_allclose(actual, five_points(landmarks(spread=0.0)), atol=1e-9)


def test_other_numbers_of_points_are_refused():
    with pytest.raises(ValueError, match=r"\(7, 2\)"):
        five_points(np.zeros((7, 2)))


@pytest.mark.parametrize("seed", range(4))
def test_the_fit_agrees_with_another_implementation(seed):
    points = five_points(landmarks(seed))
    expected = skimage.transform.estimate_transform("similarity", points, np.array(TEMPLATE))
    np.testing.assert_allclose(crop_transform(points), expected.params[:2], atol=1e-9)


def test_the_warp_agrees_with_another_implementation():
    face = picture(5)
    turned = np.array([[0.01, -0.03, 0.3], [0.03, 0.01, -0.4]])
    transform = crop_transform(np.array(TEMPLATE) * 1.8 + [12.0, 6.0]) + turned
    actual = warp_crop(face, transform)
    inverse = skimage.transform.AffineTransform(np.linalg.inv(np.vstack([transform, [0, 0, 1]])))
    # Samples at the centres of 4 x 4 parts of every pixel, averaged.
    parts = (np.arange(448) + 0.5) / 4 - 0.5
    grid = np.stack(np.meshgrid(parts, parts), -1).reshape(-1, 2)
    x, y = inverse(grid).T
    expected = np.stack(
        [
            skimage.transform.warp(
                face[:, :, c].astype(float),
                np.stack([y, x])[:, None],
                order=1,
                mode="edge",
                preserve_range=True,
            )
            .reshape(112, 4, 112, 4)
            .mean((1, 3))
            for c in range(3)
        ],
        -1,
    )
    assert actual.shape == (112, 112, 3)
    # OpenCV samples at 1/32 px, and rounds twice.
    assert np.abs(actual - expected).max() < 3
    assert np.abs(actual - expected).mean() < 0.5


def face_row(number, points, transform, status="ok"):
    row = image_row(number)
    filled = np.full((68, 2), np.nan)
    filled[: len(points)] = points
    return {
        "clip_id": row["clip_id"],
        "frame_index": number,
        "role": "image",
        "status": status,
        "landmarks": filled.ravel().tolist(),
        "transform": np.asarray(transform).ravel().tolist(),
        "image": row["image"],
    }


@pytest.fixture
def manifests(tmp_path):
    """Original 0 with 68 points, a copy of it, original 1 with 5 points, original 2 without a face row."""
    points = landmarks()
    transform = chip_transform(points, size=224, padding=0.25)
    five = points[[45, 42, 36, 39, 33]]
    rows = [
        face_row(0, points, transform),
        face_row(1, five, chip_transform(five, size=224, padding=0.25)),
    ]
    write_faces(tmp_path, rows)
    original = image_row(0)
    change = augmentation.Augmentation(rotation_deg=9.0, scale=1.08, noise_sigma=0.0, noise_seed=1)
    copy = image_row(
        0,
        image_id="copy",
        parent_id=original["image_id"],
        augmentation={"rotation_deg": 9.0, "scale": 1.08, "noise_sigma": 0.0, "noise_seed": 1},
        data=encode(augmentation.apply(decode(original["image"]["bytes"]), change), "png", 0),
    )
    write_images(tmp_path, [original, copy, image_row(1), image_row(2)], files=2)
    return tmp_path


def test_crops_put_the_points_onto_the_template(manifests):
    points = landmarks()
    expected = skimage.transform.estimate_transform(
        "similarity",
        apply_transform(chip_transform(points, size=224, padding=0.25), five_points(points)),
        np.array(TEMPLATE),
    )
    names = [image_row(number)["image_id"] for number in (1, 0)]
    actual = crop_transforms(manifests, names)
    np.testing.assert_allclose(actual[1], expected.params[:2], atol=1e-4)
    # The stored face lies as the mean face does, so with 5 points the crop is the same for every face.
    mean = np.full((68, 2), np.nan)
    mean[17:] = (mean_face() + 0.25) / 1.5 * 224 - 0.5
    reference = apply_transform(actual[0], five_points(mean))
    assert np.abs(reference - np.array(TEMPLATE)).max() < 4


def test_a_copy_is_cropped_as_its_original(manifests):
    """Turned back by its own transform, a copy gives the crop of its original."""
    names = ["copy", image_row(0)["image_id"]]
    crops = load_crops(manifests, names, device=CPU, jobs=2)
    assert crops.shape == (2, 3, 112, 112)
    assert crops.dtype == torch.uint8
    middle = crops[:, :, 25:75, 25:87].float()
    assert (middle[0] - middle[1]).abs().mean() < 1.0
    transforms = crop_transforms(manifests, names)
    turned, plain = (np.degrees(np.arctan2(one[1, 0], one[0, 0])) for one in transforms)
    scales = [np.hypot(*one[:, 0]) for one in transforms]
    assert turned - plain == pytest.approx(9.0, abs=1e-4)
    assert scales[1] / scales[0] == pytest.approx(1.08, abs=1e-4)
    data = image_row(0)["image"]["bytes"]
    expected = warp_crop(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), transforms[1])
    np.testing.assert_array_equal(crops[1].numpy(), expected[:, :, ::-1].transpose(2, 0, 1))


def test_faces_without_landmarks_are_named(manifests):
    name = image_row(2)["image_id"]
    with pytest.raises(ManifestError, match=rf"image {name} has no landmarks(.|\n)*faces\.align: always"):
        load_crops(manifests, [name], device=CPU)
