"""Folders of runs with the scores of other programs; none takes the name of another run.

Reads results in the folder of the experiment; removes the files of a replaced run of the other kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.inference.other_programs.reading import files_of
from fgbench.runs import results, unit_results
from fgbench.runs.other_programs import OUTSIDE, is_outside
from fgbench.runs.predictions import PREDICTIONS
from fgbench.runs.results import SINGLE_FOLD, run_folder

_OF_KIND = {
    results.RESULT: (unit_results.RESULT, unit_results.PREDICTIONS),
    unit_results.RESULT: (results.RESULT, PREDICTIONS, results.CONFUSION),
}
"""Result to the files of a run of the other kind."""


def default_name(path: Path) -> str:
    """Return the name of the run of a file: that of the file, in letters that folders may have."""
    stem = path.resolve().name if path.is_dir() else path.stem
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._") or OUTSIDE


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; for a folder, that of the names and digests of its files."""
    if not path.is_dir():
        return digest_file(path)
    return digest_json({file.relative_to(path).as_posix(): digest_file(file) for file in files_of(path)})


def check_run_folder(workdir: Path, name: str, *, seed: int, origin: Mapping[str, Any], force: bool) -> Path:
    """Return the folder of a run; refuse it if it holds another run.

    Args:
        workdir: Work folder.
        name: Name of the run.
        seed: Its seed.
        origin: File, digest, format and settings, as the result will hold them.
        force: Whether a run of another file is replaced. One that fgbench made itself never is.

    Raises:
        ConfigError: If the name cannot be that of a folder, fgbench made runs of it itself, or it has the
            scores of another file.
    """
    folder = run_folder(workdir, experiment=name, fold=SINGLE_FOLD, seed=seed)
    for other in sorted(folder.parents[1].glob("*/*")):
        if other.is_dir() and any(other.iterdir()) and not _is_ours(other):
            raise ConfigError(
                f"runs/{name} has a run that fgbench made itself ({'/'.join(other.parts[-3:])}); nothing was "
                "changed",
                "give the scores another name",
            )
    there = _stored_origin(folder)
    if there is None or force:
        return folder
    different = [key for key in origin if there.get(key) != origin[key]]
    if different:
        differences = ", ".join(
            f"{key} {_short(there.get(key))} there, {_short(origin[key])} here" for key in different
        )
        raise ConfigError(
            f"{folder} has the scores of another file, or of one that was read otherwise ({differences}); "
            "nothing was changed",
            "give these scores another name, or replace them with force",
        )
    return folder


def clear_other_kind(folder: Path, result: str) -> None:
    """Remove the files of a replaced run of the other kind from a folder.

    Args:
        folder: Folder of the run.
        result: Name of the result file to be written.

    Raises:
        ResourceError: If the folder may not be written.
    """
    if any((folder / name).exists() for name in _OF_KIND[result]):
        storage.remove_listed(folder, list(_OF_KIND[result]))


def _is_ours(folder: Path) -> bool:
    """Whether a run is of another program: finished, or not finished for want of its result alone."""
    if is_outside(folder):
        return True
    try:
        settings = (folder / results.CONFIG).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    has_result = any((folder / name).exists() for name in _OF_KIND)
    return not has_result and f"\n{OUTSIDE}:" in f"\n{settings}"


def _stored_origin(folder: Path) -> Mapping[str, Any] | None:
    """Return the origin that the run in a folder holds; ``None`` if there is no run."""
    if not is_outside(folder):
        return None
    result = next(name for name in _OF_KIND if (folder / name).exists())
    origin: Mapping[str, Any] = storage.read_json(folder / result)["details"][OUTSIDE]
    return origin


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
