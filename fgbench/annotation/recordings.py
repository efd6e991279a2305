"""Recordings that files of annotations are of, with the times of their frames.

Paths that a file names are those of the machine on which it was made. Only files in the data set, and those
directly in the folder of recordings, are opened.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fgbench.annotation.timelines import Medium
from fgbench.datasets._clip_files import ClipFiles
from fgbench.errors import MediaError
from fgbench.media.kinds import VIDEO_SUFFIXES, suffix
from fgbench.media.video import decoder_for, open_video
from fgbench.naming import tidy

_ROUNDING_S = 0.001
"""Times of ELAN are whole milliseconds: a frame counts as inside an interval that begins so much later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording.

    Attributes:
        name: Name of its clips: path in the data set, or file name, without suffix.
        path: The file.
        clip: Its path from the folder of clips, where it is in the data set; else ``None``.
        times_s: Time of each frame in seconds since the first, increasing.
        end_s: When the last frame ends, in seconds since the first.
    """

    name: str
    path: Path
    clip: str | None
    times_s: tuple[float, ...]
    end_s: float

    def rate(self, frames: range) -> float:
        """Frames per second of some frames that follow each other: the mean where it varies."""
        first, last = self.times_s[frames.start], self.times_s[frames.stop - 1]
        if last > first:
            return (len(frames) - 1) / (last - first)
        return len(self.times_s) / self.end_s

    def frames(self, start_s: float, end_s: float) -> range:
        """Frames that begin in a stretch of time; empty if there is none."""
        first = bisect_left(self.times_s, start_s - _ROUNDING_S)
        return range(first, max(first, bisect_left(self.times_s, end_s - _ROUNDING_S)))

    def frame_at(self, time_s: float) -> int:
        """Frame that is shown at a time: the last that has begun."""
        return max(0, bisect_right(self.times_s, time_s + _ROUNDING_S) - 1)


def find_recording(
    media: Sequence[Medium], root: Path, files: ClipFiles, folder: Path
) -> tuple[Recording, float] | str:
    """Return the first recording of some that is there and its time origin in seconds, or why there is none.

    Args:
        media: Recordings as the file of annotations names them.
        root: Root of the data set.
        files: Its files.
        folder: Folder in which recordings lie outside it, e.g. beside the file of annotations.

    Raises:
        MediaError: If it cannot be read.
    """
    for one in media:
        plain = one.name.replace("\\", "/")
        last = PurePosixPath(plain).name
        found = files.meant(plain)
        if found.problem is not None or not _is_file(root / found.path):
            found = files.meant(last)
        if found.problem is None and ".." not in found.path.split("/") and _is_file(root / found.path):
            return _read(root / found.path, found.clip_id, found.path), one.origin_s
        for path in _beside(folder, last):
            return _read(path, tidy(path.name.removesuffix(path.suffix)), None), one.origin_s
    listed = ", ".join(dict.fromkeys(PurePosixPath(one.name.replace("\\", "/")).name[:80] for one in media))
    return f"no recording {listed}, in the data set or in {folder}; --media names the folder of recordings"


def _beside(folder: Path, name: str) -> list[Path]:
    """The video of a folder with a name; of those with a name without suffix the first in the alphabet."""
    if suffix(name) in VIDEO_SUFFIXES:
        return [folder / name] if _is_file(folder / name) else []
    if "." in name and suffix(name):
        return []
    paths = [path for path in folder.iterdir() if path.stem == name and suffix(path.name) in VIDEO_SUFFIXES]
    return sorted(path for path in paths if _is_file(path))[:1]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path, name: str, clip: str | None) -> Recording:
    with open_video(path, decoder_for(path)) as reader:
        info = reader.info
        if info.fps is None:
            raise MediaError(f"{path.name} is a picture, expected a video", reason="not_a_video")
        times = reader.uneven_times_s(range(info.n_frames))
    if times is None:
        times = tuple(index / info.fps for index in range(info.n_frames))
    end_s = max(times[-1] + 1 / info.fps, info.duration_s or 0.0)
    return Recording(name=name, path=path, clip=clip, times_s=times, end_s=end_s)
