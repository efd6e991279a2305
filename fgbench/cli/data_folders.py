"""Refusal of data folders where a work folder is expected, as a callback of options and arguments."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import typer

Named = TypeVar("Named", bound=Path | list[Path] | None)


def refuse_data(ctx: typer.Context, param: typer.CallbackParam, named: Named) -> Named:
    """Callback of options and arguments that name work folders.

    Raises:
        DatasetError: If one is a folder of data.
    """
    if named is None or ctx.resilient_parsing:
        return named
    from fgbench.api.work_folders import refuse_data_folder

    words = ctx.command_path.split(maxsplit=1)
    is_argument = param.param_type_name == "argument"
    command = " ".join(["fgbench", *words[1:], *([] if is_argument else ["--workdir"])])
    for folder in [named] if isinstance(named, Path) else named:
        refuse_data_folder(folder, command)
    return named
