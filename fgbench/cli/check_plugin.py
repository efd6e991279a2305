"""``fgbench check-plugin``: check of plugins against the contract of their kind."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fgbench.cli.console import print_json, say_all
from fgbench.cli.options import Json


def check_plugin(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names of plug-ins, or kinds and names: datasets/mine."),
    ],
    json: Json = False,
) -> None:
    """Try plug-ins: whether each has what its kind has to have, and does with small inputs what it should."""
    from fgbench.api import plugin_checks

    checked = [one for name in names for one in plugin_checks.check_plugin(name)]
    if json:
        print_json([asdict(one) for one in checked])
    else:
        say_all(plugin_checks.checked_lines(checked))
    plugin_checks.require_sound(checked, names)
