"""The adapter of FG-Emotions' layout."""

import os
import unicodedata

import pytest

from fgbench.datasets.fg_emotions import list_clips, notes
from fgbench.errors import DatasetError


def tree(root, files=(), **tables):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for name, text in tables.items():
        (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return root


def by_id(root):
    return {entry.clip_id: entry for entry in list_clips(root)}


def test_full_row(tmp_path):
    tree(
        tmp_path,
        ["videos/film/a.mp4"],
        annotations="clip,label,key_frame,confidence,subject,source,split\nfilm/a.mp4,anger,12,0.9,s1,f1,test\n",
    )
    entry = by_id(tmp_path)["film/a"]
    assert entry.path == "videos/film/a.mp4"
    assert (entry.label, entry.key_frame, entry.confidence) == ("anger", 12, 0.9)
    assert (entry.subject_id, entry.source_id, entry.split) == ("s1", "f1", "test")
    assert entry.problem is None


def test_words_for_an_unknown_person_name_nobody(tmp_path):
    """In any case and width; who is called so in part, or by a number, is somebody."""
    words = ["nan", "NaN", "NONE", "Unknown ", "n/a", "N/A", "?", "\uff1f", "<NA>", ""]
    names = ["unknown2", "Nan Li", "0", "none-1", "na"]
    clips = [f"c{index}" for index in range(len(words) + len(names))]
    rows = [f"{clip},anger,{who}\n" for clip, who in zip(clips, [*words, *names], strict=True)]
    tree(
        tmp_path,
        [f"videos/{clip}.mp4" for clip in clips],
        annotations=f"clip,label,subject_id\n{''.join(rows)}",
    )
    entries = by_id(tmp_path)
    assert [entries[clip].subject_id for clip in clips] == [None] * len(words) + names
    assert notes(tmp_path) == [
        "annotations.csv: 9 clips of unknown persons by the column subject: '<NA>' 1, '?' 1, 'N/A' 1, "
        "'NONE' 1, 'NaN' 1, 'Unknown' 1, 'n/a' 1, 'nan' 1, '\uff1f' 1"
    ]


def test_videos_beside_the_table_and_names_without_suffix(tmp_path):
    tree(tmp_path, ["a.MOV", "b.mkv"], annotations="\ufeffClip, Label\na,anger\nb.mkv,wrath\n")
    clips = by_id(tmp_path)
    assert clips["a"].path == "a.MOV"
    assert clips["b"].path == "b.mkv"
    assert clips["a"].key_frame is None


def test_name_that_fits_two_files_is_a_problem_of_that_clip(tmp_path):
    tree(
        tmp_path,
        ["videos/a.mp4", "videos/a.mov", "videos/b.mp4"],
        annotations="clip,label\na,anger\nb,anger\n",
    )
    clips = by_id(tmp_path)
    assert clips["a"].problem[0] == "bad_annotation"
    assert "fits several files" in clips["a"].problem[1]
    assert clips["b"].problem is None


def test_duplicate_ids_and_missing_files_are_problems(tmp_path):
    tree(tmp_path, ["videos/a.mp4"], annotations="clip,label\na.mp4,anger\na,wrath\nc.mp4,anger\n")
    clips = by_id(tmp_path)
    assert clips["a"].problem == (
        "duplicate_id",
        "annotations.csv names it in lines 2, 3 as 'a.mp4', 'a'",
    )
    assert clips["c"].problem[0] == "missing_file"


@pytest.mark.parametrize("cells", ["missing.mp4,anger,3,s1,f,test", "there.mp4,anger,x,s1,f,Test_Set"])
def test_clips_that_cannot_be_used_keep_what_is_told_of_them(tmp_path, cells):
    """A lost clip of the test list is a test sample: its class, part and person are known."""
    tree(
        tmp_path,
        ["videos/there.mp4"],
        annotations=f"clip,label,key_frame,subject,source,split\n{cells}\n",
    )
    (entry,) = list_clips(tmp_path)
    assert entry.problem is not None
    assert (entry.label, entry.split, entry.subject_id, entry.source_id) == ("anger", "test", "s1", "f")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.mp4,anger,x,1", "line 2: key_frame is 'x', expected a whole number"),
        ("a.mp4,anger,3,1.5", "confidence is '1.5', expected a number from 0 to 1"),
        ("a.mp4,anger,3,nan", "confidence is 'nan'"),
    ],
)
def test_bad_cells_are_problems_of_their_clip(tmp_path, row, message):
    tree(tmp_path, ["videos/a.mp4"], annotations=f"clip,label,key_frame,confidence\n{row}\n")
    reason, detail = by_id(tmp_path)["a"].problem
    assert reason == "bad_annotation"
    assert message in detail


@pytest.mark.parametrize("cell", ["1_0", "٣", "+3", "3.0", "1e2", "-1", "1 0", "9" * 5000])
def test_key_frames_are_plain_digits(tmp_path, cell):
    tree(tmp_path, ["videos/a.mp4"], annotations=f"clip,label,key_frame\na.mp4,anger,{cell}\n")
    reason, detail = by_id(tmp_path)["a"].problem
    assert (reason, "expected a whole number in plain digits" in detail) == ("bad_annotation", True)
    assert len(detail) < 200


@pytest.mark.parametrize("cell", ["nan", "inf", "1_0.5", "0_1", "٠.٥", "1e", "--1"])
def test_confidences_are_plain_numbers(tmp_path, cell):
    tree(tmp_path, ["videos/a.mp4"], annotations=f"clip,label,confidence\na.mp4,anger,{cell}\n")
    assert "expected a number from 0 to 1" in by_id(tmp_path)["a"].problem[1]


@pytest.mark.parametrize("cell", ["32768", "99999999999999999999", "-5", "0", "1e3", "1_0", "100"])
def test_rounds_of_votes_are_small_numbers_from_1(tmp_path, cell):
    tree(
        tmp_path,
        ["videos/a.mp4", "videos/b.mp4"],
        votes=f"clip,annotator,label,round\na,n1,anger,{cell}\nb,n1,anger,2\n",
    )
    clips = by_id(tmp_path)
    assert clips["a"].problem[0] == "bad_annotation"
    assert "votes.csv line 2: round is" in clips["a"].problem[1]
    assert clips["b"].votes[0].round == 2


def test_all_names_of_one_file_are_one_clip(tmp_path):
    tree(
        tmp_path,
        ["videos/a.mp4", "videos/b.mp4", "videos/film/c.mp4"],
        annotations="clip,label,split\na,anger,train\nvideos/a.mp4,wrath,test\n./b.MP4,anger,\nFilm/C,anger,\n",
        votes="clip,annotator,label\nb,n1,anger\n./videos/b.mp4,n2,anger\nB.mp4,n3,anger\n",
    )
    clips = by_id(tmp_path)
    assert sorted(clips) == ["a", "b", "film/c"]
    assert clips["a"].problem == (
        "duplicate_id",
        "annotations.csv names it in lines 2, 3 as 'a', 'videos/a.mp4'",
    )
    assert [vote.annotator for vote in clips["b"].votes] == ["n1", "n2", "n3"]
    assert clips["film/c"].path == "videos/film/c.mp4"


def test_two_files_of_one_name_are_not_taken_for_each_other(tmp_path):
    tree(
        tmp_path,
        ["videos/a.mp4", "videos/a.mov", "videos/aB.mp4", "videos/Ab.mp4"],
        votes="clip,annotator,label\na.mp4,n1,anger\na.mov,n2,anger\naB,n1,anger\nAb,n1,wrath\nab,n1,hate\n",
    )
    clips = by_id(tmp_path)
    assert clips["a"].problem[0] == "duplicate_id"
    assert "videos/a.mov, videos/a.mp4" in clips["a"].problem[1]
    assert {name: clips[name].path for name in ("aB", "Ab")} == {"aB": "videos/aB.mp4", "Ab": "videos/Ab.mp4"}
    assert "fits several files: videos/Ab.mp4, videos/aB.mp4" in clips["ab"].problem[1]


def test_parts_have_their_usual_spellings(tmp_path):
    tree(
        tmp_path,
        [f"videos/{name}.mp4" for name in "abcdef"],
        annotations="clip,label,split\na,anger,Training\nb,anger,dev\nc,anger,Eval\nd,anger,test_set\n"
        "e,anger,\nf,anger,other\n",
    )
    clips = by_id(tmp_path)
    assert [clips[name].split for name in "abcde"] == ["train", "val", "test", "test", None]
    assert "split is 'other', expected a part" in clips["f"].problem[1]


def test_pipes_and_broken_links_are_problems_of_their_clips_and_a_circle_of_links_ends(tmp_path):
    tree(tmp_path, ["videos/a.mp4"], annotations="clip,label\na,anger\npipe.mp4,anger\nlost,anger\n")
    os.mkfifo(tmp_path / "videos" / "pipe.mp4")
    (tmp_path / "videos" / "lost.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "videos" / "round").symlink_to(tmp_path)
    clips = by_id(tmp_path)
    assert {name: entry.problem and entry.problem[0] for name, entry in clips.items()} == {
        "a": None,
        "pipe": "not_a_file",
        "lost": "broken_link",
    }


def test_a_table_that_is_a_pipe_is_refused(tmp_path):
    tree(tmp_path, ["videos/a.mp4"])
    os.mkfifo(tmp_path / "annotations.csv")
    with pytest.raises(DatasetError, match="is a pipe, expected a file"):
        list_clips(tmp_path)


def test_videos_on_another_disk_are_found_through_a_link(tmp_path):
    tree(tmp_path / "disk", ["film/a.mp4"])
    tree(tmp_path / "data", ["videos/b.mp4"], annotations="clip,label\nlinked/film/a,anger\nb,anger\n")
    (tmp_path / "data" / "videos" / "linked").symlink_to(tmp_path / "disk")
    assert by_id(tmp_path / "data")["linked/film/a"].path == "videos/linked/film/a.mp4"


def test_votes_and_selection(tmp_path):
    tree(
        tmp_path,
        ["videos/a.mp4", "videos/b.mp4"],
        votes="clip,annotator,label,confidence,key_frame,round\n"
        "a.mp4,n1,anger,0.9,4,1\na.mp4,n2,anger,,5,\nb.mp4,n1,wrath,1,,2\n",
        annotations="clip,subject\na.mp4,s1\n",
        selection="clip,frame\na.mp4,5\na.mp4,3\nz.mp4,1\n",
    )
    clips = by_id(tmp_path)
    assert [(vote.annotator, vote.confidence, vote.key_frame, vote.round) for vote in clips["a"].votes] == [
        ("n1", 0.9, 4, 1),
        ("n2", None, 5, 1),
    ]
    assert clips["a"].subject_id == "s1"
    assert clips["a"].selected_frames == (3, 5)
    assert clips["b"].selected_frames == ()
    assert clips["z"].problem[0] == "unknown_clip"


def test_composed_and_decomposed_names_are_one_clip(tmp_path):
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    tree(tmp_path, [f"videos/{decomposed}.mp4"], annotations=f"clip,label\n{composed},anger\n")
    entry = by_id(tmp_path)[composed]
    assert entry.path == f"videos/{decomposed}.mp4"


@pytest.mark.parametrize("clip", ["../out.mp4", "/etc/passwd", "a/../../out.mp4"])
def test_paths_that_lead_out_are_kept_for_the_reject_table(tmp_path, clip):
    tree(tmp_path / "in", ["videos/a.mp4"], annotations=f"clip,label\n{clip},anger\n")
    (tmp_path / "out.mp4").write_bytes(b"x")
    (entry,) = list_clips(tmp_path / "in")
    assert entry.path == clip


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({}, "holds neither annotations.csv nor votes.csv"),
        ({"annotations": ""}, "has no column clip"),
        ({"annotations": "file,label\na,anger\n"}, "has no column clip"),
        ({"annotations": "clip|label\na|anger\n"}, r"separates its columns by '\|', expected commas, semi"),
        ({"annotations": "clip;lable\na;anger\n"}, "has no column label .*did you mean lable"),
        (
            {"annotations": "clip,lable\na,anger\n"},
            "has no column label .it has: clip, lable., did you mean lable",
        ),
        (
            {"annotations": "clip,emotion\na,anger\n"},
            "has no column label .it has: clip, emotion., did you mean emotion",
        ),
        ({"annotations": "clip,label,label\na,anger,anger\n"}, "columns that come twice: label"),
        ({"annotations": "clip,label\na,anger,3\n"}, "line 2 has more cells"),
        ({"annotations": "clip,label\n,anger\n"}, "line 2 names no clip"),
        ({"annotations": 'clip,label\n"a,anger\n'}, "is not a CSV table"),
        ({"votes": "clip,label\na,anger\n"}, "has no column annotator"),
    ],
)
def test_wrong_tables_are_explained(tmp_path, tables, message):
    with pytest.raises(DatasetError, match=message):
        list_clips(tree(tmp_path, ["videos/a.mp4"], **tables))


def test_rows_of_empty_cells_below_a_table_are_left_out(tmp_path):
    root = tree(tmp_path, ["videos/a.mp4"], annotations="clip,label,subject\na,anger,anna\n,,\n , ,\n,,\n")
    (entry,) = list_clips(root)
    assert (entry.clip_id, entry.label, entry.problem) == ("a", "anger", None)


@pytest.mark.parametrize(
    ("separator", "confidence"), [(",", "0.8"), (";", "0,8"), (";", "0.8"), ("\t", "0,8"), (",", '"0.8"')]
)
def test_cells_are_separated_by_commas_semicolons_or_tabs(tmp_path, separator, confidence):
    """As spreadsheets of different countries save them, with their commas in numbers."""
    rows = [["clip", "label", "key_frame", "confidence", "subject"], ["a", "anger", "3", confidence, "s"]]
    table = "".join(separator.join(row) + "\r\n" for row in rows)
    votes = (
        separator.join(["clip", "annotator", "label"]) + "\n" + separator.join(["a", "x, y", "fear"]) + "\n"
    )
    tables = {"annotations": table} | ({} if separator == "," else {"votes": votes})
    (entry,) = list_clips(tree(tmp_path, ["videos/a.mp4"], **tables))
    assert (entry.problem, entry.confidence, entry.key_frame, entry.subject_id) == (None, 0.8, 3, "s")
    assert [vote.annotator for vote in entry.votes] == ([] if separator == "," else ["x, y"])


def test_a_comma_inside_the_name_of_a_column_separates_nothing(tmp_path):
    (entry,) = list_clips(tree(tmp_path, ["videos/a.mp4"], annotations="clip;label;note (a, b)\na;anger;x\n"))
    assert (entry.problem, entry.label) == (None, "anger")


def test_paths_as_windows_writes_them_are_found(tmp_path):
    names = ["sub\\a.mp4", "videos\\b.mp4", "sub\\c", "..\\out.mp4"]
    root = tree(
        tmp_path / "in",
        ["videos/sub/a.mp4", "videos/b.mp4", "videos/sub\\c.mp4", "videos/sub/c.mp4"],
        annotations="clip,label\n" + "".join(f"{name},anger\n" for name in names),
    )
    (tmp_path / "out.mp4").write_bytes(b"x")
    found = {entry.path: entry.problem and entry.problem[0] for entry in list_clips(root)}
    assert found == {
        "videos/sub/a.mp4": None,
        "videos/b.mp4": None,
        "videos/sub\\c.mp4": None,  # a file of this very name comes first
        "..\\out.mp4": "missing_file",
    }


def test_absent_folder_and_wrong_encoding(tmp_path):
    with pytest.raises(DatasetError, match="no folder"):
        list_clips(tmp_path / "none")
    (tmp_path / "annotations.csv").write_bytes("clip,label\né,anger\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="not UTF-8"):
        list_clips(tmp_path)


def test_a_folder_of_pictures_is_a_clip_where_a_table_names_it(tmp_path):
    folder = tmp_path / "videos" / "film" / "part1"
    folder.mkdir(parents=True)
    (tmp_path / "videos" / "alone.png").write_bytes(b"")
    for number in range(3):
        (folder / f"{number}.png").write_bytes(b"")
    (tmp_path / "annotations.csv").write_text(
        "clip,label\nfilm/part1,anger\nalone,anger\nfilm,anger\n./,anger\n", encoding="utf-8"
    )
    actual = {
        entry.clip_id: (entry.path, entry.problem and entry.problem[0]) for entry in list_clips(tmp_path)
    }
    assert actual == {
        "film/part1": ("videos/film/part1", None),
        "alone.png": ("videos/alone.png", None),
        "film": ("film", "missing_file"),
        "": ("./", "missing_file"),
    }


@pytest.mark.parametrize(
    ("cell", "fps"), [("50", 50.0), ("29,97", 29.97), ("", None), ("0", None), ("-1", None), ("nan", None)]
)
def test_rates_of_folders_of_pictures(tmp_path, cell, fps):
    """A row may say them, with a decimal comma where the table has semicolons; an odd one is a problem."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "a.mp4").touch()
    (tmp_path / "annotations.csv").write_text(f"clip;label;fps\na;anger;{cell}\n")
    (entry,) = list_clips(tmp_path)
    assert entry.fps == fps
    is_odd = fps is None and cell != ""
    assert (entry.problem is not None and f"fps is {cell!r}" in entry.problem[1]) == is_odd
