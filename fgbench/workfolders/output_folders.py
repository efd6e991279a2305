"""Folders and files that a user names for results: only files that fgbench wrote are replaced.

The file ``.fgbench-files.json`` in such a folder lists what fgbench wrote into it. In a work folder, outside
the folders of its results, the names that fgbench writes are its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from fgbench.errors import ConfigError, ManifestError, MediaError, ResourceError
from fgbench.files.regular_files import first_bytes
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders.sealed_json import discard, read_sealed, write_sealed

_HEAD_BYTES = 64

KINDS: Mapping[str, Callable[[bytes], bool]] = {
    "page of fgbench": lambda head: head.startswith(b'<!doctype html>\n<html lang="en">'),
    "ONNX file": lambda head: b"pytorch" in head,
    "file of weights": lambda head: head[8:9] == b"{",
    "PNG picture": lambda head: head.startswith(b"\x89PNG"),
}
"""Kinds of single files that fgbench writes, each with a test of their first bytes."""

LIST = ".fgbench-files.json"
"""List of the files in a folder that fgbench wrote."""


@contextmanager
def writing_in(folder: Path, names: Iterable[str], *, own: bool = False) -> Iterator[None]:
    """Write files into a folder, unless one of them would replace a file that fgbench did not write.

    Files are listed before they are written, so that a killed run can be repeated; those that were not
    written in the end are taken off the list.

    Args:
        folder: The folder; created with the first file.
        names: Names of all files that may be written into it.
        own: Whether the folder is known to be fgbench's; else this is derived from the work folder around it.

    Raises:
        ConfigError: If a file of one of these names exists that fgbench did not write; nothing is then
            written.
        ResourceError: If the folder cannot be written, or the list cannot be read.
    """
    wanted = set(names)
    if own or _is_own(folder):
        yield
        return
    listed = {name for name in _listed(folder) if _is_there(folder / name)}
    strange = sorted(name for name in wanted - listed if _is_there(folder / name))
    if strange:
        more = f" and {len(strange) - 1} more files" if len(strange) > 1 else ""
        raise ConfigError(
            f"would replace {folder / strange[0]}{more}, which fgbench did not write; nothing was written",
            "choose an empty folder, or move it away",
        )
    write_sealed(folder / LIST, {"files": sorted(listed | wanted)})
    try:
        yield
    finally:
        written = sorted(name for name in listed | wanted if _is_there(folder / name))
        if written:
            write_sealed(folder / LIST, {"files": written})
        else:
            discard(folder / LIST)


def check_named_file(path: Path, kind: str) -> None:
    """Refuse to write over a file of another kind, e.g. after a slip in the name.

    Args:
        path: The file that the user has named; its first bytes decide on its kind.
        kind: Kind that would be written, one of :data:`KINDS`.

    Raises:
        ConfigError: If the existing file is of another kind.
    """
    if not _is_there(path):
        return
    try:
        is_kind = KINDS[kind](first_bytes(path, _HEAD_BYTES))
    except MediaError:  # a folder, a pipe, a device, a link to nothing, a file that may not be read
        is_kind = False
    if not is_kind:
        raise ConfigError(
            f"{path} is there and is no {kind}, which would replace it; nothing was written",
            "name another file, or move it away",
        )


def _is_own(folder: Path) -> bool:
    """Whether a folder lies in a work folder, but not among the results there."""
    path = folder.resolve()
    for above in (path, *path.parents):
        with suppress(ManifestError, ResourceError):  # a file of that name which fgbench did not write
            if workfolder.is_work_folder(above):
                return path.relative_to(above).parts[:1] in ((), ("reports",))
    return False


def _listed(folder: Path) -> set[str]:
    """Names on the list of a folder; empty if the list is damaged or a link."""
    path = folder / LIST
    if path.is_symlink():
        return set()
    try:
        files = read_sealed(path).get("files")
    except (FileNotFoundError, NotADirectoryError, ManifestError):
        return set()
    return {name for name in files if _is_name(name)} if isinstance(files, list) else set()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)
