"""A person's face ready to move: positions of landmarks and contours for any activation and pose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.synthetic import anatomy, identity, muscles
from fgbench.synthetic.action_units import Activation
from fgbench.synthetic.camera import Camera, Pose, head_turn, project, rotation, turned
from fgbench.synthetic.identity import Identity

Positions = npt.NDArray[np.float64]
"""float64 (N, 3) in the head's frame."""

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
        """Positions (N, 3) float32 for weights as :func:`fgbench.synthetic.muscles.weights` gives them."""
        active = np.flatnonzero(weights)
        if not len(active):
            return self.rest.copy()
        shape = self.rest.shape
        shift = weights[active] @ self.basis[active].reshape(len(active), -1)
        return np.asarray(self.rest + shift.reshape(shape), np.float32)


def deformable(groups: Mapping[str, anatomy.Points], person: Identity) -> Deformable:
    """Put groups of reference points on a person's face."""
    spans: dict[str, slice] = {}
    start = 0
    for name, points in groups.items():
        spans[name] = slice(start, start + len(points))
        start += len(points)
    points = np.concatenate(list(groups.values()))
    return Deformable(
        rest=identity.shaped(points, person.shape).astype(np.float32),
        basis=muscles.basis(points),
        spans=spans,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the camera sees of a head in one frame.

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
        person: Whose head.
        camera: Who looks.
    """

    def __init__(self, person: Identity, camera: Camera) -> None:
        self._points = deformable({"landmarks": anatomy.landmarks(), **anatomy.contours()}, person)
        self._opening = identity.opening(person.shape)
        self._camera = camera

    def seen(self, activation: Activation, pose: Pose) -> Seen:
        """Landmarks and contours in px.

        Args:
            activation: float32 (channels,): what the face does.
            pose: Pose without the turns by action units 51 to 56, which are added to it.
        """
        turn = head_turn(activation)
        whole = Pose(
            *(getattr(pose, name) + getattr(turn, name) for name in ("yaw_deg", "pitch_deg", "roll_deg"))
        )
        points = self._points.moved(muscles.weights(activation, opening=self._opening)).astype(np.float64)
        spans = self._points.spans
        part_lips(points, [61, 62, 63], [67, 66, 65])
        inner = [range(spans[name].start, spans[name].stop) for name in ("inner_upper", "inner_lower")]
        part_lips(points, *inner)
        pixels = project(turned(points, rotation(whole)), self._camera)
        groups = {name: pixels[span] for name, span in spans.items()}
        return Seen(pose=whole, landmarks_px=groups.pop("landmarks"), contours_px=groups)


def part_lips(points: Positions, upper: Sequence[int], lower: Sequence[int]) -> None:
    """Keep the inner contours of the lips from passing each other; changes ``points`` in place.

    Args:
        points: Positions of which some belong to the inner contours.
        upper: Indices on the upper lip.
        lower: Indices of the points under them.
    """
    top, bottom = list(upper), list(lower)
    over = np.maximum(points[top, 1] + _LIP_GAP - points[bottom, 1], 0.0)
    points[top, 1] -= 0.5 * over
    points[bottom, 1] += 0.5 * over
