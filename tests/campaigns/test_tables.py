"""Odd and damaged tables of annotations: rows are used or rejected, or one clear error says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.campaigns import tables
from tests.support.campaigns.accounting import unaccounted
from tests.support.campaigns.cases import Case, chosen, expect_none
from tests.support.campaigns.commands import Commands
from tests.support.clip_folders import write_plain_clip

RECIPE = """\
name: campaign
buckets: 2
max_reject_rate: 1.0
dataset: {adapter: fg_emotions, name: campaign, scheme: fg33, synthetic: true}
sample: {before: 1, after: 0, video: none}
faces: {align: never, chip_size: 64}
augment: {copies: 0}
lbp: {enabled: false}
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number, name in enumerate(tables.CLIPS):
        write_plain_clip(folder / f"{name}.mp4", 4, seed=number)
    return folder


def tried(case: Case, folder: Path, clips: Path, commands: Commands) -> list[str]:
    (folder / "data" / "videos").mkdir(parents=True)
    for clip in clips.iterdir():
        (folder / "data" / "videos" / clip.name).hardlink_to(clip)
    made = tables.write_case(case, folder / "data")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    options = ["--data-root", folder / "data", "--workdir", folder / "work", "--jobs", "1"]
    ended = commands.run("prepare", folder / "recipe.yaml", *options)
    faults = ended.faults()
    if ended.status and not faults and not ended.errors.strip().startswith(("error:", "recipe")):
        faults.append(f"exit code {ended.status} without a clear error: {ended.errors[:200]}")
    if ended.status == 0:
        checked = commands.run("check", folder / "work")
        faults += checked.faults()
        if tables.lists_all_clips(folder / "data"):
            lost = unaccounted(folder / "work", tables.CLIPS)
            faults += [f"{name} {fault}" for name, reported in lost.items() for fault in reported]
    return [f"{made}: {fault}" for fault in faults]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_table_is_read_or_refused_in_words(
    request: pytest.FixtureRequest, tmp_path: Path, clips: Path, commands: Commands
) -> None:
    faults = {
        case: tried(case, tmp_path / case.name, clips, commands) for case in chosen(request.config, "tables")
    }
    expect_none(faults, "test_tables")
