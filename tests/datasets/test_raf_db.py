"""The adapter of RAF-DB: basic and compound expressions."""

import pytest

from fgbench.datasets.raf_db import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.raf_db import write_half


def test_codes_are_raf_dbs(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_half(tmp_path))}
    labels = [entries[f"train_{number:05d}"].label for number in range(1, 8)]
    assert labels == ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]
    entry = entries["test_00003"]
    assert (entry.split, entry.path) == ("test", "basic/Image/aligned/test_00003_aligned.jpg")


@pytest.mark.parametrize("below", ["", "RAF-DB", "download/RAF-DB"])
def test_extra_folders_and_the_half_itself(tmp_path, below):
    write_half(tmp_path / below)
    assert len(list_clips(tmp_path)) == 28
    half = list_clips(tmp_path / below / "basic")
    assert half[0].path == "Image/aligned/test_00001_aligned.jpg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_00001.jpg 8\n", r"label.txt line 1: label '8' is outside the range 1 to 7"),
        ("train_00001.jpg 0\n", "outside the range 1 to 7"),
        ("train_00001.jpg\n", r"line 1 is 'train_00001.jpg'(.|\n)*'train_00001.jpg 5'"),
        ("\nvalid_00001.jpg 1\n", "line 2: 'valid_00001.jpg' names no part"),
        ("../train_1.jpg 1\n", "names no part"),
    ],
)
def test_wrong_label_files_name_the_line(tmp_path, text, message):
    write_text(write_half(tmp_path) / "basic" / "EmoLabel" / "list_patition_label.txt", text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_missing_label_file_and_folders(tmp_path):
    write_half(tmp_path)
    with pytest.raises(DatasetError, match=r"has no folder compound/EmoLabel/"):
        list_clips(tmp_path, "compound")
    with pytest.raises(DatasetError, match=r"Image has no folder original/(.|\n)*Image/original/"):
        list_clips(tmp_path, "basic-original")
    (tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt").unlink()
    with pytest.raises(DatasetError, match=r"EmoLabel has no file list_patition_label\.txt"):
        list_clips(tmp_path)


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_half(tmp_path / "raf")
    (root / "basic" / "Image" / "aligned" / "train_00002_aligned.jpg").unlink()
    made = Prepared("raf-db", root, tmp_path / "work")
    assert made.rejects == {"train_00002": "missing_file"}
    assert len(made.images) == 27
    assert made.index["protocol"]["selection"] == []
    assert {clip["align"] for clip in made.clips.values()} == {"none"}
    assert made.clips["train_00003"]["basic"] == "anger", "disgust lies under anger in the class tree"


@pytest.mark.slow
def test_prepared_compound(tmp_path):
    root = write_half(tmp_path / "raf", "compound", n_classes=11, per_class=1)
    made = Prepared("raf-db-compound", root, tmp_path / "work")
    assert len(made.index["classes"]) == 11
    clip = made.clips["test_00011"]
    assert (clip["label"], clip["basic"], clip["valence"]) == ("disgustedly_surprised", None, None)
