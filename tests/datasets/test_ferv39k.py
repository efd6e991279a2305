"""The adapter of FERV39k: folders of frames by scene and emotion, and lists separated by spaces."""

import shutil

import pytest

from fgbench.datasets.ferv39k import list_clips
from fgbench.errors import DatasetError
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.ferv39k import LISTS, write_ferv39k


def test_the_scene_belongs_to_the_id_and_the_first_line_is_a_clip(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_ferv39k(tmp_path))}
    assert len(entries) == 28
    first = entries["Action/Angry/0000"]
    assert (first.label, first.split) == ("anger", "train")
    assert first.path == "2_ClipsforFaceCrop/Action/Angry/0000"
    other = entries["DailyLife/Happy/0001"]
    assert (other.label, other.split) == ("happiness", "test")
    labels = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    assert [entry.label for entry in entries.values() if entry.split == "train"] == 2 * labels


def test_wrapped_and_in_other_cases(tmp_path):
    write_ferv39k(tmp_path / "FERV39k", frames="2_ClipsforFaceCrop-002/2_CLIPSFORFACECROP")
    (tmp_path / "FERV39k" / "4_setups" / "All_scenes").rename(
        tmp_path / "FERV39k" / "4_setups" / "ALL_SCENES"
    )
    entries = list_clips(tmp_path)
    assert len(entries) == 28
    assert entries[0].path == "FERV39k/2_ClipsforFaceCrop-002/2_CLIPSFORFACECROP/Action/Angry/0000"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Action/Sad/0010,Sad\n",
            r"test_All\.csv line 1 is 'Action/Sad/0010,Sad'(.|\n)*Action/Happy/0267 Happy",
        ),
        (
            "Action/Sad/0010 Calm\n",
            r"test_All\.csv line 1: 'Calm' is the name of no label(.|\n)*angry, disgust",
        ),
        ("\nAction/Sad/0010 5\n", r"line 2: '5' is the name of no label(.|\n)*numbers are not read"),
        ("0010 Sad\n", "line 1: '0010' is not <Scene>/<Emotion>/<id>"),
        ("clip label\n", "line 1: 'clip' is not"),
    ],
)
def test_wrong_lists_name_the_line(tmp_path, text, message):
    write_text(write_ferv39k(tmp_path) / LISTS / "test_All.csv", text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_ferv39k(tmp_path / "ferv")
    (root / LISTS / "test_All.csv").unlink()
    with pytest.raises(DatasetError, match=r"All_scenes has no file test_All\.csv(.|\n)*expected layout"):
        list_clips(root)
    for scene in ("Action", "DailyLife"):
        shutil.rmtree(root / "2_ClipsforFaceCrop" / scene)
    with pytest.raises(DatasetError, match="ferv has no folder 2_ClipsforFaceCrop/ with folders of scenes"):
        list_clips(root)
    shutil.rmtree(root / "4_setups" / "All_scenes")
    with pytest.raises(DatasetError, match="ferv has no folder 4_setups/All_scenes/"):
        list_clips(root)


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_ferv39k(tmp_path / "ferv")
    shutil.rmtree(root / "2_ClipsforFaceCrop" / "Action" / "Fear" / "0000")
    with (root / LISTS / "test_All.csv").open("a") as file:
        file.write("Action/Sad/0000 Sad\n../../x Sad\n")
    made = Prepared("ferv39k", root, tmp_path / "work")
    assert made.rejects == {
        "../../x": "path_outside_root",
        "Action/Fear/0000": "missing_file",
        "Action/Sad/0000": "duplicate_id",
    }
    assert {part: counts["clips"] for part, counts in made.report.counts.items()} == {
        "train": 12,
        "val": 0,
        "test": 14,
    }
    clip = made.clips["DailyLife/Sad/0001"]
    assert (clip["label"], clip["align"], clip["n_faces_ok"]) == ("sadness", "none", 2)
    protocol = made.index["protocol"]
    assert (protocol["train"], protocol["selection"], protocol["test"]) == (["train"], [], ["test"])
