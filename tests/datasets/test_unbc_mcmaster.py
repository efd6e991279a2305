"""The adapter of UNBC-McMaster: FACS codes of every frame."""

import shutil

import pytest

from fgbench.datasets.unbc_mcmaster import UNITS, action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.unbc_mcmaster import SUBJECTS, write_unbc


@pytest.mark.slow
def test_sequences_and_their_labels(tmp_path):
    root = write_unbc(tmp_path, SUBJECTS[:1])
    (entry,) = list_clips(root)
    assert (entry.clip_id, entry.subject_id) == ("ll042t1aaaff", "042-ll042")
    assert entry.path == "Images/042-ll042/ll042t1aaaff"
    rows = list(action_units(root))
    assert [row.frame_index for row in rows] == [0, 1, 2]
    assert [row.labels["au04"] for row in rows] == [-1, -1, 1], "present from 2 on"
    assert [row.labels["au43"] for row in rows] == [-1, -1, 1], "closed eyes have no intensity"
    assert list(rows[0].labels) == [f"au{unit:02d}" for unit in UNITS]


def test_frames_without_a_file_are_not_labelled(tmp_path):
    root = write_unbc(tmp_path / "outer" / "inner", SUBJECTS[:1])
    folder = root / "Frame_Labels" / "FACS" / SUBJECTS[0] / "ll042t1aaaff"
    (folder / "ll042t1aaaff002_facs.txt").unlink()
    assert [row.frame_index for row in action_units(tmp_path)] == [0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4 6 0 0\n", "unit '4' of intensity '6'(.|\n)*intensity from 0 to 5"),
        ("4.5 1 0 0\n", r"unit '4\.5' of intensity '1'"),
        ("4 1\n", r"aaaff001_facs\.txt line 1 is '4 1'"),
    ],
)
def test_wrong_lines_are_named(tmp_path, text, message):
    root = write_unbc(tmp_path, SUBJECTS[:1])
    write_text(
        root / "Frame_Labels" / "FACS" / SUBJECTS[0] / "ll042t1aaaff" / "ll042t1aaaff001_facs.txt", text
    )
    with pytest.raises(DatasetError, match=message):
        list(action_units(root))


def test_what_is_missing(tmp_path):
    root = write_unbc(tmp_path, SUBJECTS[:2])
    shutil.rmtree(root / "Images" / SUBJECTS[0])
    problems = {entry.clip_id: entry.problem for entry in list_clips(root)}
    assert problems == {
        "ll042t1aaaff": ("missing_file", "no folder Images/042-ll042/ll042t1aaaff"),
        "jh043t1aaaff": None,
    }
    assert {row.clip_id for row in action_units(root)} == {"jh043t1aaaff"}
    shutil.rmtree(root / "Frame_Labels" / "FACS")
    with pytest.raises(DatasetError, match="no folder Frame_Labels/FACS/"):
        list_clips(root)
    shutil.rmtree(root / "Images")
    with pytest.raises(DatasetError, match="no folder Images/"):
        list_clips(root)


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_unbc(tmp_path / "data")
    made = Prepared("unbc-mcmaster", root, tmp_path / "work", faces={"align": "never"})
    assert usable_frames(made.manifests) == {(row.clip_id, row.frame_index) for row in action_units(root)}
    assert {row["split"] for row in made.clips.values()} == {"train", "val", "test"}
