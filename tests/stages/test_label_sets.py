"""Data sets without classes, and with official folds."""

from dataclasses import replace

import pytest

from fgbench.config import load_prepare
from fgbench.datasets import folder
from tests.support.fake_trees import Prepared, write_picture


@pytest.fixture
def root(tmp_path):
    for number in range(4):
        write_picture(tmp_path / "mine" / "anything" / f"{number}.png")
    return tmp_path / "mine"


@pytest.mark.slow
def test_data_without_classes(tmp_path, root):
    dataset = load_prepare("folder").dataset.model_dump() | {"scheme": "none"}
    augment = {"balance": "total", "train": 12, "val": 0, "test": 0}
    split = {"train": 1, "val": 0, "test": 0}
    changes = {"faces": {"align": "never"}, "dataset": dataset, "augment": augment, "split": split}
    made = Prepared("folder", root, tmp_path / "work", **changes)
    assert (made.index["scheme"], made.index["classes"]) == ("none", [])
    assert {(clip["label"], clip["basic"], clip["scheme"]) for clip in made.clips.values()} == {
        (None, None, "none")
    }
    assert made.report.counts["train"] == {"clips": 4, "images": 4, "augmented": 12}


def test_official_folds_become_a_fold_file(tmp_path, root, monkeypatch):
    listed = folder.list_clips
    monkeypatch.setattr(
        folder,
        "list_clips",
        lambda root: [replace(entry, fold=1 + number % 3) for number, entry in enumerate(listed(root))],
    )
    (root / "anything" / "2.png").write_bytes(b"")
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"})
    lines = (made.manifests / "folds.csv").read_text().splitlines()
    assert lines == ["clip_id,fold", "anything/0,1", "anything/1,2", "anything/2,3", "anything/3,1"]
    assert "folds.csv" in made.index["files"]


def test_without_official_folds_there_is_no_fold_file(tmp_path, root):
    made = Prepared("folder", root, tmp_path / "work", faces={"align": "never"})
    assert not (made.manifests / "folds.csv").exists()
