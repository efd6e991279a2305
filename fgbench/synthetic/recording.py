"""Changes to frames by a recording: resolution, tone, colour, compression.

Works on planes of yuv420p from `fgbench.synthetic.film`; see `fgbench.synthetic.variety.Look`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.synthetic.canvas import Picture
from fgbench.synthetic.variety import Look

_BLACK, _WHITE = 16.0, 235.0  # limited range of the brightness
_MIDDLE = 128


class Recording:
    """Changes the frames of one clip.

    Args:
        look: Properties of the recording.
        width: Width of the frames in px.
        height: Height of the frames in px.
    """

    def __init__(self, look: Look, width: int, height: int) -> None:
        self._look, self._width, self._height = look, width, height
        self._tones, self._colours = _tones(look), _colours(look)

    def frame(self, planes: Picture) -> Picture:
        """The frame as recorded.

        Args:
            planes: uint8 (H * 3 / 2, W): planes of yuv420p; not changed.

        Returns:
            A new array of the same layout.
        """
        height, width = self._height, self._width
        luma = self._compressed(cv2.LUT(self._coarse(planes[:height]), self._tones))
        halves = planes[height:].reshape(2, height // 2, width // 2)
        colours = [cv2.LUT(self._coarse(half), self._colours) for half in halves]
        result = np.empty_like(planes)
        result[:height] = luma
        result[height:].reshape(2, height // 2, width // 2)[:] = colours
        return result

    def _coarse(self, plane: Picture) -> Picture:
        rows, columns = plane.shape
        if self._look.shrink <= 1.0:
            return np.ascontiguousarray(plane)
        size = (max(1, round(columns / self._look.shrink)), max(1, round(rows / self._look.shrink)))
        small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC))

    def _compressed(self, luma: npt.NDArray[np.uint8]) -> Picture:
        if not self._look.jpeg_quality:
            return np.asarray(luma)
        done, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, self._look.jpeg_quality])
        assert done
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def _tones(look: Look) -> npt.NDArray[np.uint8]:
    """Brightness to brightness: contrast about the middle grey, then the exponent."""
    share = np.clip((np.arange(256) - _BLACK) / (_WHITE - _BLACK), 0.0, 1.0)
    share = np.clip(0.5 + look.contrast * (share - 0.5), 0.0, 1.0) ** look.gamma
    return np.asarray(np.rint(_BLACK + (_WHITE - _BLACK) * share), np.uint8)


def _colours(look: Look) -> npt.NDArray[np.uint8]:
    values = _MIDDLE + look.saturation * (np.arange(256) - _MIDDLE)
    return np.asarray(np.clip(np.rint(values), 16, 240), np.uint8)
