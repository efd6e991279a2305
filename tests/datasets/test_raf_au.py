"""The adapter of RAF-AU: a list of pictures with the codes of experts."""

import pytest

from fgbench.datasets.raf_au import UNITS, action_units, list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.raf_au import write_raf_au


def test_pictures_and_their_labels(tmp_path):
    root = write_raf_au(tmp_path / "wrapped" / "RAF-AU", n_more=0)
    entries = {entry.clip_id: entry for entry in list_clips(tmp_path)}
    assert entries["0001"].path == "wrapped/RAF-AU/aligned/0001_aligned.jpg"
    assert list_clips(root, "original")[0].path == "original/0001.jpg"
    rows = {row.clip_id: row for row in action_units(root)}
    present = {name: {unit for unit, label in row.labels.items() if label == 1} for name, row in rows.items()}
    assert present == {
        "0001": {"au01", "au02", "au12", "au25"},
        "0002": set(),
        "0003": {"au04"},
        "0004": {"au10"},
    }
    assert all(len(row.labels) == len(UNITS) and row.frame_index == 0 for row in rows.values())


@pytest.mark.parametrize(
    "line", ["0001.jpg", "0001.jpg 1+x", "0001.jpg 1 2", "a/0001.jpg 1", "0001.jpg 1++2"]
)
def test_wrong_lines_are_named(tmp_path, line):
    root = write_raf_au(tmp_path)
    write_text(root / "RAFAU_label.txt", f"0002.jpg 1\n{line}\n")
    for use in (list_clips, lambda root: list(action_units(root))):
        with pytest.raises(DatasetError, match=r"RAFAU_label\.txt line 2 is "):
            use(root)


def test_wrong_layouts(tmp_path):
    root = write_raf_au(tmp_path)
    (root / "aligned").rename(root / "faces")
    with pytest.raises(DatasetError, match="has no folder aligned/"):
        list_clips(root)
    (root / "RAFAU_label.txt").unlink()
    with pytest.raises(DatasetError, match=r"has no file RAFAU_label\.txt"):
        list_clips(root)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["raf-au", "raf-au-original"])
def test_prepared(tmp_path, recipe):
    root = write_raf_au(tmp_path / "data")
    (root / "aligned" / "0004_aligned.jpg").unlink()
    (root / "original" / "0004.jpg").unlink()
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"0004": "missing_file"}
    assert {row["split"] for row in made.clips.values()} == {"train", "val", "test"}
    assert len(made.images) == 11
