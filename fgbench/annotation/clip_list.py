"""Clips of a data set for annotators: the files below its root, with length, rate and digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.callbacks import Progress
from fgbench.datasets._annotation_table import VIDEOS
from fgbench.datasets._clip_files import ClipFiles, NamedFile
from fgbench.errors import DatasetError, MediaError
from fgbench.files.file_errors import readable
from fgbench.media.video import decoder_for, media_digest, open_video


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClip:
    """A clip that can be read.

    Attributes:
        clip: Its id.
        path: POSIX path of its file from the root.
        sha256: Digest of the file.
        n_frames: Number of frames.
        fps: Frames per second; ``None`` for a picture.
        times_s: Times of its frames in seconds since the first, where they come unevenly.
    """

    clip: str
    path: str
    sha256: str
    n_frames: int
    fps: float | None
    times_s: tuple[float, ...] | None


def clip_files(root: Path) -> ClipFiles:
    """Return the files of a data set by the names of its clips.

    Raises:
        DatasetError: If there is no such folder.
    """
    if not root.is_dir():
        raise DatasetError(
            f"no folder {root}", f"name the folder of the data set, with {VIDEOS}/, with --data-root"
        )
    return ClipFiles(root, VIDEOS)


def list_all(files: ClipFiles, root: Path) -> list[NamedFile]:
    """Return all clips below the root of a data set, ordered by id.

    Raises:
        DatasetError: If there is none.
    """
    listed = files.all_clips()
    if not listed:
        raise DatasetError(
            f"{root} has no video and no picture",
            f"put the clips into {VIDEOS}/, or name another --data-root",
        )
    return listed


def read_clips(
    root: Path, listed: Sequence[NamedFile], progress: Progress
) -> tuple[list[ListedClip], list[tuple[str, str, str]]]:
    """Open each clip, for its length, rate and digest.

    Returns:
        The clips that can be read, and ``(clip, reason, detail)`` of the others.
    """
    read: list[ListedClip] = []
    left_out: list[tuple[str, str, str]] = []
    for done, file in enumerate(listed, start=1):
        progress("clips", done, len(listed))
        if file.problem is not None:
            left_out.append((file.clip_id, *file.problem))
            continue
        try:
            read.append(_read(root, file))
        except MediaError as error:
            left_out.append((file.clip_id, error.reason, error.message.replace(f"{root}/", "")))
    return read, left_out


def _read(root: Path, file: NamedFile) -> ListedClip:
    path = root / file.path
    decoder = decoder_for(path)
    with readable(path):
        digest = media_digest(path, decoder)
    with open_video(path, decoder) as reader:
        info = reader.info
        times = reader.uneven_times_s(range(info.n_frames))
        for _ in reader.frames([0]):
            pass
    return ListedClip(
        clip=file.clip_id,
        path=file.path,
        sha256=digest,
        n_frames=info.n_frames,
        fps=info.fps,
        times_s=None if times is None else tuple(round(time, 6) for time in times),
    )
