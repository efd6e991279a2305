"""Own data with persons: who is in which part by default, and what is decided where they are too few."""

import csv
import unicodedata
from collections import defaultdict

import pytest

from fgbench.audit.leaks import audit_parts, open_folder
from fgbench.config import PrepareConfig, load_prepare
from fgbench.errors import DatasetError
from fgbench.preparation import prepare
from fgbench.runs.division_reading import read_division
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import write_folder, write_plain_clip

pytestmark = pytest.mark.slow

CLASSES = ("boredom", "calm", "zeal")


def write_people(root, persons, *, columns=("subject",), official=None):
    """A folder with a clip of each class of every person; ``None`` is a clip whose person is not told."""
    rows = []
    for index, person in enumerate(persons):
        for label in CLASSES:
            name = f"c{index:03d}-{label}"
            write_plain_clip(root / "videos" / f"{name}.mp4", 6, seed=len(rows))
            rows.append([name, label, *([person or ""] if columns else []), (official or {}).get(name, "")])
    with (root / "annotations.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "label", *columns, "split"])
        writer.writerows(rows)
    return root


def run(tmp_path, root, text=""):
    recipe = tmp_path / "test.yaml"
    recipe.write_text(f"extends: default\nname: test\nbuckets: 4\nfaces: {{align: never}}\n{text}\n")
    report = prepare.run(load_prepare(str(recipe)), root, tmp_path / "work")
    clips = list(read_rows(tmp_path / "work" / "manifests" / "clips.parquet"))
    return report, clips, read_index(tmp_path / "work")


def parts_of(clips):
    """Person to the parts of their clips."""
    groups = defaultdict(set)
    for clip in clips:
        groups[clip["subject_id"]].add(clip["split"])
    return groups


@pytest.mark.parametrize("n_persons", [3, 4, 5, 8, 12])
def test_by_default_nobody_is_in_two_parts_and_no_part_is_empty(tmp_path, n_persons):
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(n_persons)])
    _, clips, _ = run(tmp_path, root)
    parts = parts_of(clips)
    assert len(parts) == n_persons
    assert all(len(one) == 1 for one in parts.values())
    assert set.union(*parts.values()) == {"train", "val", "test"}


def test_a_new_clip_of_a_known_person_moves_nobody(tmp_path):
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(8)])
    _, before, _ = run(tmp_path, root)
    write_plain_clip(root / "videos" / "new.mp4", 6, seed=77)
    with (root / "annotations.csv").open("a") as file:
        file.write("new,zeal,p3,\n")
    _, after, _ = run(tmp_path, root)
    assert parts_of(after) == parts_of(before)
    assert len(after) == len(before) + 1


def test_clips_without_a_person_are_divided_one_by_one_beside_the_persons(tmp_path):
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(6)] + [None] * 12)
    _, clips, _ = run(tmp_path, root)
    parts = parts_of(clips)
    assert len(parts.pop(None)) > 1
    assert len(parts) == 6
    assert all(len(one) == 1 for one in parts.values())


def test_clips_of_a_person_follow_those_with_an_official_part(tmp_path):
    official = {f"c{number:03d}-calm": part for number, part in enumerate(["test", "val", "train", "test"])}
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(4)], official=official)
    _, clips, _ = run(tmp_path, root)
    assert parts_of(clips) == {"p0": {"test"}, "p1": {"val"}, "p2": {"train"}, "p3": {"test"}}


def test_too_few_persons_are_divided_by_clip_and_that_is_told(tmp_path):
    root = write_people(tmp_path / "in", ["a"] * 4 + ["b"] * 4)
    report, clips, index = run(tmp_path, root)
    assert any("2 persons are too few for 3 parts: clips are divided one by one" in n for n in report.notes)
    assert max(map(len, parts_of(clips).values())) > 1
    assert index["origin"]["recipe"]["split"]["group_by"] == "clip_id"
    assert all(leak.allowed for leak in audit_parts(tmp_path / "work").leaks if leak.kind == "subject")


def test_without_persons_clips_are_divided_one_by_one_as_ever(tmp_path):
    root = write_people(tmp_path / "in", [None] * 20, columns=())
    with (root / "annotations.csv").open("w") as file:
        file.write("clip,label\n")
        file.writelines(f"c{position:03d}-{label},{label}\n" for position in range(20) for label in CLASSES)
    _, clips, index = run(tmp_path, root)
    assert index["origin"]["recipe"]["split"]["group_by"] == "clip_id"
    assert {clip["split"] for clip in clips} == {"train", "val", "test"}


def test_the_audit_takes_a_person_in_two_parts_for_a_leak_where_persons_are_apart(tmp_path):
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(5)])
    run(tmp_path, root)
    assert open_folder(tmp_path / "work").apart == "subject_id"


def test_folds_of_an_own_recipe_keep_persons_apart_and_treat_all_clips_alike(tmp_path):
    root = write_people(tmp_path / "in", [f"p{number}" for number in range(6)])
    report, clips, index = run(tmp_path, root, "protocol: {kind: k-fold, folds: 3}")
    assert any("the protocol has 3 folds: all clips are in train" in line for line in report.notes)
    images = list(read_rows(next((tmp_path / "work" / "manifests" / "images").glob("train-*"))))
    copies = defaultdict(list)
    for path in sorted((tmp_path / "work" / "manifests" / "images").glob("*.parquet")):
        for row in read_rows(path):
            copies[row["clip_id"]].append(row["parent_id"] is not None)
    assert images
    assert len(copies) == len(clips)
    assert {sum(one) / len(one) for one in copies.values()} == {0.5}, "one copy of each picture"
    division = read_division(tmp_path / "work", index)
    assert division.name == "3-fold-by-subject"
    folds = defaultdict(set)
    for clip in clips:
        folds[clip["subject_id"]].add(division.fold_of[clip["clip_id"]])
    assert all(len(one) == 1 for one in folds.values())


def test_folds_with_some_persons_unknown_are_refused_with_the_key(tmp_path):
    root = write_people(tmp_path / "in", ["a", "b", "c", "d", None])
    with pytest.raises(DatasetError, match="3 of 15 clips do not tell their person") as caught:
        run(tmp_path, root, "protocol: {kind: k-fold, folds: 3}")
    assert "protocol: {group_by: clip_id}" in caught.value.hint


@pytest.mark.parametrize(
    ("folder", "text", "name"),
    [
        ("my-clips", "", "my-clips"),
        ("Cafe\u0301  2", "", "Cafe\u0301 2"),
        ("raf-db", "", "own-raf-db"),
        ("my-clips", "dataset: {name: pilot}", "pilot"),
    ],
)
def test_a_data_set_is_called_as_its_folder_unless_the_recipe_names_it(tmp_path, folder, text, name):
    root = write_folder(tmp_path / folder, 3)
    _, clips, index = run(tmp_path, root, text)
    assert index["dataset"] == unicodedata.normalize("NFC", name)
    assert {clip["dataset"] for clip in clips} == {index["dataset"]}
    saved, _ = prepare.saved(tmp_path / "work")
    assert saved.dataset.name == index["dataset"]


def test_the_papers_recipe_divides_by_clip_as_the_paper_does():
    assert load_prepare("fg-emotions").split.group_by == "clip_id"
    assert load_prepare("fg-emotions").dataset.name == "fg-emotions"
    assert PrepareConfig(name="mine").split.group_by == "found"
