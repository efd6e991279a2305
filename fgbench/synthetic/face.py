"""A person's face ready to move: landmarks, contours for any activation and pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy, identity, muscles
from fgbench.synthetic.action_units import Activation
from fgbench.synthetic.camera import Camera, Pose, head_turn, project, rotation, turned
from fgbench.synthetic.identity import Identity

_LIP_GAP = 0.004
"""Least distance of the inner contours of closed lips."""


@dataclass(frozen=True, slots=True, eq=False)
class Deformable:
    """Points of one person's head that the action units move.

    Attributes:
        rest: float32 (N, 3): positions at rest.
        basis: float32 (channels, N, 3): displacement by each channel at full weight.
        spans: Name of each group to its slice of the points.
    """

    rest: npt.NDArray[np.float32]
    basis: npt.NDArray[np.float32]
    spans: Mapping[str, slice]

    def moved(self, weights: Activation) -> npt.NDArray[np.float32]:
        """Positions (N, 3) float32 for weights from :func:`fgbench.synthetic.muscles.weights`."""
        result = self.rest.copy()
        # One field after the other: a fixed order of sums, independent of the threads of a BLAS.
        for channel in np.flatnonzero(weights).tolist():
            cv2.scaleAdd(self.basis[channel], float(weights[channel]), result, dst=result)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Projection of a head in one frame.

    Attributes:
        pose: Pose of the head, turns by action units included.
        landmarks_px: float64 (68, 2): the landmarks in the picture.
        contours_px: Name of each contour to its points, float64 (N, 2).
    """

    pose: Pose
    landmarks_px: npt.NDArray[np.float64]
    contours_px: Mapping[str, npt.NDArray[np.float64]]


class Head:
    """A person's head before a camera.

    Args:
        person: The person.
        camera: The camera.
    """

    def __init__(self, person: Identity, camera: Camera) -> None:
        self._points = _features(person)
        self._opening = identity.opening(person.shape)
        self._camera = camera

    def seen(self, activation: Activation, pose: Pose) -> Seen:
        """Landmarks and contours in px.

        Args:
            activation: float32 (channels,): activation of the face.
            pose: Pose without the turns by action units 51 to 56, which are added to it.
        """
        turn = head_turn(activation)
        whole = Pose(
            pose.yaw_deg + turn.yaw_deg, pose.pitch_deg + turn.pitch_deg, pose.roll_deg + turn.roll_deg
        )
        points = self._points.moved(muscles.weights(activation, opening=self._opening))
        spans = self._points.spans
        marks = points[spans["landmarks"]]
        keep_apart(marks[61:64], marks[67:64:-1], _LIP_GAP)
        keep_apart(points[spans["inner_upper"]], points[spans["inner_lower"]], _LIP_GAP)
        keep_apart(marks[37:39], marks[41:39:-1], 0.0)
        keep_apart(marks[43:45], marks[47:45:-1], 0.0)
        for side in "rl":
            keep_apart(points[spans[f"lid_upper_{side}"]], points[spans[f"lid_lower_{side}"]], 0.0)
        pixels = project(turned(points, rotation(whole)), self._camera)
        groups = {name: pixels[span] for name, span in spans.items()}
        return Seen(pose=whole, landmarks_px=groups.pop("landmarks"), contours_px=groups)


def keep_apart(upper: npt.NDArray[np.float32], lower: npt.NDArray[np.float32], gap: float) -> None:
    """Keep the margins of lips or lids from passing each other.

    Args:
        upper: (N, 3): points of the upper margin, changed.
        lower: (N, 3): the points under them, changed.
        gap: Least distance.
    """
    over = 0.5 * np.maximum(upper[:, 1] + np.float32(gap) - lower[:, 1], 0.0)
    upper[:, 1] -= over
    lower[:, 1] += over


@lru_cache(maxsize=32)
def _features(person: Identity) -> Deformable:
    """The person's landmarks and contours."""
    points, spans = _reference()
    rest = identity.shaped(points, person.shape).astype(np.float32)
    return Deformable(rest=rest, basis=_basis(), spans=spans)


@lru_cache(maxsize=1)
def _reference() -> tuple[anatomy.Points, Mapping[str, slice]]:
    groups = {"landmarks": anatomy.landmarks(), **anatomy.contours()}
    ends = np.cumsum([len(points) for points in groups.values()]).tolist()
    spans = {name: slice(end - len(groups[name]), end) for name, end in zip(groups, ends, strict=True)}
    return np.concatenate(list(groups.values())), spans


@lru_cache(maxsize=1)
def _basis() -> npt.NDArray[np.float32]:
    return muscles.basis(_reference()[0])
