"""What of a data set is there, beside the published numbers."""

import os
from html import escape

import pytest

from fgbench.catalogue.survey import survey
from fgbench.config import load_prepare
from tests.support.fake_trees import write_picture, write_pictures, write_text


def write_raf(root):
    lines = ["train_00001.jpg 1", "train_00002.jpg 4", "test_00001.jpg 4"]
    write_text(root / "basic" / "EmoLabel" / "list_patition_label.txt", "\n".join(lines))
    folder = root / "basic" / "Image" / "aligned"
    write_pictures(folder, ["train_00001_aligned.jpg", "test_00001_aligned.jpg", "test_00009_aligned.jpg"])
    write_text(folder / "notes.txt", "x")
    write_picture(root / "basic" / "Image" / "original" / "train_00001.jpg")
    return root


def test_counts_missing_and_surplus_files(tmp_path):
    surveyed = survey(load_prepare("raf-db"), write_raf(tmp_path))
    assert surveyed.counts == {"train": {"happiness": 1, "surprise": 1}, "test": {"happiness": 1}}
    assert (surveyed.missing, list(surveyed.missing_examples)) == (
        1,
        ["basic/Image/aligned/train_00002_aligned.jpg"],
    )
    assert (surveyed.unlisted, list(surveyed.unlisted_examples)) == (
        1,
        ["basic/Image/aligned/test_00009_aligned.jpg"],
    )
    assert surveyed.known == {"train": 12271, "test": 3068}
    assert "train: 2 entries, published are 12,271" in surveyed.differences
    assert "test, surprise: 0 entries, published are 329" in surveyed.differences
    assert not surveyed.is_complete


def test_sequences_without_label_are_not_listed_and_totals_follow_the_label_set(tmp_path):
    for sequence in ("001", "002"):
        write_pictures(tmp_path / "cohn-kanade-images" / "S005" / sequence, ["1.png", "2.png", "3.png"])
    write_text(tmp_path / "Emotion" / "S005" / "001" / "a_emotion.txt", "5.0")
    surveyed = survey(load_prepare("ck-plus-6"), tmp_path)
    assert (surveyed.entries, surveyed.subjects) == (1, 1)
    assert surveyed.left_out == {"neutral": 1}
    assert list(surveyed.unlisted_examples) == ["cohn-kanade-images/S005/002"]
    assert surveyed.known == {"all": 309}
    assert "1 subject, published are 118" in surveyed.differences


def test_rows_of_a_table_need_no_files(tmp_path):
    write_text(tmp_path / "fer2013.csv", "emotion,pixels,Usage\n0,1,Training\n")
    surveyed = survey(load_prepare("fer2013"), tmp_path)
    assert (surveyed.missing, surveyed.unlisted, surveyed.entries) == (0, 0, 1)


def test_everything_that_is_not_used_is_told(tmp_path):
    root = write_raf(tmp_path)
    os.mkfifo(root / "basic" / "pipe")
    write_text(root / "basic" / os.fsdecode(b"\xe9.jpg"), "x")
    surveyed = survey(load_prepare("raf-db"), root)
    assert surveyed.entries == 3
    assert surveyed.problems == {"not_a_file": 1}
    lines = surveyed.lines()
    assert (
        "warning: 3 of 5 pictures and videos are not used, e.g. basic/Image/aligned/test_00009_aligned.jpg, "
        "basic/Image/original/train_00001.jpg, basic/\\xe9.jpg"
    ) in lines
    assert "other files: 1 .txt" in lines
    assert "cannot be used: 1 (not_a_file)" in lines
    assert escape(lines[0]) in surveyed._repr_html_()


def test_a_layout_that_takes_few_of_the_pictures_says_so(tmp_path):
    for number in range(4):
        write_picture(tmp_path / "happy" / f"{number}.png")
        write_pictures(tmp_path / "sad" / "person" / f"{number}", [f"{n}.png" for n in range(15)])
    lines = survey(load_prepare("folder"), tmp_path).lines()
    assert any(line.startswith("warning: 60 of 64 pictures and videos are not used") for line in lines)
    assert "cannot be used: 1 (no_pictures)" in lines


@pytest.mark.parametrize("name", ["happy", "sad"])
def test_without_published_numbers_nothing_differs(tmp_path, name):
    write_picture(tmp_path / name / "1.png")
    surveyed = survey(load_prepare("folder"), tmp_path)
    assert surveyed.differences == []
    assert surveyed.is_complete
    assert surveyed.counts == {"all": {name: 1}}


def test_data_with_action_units_alone_have_no_unknown_labels(tmp_path):
    write_pictures(tmp_path / "F001" / "T1", ["1.jpg", "2.jpg"])
    write_text(
        tmp_path / "AUCoding" / "AU_OCC" / "F001_T1.csv", f"{','.join(map(str, range(100)))}\n1{',0' * 99}\n"
    )
    surveyed = survey(load_prepare("bp4d"), tmp_path)
    assert surveyed.counts == {"all": {"(without classes)": 1}}
    assert "all: 1 entry, published are 328" in surveyed.differences
