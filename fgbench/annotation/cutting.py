"""Clips cut out of a recording without loss: a folder of PNG pictures, one for each frame.

The pictures hold the pixels that fgbench decodes, without loss. They are written one by one, so that memory
does not grow with the length of a clip.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fgbench.annotation.recordings import Recording
from fgbench.errors import MediaError
from fgbench.files.file_errors import readable
from fgbench.files.regular_files import read_regular
from fgbench.media.images import decode, encode
from fgbench.media.video import Image, decoder_for, open_video
from fgbench.storage import write_bytes

_DIGITS = 6
_IN_USE = "folder_in_use"
_MOST_BYTES = 1 << 30


def cut_clip(recording: Recording, frames: range, folder: Path) -> bool:
    """Write frames of a recording as pictures; those that are there already are left alone.

    Args:
        recording: The recording.
        frames: Frames in it, from the first to the last.
        folder: Folder of the clip; made if absent.

    Returns:
        Whether any was written.

    Raises:
        MediaError: If a frame cannot be decoded, or the folder holds other files or pictures (reason
            ``folder_in_use``).
        ResourceError: If a picture cannot be written.
    """
    names = [f"{number:0{_DIGITS}d}.png" for number in range(len(frames))]
    _refuse_others(folder, set(names))
    read = 0
    is_new = False
    with open_video(recording.path, decoder_for(recording.path)) as reader:
        for frame in reader.frames(frames):
            if frame.index != frames[read]:
                break
            is_new |= _write(folder / names[read], frame.rgb())
            read += 1
    if read < len(frames):
        raise MediaError(f"frame {frames[read]} of {recording.path.name} cannot be decoded")
    return is_new


def _refuse_others(folder: Path, names: set[str]) -> None:
    if not (folder.exists() or folder.is_symlink()):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise MediaError(f"{folder.name} is no folder of a clip; move it away", reason=_IN_USE)
    with readable(folder):
        others = sorted({path.name for path in folder.iterdir()} - names)
    if others:
        raise MediaError(
            f"{folder.name} holds other files than the clip: {others[0]}; move it away", reason=_IN_USE
        )


def _write(path: Path, pixels: Image) -> bool:
    """Write a picture, unless it is there; return whether it was written."""
    data = encode(pixels, "png", 100)
    if not (path.exists() or path.is_symlink()):
        write_bytes(path, data)
        return True
    there = read_regular(path, max_bytes=_MOST_BYTES)
    if there != data and not np.array_equal(decode(there), pixels):
        raise MediaError(f"{path.parent.name} holds other pictures; move it away", reason=_IN_USE)
    return False
