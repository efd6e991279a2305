"""The adapter of EmotioNet: lists of addresses with codes, people's and a detector's."""

import pytest

from fgbench.catalogue.listing import list_data, unit_source
from fgbench.config import load_prepare
from fgbench.datasets import emotionet
from fgbench.datasets.emotionet import action_units, list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.emotionet import line, write_emotionet


def test_pictures_and_their_labels(tmp_path):
    root = write_emotionet(tmp_path, 2, 1)
    entries = list_clips(root)
    assert [(entry.clip_id, entry.path) for entry in entries] == [
        (f"N_{number:010d}_00039", f"images/batch_{number}/N_{number:010d}_00039.jpg") for number in (0, 1)
    ]
    assert [entry.clip_id for entry in list_clips(root, "automatic")] == ["N_0000000100_00039"]
    rows = {row.clip_id: row.labels for row in action_units(root)}
    labels = rows["N_0000000001_00039"]
    assert (labels["au01"], labels["au02"], labels["au12"], labels["au43"]) == (1, 0, 1, -1)
    assert rows["N_0000000000_00039"]["au12"] == -1
    assert len(rows) == 3
    assert len(labels) == 17


def test_what_a_detector_coded_is_pseudo(tmp_path):
    root = write_emotionet(tmp_path, 2, 2)
    assert unit_source(emotionet, root, "").pseudo == ""
    assert unit_source(emotionet, root, "automatic").pseudo == "EmotioNet's detector"
    notes = list_data(load_prepare("emotionet-automatic").dataset, root).notes
    assert "action units: PSEUDO labels of EmotioNet's detector, no person's" in notes
    assert list_data(load_prepare("emotionet").dataset, root).notes == ()


def test_people_come_before_the_detector(tmp_path):
    root = write_emotionet(tmp_path, 2, 2)
    path = root / "lists" / "dataFile_0001.txt"
    write_text(path, path.read_text() + line(1, au12=0) + "\n")
    rows = [row.labels["au12"] for row in action_units(root) if row.clip_id == "N_0000000001_00039"]
    assert rows == [-1, 1], "the later one holds"


def test_pictures_that_are_not_there_are_one_entry(tmp_path):
    root = write_emotionet(tmp_path, 6, 1)
    for number in (1, 2):
        (root / "images" / f"batch_{number}" / f"N_{number:010d}_00039.jpg").unlink()
    *there, missing = list_clips(root)
    assert len(there) == 4
    assert missing.problem == (
        "missing_file",
        "2 of 6 listed pictures are not there, e.g. N_0000000001_00039.jpg, N_0000000002_00039.jpg",
    )
    for path in (root / "images").rglob("*.jpg"):
        path.unlink()
    with pytest.raises(DatasetError, match="has no picture of the 6 that its lists name"):
        list_clips(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line(0, au12=2), "label '2' is outside the range 0 to 999"),
        (line(0).rpartition("\t")[0], "has 61 cells"),
        (line(0).replace(".jpg", ".html"), "expected an address"),
    ],
)
def test_wrong_lines_are_named(tmp_path, text, message):
    root = write_emotionet(tmp_path, 2, 1)
    write_text(root / "lists" / "dataFile_1000.txt", text + "\n")
    with pytest.raises(DatasetError, match=message):
        list_clips(root)


def test_lists_that_are_missing(tmp_path):
    root = write_emotionet(tmp_path, 2, 1)
    (root / "lists" / "dataFile_1000.txt").unlink()
    with pytest.raises(DatasetError, match=r"has no list dataFile_1000\.txt"):
        list_clips(root)
    assert len(list(action_units(root))) == 1
    (root / "lists" / "dataFile_0001.txt").unlink()
    with pytest.raises(DatasetError, match=r"has no list dataFile_0001\.txt"):
        list(action_units(root))


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_emotionet(tmp_path / "data")
    (root / "images" / "batch_1" / "N_0000000001_00039.jpg").unlink()
    made = Prepared("emotionet", root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {"missing": "missing_file"}
    assert len(made.images) == 11
    assert {row["split"] for row in made.clips.values()} == {"train", "val", "test"}
