"""Drawn heads that turn and swing faster than people mostly do, with the exact places of their landmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from fgbench.synthetic.action_units import neutral
from fgbench.synthetic.camera import Camera, Pose
from fgbench.synthetic.face import Head
from fgbench.synthetic.identity import draw_identity
from fgbench.synthetic.render import Renderer
from fgbench.synthetic.scene import draw_scene

SIZE = (640, 360)
_HEAD = (360, 360)  # width and height of the picture in which the head is drawn
_EXPOSED = 3  # pictures whose mean is a frame: what moves is blurred


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """How a head moves: one sine each, in frames and at most.

    Attributes:
        across_px: To either side.
        down_px: Up and down.
        turn_deg: Yaw to either side.
        tilt_deg: Roll to either side.
        period: Frames of a swing across; the others take longer or shorter times of their own.
    """

    across_px: float = 0.0
    down_px: float = 0.0
    turn_deg: float = 0.0
    tilt_deg: float = 0.0
    period: float = 12.0

    def at(self, time: float) -> tuple[Pose, tuple[float, float]]:
        """Pose, and way of the head in px, at a time in frames."""
        phase = 2 * np.pi * time / self.period
        pose = Pose(self.turn_deg * np.sin(0.8 * phase + 1), 0.0, self.tilt_deg * np.sin(0.9 * phase))
        return pose, (self.across_px * np.sin(phase), self.down_px * np.sin(0.7 * phase + 2))


def drawn_swing(
    swing: Swing, *, person: int, n_frames: int, eyes_px: float = 62.0, is_plain: bool = False
) -> tuple[list[np.ndarray], np.ndarray]:
    """A clip of a moving head before a ground that does not move.

    Args:
        swing: How it moves.
        person: Number of the drawn person, and of the scene.
        n_frames: Length of the clip.
        eyes_px: Distance of the outer corners of the eyes.
        is_plain: Whether the ground is of one grey.

    Returns:
        (360, 640, 3) uint8 RGB pictures; and (n_frames, 68, 2) landmarks in the middle of the exposure.
    """
    rng = np.random.default_rng(person)
    camera = Camera(scale_px=eyes_px, centre_px=(_HEAD[0] / 2, 0.45 * _HEAD[1]), distance=12.0)
    scene = replace(draw_scene(*_HEAD, rng), camera=camera, pose=Pose(0.0, 0.0, 0.0))
    someone = draw_identity(7, person)
    renderer, head = Renderer(someone, scene, *_HEAD), Head(someone, camera)
    blocks = rng.integers(40, 200, (9, 16, 3), np.uint8)
    if is_plain:
        blocks[:] = 128
    ground = cv2.resize(blocks, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    rest = neutral()
    shown, marks = [], []
    for frame in range(n_frames):
        pose, way = swing.at(frame)
        position = np.array([(SIZE[0] - _HEAD[0]) / 2 + way[0], way[1]])
        marks.append(head.seen(rest, pose).landmarks_px + position)
        mean = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
        for part in range(_EXPOSED):
            time = frame + 0.5 * (part - (_EXPOSED - 1) / 2) / _EXPOSED
            pose, way = swing.at(time)
            position = np.array([(SIZE[0] - _HEAD[0]) / 2 + way[0], way[1]])
            picture = renderer.picture(rest, pose).astype(np.float32)
            move = np.array([[1.0, 0.0, position[0]], [0.0, 1.0, position[1]]])
            edge = np.zeros(_HEAD[::-1], np.float32)
            cv2.ellipse(edge, (_HEAD[0] // 2, _HEAD[1] // 2), (150, 176), 0, 0, 360, 1.0, -1)
            edge = cv2.warpAffine(cv2.GaussianBlur(edge, (0, 0), 4), move, SIZE)[:, :, None]
            mean += edge * cv2.warpAffine(picture, move, SIZE) + (1 - edge) * ground
        shown.append(np.clip(np.rint(mean / _EXPOSED), 0, 255).astype(np.uint8))
    return shown, np.stack(marks)
