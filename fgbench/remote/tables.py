"""Files of a remote data set that are read when it is listed, and so belong in its mirror whole."""

from __future__ import annotations

from fgbench.media.kinds import TABLE_SUFFIXES, TEXT_SUFFIXES, is_frame, is_video, suffix

SMALL_BYTES = 4_000_000
"""Size up to which files that are neither pictures nor videos by name are mirrored, whatever they are."""

_ARRAYS = frozenset({".npz", ".h5", ".hdf5"})
"""Tables of numbers that no adapter reads, and that may be large."""


def is_table(path: str, size: int) -> bool:
    """Whether a file is mirrored whole: a table or a text, or a small file of another kind.

    Args:
        path: Its path, with ``/``.
        size: Bytes.
    """
    name = path.rpartition("/")[2]
    if is_frame(name) or is_video(name):
        return False
    return size <= SMALL_BYTES or suffix(name) in (TABLE_SUFFIXES | TEXT_SUFFIXES) - _ARRAYS
