"""``fgbench export``: a trained network, or the faces of a work folder, as files for other programs.

``fgbench export RUN`` is ``fgbench export network RUN``.
"""

from __future__ import annotations

from typing import Any

import typer

from fgbench.cli import export, export_faces
from fgbench.cli.command_lists import CommandList
from fgbench.cli.workdirs import add_command

_NETWORK = "network"
_HELP = ("-h", "--help")


class _NetworkUnlessNamed(CommandList):
    """Group that takes words which name none of its commands as those of the command ``network``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after ``export``."""
        if args and args[0] not in (*self.commands, *_HELP):
            args = [_NETWORK, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=_NetworkUnlessNamed,
    help="Write a trained network (export RUN), or faces as tables of OpenFace or py-feat (export faces).",
    no_args_is_help=True,
    rich_markup_mode=None,
)
add_command(app, _NETWORK)(export.export)
app.command("faces")(export_faces.faces)
