"""HTML of the pages on which experts select frames; they load nothing but pictures beside them.

Values are JSON in elements that a browser does not execute, with every ``<`` escaped; the policy of a page
allows only its own script and style, by their digests, and pictures from its own folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fgbench.reports.rendering import embedding
from fgbench.reports.rendering.templates import fill

_ASSETS = Path(__file__).resolve().parent / "assets"
_SCRIPTS = ("elements.js", "table.js", "progress.js", "clips.js", "sheet.js")
"""Scripts in the order in which they are loaded; each uses those before it."""

_SHOWN_WITHOUT = 200
"""Most clips that the first page lists as without a usable face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetEntry:
    """One page.

    Attributes:
        name: Its file.
        identity: Text under which a browser keeps the progress: of the clips and pictures of the page.
        number: Its number, from 1.
        of: Number of pages.
        clips: Its clips as plain values.
        first: Id of the first clip.
        last: Id of the last.
        n_clips: Number of clips.
        n_frames: Number of frames.
    """

    name: str
    identity: str
    number: int
    of: int
    clips: Sequence[Mapping[str, Any]]
    first: str = ""
    last: str = ""
    n_clips: int = 0
    n_frames: int = 0

    @property
    def table(self) -> str:
        """Name of the table that the page writes."""
        return "selection.csv" if self.of == 1 else f"selection-{self.number:04d}.csv"

    def without_clips(self) -> SheetEntry:
        """The entry with its counts alone."""
        return replace(
            self,
            clips=(),
            first=self.clips[0]["id"],
            last=self.clips[-1]["id"],
            n_clips=len(self.clips),
            n_frames=sum(len(clip["frames"]) for clip in self.clips),
        )


def sheet_page(entry: SheetEntry, *, dataset: str, synthetic: bool) -> str:
    """Text of a page.

    Args:
        entry: The page.
        dataset: Name of the data set.
        synthetic: Whether its faces are drawn.
    """
    program = embedding.program(map(_asset, _SCRIPTS))
    style = _asset("selection.css")
    block = {
        "id": entry.identity,
        "dataset": dataset,
        "table": entry.table,
        "clips": [{key: clip[key] for key in clip if key != "digest"} for clip in entry.clips],
    }
    return fill(
        "selection_sheet.html",
        policy=_policy(style, program),
        title=f"Frames of {dataset}" + (f", page {entry.number} of {entry.of}" if entry.of > 1 else ""),
        synthetic=synthetic,
        style=style,
        data=embedding.embedded_json(block),
        program=program,
    )


def index_page(
    entries: Sequence[SheetEntry], without: Sequence[str], *, dataset: str, synthetic: bool
) -> str:
    """Text of the first page.

    Args:
        entries: The pages.
        without: Ids of clips without a usable face near the key frame.
        dataset: Name of the data set.
        synthetic: Whether its faces are drawn.
    """
    style = _asset("selection.css")
    return fill(
        "selection_index.html",
        policy=_policy(style, None),
        title=f"Frames of {dataset}",
        synthetic=synthetic,
        style=style,
        entries=entries,
        n_clips=sum(entry.n_clips for entry in entries),
        n_frames=sum(entry.n_frames for entry in entries),
        without=without[:_SHOWN_WITHOUT],
        n_without=len(without),
    )


def _policy(style: str, program: str | None) -> str:
    script = "'none'" if program is None else embedding.source(program)
    return (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self' file:; "
        f"style-src {embedding.source(style)}; script-src {script}"
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
