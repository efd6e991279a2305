"""The adapter of DISFA: intensities of action units in the frames of two cameras' videos."""

import shutil

import pytest

from fgbench.datasets.disfa import action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.media import video
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_text
from tests.support.layouts.disfa import FOLDERS, N_FRAMES, SUBJECTS, label_file, write_disfa
from tests.support.video_files import read_number


def test_videos_of_one_camera(tmp_path):
    root = write_disfa(tmp_path)
    left, right = list_clips(root), list_clips(root, "right")
    assert [entry.clip_id for entry in left] == [f"{subject}-left" for subject in SUBJECTS]
    assert left[0].path == "Videos_LeftCamera/LeftVideoSN001_comp.avi"
    assert right[0].path == "Video_RightCamera/RightVideoSN001_comp.avi"
    assert (right[0].clip_id, right[0].subject_id, right[0].label) == ("SN001-right", "SN001", None)


def test_intensities_from_2_on_are_present_and_frame_1_is_the_first(tmp_path):
    root = write_disfa(tmp_path, ("SN001",))
    rows = [row for row in action_units(root) if row.clip_id == "SN001-left"]
    assert [row.frame_index for row in rows] == list(range(N_FRAMES))
    assert list(rows[0].labels) == ["au01", "au02", "au04", "au06", "au09", "au12", "au25", "au26"]
    assert [row.labels["au12"] for row in rows] == [-1, -1, 1, 1, 1, 1]
    assert {row.labels["au01"] for row in rows} == {-1}
    assert [row for row in action_units(root) if row.clip_id == "SN001-right"] == [
        type(row)(clip_id="SN001-right", frame_index=row.frame_index, labels=row.labels) for row in rows
    ]
    # Line "3,2" is the first present one, and frame 3 of the file is the third picture of the video.
    present = next(row.frame_index for row in rows if row.labels["au12"] == 1)
    with video.open_video(root / list_clips(root)[0].path) as reader:
        (frame,) = reader.frames([present])
        assert read_number(frame.rgb()) == 2


def test_wrapped_and_in_other_cases(tmp_path):
    write_disfa(tmp_path / "plain")
    root = tmp_path / "wrapped" / "DISFA"
    shutil.copytree(tmp_path / "plain" / "Videos_LeftCamera", root / "video_leftcamera")
    (root / "video_leftcamera" / "LeftVideoSN001_comp.avi").rename(
        root / "video_leftcamera" / "leftvideosn001_Comp.AVI"
    )
    shutil.copytree(tmp_path / "plain" / "ActionUnit_Labels", root / "actionunit_labels")
    entries = list_clips(tmp_path / "wrapped")
    assert [entry.clip_id for entry in entries] == [f"{subject}-left" for subject in SUBJECTS]
    assert entries[0].path == "DISFA/video_leftcamera/leftvideosn001_Comp.AVI"
    assert len(list(action_units(tmp_path / "wrapped"))) == 2 * N_FRAMES * len(SUBJECTS)


def test_files_of_different_lengths_leave_frames_unlabelled(tmp_path):
    root = write_disfa(tmp_path, ("SN001",), ("Left",))
    write_text(label_file(root, unit=25), "1,0\n2,3\n")
    labels = [row.labels["au25"] for row in action_units(root) if row.clip_id == "SN001-left"]
    assert labels == [-1, 1, 0, 0, 0, 0]


def test_a_subject_without_a_file_of_a_unit_is_a_problem_of_its_own(tmp_path):
    root = write_disfa(tmp_path, ("SN001", "SN002"), ("Left",))
    label_file(root, "SN002", 9).unlink()
    label_file(root, "SN001", 17).unlink()  # not a unit of the benchmark
    assert {entry.clip_id: entry.problem for entry in list_clips(root)} == {
        "SN001-left": None,
        "SN002-left": ("missing_labels", "ActionUnit_Labels/SN002 has no files of action units 9"),
    }
    assert {row.clip_id for row in action_units(root)} == {"SN001-left", "SN001-right"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,0\n1,0\n", r"SN001_au12\.txt line 1 counts frames from 0(.|\n)*counted from 1"),
        ("1,0\n1,0\n", "line 2 names frame 1 again"),
        ("1,0\n2,6\n", r"line 2: label '6' is outside the range 0 to 5"),
        ("1,-1\n", "label '-1' is outside the range"),
        ("1 0\n", r"line 1 is '1 0'(.|\n)*frame,intensity"),
        ("frame,intensity\n1,0\n", "line 1 is 'frame,intensity'"),
    ],
)
def test_wrong_intensities_name_the_line(tmp_path, text, message):
    root = write_disfa(tmp_path, ("SN001",), ("Left",))
    write_text(label_file(root), text)
    with pytest.raises(DatasetError, match=message):
        list(action_units(root))


def test_wrong_layouts_name_the_path(tmp_path):
    root = write_disfa(tmp_path / "disfa", ("SN001",), ("Right",))
    with pytest.raises(
        DatasetError, match=r"no folder Videos_LeftCamera/ with videos; it has that of the right"
    ):
        list_clips(root)
    shutil.rmtree(root / "Video_RightCamera")
    with pytest.raises(DatasetError, match=r"disfa has no folder Video_RightCamera/ with videos\n"):
        list_clips(root, "right")
    shutil.rmtree(root / "ActionUnit_Labels")
    for use in (list_clips, lambda folder: list(action_units(folder))):
        with pytest.raises(
            DatasetError, match=r"disfa has no folder ActionUnit_Labels/(.|\n)*expected layout"
        ):
            use(root)


@pytest.mark.slow
@pytest.mark.parametrize("camera", ["left", "right"])
def test_prepared(tmp_path, camera):
    root = write_disfa(tmp_path / "disfa")
    (root / FOLDERS[camera.title()] / f"{camera.title()}VideoSN004_comp.avi").unlink()
    recipe = "disfa" if camera == "left" else "disfa-right"
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    assert made.rejects == {f"SN004-{camera}": "missing_file"}
    assert made.images == []
    frames = {(row.clip_id, row.frame_index) for row in action_units(root)}
    used = {(f"{subject}-{camera}", n) for subject in SUBJECTS if subject != "SN004" for n in range(N_FRAMES)}
    assert usable_frames(made.manifests) == used < frames
    assert made.index["protocol"]["group_by"] == "subject_id"
    assert len({clip["subject_id"] for clip in made.clips.values()}) == len(made.clips) == 5
