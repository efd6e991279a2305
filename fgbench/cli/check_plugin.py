"""``fgbench check-plugin``: whether a plugin keeps to what its kind has to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fgbench.cli.console import print_json, say
from fgbench.cli.options import Json
from fgbench.naming import counted


def check_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of a plug-in, or its kind and name: datasets/mine."),
    ],
    json: Json = False,
) -> None:
    """Try a plug-in: whether it has what its kind has to have, and does with small inputs what it should."""
    from fgbench.contracts import check, found_kinds
    from fgbench.errors import ConfigError

    plain = name.rpartition("/")[2]
    checked = [check(kind, plain) for kind in found_kinds(name)]
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
            f"{name} has {counted(n_faults, 'fault')}", "see CONTRIBUTING.md for what its kind has to keep to"
        )
