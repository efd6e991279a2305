"""Damaged and odd pictures, and small ones that claim to be huge.

Each is used or rejected with a reason, and no one ends the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.campaigns import pictures
from tests.support.campaigns.cases import Case, chosen, expect_none
from tests.support.campaigns.commands import Commands
from tests.support.campaigns.file_batches import faults_of

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


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_file_is_used_or_rejected_with_a_reason(
    request: pytest.FixtureRequest, tmp_path: Path, seeds: dict[str, bytes], commands: Commands
) -> None:
    cases = chosen(request.config, "pictures")
    write = partial(write_data, seeds=seeds)
    faults = faults_of(cases, tmp_path, write=write, recipe=RECIPE, commands=commands)
    expect_none(faults, "test_pictures")
