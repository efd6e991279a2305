"""Draws frames: a person's face in a scene, as RGB."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import face
from fgbench.synthetic.action_units import Activation
from fgbench.synthetic.camera import Pose
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.scene import Scene

Picture = npt.NDArray[np.uint8]

_SHIFT = 4


class Renderer:
    """Draws one person in one scene."""

    def __init__(self, person: Identity, scene: Scene, width: int, height: int) -> None:
        self._person, self._scene = person, scene
        self._head = face.Head(person, scene.camera)
        rng = np.random.default_rng(scene.seed)
        small = rng.uniform(60, 190, (5, 8, 3)).astype(np.float32)
        self._background = (
            cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
        )

    def planes(self, activation: Activation, pose: Pose, *, gaze: tuple[float, float], frame: int) -> Picture:
        """One frame as yuv420p planes."""
        return np.asarray(cv2.cvtColor(self.frame(activation, pose, gaze), cv2.COLOR_RGB2YUV_I420))

    def picture(self, activation: Activation, pose: Pose) -> Picture:
        """One frame as (H, W, 3) uint8 RGB."""
        return self.frame(activation, pose, (0.0, 0.0))

    def frame(self, activation: Activation, pose: Pose, gaze: tuple[float, float]) -> Picture:
        """One frame, (H, W, 3) uint8 RGB."""
        view = self._head.seen(activation, pose)
        seen, marks = view.contours_px, view.landmarks_px
        scale = self._scene.camera.scale_px
        image = self._background.copy()
        skin = self._person.skin
        up = (marks[27] - marks[8]) / np.linalg.norm(marks[27] - marks[8])
        arc = [
            marks[27] + up * scale * 1.05 * np.sin(a) + (marks[16] - marks[0]) * 0.5 * np.cos(a)
            for a in np.linspace(0.1, np.pi - 0.1, 15)
        ]
        _fill(image, [m - up * 0.0 for m in arc] + [marks[0], marks[16]], self._person.hair, grow=1.08)
        oval = list(marks[:17]) + [
            marks[27] + up * scale * 0.72 * np.sin(a) + (marks[16] - marks[0]) * 0.48 * np.cos(a)
            for a in np.linspace(0.1, np.pi - 0.1, 15)
        ]
        _fill(image, oval, skin)
        shade = np.zeros(image.shape[:2], np.uint8)
        _fill(shade, [marks[21], marks[22], marks[35], marks[33], marks[31]], 40)
        for k in (36, 42):
            _fill(shade, marks[k : k + 6], 50, grow=1.5)
        shade = cv2.GaussianBlur(shade, (0, 0), 0.06 * scale)
        _fill(shade, marks[[31, 32, 33, 34, 35, 33]], 70)
        shade = cv2.GaussianBlur(shade, (0, 0), 0.02 * scale)
        image = cv2.subtract(image, cv2.merge([shade] * 3))
        for span in (marks[17:22], marks[22:27]):
            cv2.polylines(
                image,
                [_fixed(span)],
                False,
                self._person.hair,
                max(1, int(0.06 * scale)),
                cv2.LINE_AA,
                _SHIFT,
            )
        for side in ("l", "r"):
            eye = np.concatenate([seen[f"lid_upper_{side}"], seen[f"lid_lower_{side}"][::-1]])
            _fill(image, eye, (235, 232, 228))
            centre = eye.mean(axis=0)
            centre = centre + scale * np.array([gaze[0] * 0.08, -gaze[1] * 0.05])
            layer = image.copy()
            cv2.circle(
                layer,
                tuple(_fixed(centre)),
                int(0.068 * scale * 16),
                self._person.iris,
                -1,
                cv2.LINE_AA,
                _SHIFT,
            )
            cv2.circle(
                layer, tuple(_fixed(centre)), int(0.03 * scale * 16), (10, 10, 10), -1, cv2.LINE_AA, _SHIFT
            )
            mask = np.zeros(image.shape[:2], np.uint8)
            _fill(mask, eye, 255)
            cv2.copyTo(layer, mask, image)
            cv2.polylines(
                image,
                [_fixed(seen[f"lid_upper_{side}"])],
                False,
                (40, 25, 20),
                max(1, int(0.02 * scale)),
                cv2.LINE_AA,
                _SHIFT,
            )
        outer = np.concatenate([seen["lip_upper"], seen["lip_lower"][::-1]])
        inner = np.concatenate([seen["inner_upper"], seen["inner_lower"][::-1]])
        _fill(image, outer, self._person.lips)
        _fill(image, inner, (60, 20, 20))
        cv2.polylines(image, [_fixed(inner)], True, (70, 25, 25), 1, cv2.LINE_AA, _SHIFT)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), self._scene.blur_px))


def _fixed(points: npt.ArrayLike) -> npt.NDArray[np.int32]:
    return np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)


def _fill(image: Picture, points: npt.ArrayLike, colour: object, grow: float = 1.0) -> None:
    points = np.asarray(points)
    centre = points.mean(axis=0)
    cv2.fillPoly(image, [_fixed(centre + (points - centre) * grow)], colour, cv2.LINE_AA, _SHIFT)
