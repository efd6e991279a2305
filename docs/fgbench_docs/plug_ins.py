"""What the modules of plug-ins have to bind, and the formats of other tools' output."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from fgbench.inference.other_programs import formats
from fgbench.plugin_shapes import SHAPES
from fgbench_docs.markdown import code, prose, table


def names() -> str:
    """A table of the kinds of plug-ins: entry point, and the names that a module binds."""
    return table(
        ["Kind", "Entry point group", "The module binds"],
        [
            [
                kind,
                code(f"fgbench.{kind}"),
                ", ".join(
                    f"{code(name)} ({prose(wanted.replace(':', '.'))})" for name, wanted in shape.items()
                ),
            ]
            for kind, shape in SHAPES.items()
        ],
    )


def score_formats() -> str:
    """A table of the formats of ``fgbench score``: name and what is read."""
    return table(
        ["`--format`", "What is read"],
        [
            [code(found.name), prose(import_module(f"{formats.__name__}.{found.name}").ABOUT)]
            for found in iter_modules(formats.__path__)
        ],
    )
