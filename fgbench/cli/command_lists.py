"""Lists of commands in help texts, with the whole first sentence of each."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class CommandList(TyperGroup):
    """Group of commands whose help cuts no sentence short."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write every visible command with its first sentence, wrapped to the width of the terminal."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, command.get_short_help_str(limit=_NO_LIMIT))
            for name, command in commands
            if command is not None and not command.hidden
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


_NO_LIMIT = 10_000
