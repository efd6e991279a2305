"""Files of a data set tried in batches: each is used or rejected with a reason, and no one ends the run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.campaigns.accounting import unaccounted
from tests.support.campaigns.cases import Case, batches
from tests.support.campaigns.commands import LIMIT_S, Commands

BATCH = 40
"""Files that are prepared together."""

Write = Callable[[Sequence[Case], Path], dict[Case, str]]


def faults_of(
    cases: Sequence[Case], folder: Path, *, write: Write, recipe: str, commands: Commands
) -> dict[Case, list[str]]:
    """Faults of all cases, none for most; arguments as of :func:`tried`."""
    faults: dict[Case, list[str]] = {case: [] for case in cases}
    for number, batch in enumerate(batches(cases, BATCH)):
        faults |= tried(batch, folder / f"batch{number}", write=write, recipe=recipe, commands=commands)
    return faults


def tried(
    cases: Sequence[Case], folder: Path, *, write: Write, recipe: str, commands: Commands
) -> dict[Case, list[str]]:
    """Faults by case; where a batch has any, or takes longer than one file may, each is tried alone.

    Args:
        cases: What to try together.
        folder: For data, recipe and work folder; gone afterwards.
        write: Writes the files of cases into a data set; returns how each was made. A file of it is named
            ``whole`` and is one.
        recipe: Text of the recipe.
        commands: Runs ``fgbench``.
    """
    made = write(cases, folder / "data")
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    options = ["--data-root", folder / "data", "--workdir", folder / "work", "--jobs", "1"]
    ended = commands.run("prepare", folder / "recipe.yaml", *options, limit_s=LIMIT_S)
    faults = ended.faults()
    if ended.status and not faults:
        faults = [f"one file ended the run: {ended.errors[-300:]}"]
    actual: dict[Case, list[str]] = {}
    if not faults:
        named = {case.name: case for case in cases}
        lost = unaccounted(folder / "work", ["whole", *named])
        assert "whole" not in lost
        actual = {
            named[name]: [f"{made[named[name]]}: {why}" for why in reported]
            for name, reported in lost.items()
        }
        checked = commands.run("check", folder / "work")
        faults = checked.faults() or ([] if checked.status == 0 else [f"check: {checked.printed[-300:]}"])
    if faults and len(cases) == 1:
        actual[cases[0]] = [f"{made[cases[0]]}: {fault}" for fault in faults]
    elif faults:
        for case in cases:
            actual |= tried([case], folder / case.name, write=write, recipe=recipe, commands=commands)
        if not actual and ended.stopped != "time":
            actual = {cases[0]: [f"together with the next {len(cases) - 1}: {fault}" for fault in faults]}
    shutil.rmtree(folder)
    return actual
