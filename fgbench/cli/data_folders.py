"""Refusal of data folders where a work folder is expected, with the command that is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TypeVar

import typer

from fgbench.workfolders import default_folders

Named = TypeVar("Named", bound=Path | list[Path] | None)

_TABLES = ("annotations.csv", "votes.csv", "action_units.csv")
"""Tables in the layout of users' own clips."""

_MOST_FOLDERS = 1000


def refuse_data(ctx: typer.Context, param: typer.CallbackParam, named: Named) -> Named:
    """Callback of options and arguments that name work folders.

    Raises:
        DatasetError: If one is a folder of data.
    """
    if named is None or ctx.resilient_parsing:
        return named
    words = ctx.command_path.split(maxsplit=1)
    is_argument = param.param_type_name == "argument"
    command = " ".join(["fgbench", *words[1:], *([] if is_argument else ["--workdir"])])
    for folder in [named] if isinstance(named, Path) else named:
        refuse_data_folder(folder, command)
    return named


def refuse_data_folder(folder: Path, command: str) -> None:
    """Raise if a folder holds data and is not a work folder.

    Args:
        folder: The folder.
        command: Command before the work folder.

    Raises:
        DatasetError: With the work folder that is meant, or the command that makes it.
    """
    from fgbench.datasets._tree import is_work_folder
    from fgbench.errors import DatasetError

    if not folder.is_dir() or is_work_folder(folder) or _has_results(folder):
        return
    inner = folder / "work"
    if is_work_folder(inner):
        raise DatasetError(f"{folder} is no work folder, {inner} is", f"{command} {quote(str(inner))}")
    tables = [name for name in _TABLES if (folder / name).is_file()]
    if not tables and not _holds_media(folder):
        return
    recipe = "default" if set(tables) & {*_TABLES[:2]} else "action-units" if tables else "folder"
    work = default_folders.workdir_for(folder, recipe)
    then = f"{command} {quote(str(work))}"
    if not is_work_folder(work):
        named = "" if recipe == "default" else f" {recipe}"
        then = f"prepare them first: fgbench prepare{named} --data-root {quote(str(folder))}; then {then}"
    holds = f" ({', '.join(tables)})" if tables else ""
    raise DatasetError(
        f"{folder} is a folder of data{holds}, expected a work folder",
        f"to look at the data: fgbench check {recipe} --root {quote(str(folder))}; "
        f"at what was made of them: {then}",
    )


def refuse_absent(folders: Sequence[Path]) -> None:
    """Raise if a folder that is to be read does not exist.

    Raises:
        ManifestError: With the existing work folders.
    """
    from fgbench.errors import ManifestError
    from fgbench.naming import first_few

    for folder in folders:
        if not folder.exists():
            existing = first_few([str(path) for path in default_folders.work_folders()])
            raise ManifestError(
                f"there is no folder {folder}, expected a work folder",
                f"run fgbench prepare first; work folders here: {existing or 'none'}",
            )


def _has_results(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in ("manifests", "runs"))


def _holds_media(folder: Path) -> bool:
    """Whether one of the first folders below has pictures or videos; a whole disk is not searched."""
    from fgbench.media.kinds import is_picture, is_video

    files = (name for _, _, names in islice(os.walk(folder), _MOST_FOLDERS) for name in names)
    return any(is_picture(name) or is_video(name) for name in files)
