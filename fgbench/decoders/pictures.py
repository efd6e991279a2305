"""Decoder ``pictures``: a still picture as a clip of one frame, or a folder whose pictures are the frames.

Reads picture files. The frames of a folder are its pictures in natural order of their names (``img2`` before
``img10``); other files, hidden ones (``.DS_Store``, ``._img2.png``) and folders inside it are passed over.
Pictures have no times: frame rate and duration are ``None``. A picture of a folder that cannot be read is
left out and its neighbours keep their numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from fgbench.errors import MediaError
from fgbench.hashing import digest_file
from fgbench.images import read_image
from fgbench.picture_files import picture_names
from fgbench.video import DEFAULT_LIMITS, Image, ImageFrame, Limits, VideoInfo, check_file, check_indices


def open_reader(path: Path, limits: Limits = DEFAULT_LIMITS) -> PictureReader:
    """Open a picture, or a folder of pictures; see :func:`fgbench.video.open_video`.

    Raises:
        MediaError: As :func:`fgbench.images.read_image` for a picture (for a folder: for its first one), or
            if a folder has no picture (reason ``no_frames``).
    """
    if not path.is_dir():
        check_file(path)
        return PictureReader([path])
    files = [path / name for name in picture_names(path)]
    if not files:
        raise MediaError(
            f"folder {path} has no pictures, expected e.g. {path.name}/0001.png",
            "copy the folder again",
            reason="no_frames",
        )
    return PictureReader(files, is_folder=True)


def digest(path: Path) -> str:
    """SHA-256 (hex) of a picture's bytes; of a folder, of the names and digests of its pictures."""
    if not path.is_dir():
        return digest_file(path)
    lines = (f"{digest_file(path / name)}  {name}\n" for name in picture_names(path))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class PictureReader:
    """Reader of picture files; see :class:`fgbench.video.Reader`. One picture is in memory at a time."""

    def __init__(self, files: Sequence[Path], *, is_folder: bool = False) -> None:
        self._files = files
        self._first = read_image(files[0])
        self._is_folder = is_folder
        self._iteration = 0

    @property
    def info(self) -> VideoInfo:
        """What there is; width and height are those of the first picture."""
        height, width = self._first.shape[:2]
        return VideoInfo(
            container="folder" if self._is_folder else "file",
            codec=self._files[0].suffix.lower().lstrip("."),
            pixel_format="rgb24",
            width=width,
            height=height,
            rotation_deg=0,
            fps=None,
            n_frames=len(self._files),
            duration_s=None,
        )

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[ImageFrame]:
        """Pictures in order; see :meth:`fgbench.video.Reader.frames`."""
        wanted = range(len(self._files)) if indices is None else check_indices(indices)
        self._iteration += 1
        return self._read(wanted, self._iteration)

    def close(self) -> None:
        """End a running iteration."""
        self._iteration += 1

    def __enter__(self) -> PictureReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _read(self, wanted: Sequence[int], iteration: int) -> Iterator[ImageFrame]:
        for index in wanted:
            if index >= len(self._files):
                return
            if iteration != self._iteration:
                raise RuntimeError(f"{self._files[0]}: the reader was closed or has begun another iteration")
            pixels = self._pixels(index)
            if pixels is not None:
                yield ImageFrame(pixels=pixels, index=index)

    def _pixels(self, index: int) -> Image | None:
        if index == 0:
            return self._first
        try:
            return read_image(self._files[index])
        except MediaError:
            return None
