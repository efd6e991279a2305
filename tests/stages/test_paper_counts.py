"""The recipe ``fg-emotions`` on 1,491 clips and 10,371 selected frames gives Table I, every number of it."""

import os
from collections import defaultdict

import pytest

from fgbench.config import load_prepare
from fgbench.preparation import prepare
from fgbench.preparation.splitting import Member, divide
from fgbench.reports.paper.numbers import table1 as paper
from fgbench.reports.tables import table1
from tests.support.clip_folders import LABELS, write_plain_clip

N_FRAMES = 12


def folder(root):
    """Links to one clip, for some classes more than for others; a selection as large as the paper's."""
    first = root / "videos" / "c0000.mp4"
    write_plain_clip(first, N_FRAMES, size=(32, 32))
    names = [f"c{number:04d}" for number in range(1491)]
    for name in names[1:]:
        os.link(first, first.with_name(f"{name}.mp4"))
    labels = {name: LABELS[min(number % 45, number % 33)] for number, name in enumerate(names)}
    lines = [f"{name}.mp4,{labels[name]},6" for name in names]
    (root / "annotations.csv").write_text("\n".join(["clip,label,key_frame", *lines]) + "\n")
    split = load_prepare("fg-emotions").split
    weights = {part: getattr(split, part) for part in ("train", "val", "test")}
    members = [Member(name, name, labels[name]) for name in names]
    parts = divide(members, weights, exact=True, cover_all_classes=True, seed=split.seed)
    by_part = defaultdict(list)
    for name, part in parts.items():
        by_part[part].append(name)
    selected = ["clip,frame"]
    for part, members_of in by_part.items():
        each, rest = divmod(paper()["Image", part], len(members_of))
        for index, name in enumerate(members_of):
            selected += [f"{name},{frame}" for frame in range(each + (index < rest))]
    (root / "selection.csv").write_text("\n".join(selected) + "\n")
    return root


@pytest.mark.slow
def test_fg_emotions_gives_table_1(tmp_path):
    config = load_prepare("fg-emotions")
    # Small whole frames stand for faces, and the video set is left out: counts are what is tested.
    config = config.model_copy(
        update={
            "faces": config.faces.model_copy(update={"align": "never", "chip_size": 32}),
            "sample": config.sample.model_copy(update={"video": "none"}),
        }
    )
    prepare.run(config, folder(tmp_path / "in"), tmp_path / "work", jobs=2)
    rows = [row for row in table1.build(tmp_path / "work").rows if row[1] == "difference"]
    assert [tuple(row[2:]) for row in rows] == [(0, 0, 0, 0)] * 3
