"""Summary of a plugin from its file, without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Summary of a plugin from its file, without running it.

    Attributes:
        summary: First line of its docstring; empty without one.
        names: Names assigned at the top level.
    """

    summary: str
    names: frozenset[str]


def sketch_of(path: Path) -> Sketch:
    """Read the file of a plugin.

    Args:
        path: The file.

    Raises:
        OSError: If it cannot be read.
        SyntaxError: If it is not Python.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    targets = [
        target
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return Sketch(
        summary=(ast.get_docstring(tree) or "").partition("\n")[0],
        names=frozenset(target.id for target in targets if isinstance(target, ast.Name)),
    )
