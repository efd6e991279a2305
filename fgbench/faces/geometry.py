"""Plane geometry: boxes, similarity transforms, and the geometry of aligned face chips.

Coordinates are pixels: x to the right, y down, the centre of the top left pixel at (0, 0). Boxes are
``x0, y0, x1, y1`` of their outlines' corners, so that the width is ``x1 - x0``. Transforms are 2x3 matrices
``[A | t]`` that map a column ``(x, y, 1)`` to ``A (x, y) + t``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
"""Array of float32 or float64."""

Transform = npt.NDArray[np.float64]
"""(2, 3) float64 affine transform."""

N_IBUG_POINTS = 68
N_FIVE_POINTS = 5

# Mean face of dlib's chips in a square of side 1: points 17 to 67 of the iBUG order
# (dlib/image_transforms/interpolation.h, get_face_chip_details).
# fmt: off
_MEAN_IBUG_X = [
    0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004,
    0.490127, 0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737,
    0.187122, 0.265825, 0.334606, 0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516, 0.79751,
    0.719335, 0.254149, 0.340985, 0.428858, 0.490127, 0.551395, 0.639268, 0.726104, 0.642159, 0.556721,
    0.490127, 0.423532, 0.338094, 0.290379, 0.428096, 0.490127, 0.552157, 0.689874, 0.553364, 0.490127,
    0.42689,
]
_MEAN_IBUG_Y = [
    0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454,
    0.203352, 0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423,
    0.178758, 0.179852, 0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077,
    0.245099, 0.780233, 0.745405, 0.727388, 0.742578, 0.727388, 0.745405, 0.780233, 0.864805, 0.902192,
    0.909281, 0.902192, 0.864805, 0.784792, 0.778746, 0.785343, 0.778746, 0.784792, 0.824182, 0.831803,
    0.824182,
]
# fmt: on
# The same face for dlib's 5-point model: outer and inner corner of the eye on the right of the image, then of
# the eye on the left, base of the nose.
_MEAN_FIVE = [
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
]
# dlib aligns by eyes, nose and upper lip; brows, lower lip and jaw move too much.
_CHIP_POINTS = np.array([*range(27, 55), *range(60, 65)])


def mean_face() -> Floats:
    """Points 17 to 67 (iBUG order) of the mean face in a square of side 1, (51, 2) float64."""
    return np.column_stack([_MEAN_IBUG_X, _MEAN_IBUG_Y])


def similarity(source: Floats, target: Floats) -> Transform:
    """Fit the similarity (rotation, scale, shift; no reflection) that maps points nearest to others.

    Least squares, as in Umeyama (1991), in its closed form with complex numbers in the plane.

    Args:
        source: (N, 2) points, N >= 2, not all equal.
        target: (N, 2) points.

    Returns:
        (2, 3) float64.

    Raises:
        ValueError: If the shapes do not agree or all source points are equal.
    """
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ValueError(f"points of shapes {source.shape} and {target.shape}, expected two of (N >= 2, 2)")
    source_mean, target_mean = source.mean(axis=0, dtype=float), target.mean(axis=0, dtype=float)
    (sx, sy), (tx, ty) = (source - source_mean).T, (target - target_mean).T
    spread = float(sx @ sx + sy @ sy)
    if spread == 0.0:
        raise ValueError("all source points are equal: no similarity transform is defined")
    cosine, sine = float(sx @ tx + sy @ ty) / spread, float(sx @ ty - sy @ tx) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def apply_transform(transform: Transform, points: Floats) -> npt.NDArray[np.float64]:
    """Apply a (2, 3) transform to points (..., 2); returns float64."""
    moved: npt.NDArray[np.float64] = points @ transform[:, :2].T + transform[:, 2]
    return moved


def invert(transform: Transform) -> Transform:
    """Inverse of a (2, 3) transform."""
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


def compose(first: Transform, second: Transform) -> Transform:
    """Transform that applies ``first``, then ``second``."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def scale_of(transform: Transform) -> float:
    """Factor by which a similarity changes lengths."""
    return float(np.hypot(transform[0, 0], transform[1, 0]))


def square_box(centre: Floats, width_px: float) -> npt.NDArray[np.float32]:
    """Square ``x0, y0, x1, y1`` about a point, (4,) float32."""
    half = width_px / 2
    x, y = float(centre[0]), float(centre[1])
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def box_centre(box: Floats) -> npt.NDArray[np.float64]:
    """Centre of a box, (2,) float64."""
    return np.array([(float(box[0]) + float(box[2])) / 2, (float(box[1]) + float(box[3])) / 2])


def box_width(box: Floats) -> float:
    """Side in px of the square that has the area of a box."""
    return float(np.sqrt(max(0.0, float(box[2]) - float(box[0])) * max(0.0, float(box[3]) - float(box[1]))))


def box_iou(first: Floats, second: Floats) -> float:
    """Area shared by two boxes over the area covered by either; 0 for two empty boxes."""
    width = min(float(first[2]), float(second[2])) - max(float(first[0]), float(second[0]))
    height = min(float(first[3]), float(second[3])) - max(float(first[1]), float(second[1]))
    shared = max(0.0, width) * max(0.0, height)
    covered = box_width(first) ** 2 + box_width(second) ** 2 - shared
    return shared / covered if covered > 0 else 0.0


def chip_frame(landmarks: Floats) -> Transform:
    """Similarity from the unit square of dlib's mean face to the image, fitted to the points that dlib aligns
    by.

    Args:
        landmarks: (68, 2) points in iBUG order, or (5, 2) points of dlib's 5-point model, in px.

    Raises:
        ValueError: If there are neither 68 nor 5 points.
    """
    if landmarks.shape == (N_IBUG_POINTS, 2):
        return similarity(mean_face()[_CHIP_POINTS - 17], landmarks[_CHIP_POINTS])
    if landmarks.shape == (N_FIVE_POINTS, 2):
        return similarity(np.array(_MEAN_FIVE), landmarks)
    raise ValueError(f"landmarks of shape {landmarks.shape}, expected (68, 2) or (5, 2)")


def chip_transform(landmarks: Floats, *, size: int, padding: float, shift: float = 0.0) -> Transform:
    """Transform from the image to the aligned face chip: that of ``dlib.get_face_chip`` without a shift.

    Args:
        landmarks: (68, 2) points in iBUG order, or (5, 2) points of dlib's 5-point model, in px.
        size: Side of the chip in px, at least 2.
        padding: Margin that dlib leaves around the mean face, as a share of the face's size.
        shift: Distance of the chip below dlib's, down the face, in the same unit.

    Returns:
        (2, 3) float64, image to chip. The chip's corner pixels have the centres (0, 0) and (size - 1, size -
        1).

    Raises:
        ValueError: If there are neither 68 nor 5 points.
    """
    to_image = chip_frame(landmarks)
    # dlib's chip is the square of the mean face, widened by the padding on all sides. Its side counts pixels,
    # so the distance between the centres of its corner pixels is one less: dlib spreads that distance over
    # the chip.
    side_px = scale_of(to_image) * (2 * padding + 1)
    linear = to_image[:, :2] / scale_of(to_image) * ((side_px - 1) / (size - 1))
    centre = apply_transform(to_image, np.array([0.5, 0.5 + shift]))
    return invert(np.column_stack([linear, centre - linear @ np.full(2, (size - 1) / 2)]))
