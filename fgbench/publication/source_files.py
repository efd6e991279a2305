"""Files that the clips of a data set are read from: their digests, and their paths in another copy.

Paths are POSIX paths from the root of the data set; absolute ones, and ones that lead out of it, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from fgbench.callbacks import Progress, ignore
from fgbench.datasets._tree import FILE, everything
from fgbench.errors import DatasetError, MediaError
from fgbench.files.hashing import digest_file
from fgbench.media.picture_files import picture_names
from fgbench.preparation.engines.local import Runner
from fgbench.publication.listed_paths import check_paths, is_below
from fgbench.remote.fetching import at_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of a data set.

    Attributes:
        path: Path from its root.
        sha256: SHA-256 of its bytes (hex).
        size: Number of its bytes.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Path of a file in another copy of the data set.

    Attributes:
        file: The file.
        at: Path from the root of the copy; ``None`` if it is missing.
        state: Whether it is at its own path, elsewhere (by its digest), or at its own path with other bytes.
    """

    file: SourceFile
    at: str | None
    state: Literal["in place", "moved", "other bytes", "missing"]


def check_source_paths(paths: Iterable[str], origin: Path) -> None:
    """Refuse paths of clips that lead out of the root of their data set.

    Args:
        paths: The paths.
        origin: The file that lists them, for the message.

    Raises:
        ManifestError: If one is absolute, leads out, or is both a file and a folder.
    """
    check_paths(
        paths,
        origin,
        root="the folder of the clips",
        if_outside="do not use this publication: whoever made it wants other files read",
        if_both="get the publication again",
    )


def names_of(root: Path, path: str) -> list[str]:
    """Return the files that a clip is read from: itself, the pictures of a folder, or the table of a row.

    Args:
        root: Root of the data set.
        path: Path of the clip; see :class:`fgbench.records.ClipEntry`.

    Returns:
        Their paths; none if there is no file.

    Raises:
        OSError: If a folder cannot be listed.
    """
    if not is_below(path):
        return []
    folder = root / path
    if folder.is_dir():
        return [f"{path}/{name}" for name in picture_names(folder) if (folder / name).is_file()]
    names = (path, *map(str, PurePosixPath(path).parents))
    return next(([name] for name in names if name != "." and (root / name).is_file()), [])


def hashed(root: Path, path: str) -> SourceFile | None:
    """Hash a file, fetched first where the data set is at a URL; the work of a worker process.

    Args:
        root: Root of the data set.
        path: Path from there.

    Returns:
        The file; ``None`` if it cannot be read.

    Raises:
        ResourceError: If its storage does not give it.
    """
    try:
        at_hand(root, path)
        size = (root / path).stat().st_size
        return SourceFile(path=path, sha256=digest_file(root / path), size=size)
    except (OSError, MediaError):
        return None


def _hash_all(root: Path, paths: Sequence[str], runner: Runner, progress: Progress) -> list[SourceFile]:
    """Hash the files at some paths; those that cannot be read are left out."""
    files = []
    for done, file in enumerate(runner(partial(hashed, root), paths), start=1):
        files += [] if file is None else [file]
        progress("hash", done, len(paths))
    return files


def source_files(root: Path, paths: Iterable[str], runner: Runner, progress: Progress) -> list[SourceFile]:
    """Hash all files that clips are read from.

    Args:
        root: Root of the data set.
        paths: Paths of its clips.
        runner: Hashes files.
        progress: Called with the number of hashed files.

    Returns:
        The files, sorted by path.
    """
    names = sorted({name for path in set(paths) for name in names_of(root, path)})
    return sorted(_hash_all(root, names, runner, progress), key=lambda file: file.path)


def locate(files: Sequence[SourceFile], root: Path, runner: Runner, progress: Progress) -> list[Located]:
    """Find the files of a data set in another copy: at their paths, or anywhere with the same bytes.

    Of the files at other paths, those of the size of a file that is not at its own are hashed. Links that the
    owner of the copy has put into it are followed, as ``fgbench prepare`` follows them.

    Args:
        files: The files.
        root: Root of the copy.
        runner: Hashes files.
        progress: Called with the number of hashed files.

    Raises:
        DatasetError: If the copy cannot be listed.
    """
    try:
        there = [item.path for item in everything(root) if item.kind == FILE]
    except OSError as error:
        raise DatasetError(f"cannot list {root}: {error.strerror}", "give the folder of the clips") from error
    in_place = [file.path for file in files if (root / file.path).is_file()]
    digests = dict.fromkeys(in_place, "")  # of those that cannot be read
    digests |= {file.path: file.sha256 for file in _hash_all(root, in_place, runner, progress)}
    sizes = {file.size for file in files if digests.get(file.path) != file.sha256}
    candidates = [path for path in there if sizes and _size(root / path) in sizes]
    copies = sorted(_hash_all(root, candidates, runner, ignore), key=lambda file: file.path, reverse=True)
    elsewhere = {file.sha256: file.path for file in copies}  # of equal files the first path
    return [_located(file, digests, elsewhere) for file in files]


def _located(file: SourceFile, digests: Mapping[str, str], elsewhere: Mapping[str, str]) -> Located:
    if digests.get(file.path) == file.sha256:
        return Located(file=file, at=file.path, state="in place")
    if file.sha256 in elsewhere:
        return Located(file=file, at=elsewhere[file.sha256], state="moved")
    if file.path in digests:
        return Located(file=file, at=file.path, state="other bytes")
    return Located(file=file, at=None, state="missing")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def file_rows(files: Iterable[SourceFile]) -> list[dict[str, Any]]:
    """Return the rows of ``files.parquet``."""
    return [{"path": file.path, "sha256": file.sha256, "bytes": file.size} for file in files]
