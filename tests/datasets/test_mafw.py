"""The adapter of MAFW: eleven expressions by name in five official folds."""

import csv
import shutil

import pytest

from fgbench.datasets.mafw import list_clips
from fgbench.errors import DatasetError
from fgbench.runs.division_reading import read_division
from fgbench.taxonomy import ontology
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.mafw import LABELS, LISTS, write_mafw


def test_labels_by_name_and_folds(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_mafw(tmp_path))}
    assert len(entries) == 33
    assert [entries[f"{number:05d}"].label for number in range(11, 22)] == LABELS
    entry = entries["00007"]
    assert (entry.path, entry.fold, entry.problem) == ("data/frames/00007", 3, None)
    assert set(ontology("mafw11").labels) == set(LABELS)


def test_wrapped_and_in_other_cases(tmp_path):
    root = write_mafw(tmp_path / "MAFW", lists="Train & Test Set")
    (root / "data" / "frames").rename(root / "data" / "Frames")
    (root / "Train & Test Set" / "single").rename(root / "Train & Test Set" / "Single")
    entries = list_clips(tmp_path)
    assert (len(entries), entries[0].path) == (33, "MAFW/data/Frames/00001")


def test_a_clip_that_two_folds_test_is_a_problem_of_its_own(tmp_path):
    root = write_mafw(tmp_path)
    with (root / "split" / LISTS / "set_1" / "test.txt").open("a") as file:
        file.write("00007.mp4 contempt\n")
    actual = {entry.clip_id: entry.problem for entry in list_clips(root) if entry.problem}
    assert actual == {"00007": ("two_folds", "folds 1 and 3 test it, expected one")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("00001.mp4 3\n", r"train\.txt line 1: '3' is the name of no label(.|\n)*numbers are not read"),
        ("00001.mp4 love\n", r"train\.txt line 1: 'love' is the name of no label(.|\n)*anger, disgust"),
        ("00001.mp4 anger_disgust\n", "'anger_disgust' is the name of no label"),
        ("00001.mp4,anger\n", r"line 1 is '00001\.mp4,anger'(.|\n)*00001\.mp4 anger"),
    ],
)
def test_wrong_lists_name_the_line(tmp_path, text, message):
    write_text(write_mafw(tmp_path, 5) / "split" / LISTS / "set_4" / "train.txt", text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_mafw(tmp_path / "mafw", 5)
    lists = root / "split" / LISTS
    (lists / "set_2" / "test.txt").unlink()
    with pytest.raises(DatasetError, match=r"set_2 has no file test\.txt(.|\n)*expected layout"):
        list_clips(root)
    shutil.rmtree(lists / "set_5")
    write_text(lists / "set_2" / "test.txt", "")
    with pytest.raises(DatasetError, match="no_caption has no folder set_5/"):
        list_clips(root)
    shutil.rmtree(root / "data")
    with pytest.raises(DatasetError, match="mafw has no folder data/frames/"):
        list_clips(root)
    shutil.rmtree(root / "split" / "single")
    with pytest.raises(DatasetError, match="mafw has no folder split/single/no_caption/"):
        list_clips(root)


@pytest.mark.slow
def test_prepared_with_folds(tmp_path):
    root = write_mafw(tmp_path / "mafw", 22)
    shutil.rmtree(root / "data" / "frames" / "00009")
    with (root / "split" / LISTS / "set_3" / "train.txt").open("a") as file:
        file.write(f"00007.mp4 {LABELS[7]}\n")
    made = Prepared("mafw", root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"00009": "missing_file", "00007": "tested_in_training"}
    assert made.index["classes"] == list(ontology("mafw11").labels)
    clip = made.clips["00008"]
    assert (clip["label"], clip["basic"], clip["n_frames"]) == ("anxiety", "fear", 2)
    with (made.manifests / "folds.csv").open() as file:
        folds = {row["clip_id"]: int(row["fold"]) for row in csv.DictReader(file)}
    assert folds == {f"{n:05d}": n % 5 + 1 for n in range(1, 23) if n != 7}
    division = read_division(tmp_path / "work", made.index)
    assert division.fold_of == {name: str(fold) for name, fold in folds.items()}
    protocol = made.index["protocol"]
    assert (protocol["kind"], protocol["folds"], protocol["fold_file"]) == ("k-fold", 5, "folds.csv")
