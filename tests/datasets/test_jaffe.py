"""The adapter of JAFFE."""

import pytest

from fgbench.datasets.jaffe import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_picture
from tests.support.layouts.jaffe import write_jaffe


def test_names_tell_subject_and_label(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_jaffe(tmp_path))}
    assert len(entries) == 70
    entry = entries["KL.HA1.11"]
    assert (entry.subject_id, entry.label, entry.path) == ("KL", "happiness", "KL.HA1.11.tiff")


def test_wrapped_and_in_other_cases(tmp_path):
    write_picture(tmp_path / "a" / "jaffe" / "ka.an1.39.PNG", "x")
    (entry,) = list_clips(tmp_path)
    assert (entry.clip_id, entry.subject_id, entry.path) == ("KA.AN1.39", "KA", "a/jaffe/ka.an1.39.PNG")


def test_wrong_layouts_name_the_path(tmp_path):
    write_picture(tmp_path / "a" / "happy1.png")
    with pytest.raises(DatasetError, match=r"has no pictures named like KA\.AN1\.39\.tiff"):
        list_clips(tmp_path)
    write_picture(tmp_path / "a" / "KA.XX1.39.png")
    with pytest.raises(DatasetError, match=r"KA\.XX1\.39\.png: 'XX' is no code"):
        list_clips(tmp_path)
    with pytest.raises(DatasetError, match="no folder"):
        list_clips(tmp_path / "absent")


@pytest.mark.slow
def test_prepared(tmp_path):
    made = Prepared("jaffe", write_jaffe(tmp_path / "jaffe"), tmp_path / "work", faces={"align": "never"})
    assert len(made.images) == 70
    assert made.index["protocol"]["folds"] == len({clip["subject_id"] for clip in made.clips.values()}) == 10
