"""``action_units.csv`` of somebody's own data: columns, kinds of numbers, pseudo labels, what is refused."""

import pytest

from fgbench.datasets import fg_emotions, folder
from fgbench.errors import DatasetError
from fgbench.runs.frames import labels_by_frame
from tests.support.fake_trees import Prepared, write_clip, write_picture, write_text

OPENFACE = "frame, face_id, timestamp, confidence, success, gaze_0_x, AU01_r, AU01_c, AU28_c\n"


def own(root, units=None, *, clips=("a", "b"), **tables):
    """Own data with clips of four frames, and tables."""
    for name in clips:
        write_clip(root / "videos" / f"{name}.mp4")
    lines = [f"{name},anger,s{index}" for index, name in enumerate(clips)]
    write_text(root / "annotations.csv", "clip,label,subject\n" + "\n".join(lines) + "\n")
    if units is not None:
        write_text(root / "action_units.csv", units)
    for name, text in tables.items():
        write_text(root / "action_units" / f"{name}.csv", text)
    return root


def labels(root):
    """(clip, frame) to the labels that are not 0."""
    return {
        (row.clip_id, row.frame_index): {unit: label for unit, label in row.labels.items() if label}
        for row in fg_emotions.action_units(root)
    }


def problems(root):
    return {entry.clip_id: entry.problem for entry in fg_emotions.list_clips(root) if entry.problem}


def notes_of(root):
    return "\n".join(fg_emotions.unit_source(root).lines)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("names", [("AU1", "AU12"), ("au01", "AU012"), ("1", "12"), ("AU 1", "AU_12")])
def test_one_column_per_unit_and_empty_cells_are_not_labelled(tmp_path, mark, names):
    head = mark.join(("Clip", "frame", *names))
    rows = ["a.mp4,0,1,0", "a,2,,1", "b,1,0,"]
    root = own(tmp_path, "\ufeff" + head + "\r\n" + "\n".join(row.replace(",", mark) for row in rows) + "\n")
    assert labels(root) == {("a", 0): {"au01": 1, "au12": -1}, ("a", 2): {"au12": 1}, ("b", 1): {"au01": -1}}
    assert not problems(root)
    assert fg_emotions.unit_source(root).pseudo == ""
    assert "3 rows of 2 clips in action_units.csv, read as 0 absent, 1 present; au01, au12" in notes_of(root)


def test_a_first_line_of_excel_names_the_separator(tmp_path):
    root = own(tmp_path, "sep=;\nclip;frame;AU12\na;2;1\n")
    assert labels(root) == {("a", 2): {"au12": 1}}


def test_a_row_without_a_frame_holds_for_all_frames_that_have_none_of_their_own(tmp_path):
    root = own(tmp_path, "clip,frame,AU12\na,,1\na,2,0\nb,,\n")
    frames = [(clip, number) for clip in "abc" for number in range(4)]
    actual = labels_by_frame(fg_emotions.action_units(root), frames)
    assert {key: reported["au12"] for key, reported in actual.items()} == {
        **{("a", number): 1 for number in (0, 1, 3)},
        ("a", 2): -1,
        **{("b", number): 0 for number in range(4)},
    }
    bare = own(tmp_path / "bare", "clip,AU12\na,1\n")
    assert labels(bare) == {("a", None): {"au12": 1}}


def test_intensities_are_present_from_2_on_and_the_line_that_tells_is_named(tmp_path):
    root = own(tmp_path, "clip;frame;AU1;AU2\na;0;1;5\na;1;1,9;2\na;2;0;3,5\n")
    assert labels(root) == {
        ("a", 0): {"au01": -1, "au02": 1},
        ("a", 1): {"au01": -1, "au02": 1},
        ("a", 2): {"au01": -1, "au02": 1},
    }
    assert "intensities 0 to 5, present from 2 on (action_units.csv line 2 has 5)" in notes_of(root)
    assert fg_emotions.unit_source(root).pseudo == ""


def test_probabilities_are_pseudo_labels(tmp_path):
    root = own(tmp_path, "clip,frame,AU01,AU02\na,0,0.49,0.5\na,1,1,0\n")
    assert labels(root) == {("a", 0): {"au01": -1, "au02": 1}, ("a", 1): {"au01": 1, "au02": -1}}
    assert fg_emotions.unit_source(root).pseudo == "a detector"
    assert "PSEUDO labels of a detector, no person's" in notes_of(root)
    assert "probabilities, present from 0.5 on (action_units.csv line 2 has 0.49 of au01)" in notes_of(root)


def test_py_feat_is_known_by_its_columns(tmp_path):
    root = own(tmp_path, "input,frame,FaceScore,FaceRectX,AU01,Pitch\nvideos/a.mp4,0,0.99,3,1,0.1\n")
    assert labels(root) == {("a", 0): {"au01": 1}}
    assert fg_emotions.unit_source(root).pseudo == "py-feat"
    assert "columns not read: facerectx, facescore, pitch" in notes_of(root)


def test_a_column_says_that_labels_are_a_detectors(tmp_path):
    plain = own(tmp_path / "plain", "clip,pseudo,AU1\na,0,1\nb,,1\n")
    assert fg_emotions.unit_source(plain).pseudo == ""
    marked = own(tmp_path / "marked", "clip,pseudo,AU1\na,0,1\nb,1,1\n")
    assert fg_emotions.unit_source(marked).pseudo == "a detector"


@pytest.mark.parametrize("cell", ["no", "false", "0.0", "2"])
def test_a_mark_of_a_detector_that_is_neither_0_nor_1_is_refused(tmp_path, cell):
    root = own(tmp_path, f"clip,pseudo,AU1\na,{cell},1\n")
    with pytest.raises(DatasetError, match=rf"line 2: pseudo is '{cell}', expected 1, or 0 or nothing"):
        fg_emotions.unit_source(root)


def test_numbers_of_openface_may_have_commas_where_these_separate_no_cells(tmp_path):
    root = own(tmp_path, "clip;frame;confidence;success;AU01_r\na;1;0,98;1;2,5\na;2;0,49;1;2,5\n")
    assert labels(root) == {("a", 0): {"au01": 1}, ("a", 1): {}}
    assert not problems(root)


@pytest.mark.parametrize(("plain", "other"), [("a", "b"), ("b", "a")])
def test_tables_of_openface_and_of_others_are_not_read_together(tmp_path, plain, other):
    # The ones of a person would else be read as intensities below 2, which is absent.
    tables = {plain: "frame,AU1\n0,1\n", other: "frame,success,AU01_r\n1,1,4.5\n"}
    root = own(tmp_path, **tables)
    with pytest.raises(
        DatasetError, match=r"b\.csv is (a|no) table of OpenFace, tables before it are (none|some)"
    ):
        fg_emotions.list_clips(root)


def test_a_table_of_one_clip_that_names_another_is_refused(tmp_path):
    root = own(tmp_path / "other", a="clip,frame,AU1\na.mp4,0,1\nb,0,0\n")
    with pytest.raises(DatasetError, match=r"a\.csv line 3 is of the clip 'b', expected 'a'"):
        fg_emotions.list_clips(root)
    same = own(tmp_path / "same", a="clip,frame,AU1\na.mp4,0,1\nvideos/a.mp4,1,0\n")
    assert labels(same) == {("a", 0): {"au01": 1}, ("a", 1): {"au01": -1}}


def test_openface_counts_frames_from_1_and_is_not_always_sure(tmp_path):
    rows = [
        "1, 0, 0.0, 0.98, 1, 0.1, 4.9, 0, 1",
        "2, 0, 0.1, 0.98, 0, 0.1, 4.9, 1, 1",
        "3, 0, 0.1, 0.49, 1, 0.1, 4.9, 1, 1",
        "4, 0, 0.1, 0.51, 1, 0.1, 0.0, 1, 0",
    ]
    root = own(tmp_path, a=OPENFACE + "\n".join(rows) + "\n")
    assert labels(root) == {
        ("a", 0): {"au01": -1, "au28": 1},
        ("a", 1): {},
        ("a", 2): {},
        ("a", 3): {"au01": 1, "au28": -1},
    }
    assert fg_emotions.unit_source(root).pseudo == "OpenFace"
    assert "2 rows of frames that OpenFace is not sure of, taken as not labelled" in notes_of(root)
    assert "columns not read: au01_r, face_id, gaze_0_x, timestamp" in notes_of(root)


def test_openface_with_intensities_alone(tmp_path):
    root = own(tmp_path, "clip,frame,success,AU01_r\na,1,1,1.99\na,2,1,2.0\n")
    assert labels(root) == {("a", 0): {"au01": -1}, ("a", 1): {"au01": 1}}
    assert "intensities 0 to 5" in notes_of(root)


@pytest.mark.parametrize(
    ("rows", "clip", "reason", "detail"),
    [
        ("a,0,2\na,1,7", "a", "bad_unit_label", "line 3: au01 is '7', expected a number from 0 to 5"),
        ("a,0,-1", "a", "bad_unit_label", "line 2: au01 is '-1', expected 0 or 1, or an empty cell"),
        ("a,0,yes", "a", "bad_unit_label", "line 2: au01 is 'yes', expected 0 or 1"),
        ("a,first,1", "a", "bad_unit_label", "line 2: frame is 'first', expected a whole number from 0 on"),
        ("a,1,1\na,1,0", "a", "bad_unit_label", "line 3: frame 1 has a row before"),
        ("a,,1\na,,0", "a", "bad_unit_label", "line 3: the whole clip has a row before"),
        ("zz,0,1", "zz", "unknown_clip", "the data set does not list it"),
    ],
)
def test_bad_rows_are_problems_of_their_clip_alone(tmp_path, rows, clip, reason, detail):
    root = own(tmp_path, f"clip,frame,AU1\n{rows}\nb,0,1\n")
    actual = problems(root)
    assert actual.keys() == {clip}
    assert actual[clip][0] == reason
    assert detail in actual[clip][1]
    assert ("b", 0) in labels(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,AU1\n0,1\n", r"no column clip(.|\n)*action_units/, named as their clips"),
        ("clip,frame,x\na,0,1\n", "no column of an action unit"),
        ("clip,AU1,AU01\na,0,1\n", "two columns of au01"),
        ("clip,AU1,AU1\na,0,1\n", "columns that come twice: au1"),
        ("clip,AU1,AU02_c\na,0,1\n", "columns of OpenFace beside others"),
        ("clip,AU1\na,0,1\n", "line 2 has 3 cells, expected 2"),
        ("clip,AU1\n,0\n", "line 2 names no clip"),
        ("", "no column of an action unit"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, message):
    root = own(tmp_path, text)
    for use in (fg_emotions.list_clips, lambda root: list(fg_emotions.action_units(root))):
        with pytest.raises(DatasetError, match=message):
            use(root)


@pytest.mark.slow
def test_prepared_with_rejects_and_a_line_that_tells(tmp_path):
    """Frames 0 to 3 are there; frame 4 is not, and clip zz neither."""
    root = own(tmp_path / "own", "clip,frame,AU1\na,3,1\nb,4,1\nzz,0,1\n", clips=("a", "b", "c", "d"))
    made = Prepared("default", root, tmp_path / "work", faces={"align": "never"}, max_reject_rate=0.9)
    assert made.rejects == {"b": "unit_frame_outside", "zz": "unknown_clip"}
    assert any("3 rows of 3 clips in action_units.csv" in note for note in made.report.notes)
    assert {"a", "c", "d"} == made.clips.keys()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("units", "detector"),
    [
        ("clip,AU01\na,1\nb,0\n", ""),
        ("clip,pseudo,AU01\na,1,1\nb,,0\n", "a detector"),
        ("clip,FaceScore,AU01\na,0.9,0.7\nb,0.9,0.1\n", "py-feat"),
        ("clip,frame,success,AU01_c\na,1,1,1\nb,1,1,0\n", "OpenFace"),
    ],
)
def test_the_data_card_begins_with_pseudo_labels(tmp_path, units, detector):
    root = own(tmp_path / "own", units)
    made = Prepared("action-units", root, tmp_path / "work", faces={"align": "never"}, max_reject_rate=1.0)
    card = (made.manifests / "README.md").read_text()
    sentence = f"**The labels of action units are PSEUDO labels: {detector} made them, no person did."
    assert (sentence in card) == bool(detector)
    if detector:
        assert card.index("PSEUDO") < card.index("Prepared by fgbench")
        write_text(root / "action_units.csv", "clip,AU01\na,1\nb,0\n")
        again = Prepared(
            "action-units", root, tmp_path / "work", faces={"align": "never"}, max_reject_rate=1.0
        )
        assert "PSEUDO" not in (again.manifests / "README.md").read_text()
    else:
        assert "PSEUDO" not in card


@pytest.mark.parametrize("before", ["/home/me/old", "C:\\Users\\me"])
def test_whole_paths_of_pyfeat_are_matched_by_their_ends(tmp_path, before):
    """Where the videos lay when the program looked at them does not matter; paths of no or two clips do."""
    root = own(tmp_path, clips=("film1/a", "film2/a", "b", "film2/b"))
    mark = "\\" if "\\" in before else "/"
    names = ["film1/a.mp4", "film2/a.mp4", "film3/a.mp4", "other/b.mp4", "film2/b.mp4"]
    rows = [f"{before}{mark}{name.replace('/', mark)},0.9,0.7" for name in names]
    write_text(root / "action_units.csv", "\n".join(["input,FaceScore,AU01", *rows]) + "\n")
    known = {entry.clip_id for entry in fg_emotions.list_clips(root) if not entry.problem}
    actual = [row.clip_id for row in fg_emotions.action_units(root)]
    assert [name in known for name in actual].count(True) == 3
    assert {"film1/a", "film2/a", "b"} <= set(actual), "film3/a is of no clip, film2/b of two: b and film2/b"


def test_whole_paths_are_matched_in_folders_of_classes(tmp_path):
    for name in ("joy/a.png", "fear/a.png"):
        write_picture(tmp_path / name)
    rows = ["/x/y/joy/a.png,0.9,0.7", "/x/fear/a.png,0.9,0.1", "/x/other/a.png,0.9,0.1"]
    write_text(tmp_path / "action_units.csv", "\n".join(["input,FaceScore,AU01", *rows]) + "\n")
    actual = [row.clip_id for row in folder.action_units(tmp_path)]
    assert sorted(actual) == ["/x/other/a.png", "fear/a", "joy/a"]


def test_a_folder_without_the_table_is_told_what_was_expected(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no action_units\.csv and no action_units/") as refused:
        fg_emotions.list_clips(tmp_path, "units")
    assert "videos/ with the clips and action_units.csv (clip,frame,AU1,AU2,...)" in refused.value.hint
    assert "annotations.csv (clip,subject) may be absent" in refused.value.hint
    with pytest.raises(DatasetError, match="no folder") as refused:
        fg_emotions.list_clips(tmp_path / "absent", "units")
    assert "action_units.csv" in refused.value.hint


def test_clips_without_classes(tmp_path):
    """The table alone lists clips; with annotations, which need no labels, these do."""
    root = own(tmp_path / "own", "clip,AU1\na,1\nb,0\n")
    (root / "annotations.csv").unlink()
    entries = {entry.clip_id: entry for entry in fg_emotions.list_clips(root, "units")}
    assert {name: entry.path for name, entry in entries.items()} == {
        "a": "videos/a.mp4",
        "b": "videos/b.mp4",
    }
    with pytest.raises(DatasetError, match="holds neither annotations"):
        fg_emotions.list_clips(root)
    write_text(root / "annotations.csv", "clip,label,subject\na,anger,s1\nb,,s2\n")
    made = Prepared("action-units", root, tmp_path / "work", faces={"align": "never"})
    assert {name: (row["subject_id"], row["label"]) for name, row in made.clips.items()} == {
        "a": ("s1", None),
        "b": ("s2", None),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("annotations", "parts"),
    [
        (None, 3),
        ("clip\n" + "".join(f"c{n}\n" for n in range(6)), 3),
        ("clip,subject\nc0,s1\nc1,s1\nc2,\n", 1),
    ],
)
def test_clips_of_action_units_need_no_persons(tmp_path, annotations, parts):
    """With the packed recipe; clips of one person stay together where it is told."""
    clips = [f"c{number}" for number in range(6)]
    root = own(tmp_path / "own", "clip,AU1\n" + "".join(f"{name},1\n" for name in clips), clips=clips)
    (root / "annotations.csv").unlink()
    if annotations is not None:
        write_text(root / "annotations.csv", annotations)
    made = Prepared("action-units", root, tmp_path / "work", faces={"align": "never"}, max_reject_rate=1.0)
    assert len({row["split"] for row in made.clips.values()}) >= parts
    listed = 6 if parts == 3 else 3
    assert len(made.clips) == listed


@pytest.mark.slow
@pytest.mark.parametrize("n_known", [6, 5])
def test_clips_of_action_units_keep_persons_apart_where_they_are_told(tmp_path, n_known):
    clips = [f"c{number:02d}" for number in range(14)]
    root = own(tmp_path / "own", "clip,AU1\n" + "".join(f"{name},1\n" for name in clips), clips=clips)
    persons = {name: f"s{index % n_known}" for index, name in enumerate(clips[:12])}
    write_text(
        root / "annotations.csv",
        "clip,subject\n" + "".join(f"{name},{persons.get(name, '')}\n" for name in clips),
    )
    made = Prepared("action-units", root, tmp_path / "work", faces={"align": "never"})
    parts = {
        name: {row["split"] for row in made.clips.values() if row["subject_id"] == name}
        for name in persons.values()
    }
    assert all(len(one) == 1 for one in parts.values())
    assert set.union(*parts.values()) == {"train", "val", "test"}
    assert len(made.clips) == 14


def test_pictures_in_folders(tmp_path):
    for name in ("happy/x.png", "happy/y.png", "sad/z.png"):
        write_picture(tmp_path / name, name)
    write_text(tmp_path / "action_units.csv", "clip,AU12\nhappy/x,1\nsad/z.png,0\nsad/none,1\n")
    assert [(row.clip_id, row.labels) for row in folder.action_units(tmp_path)] == [
        ("happy/x", {"au12": 1}),
        ("sad/none", {"au12": 1}),
        ("sad/z", {"au12": -1}),
    ]
    assert {entry.clip_id: entry.problem and entry.problem[0] for entry in folder.list_clips(tmp_path)} == {
        "happy/x": None,
        "happy/y": None,
        "sad/none": "unknown_clip",
        "sad/z": None,
    }
    (tmp_path / "action_units.csv").unlink()
    with pytest.raises(DatasetError, match=r"no labels of action units \(no action_units\.csv\)"):
        list(folder.action_units(tmp_path))
