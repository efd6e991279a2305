"""Index of a report: its tables, its figures, their blanks with the commands that fill them.

Writes ``index.md``, ``index.html``, and ``report.tex``, a document of all tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench import storage
from fgbench.reports.rendering.hypertext import html_page
from fgbench.reports.rendering.render import in_markdown
from fgbench.reports.rendering.table import Table
from fgbench.reports.rendering.templates import fill

FILES = ("index.md", "index.html", "report.tex")
"""Files that :func:`write_index` writes, the last only where there are LaTeX tables."""

_NOT_OURS = ("paper", "difference")
_GAP = re.compile(r"\bblank\b|fgbench (prepare|baseline|train|evaluate)\b", re.IGNORECASE)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Entry of a table or figure in the index of a report.

    Attributes:
        name: File name without suffix.
        title: Title; the name if it could not be made.
        files: Names of its files; empty if it could not be made.
        n_cells: Number of cells of rows of this data set, without keys.
        n_blank: Number of blank ones among them.
        gaps: Sentences on blank cells, or why there is nothing, with the command that fills them.
    """

    name: str
    title: str
    files: Sequence[str]
    n_cells: int
    n_blank: int
    gaps: Sequence[str]


def entry_of(table: Table, files: Sequence[Path]) -> Entry:
    """Entry in the index for a table that was written.

    Notes on blank cells contain the word "blank", or the command that fills them.
    """
    keys = table.keys or 1
    of = list(table.columns).index("Of") if "Of" in table.columns else None
    ours = [row for row in table.rows if of is None or not str(row[of]).startswith(_NOT_OURS)]
    cells = [cell for row in ours for cell in row[keys:]]
    return Entry(
        name=table.name,
        title=table.title,
        files=[path.name for path in files],
        n_cells=len(cells),
        n_blank=sum(cell is None for cell in cells),
        gaps=[note for note in table.notes if _GAP.search(note)],
    )


def write_index(folder: Path, entries: Sequence[Entry]) -> list[Path]:
    """Write the index of a report as Markdown and HTML, and a LaTeX document of its tables, if it has some.

    Returns:
        The files.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    written = {
        folder / "index.md": _index_markdown(entries),
        folder / "index.html": html_page("Report", [_index_html(entries)]),
    }
    parts = [entry for entry in entries if f"{entry.name}.tex" in entry.files]
    if parts:
        written[folder / "report.tex"] = _document(parts)
    for path, content in written.items():
        storage.write_text(path, content)
    return list(written)


def state(entry: Entry) -> str:
    """State of a table or figure, in words."""
    if not entry.files:
        return "left out"
    return (
        f"{entry.n_blank} of {entry.n_cells} cells of this data set are blank"
        if entry.n_blank
        else "complete"
    )


def _index_markdown(entries: Sequence[Entry]) -> str:
    lines = ["# Report", ""]
    for entry in entries:
        links = ", ".join(f"[{name}]({name})" for name in entry.files)
        lines.append(f"- **{in_markdown(entry.title)}**: {state(entry)}" + (f" ({links})" if links else ""))
        lines += [f"  - {in_markdown(gap)}" for gap in entry.gaps]
    return "\n".join(lines) + "\n"


def _index_html(entries: Sequence[Entry]) -> str:
    shown = [
        {"title": entry.title, "state": state(entry), "files": entry.files, "gaps": entry.gaps}
        for entry in entries
    ]
    return fill("index.html", entries=shown)


def _document(entries: Sequence[Entry]) -> str:
    """A document of all tables, each with the number that the paper has."""
    lines = [
        r"\documentclass[10pt]{article}",
        r"\usepackage[utf8]{inputenc}",
        r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
        r"\usepackage{booktabs,graphicx}",
        r"\begin{document}",
    ]
    for entry in entries:
        number = _number(entry.name)
        begin = rf"\renewcommand{{\thetable}}{{{number}}}" if number else ""
        lines.append(rf"{{{begin}\input{{{entry.name}.tex}}\clearpage}}")
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def _number(name: str) -> str:
    """Number of a table in the paper: ``"II"`` for ``table2``; empty for other tables."""
    kind = name.rstrip("0123456789")
    digits = name[len(kind) :]
    if kind == "figure" and digits:
        return f"of Figure {digits}"
    is_of_paper = kind == "table" and digits and 0 < int(digits) <= len(_ROMAN)
    return _ROMAN[int(digits) - 1] if is_of_paper else ""
