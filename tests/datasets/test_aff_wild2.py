"""The adapter of Aff-Wild2: action units of cropped frames, parts of the challenge."""

import shutil

import pytest

from fgbench.datasets.aff_wild2 import action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_clip, write_picture, write_text
from tests.support.layouts.aff_wild2 import HEAD, codes, write_aff


def test_videos_their_parts_and_labels(tmp_path):
    root = write_aff(tmp_path)
    entries = {entry.clip_id: entry for entry in list_clips(root)}
    assert len(entries) == 13
    assert (entries["t0"].path, entries["t0"].split) == ("cropped_aligned/t0", "train")
    assert (entries["v2"].source_id, entries["v2"].split) == ("v2", "val")
    rows = [row for row in action_units(root) if row.clip_id == "t0"]
    assert [row.frame_index for row in rows] == [0, 1, 2], "places of pictures 1, 2 and 4"
    assert [row.labels["au01"] for row in rows] == [-1, 1, 1]
    assert {row.labels["au26"] for row in rows} == {0}
    assert {row.labels["au12"] for row in rows} == {-1}


def test_two_people_of_one_video_are_of_one_source(tmp_path):
    root = write_aff(tmp_path)
    folder = root / "6th_ABAW_Annotations" / "AU_Detection_Challenge" / "Train_Set"
    for side in ("left", "RIGHT"):
        write_text(folder / f"t0_{side}.txt", f"{HEAD}\n{codes(1)}\n")
        write_picture(root / "cropped_aligned" / f"t0_{side}" / "00001.jpg")
    actual = {entry.clip_id: entry.source_id for entry in list_clips(root) if entry.clip_id.startswith("t0")}
    assert actual == {"t0": "t0", "t0_left": "t0", "t0_RIGHT": "t0"}


def test_other_layouts(tmp_path):
    """Cropped pictures that are not aligned, a folder in a folder of its name, annotations far below."""
    root = write_aff(tmp_path / "a", crops="cropped", wrapped="data/annotations/2022")
    assert list_clips(root)[0].path == "cropped/t0"
    twice = write_aff(tmp_path / "b", crops="cropped_aligned/cropped_aligned")
    assert list_clips(twice)[0].path == "cropped_aligned/cropped_aligned/t0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}\n{codes(1).replace('-1', '2')}\n", "label '2' is outside the range -1 to 1"),
        (f"{HEAD}\n0,1\n", "line 2 has 2 cells, expected 12"),
        (HEAD.replace("AU26", "AU27"), "line 1 names no AU26"),
        ("", "line 1 names no AU1"),
    ],
)
def test_wrong_files_are_named(tmp_path, text, message):
    root = write_aff(tmp_path)
    path = root / "6th_ABAW_Annotations" / "AU_Detection_Challenge" / "Train_Set" / "t0.txt"
    write_text(path, text)
    with pytest.raises(DatasetError, match=message):
        list(action_units(root))


def test_what_is_missing(tmp_path):
    root = write_aff(tmp_path)
    (root / "cropped_aligned" / "t1").rename(root / "cropped_aligned" / "x")
    for path in (root / "cropped_aligned" / "t2").iterdir():
        path.unlink()
    problems = {entry.clip_id: entry.problem for entry in list_clips(root) if entry.problem}
    assert problems == {
        "t1": ("missing_file", "no folder cropped_aligned/t1"),
        "t2": ("no_frames", "cropped_aligned/t2 has no pictures such as 00001.jpg"),
    }
    folder = root / "6th_ABAW_Annotations" / "AU_Detection_Challenge"
    write_text(folder / "Validation_Set" / "t3.txt", HEAD)
    with pytest.raises(DatasetError, match="video t3 is in both parts"):
        list_clips(root)
    folder.rename(folder.with_name("other"))
    with pytest.raises(DatasetError, match="no folder AU_Detection_Challenge/"):
        list_clips(root)


def write_videos(root):
    """Whole videos of four frames of some of the annotated ones; the pictures may be there too."""
    for index, name in enumerate(("t0", "t1", "v0")):
        path = root / "batch1" / f"{name}.{'avi' if index else 'mp4'}"
        write_clip(path)
    return root


@pytest.mark.parametrize("has_pictures", [True, False])
def test_whole_videos_are_labelled_by_the_number_of_the_frame(tmp_path, has_pictures):
    root = write_videos(write_aff(tmp_path))
    if not has_pictures:
        shutil.rmtree(root / "cropped_aligned")
    entries = {entry.clip_id: entry for entry in list_clips(root, "videos")}
    assert (entries["t0-video"].path, entries["t0-video"].split) == ("batch1/t0.mp4", "train")
    assert entries["v0-video"].path == "batch1/v0.avi"
    assert entries["t2-video"].problem == ("missing_file", "no video t2.mp4 or t2.avi")
    rows = {(row.clip_id, row.frame_index): row.labels["au01"] for row in action_units(root)}
    assert [rows["t0-video", frame] for frame in range(4)] == [-1, 1, -1, 1], "the third frame has no picture"
    assert ({clip for clip, _ in rows} & {"t0", "t2"} == {"t0", "t2"}) == has_pictures


def test_whole_videos_of_two_people_are_not_used(tmp_path):
    root = write_videos(write_aff(tmp_path))
    folder = root / "6th_ABAW_Annotations" / "AU_Detection_Challenge" / "Train_Set"
    write_text(folder / "t0_left.txt", f"{HEAD}\n{codes(1)}\n")
    problems = {entry.clip_id: entry.problem for entry in list_clips(root, "videos")}
    for name in ("t0-video", "t0_left-video"):
        assert problems[name] is not None
        assert "shows two people" in problems[name][1]
    assert not {"t0-video", "t0_left-video"} & {row.clip_id for row in action_units(root)}
    assert problems["t1-video"] is None


def test_without_any_video_the_layout_is_told(tmp_path):
    with pytest.raises(DatasetError, match="has no video that the annotations name"):
        list_clips(write_aff(tmp_path), "videos")


@pytest.mark.slow
def test_whole_videos_are_prepared(tmp_path):
    root = write_videos(write_aff(tmp_path / "data"))
    shutil.rmtree(root / "cropped_aligned")
    made = Prepared(
        "aff-wild2-videos", root, tmp_path / "work", faces={"align": "never"}, max_reject_rate=1.0
    )
    assert set(made.clips) == {"t0-video", "t1-video", "v0-video"}
    labelled = {(row.clip_id, row.frame_index) for row in action_units(root)}
    assert usable_frames(made.manifests) <= labelled
    assert len(usable_frames(made.manifests)) == 12


@pytest.mark.slow
def test_prepared(tmp_path):
    root = write_aff(tmp_path / "data")
    made = Prepared("aff-wild2", root, tmp_path / "work", faces={"align": "never"})
    assert usable_frames(made.manifests) == {(row.clip_id, row.frame_index) for row in action_units(root)}
    assert {name for name, row in made.clips.items() if row["split"] == "val"} == {"v0", "v1", "v2"}
    assert made.index["protocol"]["test"] == ["val"]
