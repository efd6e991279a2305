"""Damaged, absurd and hostile recipes: each is taken or refused in a few words, at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.campaigns import recipes
from tests.support.campaigns.cases import Case, chosen, expect_none
from tests.support.campaigns.commands import Commands
from tests.support.clip_folders import write_plain_clip

MAX_OUTPUT = 10_000
"""Characters of the longest message."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    lines = ["clip,label,key_frame,split"]
    for number, part in enumerate(("train", "val", "test")):
        write_plain_clip(root / "videos" / f"c{number}.mp4", 4, seed=number)
        lines.append(f"c{number},anger,2,{part}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def tried(case: Case, folder: Path, data: Path, commands: Commands) -> list[str]:
    folder.mkdir()
    made, recipe = recipes.write_case(case, folder)
    work = folder / "work"
    commanded = [
        commands.run("prepare", recipe, "--data-root", data, "--workdir", work, "--dry-run"),
        commands.run("baseline", "lbp-svm", "--recipe", recipe, "--workdir", work),
        commands.run("train", "msau", "--recipe", recipe, "--workdir", work),
    ]
    if commanded[0].status == 0:
        commanded.append(
            commands.run("prepare", recipe, "--data-root", data, "--workdir", work, "--jobs", "1")
        )
    faults = [fault for ended in commanded for fault in ended.faults()]
    faults += [
        f"{' '.join(ended.arguments[:2])}: {len(ended.printed)} characters printed"
        for ended in commanded
        if len(ended.printed) > MAX_OUTPUT
    ]
    return [f"{made}: {fault}" for fault in faults]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_recipe_is_taken_or_refused_in_words(
    request: pytest.FixtureRequest, tmp_path: Path, data: Path, commands: Commands
) -> None:
    faults = {
        case: tried(case, tmp_path / case.name, data, commands) for case in chosen(request.config, "recipes")
    }
    expect_none(faults, "test_recipes")
