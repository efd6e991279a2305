"""Damaged and odd video files: each is used or rejected with a reason, and no one ends the run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.campaigns import media
from tests.support.campaigns.cases import Case, chosen, expect_none
from tests.support.campaigns.commands import Commands
from tests.support.campaigns.file_batches import faults_of
from tests.support.clip_folders import LABELS

RECIPE = """\
name: campaign
buckets: 4
max_reject_rate: 1.0
dataset: {adapter: fg_emotions, name: campaign, scheme: fg33, synthetic: true}
sample: {before: 1, after: 1, video: uniform, video_frames: 4}
augment: {copies: 1}
optical_flow: {enabled: true, size_px: 32}
"""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return media.write_seeds(tmp_path_factory.mktemp("seeds"))


def write_data(cases: Sequence[Case], root: Path, seeds: dict[str, bytes]) -> dict[Case, str]:
    """Write the files of the cases into a data set; returns how each was made."""
    (root / "videos").mkdir(parents=True)
    (root / "videos" / "whole.mp4").write_bytes(seeds["h264.mp4"])
    made = {case: media.write_case(case, root / "videos", seeds) for case in cases}
    names = sorted(path.name for path in (root / "videos").iterdir())
    lines = [f"{name},{LABELS[number % len(LABELS)]},2" for number, name in enumerate(names)]
    (root / "annotations.csv").write_text(
        "\n".join(["clip,label,key_frame", *lines]) + "\n", encoding="utf-8"
    )
    return made


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_file_is_used_or_rejected_with_a_reason(
    request: pytest.FixtureRequest, tmp_path: Path, seeds: dict[str, bytes], commands: Commands
) -> None:
    cases = chosen(request.config, "media")
    write = partial(write_data, seeds=seeds)
    faults = faults_of(cases, tmp_path, write=write, recipe=RECIPE, commands=commands)
    expect_none(faults, "test_media")
