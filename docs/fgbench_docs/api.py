"""The members of ``import fgbench``, for the reference: a heading per group, a directive per member."""

from __future__ import annotations

import fgbench

_GROUPS = {
    "Data sets and work folders": ("prepare", "open", "synth", "Work", "Images"),
    "Runs and their scores": ("Run", "UnitRun", "score", "Scored", "compare", "Compared", "Table", "Figure"),
    "Networks": ("load", "Network", "Prediction", "add_network", "OwnNetwork"),
    "Faces and features": ("align", "align_all", "Face", "lbp", "dense_trajectories"),
    "The Hub": ("push", "pull", "Pushed", "Pulled"),
    "Errors": ("FgbenchError",),
}
"""Title to the names below it; a new name goes to the end, under a title of its own."""


def members() -> str:
    """Directives of mkdocstrings for all public names."""
    grouped = {name for names in _GROUPS.values() for name in names}
    rest = tuple(name for name in fgbench.__all__ if name not in grouped and name != "__version__")
    lines = []
    for title, names in {**_GROUPS, "More": rest}.items():
        if names:
            lines += [f"## {title}", ""]
        for name in names:
            lines += [
                f"::: {_where(name)}",
                "    options:",
                f"      heading: fgbench.{name}",
                f"      toc_label: {name}",
                "",
            ]
    return "\n".join(lines)


def _where(name: str) -> str:
    value = getattr(fgbench, name)
    return f"{value.__module__}.{value.__qualname__}"
