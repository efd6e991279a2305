"""Strips: frames of a clip on one picture, each under its number, for tools that show no videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fgbench.errors import MediaError
from fgbench.media.frames import Image
from fgbench.media.video import decoder_for, open_video

MAX_FRAMES = 48
"""Frames of a strip; of longer clips so many, evenly spread, the first and the last among them."""
_COLUMNS = 6
_TILE_PX = 184
"""Width of a frame, at most."""
_CAPTION_PX = 28
_GAP_PX = 4
_QUALITY = 85
_INK, _PAPER = (20, 20, 20), 245


def shown_frames(n_frames: int) -> list[int]:
    """Return the numbers of the frames of a strip, from 0."""
    if n_frames <= MAX_FRAMES:
        return list(range(n_frames))
    return [round(step * (n_frames - 1) / (MAX_FRAMES - 1)) for step in range(MAX_FRAMES)]


def draw_strip(path: Path, n_frames: int) -> bytes:
    """Draw the strip of a clip.

    Args:
        path: The file.
        n_frames: Its number of frames.

    Returns:
        A JPEG picture.

    Raises:
        MediaError: If the file cannot be decoded.
    """
    wanted = shown_frames(n_frames)
    with open_video(path, decoder_for(path)) as reader:
        tiles = [(frame.index, _tile(frame.rgb())) for frame in reader.frames(wanted)]
    if not tiles:
        raise MediaError(f"{path} gives no frame", "look at the file in a player", reason="no_frames")
    return draw_tiles(tiles)


def draw_tiles(tiles: Sequence[tuple[int, Image]]) -> bytes:
    """Draw pictures side by side, each below its number, as a JPEG picture.

    Args:
        tiles: Number and picture, RGB uint8; at least one.
    """
    import cv2

    height, width = (max(tile.shape[axis] for _, tile in tiles) for axis in (0, 1))
    columns = min(_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    cell = (height + _CAPTION_PX + _GAP_PX, width + _GAP_PX)
    sheet = np.full((rows * cell[0], columns * cell[1], 3), _PAPER, np.uint8)
    for place, (number, tile) in enumerate(tiles):
        y, x = (place // columns) * cell[0], (place % columns) * cell[1]
        sheet[y + _CAPTION_PX : y + _CAPTION_PX + tile.shape[0], x : x + tile.shape[1]] = tile
        at = (x + 3, y + _CAPTION_PX - 6)
        cv2.putText(sheet, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.75, _INK, 1, cv2.LINE_AA)
    done, data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return bytes(data)


def _tile(pixels: Image) -> Image:
    import cv2

    scale = min(1.0, _TILE_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    tile: Image = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return tile
