"""Paths of files that an untrusted list names: POSIX paths that stay below their folder. Opens no file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fgbench.catalogue.carried_listing import CARRIED
from fgbench.errors import ManifestError


def is_below(path: str) -> bool:
    """Return whether a path is one of a file or folder below its root."""
    pure = PurePosixPath(path)
    return (
        bool(pure.parts)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and "\0" not in path
        and pure.parts[0] != CARRIED
        and pure.as_posix() == path
    )


def check_paths(
    paths: Iterable[str], origin: Path | str, *, root: str, if_outside: str, if_both: str
) -> None:
    """Refuse paths that lead out of their root, and ones that cannot lie side by side.

    Args:
        paths: The paths.
        origin: What lists them, for messages.
        root: Their root in words, e.g. ``"the folder of the clips"``.
        if_outside: Advice for a path that leads out.
        if_both: Advice for a path that is both a file and a folder.

    Raises:
        ManifestError: If one is absolute, leads out, or is both a file and a folder.
    """
    listed = set(paths)
    for path in sorted(listed):
        if not is_below(path):
            raise ManifestError(
                f"{origin} lists {path!r}, expected the path of a file below {root}", if_outside
            )
        folder = next((name for name in map(str, PurePosixPath(path).parents) if name in listed), None)
        if folder is not None:
            raise ManifestError(
                f"{origin} lists {folder!r} both as a file and as the folder of {path!r}", if_both
            )
