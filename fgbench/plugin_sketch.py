"""Summary of a plugin from its file, without running it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("file", "flag", "name", "names", "switch")
"""Kinds of options: a path, a flag that ``check_options`` alone gets, a text, several texts, and a flag that
``run`` gets too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Summary of a plugin from its file, without running it.

    Attributes:
        summary: First line of its docstring; empty without one.
        names: Names assigned at the top level.
        options: Options of a method's own: name, with underscores, to kind (one of :data:`KINDS`) and
            help; empty where its ``OPTIONS`` is no literal of that form.
    """

    summary: str
    names: frozenset[str]
    options: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def sketch_of(path: Path) -> Sketch:
    """Read the file of a plugin.

    Args:
        path: The file.

    Raises:
        OSError: If it cannot be read.
        SyntaxError: If it is not Python.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    return Sketch(
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        names=frozenset(values),
        options=_options(values.get("OPTIONS")),
    )


def options_fault(options: object) -> str:
    """Return the fault in a method's ``OPTIONS``; empty if there is none."""
    if isinstance(options, dict) and all(
        isinstance(name, str)
        and name.isidentifier()
        and isinstance(value, tuple)
        and len(value) == 2
        and value[0] in KINDS
        and isinstance(value[1], str)
        for name, value in options.items()
    ):
        return ""
    kinds = f"{', '.join(map(repr, KINDS[:-1]))} or {KINDS[-1]!r}"
    return f"OPTIONS is no literal dict of name to a pair: {kinds}, and the help"


def _options(node: ast.expr | None) -> Mapping[str, tuple[str, str]]:
    try:
        options = {} if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return {}
    return {} if options_fault(options) else options
