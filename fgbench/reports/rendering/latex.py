"""Tables as LaTeX: floats of booktabs tables, for ``\\input`` in a paper.

The text needs the packages booktabs and graphicx. A wide table becomes one float per block, a long one floats
of as many rows as fit a page; notes follow below the last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from fgbench.reports.paper.best import is_best
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, Spread, Table

_ROWS = 40
"""Largest number of rows of a float."""
_LINES = 50
"""Largest number of lines of a page for table and notes together."""
_NOTE_CHARACTERS = 120
"""Characters per line of notes."""

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"{\ensuremath{\$}}",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{''}",
    "`": r"{`}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "−": r"$-$",
}


def latex(table: Table) -> str:
    """Table as LaTeX floats; labels and names are escaped."""
    caption = escaped(re.sub(r"^(Table|Figure) \w+\. ", "", table.title))
    floats = [piece for part in table.parts() for piece in _pieces(part)]
    notes = [rf"\par {escaped(note)}" for note in table.all_notes]
    lines = [f"% {_comment(table.title)}", r"% \usepackage{booktabs,graphicx}"]
    for number, piece in enumerate(floats):
        is_last = number == len(floats) - 1
        head = rf"\caption{{{caption}}}\label{{tab:{table.name}}}"
        if number:
            head = rf"\addtocounter{{table}}{{-1}}\caption{{{caption} (continued)}}"
        lines += _float([head, *_tabular(piece), *(_under(notes) if is_last and _fits(piece, table) else [])])
    if notes and not _fits(floats[-1], table):
        lines += _float([rf"\centerline{{Notes to: {caption}}}", *_under(notes)])
    return "\n".join(lines) + "\n"


def escaped(value: str) -> str:
    """Text without anything that LaTeX would take for a command or cannot set."""
    escaped_text = "".join(_sign(character) for character in " ".join(value.split()))
    while "--" in escaped_text:
        escaped_text = escaped_text.replace("--", "-{}-")
    return escaped_text


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    # Letters of European languages, which every LaTeX since 2018 supports.
    if character.isascii() or "\u00c0" <= character <= "\u017f":
        return character if character.isprintable() else ""
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_SIGNS.get(sign, sign) for sign in plain) or f"U+{ord(character):04X}"


def _comment(value: str) -> str:
    return escaped(value).replace("%", "")


def _pieces(part: Table) -> Iterator[Table]:
    for begin in range(0, max(1, len(part.rows)), _ROWS):
        rows = part.rows[begin : begin + _ROWS]
        yield Table(name=part.name, title="", columns=part.columns, rows=rows)


def _fits(piece: Table, table: Table) -> bool:
    """Whether the notes of a table fit below its last piece."""
    lines = sum(1 + len(note) // _NOTE_CHARACTERS for note in table.all_notes)
    return len(piece.rows) + lines <= _LINES


def _float(lines: Sequence[str]) -> list[str]:
    return [r"\begin{table*}[tp]", r"\centering", r"\footnotesize", *lines, r"\end{table*}"]


def _under(notes: Sequence[str]) -> list[str]:
    if not notes:
        return []
    begin = r"\par\smallskip\begin{minipage}{\linewidth}\raggedright\scriptsize"
    return [begin, *notes, r"\end{minipage}"]


def _tabular(piece: Table) -> list[str]:
    """Rows of a table, made smaller where they are wider than the page."""
    align = "".join("r" if is_number else "l" for is_number in piece.are_numbers())
    return [
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}",
        r"\toprule",
        _row([escaped(column) for column in piece.columns]),
        r"\midrule",
        *(_row([_cell(cell) for cell in row]) for row in piece.rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def _row(cells: Sequence[str]) -> str:
    # A bracket or star at the start of a row would be taken for an argument of the row end before it.
    guard = "{}" if cells and cells[0].startswith(("[", "*")) else ""
    return guard + " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Spread):
        mean, _, spread = text(cell).partition(" ± ")
        shown = rf"{mean} \pm {spread}" if spread else mean
        if cell.is_best:
            return rf"$\mathbf{{{shown}}}$"
        return f"${shown}$" if spread else mean
    shown = text(cell)
    if is_best(cell):
        return rf"\textbf{{{escaped(shown)}}}"
    if isinstance(cell, int | float) and shown.startswith("-"):
        return f"$-${shown[1:]}"
    return escaped(shown)
