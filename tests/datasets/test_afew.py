"""The adapter of AFEW."""

import shutil

import pytest

from fgbench.datasets.afew import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared
from tests.support.layouts.afew import write_afew


def test_a_name_that_is_in_both_parts_is_two_clips(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_afew(tmp_path))}
    assert len(entries) == 14
    assert entries["train/000046280"].path == "Train/Angry/000046280.avi"
    assert entries["val/000046280"].path == "Val/Angry/000046280.avi"
    assert {entry.label for entry in entries.values()} == {
        "anger",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
    }


@pytest.mark.parametrize(
    "parts", [("Training", "dev"), ("train_set", "Validation_Set"), ("Train_AFEW", "eval")]
)
def test_parts_in_other_spellings(tmp_path, parts):
    entries = list_clips(write_afew(tmp_path, parts))
    assert sorted(entry.split for entry in entries) == ["train"] * 7 + ["val"] * 7


def test_two_folders_of_one_part_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="two folders of the part train: 'TRAINING' and 'trn'"):
        list_clips(write_afew(tmp_path, ("TRAINING", "trn", "Val")))


def test_wrapped_and_in_upper_case(tmp_path):
    write_afew(tmp_path / "AFEW_7.0", ("TRAIN", "VAL"))
    assert len(list_clips(tmp_path)) == 14


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_afew(tmp_path / "afew")
    shutil.rmtree(root / "Val")
    with pytest.raises(DatasetError, match=r"afew has no folder Val/(.|\n)*expected layout: {Train,Val}/"):
        list_clips(root)
    (root / "Val" / "1").mkdir(parents=True)
    with pytest.raises(DatasetError, match="Val has no folders named as emotions"):
        list_clips(root)
    shutil.rmtree(root / "Train")
    with pytest.raises(DatasetError, match="afew has no folder Train/"):
        list_clips(root)


@pytest.mark.slow
def test_a_clip_under_two_emotions_is_rejected(tmp_path):
    root = write_afew(tmp_path / "afew")
    shutil.copy(root / "Train" / "Angry" / "000046280.avi", root / "Train" / "Sad")
    made = Prepared("afew", root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"train/000046280": "duplicate_id"}
    assert len(made.clips) == 13
    protocol = made.index["protocol"]
    assert (protocol["train"], protocol["selection"], protocol["test"]) == (["train"], [], ["val"])
