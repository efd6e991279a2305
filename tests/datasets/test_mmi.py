"""The adapter of MMI: sessions with XML files."""

from xml.etree import ElementTree

import pytest

from fgbench.datasets._mmi_phases import apex_frame
from fgbench.datasets.mmi import action_units, list_clips
from fgbench.errors import DatasetError
from fgbench.runs.frames import usable_frames
from tests.support.fake_trees import Prepared, write_clip, write_text
from tests.support.layouts.mmi import emotion_xml, units_xml, write_session
from tests.support.video_files import set_display_matrix


def write_mmi(root):
    """Six emotions, a code above them, no emotion, a profile, a dual view; one with action units."""
    for code in range(1, 7):
        write_session(root, code, f"S{code:03d}-001", code)
    write_session(root, 7, "S001-007", 8)
    write_session(root, 8, "S002-008", None)
    write_session(root, 9, "S003-009", 4, view=1)
    apex = [(1, 0), (3, 1), (5, 2), (8, 3), (9, 0)]
    write_session(root, 10, "S004-010", 4, view=2, units=[apex])
    return root


def test_frontal_clips_with_an_emotion(tmp_path):
    entries = {entry.clip_id: entry for entry in list_clips(write_mmi(tmp_path))}
    assert [entries[f"S{code:03d}-001"].label for code in range(1, 7)] == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
    ]
    assert entries["S001-007"].label == "other"
    assert "S002-008" not in entries, "no emotion"
    assert "S003-009" not in entries, "profile"
    dual = entries["S004-010"]
    assert (dual.subject_id, dual.key_frame, dual.path) == ("S004", 5, "Sessions/10/S004-010.avi")
    assert entries["S001-001"].key_frame is None


def test_first_frames_of_the_six_are_neutral(tmp_path):
    """The paper's protocol (section V-A); what a clip of another emotion begins with is not known."""
    entries = {entry.clip_id: entry for entry in list_clips(write_mmi(tmp_path))}
    neutral = {name for name, entry in entries.items() if entry.label == "neutral"}
    assert neutral == {f"{name}-neutral" for name in entries if name not in neutral} - {"S001-007-neutral"}
    first, whole = entries["S004-010-neutral"], entries["S004-010"]
    assert (first.selected_frames, first.key_frame, first.stills_only) == ((0,), 0, True)
    assert (first.path, first.subject_id, first.source_id) == (whole.path, "S004", whole.source_id)


def test_extra_folders_upper_case_and_the_sessions_themselves(tmp_path):
    write_mmi(tmp_path / "download" / "mmi")
    sessions = tmp_path / "download" / "mmi" / "Sessions"
    (sessions / "1" / "session.xml").rename(sessions / "1" / "SESSION.XML")
    sessions.rename(sessions.with_name("SESSIONS"))
    clips = list_clips(tmp_path)
    assert clips[0].path == "download/mmi/SESSIONS/1/S001-001.avi"
    assert [entry.clip_id for entry in list_clips(sessions.with_name("SESSIONS"))] == [
        entry.clip_id for entry in clips
    ]


@pytest.mark.slow
def test_a_copy_that_says_how_it_is_turned_is_taken(tmp_path):
    root = tmp_path / "mmi"
    for number in (1, 2, 3):
        write_session(root, number, f"S00{number}-001", 1)
    plain = write_clip(tmp_path / "plain.mp4", 9)
    set_display_matrix(plain, root / "Sessions" / "2" / "S002-001.mov", (0, 1, -1, 0))
    made = Prepared("mmi", root, tmp_path / "work", faces={"align": "never"})
    clip = made.clips["S002-001"]
    assert clip["path"] == "Sessions/2/S002-001.mov"
    assert (clip["rotation_deg"], clip["width"], clip["height"]) == (90, 48, 64)
    assert made.clips["S001-001"]["rotation_deg"] == 0


APEX = [(1, 0), (3, 1), (5, 2), (9, 3), (12, 0)]


@pytest.mark.parametrize(
    ("units", "frame"),
    [
        ([APEX], 6),  # frames 5 to 8 counted from 1: 4 to 7 from 0
        ([APEX, [(7, 2), (20, 3)]], 7),  # both in 7 and 8 from 1
        ([[(3, 2)]], 2),  # an apex without an end
        ([[(0, 2), (1, 3)]], None),  # frame 0 and 1 are both the first: nothing is left
        ([[(2, 2), (3, 3), (10, 2), (15, 3)]], 11),  # the longer of two runs
        ([[(2, 2), (4, 3)], [(8, 2), (10, 3)]], 2),  # the first of two that are alike
        ([[(1, 0), (5, 1), (9, 0)]], None),
        ([], None),
    ],
)
def test_apex_by_hand(units, frame):
    assert apex_frame(ElementTree.fromstring(units_xml(*units).encode())) == frame


@pytest.mark.parametrize("frame", ["", "-1", "1.5", "one", "9" * 12])
def test_markers_without_a_frame_are_refused(frame):
    with pytest.raises(DatasetError, match="a marker of an action unit is at frame"):
        apex_frame(ElementTree.fromstring(units_xml([(frame, 2)]).encode()))


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<Annotation><Metatag Name="Emotion" Value="&b;"/></Annotation>'
)
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/hostname"><Annotation/>'


@pytest.mark.parametrize(
    ("name", "text", "detail"),
    [
        ("S001-001.xml", LAUGHS, "declares the document type 'a'"),
        ("session.xml", OUTSIDE, "declares the document type 'a'"),
        ("S001-001-oao_aucs.xml", "<a><b></a>", "is refused as XML: mismatched tag"),
        ("S001-001.xml", "", "is refused as XML: no element found"),
        ("session.xml", "<session/>", "session.xml has no track with a view"),
        ("S001-001-oao_aucs.xml", units_xml([("x", 2)]), "is at frame 'x', expected a number"),
    ],
)
def test_bad_xml_is_a_problem_of_its_session(tmp_path, name, text, detail):
    write_session(tmp_path, 1, "S001-001", 1)
    write_session(tmp_path, 2, "S002-001", 2)
    write_text(tmp_path / "Sessions" / "1" / name, text)
    *bad, good, neutral = list_clips(tmp_path)
    assert {entry.problem[0] for entry in bad} == {"bad_annotation"}
    assert all(detail in entry.problem[1] for entry in bad)
    # Where the emotion and the view are known, so is what is tested: the expression and the first frame.
    is_known = name.endswith("-oao_aucs.xml")
    assert [entry.label for entry in bad] == (["anger", "neutral"] if is_known else [None])
    assert {entry.subject_id for entry in bad} == ({"S001"} if is_known else {None})
    assert [(entry.clip_id, entry.problem) for entry in (good, neutral)] == [
        ("S002-001", None),
        ("S002-001-neutral", None),
    ]


def test_large_xml_is_a_problem(tmp_path):
    folder = write_session(tmp_path, 1, "S001-001", 1)
    write_text(folder / "S001-001.xml", " " * (8 << 20) + "<a/>")
    (entry,) = list_clips(tmp_path)
    assert "more than 8,388,608 bytes" in entry.problem[1]


def test_names_and_files_that_folds_need(tmp_path):
    write_session(tmp_path, 1, "S001-001", 1)
    write_session(tmp_path, 2, "happy face", 4)
    write_session(tmp_path, 3, "S003-001", 3)
    (tmp_path / "Sessions" / "3" / "session.xml").unlink()
    problems = {entry.clip_id: entry.problem for entry in list_clips(tmp_path)}
    assert problems["S001-001"] is None
    assert "happy face.avi does not name its subject" in problems["happy face"][1]
    assert "3 has no file session.xml" in problems["S003-001"][1]


def test_wrong_layouts_name_the_path(tmp_path):
    folder = write_session(tmp_path / "mmi", 1, "S001-001", 1)
    write_text(folder / "S001-001.xml", emotion_xml("happy"))
    with pytest.raises(
        DatasetError, match=r"S001-001\.xml line 1: label 'happy' is outside the range 1 to 6"
    ):
        list_clips(tmp_path / "mmi")
    (folder / "S001-001.xml").unlink()
    with pytest.raises(DatasetError, match=r"Sessions has no session with a file <sid>\.xml(.|\n)*Metatag"):
        list_clips(tmp_path / "mmi")
    (folder / "session.xml").unlink()
    with pytest.raises(DatasetError, match=r"mmi has no folder Sessions/ with <id>/session\.xml"):
        list_clips(tmp_path / "mmi")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "n_classes", "left_out"), [("mmi", 7, {"other": 1}), ("mmi-6", 6, {"neutral": 7, "other": 1})]
)
def test_prepared_with_7_and_6_classes(tmp_path, recipe, n_classes, left_out):
    root = write_mmi(tmp_path / "mmi")
    made = Prepared(recipe, root, tmp_path / "work", faces={"align": "never"})
    assert made.index["left_out"] == left_out
    assert len(made.index["classes"]) == n_classes
    assert made.rejects == {}
    assert "equal to others" not in "\n".join(made.report.notes)
    protocol = made.index["protocol"]
    assert (protocol["kind"], protocol["folds"], protocol["group_by"]) == ("k-fold", 10, "subject_id")
    frames = {
        name: [row["frame_index"] for row in made.images if row["clip_id"] == name]
        for name in ("S001-001", "S004-010")
    }
    assert frames == {"S001-001": [3, 4, 5], "S004-010": [4, 5, 6]}
    assert made.clips["S004-010"]["label"] == "happiness"
    neutral = [row["clip_id"] for row in made.images if row["label"] == "neutral"]
    assert len(neutral) == (7 if recipe == "mmi" else 0)
    if recipe == "mmi":
        assert [row["frame_index"] for row in made.images if row["clip_id"] == "S001-001-neutral"] == [0]
        assert made.clips["S001-001-neutral"]["n_faces_ok"] == 1
        assert made.clips["S001-001-neutral"]["stills_only"]
        assert not made.clips["S001-001"]["stills_only"]


def test_units_of_every_frame_up_to_the_last_marker(tmp_path):
    """AU 4 rises at frame 3 and is at its apex from 5 to 7; AU 5 is at its apex from the first frame on."""
    root = write_mmi(tmp_path)
    markers = [[(1, 0), (3, 1), (5, 2), (8, 3), (9, 0)], [(1, 2)]]
    write_session(root, 11, "S005-011", None, units=markers)
    write_session(root, 12, "S006-012", None, view=1, units=markers)
    entries = {entry.clip_id: entry for entry in list_clips(root, "units")}
    assert entries.keys() == {"S004-010", "S005-011"}, "012 is a profile, the others have no units"
    assert (entries["S005-011"].label, entries["S005-011"].subject_id) == (None, "S005")
    rows = [row for row in action_units(root) if row.clip_id == "S005-011"]
    assert [row.frame_index for row in rows] == list(range(9))
    assert [row.labels["au04"] for row in rows] == [-1, -1, 0, 0, 1, 1, 1, 0, -1]
    assert {row.labels["au05"] for row in rows} == {1}
    assert {row.labels["au12"] for row in rows} == {-1}
    assert len(rows[0].labels) == 28


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<a><ActionUnit Number="x"><Marker Frame="1" Type="0"/></ActionUnit></a>', "has the number 'x'"),
        ('<a><ActionUnit Number="4"><Marker Frame="1" Type="9"/></ActionUnit></a>', "has the type '9'"),
        ('<a><ActionUnit Number="4"><Marker Frame="z" Type="0"/></ActionUnit></a>', "at frame 'z'"),
    ],
)
def test_units_that_cannot_be_read_are_a_problem_of_their_clip(tmp_path, text, message):
    root = write_mmi(tmp_path)
    write_text(root / "Sessions" / "10" / "S004-010-oao_aucs.xml", text)
    write_session(root, 11, "S005-011", None, units=[[(1, 2)]])
    problems = {entry.clip_id: entry.problem for entry in list_clips(root, "units")}
    assert problems["S004-010"][0] == "bad_annotation"
    assert message in problems["S004-010"][1]
    assert problems["S005-011"] is None
    assert {row.clip_id for row in action_units(root)} == {"S005-011"}


@pytest.mark.slow
def test_units_prepared(tmp_path):
    root = tmp_path / "mmi"
    for number in range(1, 7):
        write_session(root, number, f"S{number:03d}-001", None, units=[[(1, 0), (9, 2)]])
    made = Prepared("mmi-units", root, tmp_path / "work", faces={"align": "never"})
    assert len(made.clips) == 6
    assert ("S003-001", 8) in usable_frames(made.manifests)
    assert made.index["protocol"]["group_by"] == "subject_id"
