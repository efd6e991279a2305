"""Damaged and odd pictures, and small ones that claim to be huge.

Each is used or rejected with a reason, and no one ends the run.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from campaigns import pictures
from campaigns.accounting import unaccounted
from campaigns.cases import Case, batches, chosen, expect_none
from campaigns.commands import LIMIT_S, Commands

BATCH = 40
RECIPE = """\
name: campaign
buckets: 4
max_reject_rate: 1.0
dataset: {adapter: folder, name: campaign, scheme: free, synthetic: true}
sample: {before: 0, after: 0}
augment: {copies: 1}
"""


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return pictures.make_seeds()


def write_data(cases: Sequence[Case], root: Path, seeds: dict[str, bytes]) -> dict[Case, str]:
    """Write the files of the cases into a data set; returns how each was made."""
    for label in ("calm", "wild"):
        (root / label).mkdir(parents=True)
    (root / "calm" / "whole.jpg").write_bytes(seeds["plain.jpg"])
    (root / "wild" / "whole.png").write_bytes(seeds["plain.png"])
    made = {
        case: pictures.write_case(case, root / ("calm", "wild")[case.number % 2], seeds) for case in cases
    }
    return made


def tried(
    cases: Sequence[Case], folder: Path, seeds: dict[str, bytes], commands: Commands
) -> dict[Case, list[str]]:
    """Faults by case; where a batch has any, each of its cases is tried alone."""
    made = write_data(cases, folder / "data", seeds)
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    places = ["--data-root", folder / "data", "--workdir", folder / "work", "--jobs", "1"]
    limit_s = LIMIT_S if len(cases) == 1 else LIMIT_S + 4 * len(cases)
    ended = commands.run("prepare", folder / "recipe.yaml", *places, limit_s=limit_s)
    faults = ended.faults()
    if ended.status and not faults:
        faults = [f"one file ended the run: {ended.errors[-300:]}"]
    found: dict[Case, list[str]] = {}
    if not faults:
        named = {case.name: case for case in cases}
        lost = unaccounted(folder / "work", ["whole", *named], ended.said)
        assert "whole" not in lost
        found = {named[name]: [f"{made[named[name]]}: {why}" for why in told] for name, told in lost.items()}
        checked = commands.run("check", folder / "work")
        faults = checked.faults() or ([] if checked.status == 0 else [f"check: {checked.said[-300:]}"])
    if faults and len(cases) == 1:
        found[cases[0]] = [f"{made[cases[0]]}: {fault}" for fault in faults]
    elif faults:
        for case in cases:
            found |= tried([case], folder / case.name, seeds, commands)
        found = found or {cases[0]: [f"together with the next {len(cases) - 1}: {fault}" for fault in faults]}
    shutil.rmtree(folder)
    return found


@pytest.mark.timeout(7200)
def test_every_file_is_used_or_rejected_with_a_reason(
    request: pytest.FixtureRequest, tmp_path: Path, seeds: dict[str, bytes], commands: Commands
) -> None:
    cases = chosen(request.config, "pictures")
    faults: dict[Case, list[str]] = {case: [] for case in cases}
    for number, batch in enumerate(batches(cases, BATCH)):
        faults |= tried(batch, tmp_path / f"batch{number}", seeds, commands)
    expect_none(faults, "test_pictures")
