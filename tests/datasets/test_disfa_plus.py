"""The adapter of DISFA+: intensities of action units in the pictures of posed trials."""

import shutil

import pytest

from fgbench.datasets import disfa_plus
from fgbench.datasets.disfa_plus import CARD, UNITS, action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.disfa_plus import TRIALS, write_disfa_plus


def test_trials_and_their_labels(tmp_path):
    root = write_disfa_plus(tmp_path, ("SN001",))
    assert [(entry.clip_id, entry.path, entry.subject_id) for entry in list_clips(root)] == [
        (f"SN001_{trial}", f"Images/SN001/{trial}", "SN001") for trial in TRIALS
    ]
    rows = [row for row in action_units(root) if row.clip_id == f"SN001_{TRIALS[0]}"]
    assert [row.frame_index for row in rows] == [0, 1, 2, 3]
    assert [row.labels["au12"] for row in rows] == [-1, -1, 1, 1], "present from 2 on"
    assert {row.labels["au01"] for row in rows} == {-1}
    assert list(rows[0].labels) == [f"au{unit:02d}" for unit in UNITS]


def test_wrapped_and_in_other_cases(tmp_path):
    write_disfa_plus(tmp_path / "a" / "DISFAPlusDataset", ("SN001",))
    root = tmp_path / "a" / "DISFAPlusDataset"
    (root / "Images").rename(root / "images")
    assert list_clips(tmp_path)[0].path == f"a/DISFAPlusDataset/images/SN001/{TRIALS[0]}"
    assert len(list(action_units(tmp_path))) == 8


def test_what_is_missing(tmp_path):
    root = write_disfa_plus(tmp_path, ("SN001",))
    labels = root / "Labels" / "SN001"
    shutil.rmtree(root / "Images" / "SN001" / TRIALS[0])
    (labels / TRIALS[1] / "AU9.txt").unlink()
    assert [entry.problem for entry in list_clips(root)] == [
        ("missing_file", f"no folder Images/SN001/{TRIALS[0]}"),
        ("missing_labels", f"Labels/SN001/{TRIALS[1]} has no files of action units 9"),
    ]
    assert list(action_units(root)) == []


def test_pictures_without_a_line_are_not_labelled(tmp_path):
    root = write_disfa_plus(tmp_path, ("SN001",))
    write_text(root / "Labels" / "SN001" / TRIALS[0] / "AU12.txt", "000.jpg 5\n003.jpg 0\n")
    rows = [row for row in action_units(root) if row.clip_id == f"SN001_{TRIALS[0]}"]
    assert [row.labels["au12"] for row in rows] == [1, 0, 0, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("000.jpg 6\n", "label '6' is outside the range 0 to 5"),
        ("000.jpg 1\n001.jpg\n", r"AU12\.txt line 2 is '001\.jpg'"),
        ("000.jpg 1\n000.jpg 1\n", r"line 2 names 000\.jpg again"),
    ],
)
def test_wrong_lines_are_named(tmp_path, text, message):
    root = write_disfa_plus(tmp_path, ("SN001",))
    write_text(root / "Labels" / "SN001" / TRIALS[0] / "AU12.txt", text)
    with pytest.raises(DatasetError, match=message):
        list(action_units(root))


def test_wrong_layouts(tmp_path):
    root = write_disfa_plus(tmp_path, ("SN001",))
    shutil.rmtree(root / "Images")
    with pytest.raises(DatasetError, match=r"no folder Images/(.|\n)*Labels/SN001/<trial>/AU1\.txt"):
        list_clips(root)


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_disfa_plus(tmp_path / "data")
    made = Prepared("disfa-plus", root, tmp_path / "work", faces={"align": "never"})
    assert usable_frames(made.manifests) == {(row.clip_id, row.frame_index) for row in action_units(root)}
    parts = {}
    for row in made.clips.values():
        parts.setdefault(row["subject_id"], set()).add(row["split"])
    assert all(len(one) == 1 for one in parts.values()), "nobody is in two parts"


def test_its_people_are_those_of_disfa():
    assert CARD.people == "disfa"
    assert [disfa_plus.presence(intensity) for intensity in (1, 2)] == [-1, 1]
