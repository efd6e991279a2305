"""Files of others where manifests are written: refused, and left as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fgbench.errors import ManifestError, ResourceError
from fgbench.workfolders.layout import MANIFESTS, PREVIOUS
from fgbench.workfolders.sealed_json import discard, read_sealed
from fgbench.workfolders.verification import Verified


def own_files(folder: Path, current: Mapping[str, Any] | None, verified: Verified) -> set[str]:
    """Return the files of the manifests that belong to fgbench: those that an index lists or listed."""
    listed = set(current["files"]) if current is not None else set()
    try:
        listed |= set(map(str, read_sealed(folder / PREVIOUS)["files"]))
    except FileNotFoundError:
        pass
    except (ManifestError, KeyError, TypeError):
        discard(folder / PREVIOUS)
    if current is None:  # files written here that are unchanged belong to fgbench too
        prefix = f"{MANIFESTS}/"
        noted = [claim for claim in verified.noted() if claim.name.startswith(prefix)]
        listed |= {claim.name.removeprefix(prefix) for claim in noted if verified.is_noted(claim)}
    return listed


def refuse_others(folder: Path, names: Iterable[str]) -> None:
    """Raise if files would be replaced that no index lists: they are the user's."""
    for name in sorted(names):
        path = folder / name
        if path.exists() or path.is_symlink():
            raise ResourceError(
                f"{path} would be replaced, and fgbench has not written it: no index lists it",
                "move it away, and run the same command again",
            )


def refuse_obstacles(folder: Path, names: Iterable[str]) -> None:
    """Raise, before the index is removed, if files would be written or deleted behind a link, or cannot be
    written because something else stands in their place or in that of their folders."""
    paths = sorted(folder / name for name in names)
    above = {parent for path in paths for parent in path.parents if parent != folder.parent}
    for path in sorted(path for path in above if path == folder or folder in path.parents):
        if path.is_symlink():
            raise ResourceError(
                f"{path} is a link, expected a folder: nothing is written behind it", "remove the link"
            )
        if path.exists() and not path.is_dir():
            raise ResourceError(f"{path} is a file, expected a folder", "move it away")
    for path in paths:
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            raise ResourceError(
                f"{path} is a folder with files, expected a file of fgbench's", "move it away"
            )
