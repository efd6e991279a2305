"""Equal files under several names."""

import shutil

import pytest

from fgbench.preparation.stages._equal_files import equal_groups
from tests.support.fake_trees import Prepared, write_picture


@pytest.mark.slow
def test_equal_files_with_other_labels_or_in_other_parts_are_told_by_prepare(tmp_path):
    root = tmp_path / "mine"
    for part in ("train", "test"):
        for label in ("happy", "sad"):
            for number in range(2):
                write_picture(root / part / label / f"{number}.png", label)
    shutil.copy(root / "train" / "happy" / "0.png", root / "test" / "sad" / "wrong.png")
    shutil.copy(root / "train" / "sad" / "1.png", root / "test" / "sad" / "leak.png")
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"}, lbp={"enabled": False})
    assert made.report.notes == (
        "warning: 2 files are equal to others with another label: "
        "test/sad/wrong.png (sad) = train/happy/0.png (happy)",
        "warning: 2 files are equal to others in another part: "
        "test/sad/leak.png (test) = train/sad/1.png (train)",
    )


def test_their_names_take_one_line(tmp_path):
    root = tmp_path / "mine"
    write_picture(root / "happy" / "x\nerror: all is lost\n.png", "x")
    shutil.copytree(root / "happy", root / "sad")
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"}, lbp={"enabled": False})
    [line] = [line for line in made.report.notes if "another label" in line]
    assert "\n" not in line
    assert "x\\x0aerror: all is lost\\x0a" in line


def test_several_entries_of_one_file_are_no_two_files():
    def row(path, label, sha256="x"):
        return {"clip_id": path + label, "path": path, "sha256": sha256, "label": label, "split": "train"}

    assert equal_groups([row("a", "anger"), row("a", "neutral"), row("b", "anger", "y")]) == []
    assert equal_groups([row("b", "anger"), row("a", "anger"), row("a", "neutral")]) == [
        [("a", "anger+neutral", "train"), ("b", "anger", "train")]
    ]
