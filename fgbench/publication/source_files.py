"""The files of a data set that its clips are read from: their digests, and where somebody else has them.

Paths are POSIX paths from the root of the data set; one that is absolute or leads out of it is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from fgbench.catalogue.carried_listing import CARRIED
from fgbench.datasets._tree import FILE, everything
from fgbench.errors import DatasetError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.media.picture_files import picture_names

Found = Literal["in place", "moved", "other bytes", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of a data set.

    Attributes:
        path: Path from its root.
        sha256: SHA-256 of its bytes (hex).
        size: Its bytes.
    """

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Where a file is in another copy of the data set.

    Attributes:
        file: The file.
        at: Path from the root of the copy; ``None`` where it is missing.
        found: How it was found: where it should be, elsewhere by its digest, in its place with other bytes.
    """

    file: SourceFile
    at: str | None
    found: Found


Hashed = tuple[str, str | None, int]
Runner = Callable[[Callable[[tuple[str, str]], Hashed], Sequence[tuple[str, str]]], Iterable[Hashed]]
"""Runs a function over files, possibly in other processes, in any order."""


def is_below(path: str) -> bool:
    """Whether a path stays below the root that it is from, and names something there."""
    pure = PurePosixPath(path)
    return (
        bool(pure.parts)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and "\0" not in path
        and pure.parts[0] != CARRIED
        and pure.as_posix() == path
    )


def checked_paths(paths: Iterable[str], origin: Path) -> None:
    """Refuse paths that lead out of the folder that they are looked for in.

    Args:
        paths: The paths.
        origin: The file that lists them, for the message.

    Raises:
        ManifestError: If one is absolute, leads out, or is both a file and a folder.
    """
    listed = set(paths)
    for path in sorted(listed):
        if not is_below(path):
            raise ManifestError(
                f"{origin} lists {path!r}, expected the path of a file below the folder of the clips",
                "do not use this publication: whoever made it wants other files read",
            )
        above = next((str(up) for up in PurePosixPath(path).parents if str(up) in listed), None)
        if above is not None:
            raise ManifestError(
                f"{origin} lists {above!r} both as a file and as the folder of {path!r}",
                "get the publication again",
            )


def names_of(root: Path, path: str) -> list[str]:
    """The files that a clip is read from: itself, the pictures of a folder, or the table of a row.

    Args:
        root: Root of the data set.
        path: Path of the clip; see :class:`fgbench.records.ClipEntry`.

    Returns:
        Their paths; none where there is no file.

    Raises:
        OSError: If a folder cannot be listed.
    """
    if not is_below(path):
        return []
    place = root / path
    if place.is_dir():
        return [f"{path}/{name}" for name in picture_names(place) if (place / name).is_file()]
    for above in (path, *map(str, PurePosixPath(path).parents)):
        if above != "." and (root / above).is_file():
            return [above]
    return []


def hashed(of: tuple[str, str]) -> Hashed:
    """Digest and size of a file; the work of a worker process.

    Args:
        of: Root and path from there.

    Returns:
        The path, the digest (``None`` if it cannot be read) and the size.
    """
    root, path = of
    place = Path(root) / path
    try:
        size = place.stat().st_size
        return path, digest_file(place), size
    except OSError:
        return path, None, 0


def source_files(
    root: Path, paths: Iterable[str], runner: Runner, progress: Callable[[str, int, int], None]
) -> list[SourceFile]:
    """All files that clips are read from, hashed, in the order of their paths.

    Args:
        root: Root of the data set.
        paths: Paths of its clips.
        runner: Hashes files.
        progress: Told of hashed files.
    """
    names = sorted({name for path in set(paths) for name in names_of(root, path)})
    found = []
    for done, (path, sha256, size) in enumerate(
        runner(hashed, [(str(root), name) for name in names]), start=1
    ):
        if sha256 is not None:
            found.append(SourceFile(path=path, sha256=sha256, size=size))
        progress("hash", done, len(names))
    return sorted(found, key=lambda file: file.path)


def locate(
    files: Sequence[SourceFile],
    root: Path,
    runner: Runner,
    progress: Callable[[str, int, int], None],
) -> list[Located]:
    """Where the files of a data set are in another copy: in their place, else anywhere with the same bytes.

    Only files of the size of one that is not in its place are hashed. Links that the owner of the copy has
    put into it are followed, as ``fgbench prepare`` follows them.

    Args:
        files: The files.
        root: Root of the copy.
        runner: Hashes files.
        progress: Told of hashed files.

    Raises:
        DatasetError: If the copy cannot be listed.
    """
    try:
        there = [item.path for item in everything(root) if item.kind == FILE]
    except OSError as error:
        raise DatasetError(
            f"cannot list {root}: {error.strerror}", "give the folder of the clips with --data-root"
        ) from error
    in_place = [file.path for file in files if (root / file.path).is_file()]
    tasks = [(str(root), path) for path in in_place]
    digests: dict[str, str | None] = {}
    for done, (path, sha256, _) in enumerate(runner(hashed, tasks), start=1):
        digests[path] = sha256
        progress("hash", done, len(tasks))
    elsewhere = _elsewhere(
        [file for file in files if digests.get(file.path) != file.sha256], there, root, runner
    )
    return [_located(file, digests, elsewhere) for file in files]


def _elsewhere(
    wanted: Sequence[SourceFile], there: Iterable[str], root: Path, runner: Runner
) -> Mapping[str, str]:
    """Digest to the first path of a file with it, of the digests that are wanted."""
    sizes = {file.size for file in wanted}
    like = [path for path in there if sizes and _size(root / path) in sizes]
    paths: dict[str, list[str]] = defaultdict(list)
    for path, sha256, _ in runner(hashed, [(str(root), path) for path in like]):
        if sha256 is not None:
            paths[sha256].append(path)
    return {file.sha256: min(paths[file.sha256]) for file in wanted if file.sha256 in paths}


def _located(file: SourceFile, digests: Mapping[str, str | None], elsewhere: Mapping[str, str]) -> Located:
    if digests.get(file.path) == file.sha256:
        return Located(file=file, at=file.path, found="in place")
    if file.sha256 in elsewhere:
        return Located(file=file, at=elsewhere[file.sha256], found="moved")
    if file.path in digests:
        return Located(file=file, at=file.path, found="other bytes")
    return Located(file=file, at=None, found="missing")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def file_rows(files: Iterable[SourceFile]) -> list[dict[str, Any]]:
    """Rows of ``files.parquet``."""
    return [{"path": file.path, "sha256": file.sha256, "bytes": file.size} for file in files]
