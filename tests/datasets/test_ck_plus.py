"""The adapter of CK+: sequences with label files, and cropped peaks."""

import shutil

import pytest

from fgbench.datasets.ck_plus import action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_picture, write_text
from tests.support.layouts.ck_plus import FACS, write_cropped, write_sequences, write_units


def test_peaks_and_neutral_first_frames(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_sequences(tmp_path))}
    assert len(entries) == 40
    peak, neutral = entries["S005_001"], entries["S005_001-neutral"]
    assert (peak.label, peak.selected_frames, peak.key_frame) == ("anger", (2, 3, 4), 4)
    assert (neutral.label, neutral.selected_frames, neutral.stills_only) == ("neutral", (0,), True)
    assert peak.path == neutral.path == "cohn-kanade-images/S005/001"
    assert {entry.subject_id for entry in (peak, neutral)} == {"S005"}
    assert "S005_003" not in entries, "it has no label"


def test_wrapped_and_in_upper_case(tmp_path):
    write_sequences(tmp_path / "a")
    root = tmp_path / "b"
    shutil.copytree(tmp_path / "a" / "cohn-kanade-images", root / "images" / "Cohn-Kanade-Images")
    shutil.copytree(tmp_path / "a" / "Emotion", root / "Emotion_labels" / "EMOTION")
    plain = list_clips(tmp_path / "a")
    wrapped = list_clips(root)
    assert [entry.label for entry in wrapped] == [entry.label for entry in plain]
    assert wrapped[0].path == "images/Cohn-Kanade-Images/S005/001"


def test_sequence_without_pictures_is_a_problem_of_its_own(tmp_path):
    root = write_sequences(tmp_path, 2)
    shutil.rmtree(root / "cohn-kanade-images" / "S006" / "002")
    peak, neutral = [entry for entry in list_clips(root) if entry.problem]
    assert peak.problem == neutral.problem == ("missing_file", "no folder cohn-kanade-images/S006/002")
    assert (peak.clip_id, peak.subject_id, neutral.clip_id) == ("S006_002", "S006", "S006_002-neutral")
    assert peak.label is not None
    assert neutral.label == "neutral"


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (
            lambda root: shutil.rmtree(root / "Emotion"),
            r"has no folder Emotion/.*\n.*cohn-kanade-images/S###",
        ),
        (lambda root: shutil.rmtree(root / "cohn-kanade-images"), "has no folder cohn-kanade-images/"),
        (
            lambda root: write_text(root / "Emotion" / "S005" / "001" / "x_emotion.txt", "8.0"),
            r"x_emotion.txt line 1: label '8.0' is outside the range 0 to 7",
        ),
        (
            lambda root: write_text(root / "Emotion" / "S005" / "001" / "x_emotion.txt", "happy face"),
            r"x_emotion.txt line 1 is 'happy face'",
        ),
        (lambda root: shutil.rmtree(root), "no folder"),
    ],
)
def test_wrong_layouts_name_the_path(tmp_path, break_it, message):
    root = write_sequences(tmp_path / "ck", 2)
    break_it(root)
    with pytest.raises(DatasetError, match=message):
        list_clips(root)


def test_the_other_release_is_named(tmp_path):
    with pytest.raises(DatasetError, match="use the recipe ck-plus-48"):
        list_clips(write_cropped(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "n_classes", "n_clips", "left_out"),
    [
        ("ck-plus-6", 6, 17, {"contempt": 3, "neutral": 20}),
        ("ck-plus", 7, 37, {"contempt": 3}),
        ("ck-plus-contempt", 7, 20, {"neutral": 20}),
        ("ck-plus-8", 8, 40, {}),
    ],
)
def test_prepared_with_6_7_and_8_classes(tmp_path, recipe, n_classes, n_clips, left_out):
    root = write_sequences(tmp_path / "ck")
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    assert len(made.clips) == n_clips
    assert made.index["left_out"] == made.report.left_out == left_out
    assert len(made.index["classes"]) == n_classes
    protocol = made.index["protocol"]
    assert (protocol["kind"], protocol["folds"], protocol["group_by"]) == ("k-fold", 10, "subject_id")
    clip = made.clips["S005_001"]
    assert (clip["label"], clip["basic"], clip["valence"]) == ("anger", "anger", "unpleasant")
    assert (clip["n_frames"], clip["fps"], clip["duration_s"], clip["decoder"]) == (5, None, None, "pictures")
    assert [row["frame_index"] for row in made.images if row["clip_id"] == "S005_001"] == [2, 3, 4]
    assert ("neutral" in made.index["classes"]) == (recipe in ("ck-plus", "ck-plus-8"))
    if recipe in ("ck-plus", "ck-plus-8"):
        neutral = made.clips["S005_001-neutral"]
        assert (neutral["label"], neutral["basic"], neutral["n_faces_ok"]) == ("neutral", None, 1)


@pytest.mark.slow
def test_cropped_peaks(tmp_path):
    root = write_cropped(tmp_path / "ck")
    assert {entry.source_id for entry in list_clips(root, "48")} == {f"S{n + 5:03d}_001" for n in range(10)}
    made = Prepared("ck-plus-48", root, tmp_path / "work")
    clip = made.clips["S009_001_00000012"]
    assert (clip["subject_id"], clip["label"], clip["align"]) == ("S009", "happiness", "none")
    assert made.index["scheme"] == "ck7"
    assert len(made.images) == 30


def test_cropped_peaks_without_subjects_are_refused(tmp_path):
    write_picture(write_cropped(tmp_path) / "CK+48" / "fear" / "face 1.png")
    with pytest.raises(DatasetError, match=r"face 1\.png does not name its subject"):
        list_clips(tmp_path, "48")


def test_units_of_the_peak_and_of_the_neutral_first_frame(tmp_path):
    root = write_units(tmp_path, 1)
    entries = {entry.clip_id: entry for entry in list_clips(root, "units")}
    assert entries.keys() == {"S005_001", "S005_003"}, "003 has no expression, 002 no codes"
    entry = entries["S005_001"]
    assert (entry.label, entry.selected_frames, entry.stills_only) == (None, (0, 2, 3, 4), True)
    rows = {(row.clip_id, row.frame_index): row.labels for row in action_units(root)}
    frames = (0, 2, 3, 4)
    assert rows.keys() == {
        *((name, frame) for name in entries for frame in frames),
        ("S005_001-neutral", 0),
        ("S005_003-neutral", 0),
    }
    present = {key: {unit for unit, label in labels.items() if label == 1} for key, labels in rows.items()}
    for frame in (2, 3, 4):
        assert present["S005_001", frame] == {"au12", "au25"}, "intensity 0 is not judged, and present"
        assert present["S005_003", frame] == {"au06"}, "64 is a movement of the eyes"
    assert present["S005_001", 0] == present["S005_001-neutral", 0] == set()
    assert all(len(labels) == 30 and set(labels.values()) <= {1, -1} for labels in rows.values())


def test_units_hold_for_the_frame_that_their_file_is_named_after(tmp_path):
    root = write_units(tmp_path, 1)
    folder = root / "FACS" / "S005" / "001"
    (folder / "S005_001_00000005_facs.txt").rename(folder / "S005_001_00000003_facs.txt")
    entries = {entry.clip_id: entry for entry in list_clips(root, "units")}
    assert entries["S005_001"].selected_frames == (0, 1, 2)


def test_units_that_cannot_be_read(tmp_path):
    root = write_units(tmp_path, 2)
    shutil.rmtree(root / "cohn-kanade-images" / "S006" / "001")
    problems = {entry.clip_id: entry.problem for entry in list_clips(root, "units") if entry.problem}
    assert problems == {"S006_001": ("missing_file", "no folder cohn-kanade-images/S006/001")}
    assert "S006_001" not in {row.clip_id for row in action_units(root)}
    path = root / "FACS" / "S005" / "001" / "S005_001_00000005_facs.txt"
    for text, message in (("12 high\n", "unit '12' of intensity 'high'"), ("12\n", "line 1 is '12'")):
        write_text(path, text)
        with pytest.raises(DatasetError, match=message):
            list(action_units(root))
    shutil.rmtree(root / "FACS")
    with pytest.raises(DatasetError, match=r"no folder FACS/ with folders(.|\n)*_facs\.txt"):
        list_clips(root, "units")


@pytest.mark.slow
def test_units_prepared(tmp_path):
    made = Prepared(
        "ck-plus-units", write_units(tmp_path / "ck"), tmp_path / "work", faces={"align": "never"}
    )
    assert len(made.clips) == 16
    assert usable_frames(made.manifests) == {
        (f"S{number + 5:03d}_{sequence}", frame)
        for number in range(8)
        for sequence in FACS
        for frame in (0, 2, 3, 4)
    }
