"""Similarity transforms, boxes, and the chip's geometry against dlib."""

import dlib
import numpy as np
import pytest

from fgbench.faces.geometry import (
    apply_transform,
    box_centre,
    box_iou,
    box_width,
    chip_transform,
    compose,
    invert,
    mean_face,
    scale_of,
    similarity,
    square_box,
)


def umeyama(source, target):
    """Umeyama (1991), equations 40 to 42, by singular value decomposition."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    u, d, vt = np.linalg.svd((target - target_mean).T @ (source - source_mean) / len(source))
    s = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ s @ vt
    scale = np.trace(np.diag(d) @ s) / ((source - source_mean) ** 2).sum(1).mean()
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


@pytest.mark.parametrize("seed", range(5))
def test_similarity_equals_umeyama_on_noisy_points(seed):
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(20, 2)) * 50
    angle = rng.uniform(-3, 3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = 1.7 * source @ turn.T + [30, -8] + rng.normal(size=(20, 2)) * 4
    np.testing.assert_allclose(similarity(source, target), umeyama(source, target), atol=1e-10)


def test_similarity_recovers_a_quarter_turn():
    source = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    target = np.array([[5.0, 5.0], [5.0, 9.0], [3.0, 5.0]])  # x becomes y, twice as long
    np.testing.assert_allclose(similarity(source, target), [[0, -2, 5], [2, 0, 5]], atol=1e-12)


def test_similarity_refuses_what_has_no_answer():
    with pytest.raises(ValueError, match="all source points are equal"):
        similarity(np.ones((3, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="expected two of"):
        similarity(np.zeros((3, 2)), np.zeros((4, 2)))


def test_transforms_compose_and_invert():
    first = np.array([[0.0, -2.0, 5.0], [2.0, 0.0, 1.0]])
    second = np.array([[3.0, 0.0, -1.0], [0.0, 3.0, 4.0]])
    points = np.array([[1.0, 2.0], [-3.0, 0.5]])
    both = apply_transform(second, apply_transform(first, points))
    np.testing.assert_allclose(apply_transform(compose(first, second), points), both)
    np.testing.assert_allclose(apply_transform(invert(first), apply_transform(first, points)), points)
    assert scale_of(first) == pytest.approx(2.0)


def test_boxes():
    box = square_box(np.array([10.0, 20.0]), 8)
    assert box.dtype == np.float32
    np.testing.assert_array_equal(box, [6, 16, 14, 24])
    np.testing.assert_array_equal(box_centre(box), [10, 20])
    assert box_width(box) == 8
    assert box_width(np.array([0.0, 0.0, 4.0, 9.0])) == 6
    assert box_iou(box, box) == 1
    assert box_iou(box, box + np.array([4, 0, 4, 0])) == pytest.approx(1 / 3)
    assert box_iou(box, box + 100) == 0
    assert box_iou(np.zeros(4), np.zeros(4)) == 0


def face(n_points, seed, width_px):
    """Integer landmarks near the mean face, turned, as dlib's objects and as an array."""
    rng = np.random.default_rng(seed)
    if n_points == 5:
        points = mean_face()[np.array([45, 42, 36, 39, 33]) - 17]
    else:
        points = np.vstack([rng.uniform(0, 1, (17, 2)), mean_face()])
    angle = rng.uniform(-0.6, 0.6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points - 0.5) @ turn.T * width_px + [320, 240] + rng.normal(size=points.shape) * 0.02 * width_px
    points = points.round().astype(int)
    actual = dlib.full_object_detection(
        dlib.rectangle(0, 0, 9, 9), [dlib.point(*map(int, p)) for p in points]
    )
    return actual, points.astype(np.float64)


@pytest.mark.parametrize("n_points", [68, 5])
@pytest.mark.parametrize(("size", "padding", "width_px"), [(224, 0.25, 300), (150, 0.0, 90), (96, 0.6, 40)])
def test_chip_transform_equals_dlibs_rectangle(n_points, size, padding, width_px):
    for seed in range(4):
        actual, points = face(n_points, seed, width_px)
        details = dlib.get_face_chip_details(actual, size, padding)
        rect, angle = details.rect, details.angle
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        left, top, right, bottom = rect.left(), rect.top(), rect.right(), rect.bottom()
        centre = np.array([left + right, top + bottom]) / 2
        corners = np.array([[left, top], [right, top], [right, bottom]])
        corners = (corners - centre) @ turn.T + centre
        last = size - 1
        on_chip = apply_transform(chip_transform(points, size=size, padding=padding), corners)
        np.testing.assert_allclose(on_chip, [[0, 0], [last, 0], [last, last]], atol=1e-6)


def test_chip_transform_refuses_other_landmarks():
    with pytest.raises(ValueError, match=r"\(21, 2\), expected \(68, 2\) or \(5, 2\)"):
        chip_transform(np.zeros((21, 2)), size=224, padding=0.25)
