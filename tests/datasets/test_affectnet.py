"""The adapter of AffectNet: lists and arrays, 7 and 8 classes."""

import pickle
import shutil

import numpy as np
import pytest

from fgbench.catalogue.survey import survey
from fgbench.config import load_prepare
from fgbench.datasets import affectnet
from fgbench.datasets.affectnet import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.affectnet import HEAD, IMAGES, LISTS, line, write_arrays, write_lists

LABELS = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]


@pytest.mark.parametrize("head", [True, False])
def test_rows_of_the_lists(tmp_path, head):
    entries = {entry.clip_id: entry for entry in list_clips(write_lists(tmp_path, head=head))}
    assert len(entries) == 22
    entry = entries["val/2/v0007abc"]
    assert (entry.label, entry.split, entry.path) == ("contempt", "val", f"{IMAGES}/2/v0007abc.JPG")
    actual = [entries[f"train/{1 + number % 3}/t{number:04d}abc"].label for number in range(11)]
    assert actual == [*LABELS, "none_of_these", "uncertain", "no_face"]


@pytest.mark.parametrize("below", ["AffectNet", "download/Manually_Annotated"])
def test_extra_folders(tmp_path, below):
    write_lists(tmp_path / below)
    assert list_clips(tmp_path)[0].path.startswith(f"{below}/{IMAGES}/")
    shutil.move(tmp_path / below / IMAGES, tmp_path / IMAGES)
    assert list_clips(tmp_path)[0].path.startswith(f"{IMAGES}/")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{HEAD}\n{line('1/a.jpg', 11)}\n",
            r"training\.csv line 2: label '11' is outside the range 0 to 10",
        ),
        (f"{line('1/a.jpg', 'happy')}\n", "line 1: label 'happy' is outside"),
        ("subDirectory_filePath,emotion\n1/a.jpg,1\n", r"training\.csv has no column expression"),
        (f"{HEAD}\n1/a.jpg,1\n", r"line 2 has 2 cells, expected 9"),
    ],
)
def test_wrong_lists_name_the_line(tmp_path, text, message):
    write_text(write_lists(tmp_path) / LISTS / "training.csv", text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_missing_files_and_folders(tmp_path):
    root = write_lists(tmp_path / "lists")
    (root / LISTS / "validation.csv").unlink()
    with pytest.raises(DatasetError, match=r"file_lists has no file validation\.csv(.|\n)*expected layout"):
        list_clips(root)
    shutil.rmtree(root / IMAGES)
    with pytest.raises(DatasetError, match="lists has no folder Manually_Annotated_Images/"):
        list_clips(root)
    arrays = write_arrays(tmp_path / "arrays", [1])
    with pytest.raises(DatasetError, match=r"no file training\.csv; use the recipe affectnet-arrays"):
        list_clips(arrays)
    with pytest.raises(DatasetError, match="no folder train_set/; use the recipe affectnet"):
        list_clips(root, "arrays")
    shutil.rmtree(arrays / "val_set" / "images")
    with pytest.raises(DatasetError, match=r"val_set has no folder images/(.|\n)*N_exp\.npy"):
        list_clips(arrays, "arrays")
    shutil.rmtree(arrays / "val_set")
    with pytest.raises(DatasetError, match="arrays has no folder val_set/"):
        list_clips(arrays, "arrays")


def test_parts_of_arrays_in_other_spellings(tmp_path):
    write_arrays(tmp_path, range(2))
    (tmp_path / "train_set").rename(tmp_path / "Train")
    (tmp_path / "val_set").rename(tmp_path / "validation-set")
    actual = [entry.clip_id for entry in list_clips(tmp_path, "arrays")]
    assert actual == ["train/0", "train/1", "val/0", "val/1"]


def test_arrays_hold_codes_as_words_or_numbers(tmp_path):
    root = write_arrays(tmp_path / "x" / "AffectNet")
    np.save(root / "val_set" / "annotations" / "3_exp.npy", np.array([6]))
    shutil.move(root / "train_set", root / "train")
    shutil.move(root / "train", root / "train_set" / "train_set")
    entries = {entry.clip_id: entry for entry in list_clips(tmp_path / "x", "arrays")}
    assert [entries[f"train/{number}"].label for number in range(8)] == LABELS
    assert (entries["val/3"].label, entries["val/3"].split) == ("anger", "val")
    assert entries["val/3"].path == "AffectNet/val_set/images/3.jpg"


class Harmful:
    """Pickled, it would make a file when loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_bad_arrays_are_problems_and_nothing_is_unpickled(tmp_path):
    root = write_arrays(tmp_path / "affectnet", range(5))
    folder = root / "train_set" / "annotations"
    trace = tmp_path / "trace"
    np.save(folder / "0_exp.npy", np.array([Harmful(trace)], dtype=object), allow_pickle=True)
    (folder / "1_exp.npy").write_bytes(b"")
    (folder / "2_exp.npy").write_bytes(pickle.dumps(Harmful(trace)))
    np.save(folder / "3_exp.npy", np.zeros(3))
    problems = {entry.clip_id: entry.problem for entry in list_clips(root, "arrays") if entry.problem}
    assert list(problems) == ["train/0", "train/1", "train/2", "train/3"]
    assert {reason for reason, _ in problems.values()} == {"unreadable_label"}
    assert problems["train/3"][1] == "3_exp.npy: expected an array of one element"
    assert not trace.exists()
    np.save(folder / "3_exp.npy", np.array("11"))
    with pytest.raises(DatasetError, match=r"3_exp\.npy line 1: label '11' is outside the range"):
        list_clips(root, "arrays")
    for path in folder.glob("*_exp.npy"):
        path.unlink()
    with pytest.raises(DatasetError, match=r"annotations has no files N_exp\.npy"):
        list_clips(root, "arrays")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "n_classes", "left_out"),
    [
        ("affectnet", 8, {"no_face": 2, "none_of_these": 2, "uncertain": 2}),
        ("affectnet-7", 7, {"contempt": 2, "no_face": 2, "none_of_these": 2, "uncertain": 2}),
    ],
)
def test_prepared_from_lists(tmp_path, recipe, n_classes, left_out):
    root = write_lists(tmp_path / "affectnet", head=False)
    (root / IMAGES / "1" / "v0006abc.JPG").unlink()
    with (root / LISTS / "training.csv").open("a") as file:
        file.write(f"{line('../../x.jpg', 1)}\n")
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"val/1/v0006abc": "missing_file", "train/../../x": "path_outside_root"}
    assert made.index["left_out"] == left_out
    assert len(made.index["classes"]) == n_classes
    protocol = made.index["protocol"]
    assert (protocol["train"], protocol["selection"], protocol["test"]) == (["train"], [], ["val"])
    assert protocol["label"] == f"AffectNet {n_classes} classes tested on official val"
    assert len(made.clips) == 2 * n_classes - 1


@pytest.mark.slow
def test_prepared_from_arrays(tmp_path):
    made = Prepared("affectnet-arrays-7", write_arrays(tmp_path / "affectnet"), tmp_path / "work")
    assert made.index["left_out"] == {"contempt": 2}
    assert {clip["align"] for clip in made.clips.values()} == {"none"}
    assert len(made.images) == 14


def test_published_numbers_follow_the_classes(tmp_path):
    write_lists(tmp_path)
    assert survey(load_prepare("affectnet"), tmp_path).known == {"train": 287651, "val": 4000}
    assert survey(load_prepare("affectnet-7"), tmp_path).known == {"train": 283901, "val": 3500}
    assert affectnet.CARD.variant("lists").totals == {"train": 414799, "val": 5500}
