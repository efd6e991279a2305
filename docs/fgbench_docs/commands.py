"""The commands of fgbench, from the command line's own definitions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer

from fgbench.cli.app import app
from fgbench_docs.markdown import code, prose, table


def reference() -> str:
    """A heading per command: usage, help, arguments and options with their defaults."""
    return "\n".join(line for child in _commands(typer.main.get_command(app), "fgbench") for line in child)


def _commands(command: Any, name: str) -> Iterator[list[str]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield _described(command, name)
    for child in inner:
        yield from _commands(command.get_command(None, child) or inner[child], f"{name} {child}")


def _described(command: Any, name: str) -> list[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"## {name}", "", code(usage), ""]
    for paragraph in inspect.cleandoc(command.help or "").replace("\b", "").split("\n\n"):
        is_list = any(line.startswith("  ") for line in paragraph.splitlines())
        lines += ([f"```text\n{paragraph.strip(chr(10))}\n```"] if is_list else [prose(paragraph)]) + [""]
    rows = [row for one in command.get_params(context) if (row := _row(one, context))]
    return [*lines, table(["Argument or option", "What it does", "Default, bounds"], rows), ""]


def _row(parameter: Any, context: Any) -> list[str]:
    """Names, help, and default with bounds, as the help of the command has them; empty for hidden ones."""
    record = parameter.get_help_record(context)
    if record is None or parameter.name == "help":
        return []
    names, _, kind = record[0].partition(" <")
    told, _, more = record[1].rpartition("  [") if record[1].endswith("]") else (record[1], "", "")
    bounds = re.sub(r"^\((.*?)\)", r"\1", more.removesuffix("]").removeprefix("default: "))
    return [code(names + (f" <{kind}" if kind else "")), prose(told), prose(bounds)]
