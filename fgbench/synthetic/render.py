"""Draws frames: a person's head in a scene.

The head's colours lie on a grid that action units and pose move. Each frame: move and project the grid, find
every pixel's position on the grid, look up the lit colour there, draw eyes and mouth, lay the head over
the static background, and add blur and grain like a camera.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic import hair, identity, mesh, muscles, skin, warp
from fgbench.synthetic.action_units import Activation
from fgbench.synthetic.backdrop import draw_backdrop
from fgbench.synthetic.camera import Pose, rotation
from fgbench.synthetic.canvas import Colour, Picture
from fgbench.synthetic.eyes import draw_eye
from fgbench.synthetic.face import Head, Seen
from fgbench.synthetic.glasses import draw_glasses
from fgbench.synthetic.identity import Identity
from fgbench.synthetic.light import FULL, Shader
from fgbench.synthetic.mouth import draw_mouth
from fgbench.synthetic.rig import Rig
from fgbench.synthetic.scene import Scene

_CELLS_PER_UNIT = 34.0
"""Raster cells per distance of the outer eye corners at which pixels are traced back to the grid."""
_TEXELS_PER_PX = 0.0085
"""Pixels of the texture per pixel of the relief, for a distance of the outer eye corners of 1 px."""
_EAR_IN_FRONT = 0.10
"""Turn towards the camera from which an ear is seen before the head."""
_SHIFT = 4
_LANDMARKS = {"r": (-0.355, 0.04), "l": (0.355, 0.04), "mouth": (0.0, 0.84), "crown": (0.0, -1.05)}


class Renderer:
    """Draws one person in one scene.

    Args:
        person: The person.
        scene: Surroundings and light.
        width: Width of the picture in px.
        height: Height of the picture in px.
    """

    def __init__(self, person: Identity, scene: Scene, width: int, height: int) -> None:
        self._person, self._scene, self._size = person, scene, (width, height)
        self._head, self._rig = Head(person, scene.camera), Rig(person, scene.camera)
        self._opening = identity.opening(person.shape)
        self._shader = Shader(self._rig.normals, scene, rotation(scene.pose).T, person)
        self._texels = int(np.clip(round(scene.camera.scale_px * _TEXELS_PER_PX), 1, mesh.TEXELS))
        self._texture = _at_size(skin.texture(person), self._texels)
        self.backdrop = draw_backdrop(person, scene, width, height)

    def picture(
        self, activation: Activation, pose: Pose, *, gaze: tuple[float, float] = (0.0, 0.0)
    ) -> Picture:
        """One frame without grain, (H, W, 3) uint8 RGB.

        Args:
            activation: float32 (channels,).
            pose: Pose without the turns by action units.
            gaze: Idle gaze to the person's left and up, as fractions of the largest turn.
        """
        result = self.backdrop.copy()
        pixels, (x, y) = self.patch(activation, pose, gaze=gaze)
        result[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        return np.asarray(cv2.GaussianBlur(result, (0, 0), self._scene.blur_px))

    def patch(
        self, activation: Activation, pose: Pose, *, gaze: tuple[float, float]
    ) -> tuple[Picture, tuple[int, int]]:
        """The part of a frame that differs from the backdrop, before blur and grain.

        Returns:
            uint8 (h, w, 3) RGB with even h and w, and the even (x, y) of its top left pixel.
        """
        seen = self._head.seen(activation, pose)
        matrix = rotation(seen.pose)
        nodes = self._rig.nodes(muscles.weights(activation, opening=self._opening), matrix)
        levels = self._shader.levels(activation, matrix.T)
        front = _window(nodes, self._size, cell=self._cell())
        head = self._lit(nodes, levels, matrix, front, from_right=seen.pose.yaw_deg > 0)
        corner = np.array([front.x, front.y])
        self._draw_features(head, seen, corner, levels, activation, gaze, matrix)
        mask = np.zeros(head.shape[:2], np.uint8)
        for outline in _silhouette(nodes - corner.astype(np.float32), seen.pose.roll_deg):
            cv2.fillPoly(mask, [np.rint(outline * (1 << _SHIFT)).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
        return self._laid(head, mask, front, matrix, _tone(levels, "crown"))

    def _cell(self) -> int:
        return max(1, round(self._scene.camera.scale_px / _CELLS_PER_UNIT))

    def _lit(
        self,
        nodes: npt.NDArray[np.float32],
        levels: Picture,
        matrix: npt.NDArray[np.float64],
        window: warp.Window,
        *,
        from_right: bool,
    ) -> Picture:
        """The head's surface in a window, without eyes and mouth."""
        lit = cv2.multiply(self._texture, mesh.enlarged(levels, self._texels), scale=1.0 / FULL)
        coordinates = warp.invert(nodes, window, from_right=from_right)
        coordinates = cv2.resize(
            mesh.in_texture(coordinates, self._texels), window.size, interpolation=cv2.INTER_LINEAR
        )
        seen = cv2.remap(lit, coordinates, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen)

    def _draw_features(
        self,
        head: Picture,
        seen: Seen,
        corner: npt.NDArray[np.int_],
        levels: Picture,
        activation: Activation,
        gaze: tuple[float, float],
        matrix: npt.NDArray[np.float64],
    ) -> None:
        """Draw eyes and mouth, and glasses if there are any."""
        contours = {name: line - corner for name, line in seen.contours_px.items()}
        scale = self._scene.camera.scale_px
        glint = (0.70 * self._scene.light[0], -0.40)
        pupils = self._rig.pupils(activation, gaze, matrix) - corner
        for side, pupil in zip("rl", pupils, strict=True):
            draw_eye(
                head,
                contours[f"lid_upper_{side}"],
                contours[f"lid_lower_{side}"],
                pupil,
                scale_px=scale,
                person=self._person,
                tone=_tone(levels, side),
                glint=glint,
            )
        tone = _tone(levels, "mouth")
        draw_mouth(head, contours, activation, scale_px=scale, person=self._person, tone=tone)
        lines = [line - corner for line in self._rig.glasses(matrix)]
        if lines:
            draw_glasses(head, lines, scale_px=scale)

    def _laid(
        self,
        head: Picture,
        mask: Picture,
        front: warp.Window,
        matrix: npt.NDArray[np.float64],
        tone: Colour,
    ) -> tuple[Picture, tuple[int, int]]:
        """Lay the head over the parts behind it."""
        skull, ears, long_hair = self._rig.skull(matrix), self._rig.ears(matrix), self._rig.long_hair(matrix)
        rim = np.array([[front.x, front.y], np.add((front.x, front.y), front.size)])
        whole = _window(
            np.vstack([rim, skull, *ears, *([] if long_hair is None else [long_hair])]), self._size
        )
        corner = np.array([whole.x, whole.y])
        width, height = whole.size
        under = self.backdrop[whole.y : whole.y + height, whole.x : whole.x + width].copy()
        scale = self._scene.camera.scale_px
        hair.draw_skull(under, skull - corner, self._person, tone)
        if long_hair is not None:
            hair.draw_long_hair(under, long_hair - corner, self._person, tone, scale_px=scale)
        before = [sign * matrix[2, 0] >= _EAR_IN_FRONT for sign in (-1.0, 1.0)]
        for ear, is_before in zip(ears, before, strict=False):
            if not is_before:
                hair.draw_ear(under, ear - corner, self._person, tone)
        left, top = front.x - whole.x, front.y - whole.y
        target = under[top : top + head.shape[0], left : left + head.shape[1]]
        rows, columns = target.shape[:2]
        share = cv2.merge([mask[:rows, :columns]] * 3)
        behind = cv2.multiply(target, cv2.bitwise_not(share), scale=1.0 / 255.0)
        target[:] = cv2.add(behind, cv2.multiply(head[:rows, :columns], share, scale=1.0 / 255.0))
        for ear, is_before in zip(ears, before, strict=False):
            if is_before:
                hair.draw_ear(under, ear - corner, self._person, tone)
        return under, (whole.x, whole.y)


@lru_cache(maxsize=1)
def _spots() -> dict[str, tuple[slice, slice]]:
    """Rows and columns of the relief's raster at which the light on a feature is measured."""
    names = tuple(_LANDMARKS)
    middles = np.rint(mesh.coordinates(np.array([_LANDMARKS[name] for name in names])) * mesh.RELIEF).astype(
        int
    )
    return {
        name: (slice(row - 3, row + 4), slice(column - 3, column + 4))
        for name, (column, row) in zip(names, middles.tolist(), strict=True)
    }


def _tone(levels: Picture, feature: str) -> Colour:
    """Factors of red, green and blue by the light at a feature."""
    red, green, blue, _ = cv2.mean(levels[_spots()[feature]])
    return red / FULL, green / FULL, blue / FULL


def _window(points: npt.NDArray[np.floating], size: tuple[int, int], cell: int = 2) -> warp.Window:
    """The part of the picture that contains points; its corner and size are even, for the halved chroma."""
    left, top, across, down = cv2.boundingRect(points.reshape(-1, 1, 2).astype(np.float32))
    x, y = (
        min(max(start - 4, 0), limit - 16) // 2 * 2 for start, limit in zip((left, top), size, strict=True)
    )
    right, bottom = min(max(left + across + 4, 0), size[0]), min(max(top + down + 4, 0), size[1])
    columns, rows = -(-max(right - x, 16) // cell), -(-max(bottom - y, 16) // cell)
    return warp.Window(x, y, cell, columns, rows)


def _at_size(texture: Picture, texels: int) -> Picture:
    """The texture at the size at which the face is seen."""
    rows, columns = mesh.relief().shape
    if texels == mesh.TEXELS:
        return texture
    size = columns * texels, rows * texels
    return np.asarray(cv2.resize(texture, size, interpolation=cv2.INTER_AREA))


def _silhouette(nodes: npt.NDArray[np.float32], roll_deg: float) -> list[npt.NDArray[np.float32]]:
    """Outlines that together cover the head: its top, the ends of the rows below, the jaw."""
    top, jaw, front = int(0.40 * len(nodes)), mesh.jaw_row(), mesh.front_columns()
    roll = np.deg2rad(roll_deg)
    middle = nodes[top : jaw + 1]
    across = middle[:, :, 0] * np.float32(np.cos(roll)) + middle[:, :, 1] * np.float32(np.sin(roll))
    first, last = across.argmin(axis=1), across.argmax(axis=1)
    rows = np.arange(len(middle))
    bottom = middle[-1, first[-1] : last[-1] + 1]
    return [
        _hull(nodes[: top + 1 : 2, ::2]),
        np.vstack([middle[rows, first], bottom, middle[rows, last][::-1]]),
        _hull(
            nodes[jaw - 1 :: 2, front.start + 2 : front.stop - 2 : 2],
            nodes[-1, front.start + 2 : front.stop - 2],
        ),
    ]


def _hull(*nodes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.convexHull(np.concatenate([part.reshape(-1, 2) for part in nodes]))[:, 0])
