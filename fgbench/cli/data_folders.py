"""Work folders as they are named on the command line, as a callback of options and arguments.

Those in storages are copied here, and folders of data are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import typer

Named = TypeVar("Named", bound=Path | list[Path] | None)


def work_folders_here(ctx: typer.Context, param: typer.CallbackParam, named: Named) -> Named:
    """Return where named work folders lie on this machine.

    Raises:
        ConfigError: If what a URL names is no work folder.
        DatasetError: If one is a folder of data.
        ManifestError: If there is nothing at a URL.
        ResourceError: If a storage does not answer.
    """
    if named is None or ctx.resilient_parsing:
        return named
    from fgbench.api.work_folders import here, refuse_data_folder

    words = ctx.command_path.split(maxsplit=1)
    is_argument = param.param_type_name == "argument"
    command = " ".join(["fgbench", *words[1:], *([] if is_argument else ["--workdir"])])
    reads = ctx.info_name != "status"
    folders = [here(folder, is_read=reads) for folder in ([named] if isinstance(named, Path) else named)]
    for folder in folders:
        refuse_data_folder(folder, command)
    return folders[0] if isinstance(named, Path) else folders  # type: ignore[return-value]
