"""``fgbench check-plugin``: check of plugins against the contract of their kind."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fgbench.cli.console import print_json, say
from fgbench.cli.options import Json
from fgbench.naming import counted


def check_plugin(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names of plug-ins, or kinds and names: datasets/mine."),
    ],
    json: Json = False,
) -> None:
    """Try plug-ins: whether each has what its kind has to have, and does with small inputs what it should."""
    from fgbench.contracts import check, kinds_named
    from fgbench.errors import ConfigError

    wanted = [(kind, name.rpartition("/")[2]) for name in names for kind in kinds_named(name)]
    checked = [check(kind, name) for kind, name in wanted]
    if json:
        print_json([asdict(one) for one in checked])
    for one in checked if not json else ():
        package = f" of the package {one.package}" if one.package else ""
        say(f"{one.kind}/{one.name}{package}: {'not as it should be' if one.faults else 'ok'}")
        for fault in one.faults:
            say(f"  {fault}")
    n_faults = sum(len(one.faults) for one in checked)
    if n_faults:
        raise ConfigError(
            f"{', '.join(names)}: {counted(n_faults, 'fault')}",
            "see CONTRIBUTING.md for what its kind has to keep to",
        )
