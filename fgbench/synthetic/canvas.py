"""Drawing on small pieces of a picture: soft polygons and lines with sub-pixel corners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Points = npt.NDArray[np.floating]
Colour = tuple[float, float, float]

_SHIFT = 4
_ONE = 1 << _SHIFT


class Piece:
    """A rectangle of a picture to draw on, addressed in the picture's own pixels.

    Args:
        picture: (H, W, 3) uint8 RGB; drawing changes it.
        points: Points (N, 2) that the piece has to contain; it is clipped to the picture.
        margin: Px around them.
    """

    def __init__(self, picture: Picture, points: Points, margin: float) -> None:
        height, width = picture.shape[:2]
        x, y, across, down = cv2.boundingRect(points[:, None].astype(np.float32))
        left, top = min(max(int(x - margin), 0), width), min(max(int(y - margin), 0), height)
        right, bottom = (min(int(x + across + margin) + 1, width), min(int(y + down + margin) + 1, height))
        self.pixels = picture[top:bottom, left:right]
        self._origin = np.array([left, top], np.float64)

    @property
    def empty(self) -> bool:
        """Whether no part of it lies in the picture."""
        return 0 in self.pixels.shape

    def layer(self, colour: Colour) -> Picture:
        """A new layer of the piece's size in one colour."""
        result: Picture = np.empty(self.pixels.shape, np.uint8)
        cv2.rectangle(result, (0, 0), (result.shape[1], result.shape[0]), colour, -1)
        return result

    def mask(self) -> Picture:
        """A new empty mask of the piece's size."""
        return np.zeros(self.pixels.shape[:2], np.uint8)

    def fill(self, target: Picture, points: Points, value: float | Colour) -> None:
        """Fill a polygon on a layer or a mask."""
        cv2.fillPoly(target, [self._fixed(points)], value, cv2.LINE_AA, _SHIFT)

    def lines(self, target: Picture, lines: Iterable[Points], value: float | Colour, width: float) -> None:
        """Draw open lines, at least a pixel wide, on a layer or a mask."""
        fixed = [self._fixed(line) for line in lines]
        cv2.polylines(target, fixed, False, value, max(1, round(width)), cv2.LINE_AA, _SHIFT)

    def disc(self, target: Picture, centre: Points, radius: float, value: float | Colour) -> None:
        """Fill a circle on a layer or a mask."""
        x, y = ((float(centre[axis]) - self._origin[axis]) * _ONE for axis in (0, 1))
        cv2.circle(target, (round(x), round(y)), max(1, round(radius * _ONE)), value, -1, cv2.LINE_AA, _SHIFT)

    def paint(self, layer: Picture | Colour, mask: Picture, strength: float = 1.0) -> None:
        """Lay a layer, or a colour, over the piece where the mask (0 to 255) is set."""
        over = layer if isinstance(layer, np.ndarray) else self.layer(layer)
        if strength < 1.0:
            mask = cv2.convertScaleAbs(mask, alpha=strength)
        lay(self.pixels, over, mask)

    def _fixed(self, points: Points) -> npt.NDArray[np.int32]:
        return np.rint((points - self._origin) * _ONE).astype(np.int32)


def lay(picture: Picture, over: Picture, mask: Picture) -> None:
    """Lay a layer over a picture of its size, in proportion to a mask (0 to 255); changes the picture."""
    share = cv2.merge([mask, mask, mask])
    rest = cv2.multiply(picture, cv2.bitwise_not(share), scale=1.0 / 255.0)
    picture[:] = cv2.add(rest, cv2.multiply(over, share, scale=1.0 / 255.0))


def shaded(layer: Picture, shade: Picture) -> Picture:
    """A layer, darkened where a mask is set (255 is black)."""
    left = cv2.bitwise_not(shade)
    return np.asarray(cv2.multiply(layer, cv2.merge([left, left, left]), scale=1.0 / 255.0))


def soften(image: Picture, sigma_px: float) -> Picture:
    """Blur a layer or a mask by about this standard deviation, with the cheapest kernel that suffices."""
    if sigma_px < 0.35:
        return image
    if sigma_px < 0.95:
        return np.asarray(cv2.GaussianBlur(image, (3, 3), 0.0))
    if sigma_px < 1.3:
        return np.asarray(cv2.GaussianBlur(image, (5, 5), 0.0))
    size = 2 * round(1.25 * sigma_px) + 1
    return np.asarray(cv2.blur(cv2.blur(image, (size, size)), (3, 3)))


def tinted(colour: Sequence[float] | Points, factor: float | Sequence[float] | Points) -> Colour:
    """A colour times a factor, within 0 to 255."""
    factors = (factor, factor, factor) if isinstance(factor, float) else factor
    red, green, blue = (min(float(part * by), 255.0) for part, by in zip(colour, factors, strict=True))
    return red, green, blue
