"""Decoder ``pictures``: a still picture as a clip of one frame, or a folder whose pictures are the frames.

Reads picture files (:func:`fgbench.media.images.read_picture`). The frames of a folder are its pictures in
natural order of their names (``img2`` before ``img10``); other files, hidden ones (``.DS_Store``,
``._img2.png``) and folders inside it are skipped. Pictures have no times: frame rate and duration are
``None``. A picture of a folder that cannot be read is left out and its neighbours keep their numbers; one
that is above the limit, or not a file, makes the whole folder fail. Pictures of a folder may differ in size:
each is a frame with its own coordinates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from fgbench.errors import MediaError
from fgbench.files.hashing import digest_file
from fgbench.files.regular_files import check_regular
from fgbench.media.images import Picture, read_picture
from fgbench.media.kinds import suffix
from fgbench.media.picture_files import picture_names
from fgbench.media.picture_headers import check_header
from fgbench.media.video import (
    DEFAULT_LIMITS,
    NO_LIMITS,
    Image,
    ImageFrame,
    Limits,
    VideoInfo,
    check_file,
    check_indices,
)

_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "MPO": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "HEIF": (".heic", ".heif", ".hif"),
    "JPEG2000": (".jp2", ".j2k", ".jpf", ".jpx", ".jpc"),
}
"""Suffixes of each format that are more specific than the format's name."""


def open_reader(path: Path, limits: Limits = DEFAULT_LIMITS) -> PictureReader:
    """Open a picture, or a folder of pictures; see :func:`fgbench.media.video.open_video`.

    Raises:
        MediaError: As :func:`fgbench.media.images.read_picture` for a picture (for a folder: for its first
            one), or if a folder has no picture (reason ``no_frames``), one above the limit (``too_large``) or
            something named as a picture that is no file (``not_a_file``, ``missing_file``).
    """
    if not path.is_dir():
        check_file(path)
        return PictureReader([path], limits)
    files = [path / name for name in picture_names(path)]
    if not files:
        raise MediaError(
            f"folder {path} has no pictures, expected e.g. {path.name}/0001.png",
            "copy the folder again",
            reason="no_frames",
        )
    for file in files:
        _check_member(file, limits)
    return PictureReader(files, limits, is_folder=True)


def _check_member(file: Path, limits: Limits) -> None:
    """Refuse oversized pictures and items that are no files; damaged ones are left out on reading."""
    check_regular(file)
    if limits == NO_LIMITS:
        return
    try:
        check_header(file, max_px=limits.max_picture_px)
    except MediaError as error:
        if error.reason == "too_large":
            raise
    except OSError:
        return


def digest(path: Path) -> str:
    """SHA-256 (hex) of a picture's bytes; of a folder, of the names and digests of its pictures."""
    if not path.is_dir():
        return digest_file(path)
    lines = (f"{digest_file(path / name)}  {name}\n" for name in picture_names(path))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class PictureReader:
    """Reader of picture files; see :class:`fgbench.media.video.Reader`. One picture is in memory at a
    time."""

    def __init__(self, files: Sequence[Path], limits: Limits, *, is_folder: bool = False) -> None:
        self._files = files
        self._limits = limits
        self._first = self._read_file(files[0])
        self._is_folder = is_folder
        self._iteration = 0

    @property
    def info(self) -> VideoInfo:
        """Properties of the pictures; width and height are those of the first."""
        height, width = self._first.pixels.shape[:2]
        return VideoInfo(
            container="folder" if self._is_folder else "file",
            codec=_codec(self._files[0], self._first.format),
            pixel_format="rgb24",
            width=width,
            height=height,
            rotation_deg=0,
            fps=None,
            n_frames=len(self._files),
            duration_s=None,
        )

    def uneven_times_s(self, indices: Sequence[int]) -> None:
        """Always ``None``: pictures have no times."""

    def frames(self, indices: Sequence[int] | None = None) -> Iterator[ImageFrame]:
        """Pictures in order; see :meth:`fgbench.media.video.Reader.frames`."""
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
            return self._first.pixels
        try:
            return self._read_file(self._files[index]).pixels
        except MediaError:
            return None

    def _read_file(self, file: Path) -> Picture:
        return read_picture(file, max_px=self._limits.max_picture_px)


def _codec(file: Path, kind: str) -> str:
    """Format of a picture: its suffix where that is correct, else Pillow's name of it, in lower case."""
    ending = suffix(file.name)
    return ending[1:] if ending in _SUFFIXES.get(kind, ()) else kind.lower()
