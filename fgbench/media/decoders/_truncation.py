"""Check whether a file is shorter than its own outermost structure: an interrupted copy or recording.

Reads a few bytes of the file. Knows MP4 and MOV boxes, the Matroska/WebM segment and RIFF (AVI); a recording
that was cut exactly between two fragments, or in another format, is not noticed. For MP4 and MOV files the
index also gives the number of frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

# Boxes at the top level of ISO/IEC 14496-12 and QuickTime files; anything else ends the walk.
_TOP_LEVEL_BOXES = frozenset(
    (
        b"ftyp",
        b"moov",
        b"mdat",
        b"moof",
        b"mfra",
        b"sidx",
        b"styp",
        b"free",
        b"skip",
        b"wide",
        b"meta",
        b"uuid",
    )
)
_EBML_ID = bytes.fromhex("1a45dfa3")  # RFC 8794, section 11.2.1
_SEGMENT_ID = bytes.fromhex("18538067")  # RFC 9559, section 5.1


TOLERATED_FRAMES = 2
"""Number of frames below the announced one that is no sign of a cut file."""


def announced_frames(container: str, stream: Any) -> int | None:
    """Number of frames announced in the index of an MP4 or MOV file.

    Counts entries with content, after edit lists: frames that are cut off by an edit
    list, or that are decoded but not shown, count like packets. Other containers give their number of frames
    only roughly, or not at all.

    Args:
        container: FFmpeg's names of the container format, separated by commas.
        stream: The video stream as PyAV has opened it, before anything was read.
    """
    if "mp4" not in container.split(","):
        return None
    return sum(entry.size > 0 for entry in stream.index_entries) or None


def lacks_frames(n_announced: int | None, n_held: int) -> bool:
    """Return whether a file holds fewer frames than announced, by more than :data:`TOLERATED_FRAMES`."""
    return n_announced is not None and n_announced - n_held > TOLERATED_FRAMES


def missing_bytes(path: Path) -> int:
    """Number of bytes missing at the end of the file, 0 if none are known to be missing.

    Raises:
        OSError: If the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in _TOP_LEVEL_BOXES:
            end = _end_of_boxes(file, size)
        elif head[:4] == _EBML_ID:
            end = _end_of_segment(file)
        elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            end = _end_of_riff(file, size)
        else:
            end = 0
    return max(end - size, 0)


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """End of the last box in the file, which may lie behind the file's end."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4])
        if header[4:8] not in _TOP_LEVEL_BOXES or length == 0:  # length 0: to the end of the file
            break
        if length == 1:  # the length follows in 64 bits
            length = int.from_bytes(header[8:16])
        if length < 8:
            break
        position += length
    return position


def _end_of_segment(file: BinaryIO) -> int:
    """End of the Matroska segment, 0 if its size is unknown (live recordings)."""
    file.seek(4)
    length, _ = _ebml_size(file)
    file.seek(length, 1)
    if file.read(4) != _SEGMENT_ID:
        return 0
    length, is_known = _ebml_size(file)
    return file.tell() + length if is_known else 0


def _ebml_size(file: BinaryIO) -> tuple[int, bool]:
    """Size of an element, and whether it is known (RFC 8794, sections 4 and 6)."""
    first = file.read(1)
    n_bytes = 9 - first[0].bit_length() if first and first[0] else 1
    bits = int.from_bytes(first + file.read(n_bytes - 1)) & ~(1 << 7 * n_bytes)
    return bits, bits != (1 << 7 * n_bytes) - 1


def _end_of_riff(file: BinaryIO, size: int) -> int:
    """End of the last RIFF chunk; large AVI files have several (OpenDML)."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(8)
        length = int.from_bytes(header[4:8], "little")
        if header[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):  # never filled in
            break
        position += 8 + length + length % 2
    return position
