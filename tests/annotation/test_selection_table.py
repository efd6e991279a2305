"""Tables of selected frames: what is checked, joined and written, and what the adapter makes of it."""

import json

import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.datasets import fg_emotions
from fgbench.errors import ArgumentError, ConfigError, DatasetError
from tests.support.selection_folders import read_table, write_selection_work

HEAD = "clip,frame,selected_by,inspected_by\n"
CLIPS = {"film/b": ("anger", 4), "a": ("relief", 0), "=c": ("panic", 4)}


@pytest.fixture
def data(tmp_path):
    return write_selection_work(tmp_path, CLIPS)


def table(tmp_path, text, name="selection (1).csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def selected(root):
    return {entry.clip_id: entry.selected_frames for entry in fg_emotions.list_clips(root)}


def test_a_selection_is_put_beside_the_videos_and_read(data, tmp_path):
    """Also a clip whose name begins like a formula, and one that is named by its file."""
    root, work = data
    text = HEAD + "a,1,ada,\nvideos/film/b.mp4,5,ada,\nfilm/b,2,ada,\n'=c,4,ada,\n"
    actual = fgbench.import_selection(table(tmp_path, text), work)
    assert (actual.clips, actual.frames, actual.is_inspected, actual.rejected) == (3, 4, False, ())
    assert read_table(root / "selection.csv")[1:] == [
        ["'=c", "4", "ada", ""],
        ["a", "1", "ada", ""],
        ["film/b", "2", "ada", ""],
        ["film/b", "5", "ada", ""],
    ]
    assert selected(root) == {"=c": (4,), "a": (1,), "film/b": (2, 5)}


def test_frames_that_no_inspection_confirmed_are_not_selected(data, tmp_path):
    root, work = data
    text = HEAD + "a,0,ada,bob\na,1,ada,\nfilm/b,2,ada,\n"
    actual = fgbench.import_selection(table(tmp_path, text), work)
    assert (actual.frames, actual.struck, actual.is_inspected) == (1, 2, True)
    assert actual.without == ("=c", "film/b")
    assert "2 clips without a selected frame" in actual.lines()[1]
    assert selected(root) == {"=c": (), "a": (0,), "film/b": ()}
    assert "selection.csv: 2 frames that no inspection confirmed are not selected" in fg_emotions.notes(root)


def test_bad_rows_are_left_out_with_their_reasons(data, tmp_path):
    root, work = data
    rows = {
        "a,0,ada,bob": None,
        "elsewhere,0,ada,bob": "unknown_clip",
        "a,7,ada,bob": "not_offered",
        "a,-1,ada,bob": "bad_frame",
        "./a.mp4,0,eve,bob": "duplicate",
        "film/b,4,Ada,\uff41da": "own_inspection",
        "film/b,5,=1+1,bob": "formula",
        "film/b,3,ada,@bob": "formula",
        "film/b,3,ada,bo\0b": "bad_annotator",
    }
    actual = fgbench.import_selection(table(tmp_path, HEAD + "".join(f"{row}\n" for row in rows)), work)
    assert [row.reason for row in actual.rejected] == [reason for reason in rows.values() if reason]
    assert [row.line for row in actual.rejected] == list(range(3, 11))
    assert read_table(root / "selection.csv")[1:] == [["a", "0", "ada", "bob"]]


def test_tables_of_several_pages_are_joined(data, tmp_path):
    root, work = data
    tables = [
        table(tmp_path, HEAD + f"{row},ada,\n", f"{at}.csv") for at, row in enumerate(("a,0", "film/b,4"))
    ]
    assert fgbench.import_selection(tables, work).frames == 2
    tables[1].write_text(HEAD + "film/b,4,ada,bob\n")
    with pytest.raises(DatasetError, match=r"no one inspected 0\.csv"):
        fgbench.import_selection(tables, work)
    assert selected(root)["a"] == (0,)


def test_frames_that_were_selected_are_not_lost_unasked(data, tmp_path):
    """An inspection of a selection replaces it: it names all its frames."""
    root, work = data
    fgbench.import_selection(table(tmp_path, HEAD + "a,0,ada,\na,1,ada,\n"), work)
    fewer = table(tmp_path, HEAD + "a,1,ada,bob\n", "fewer.csv")
    with pytest.raises(ConfigError, match="has 1 frame that the new tables lack"):
        fgbench.import_selection(fewer, work)
    assert selected(root)["a"] == (0, 1)
    fgbench.import_selection(table(tmp_path, HEAD + "a,0,ada,bob\na,1,ada,\n"), work)
    assert selected(root)["a"] == (0,)
    fgbench.import_selection(fewer, work, replace=True)
    assert selected(root)["a"] == (1,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,picture\na,0\n", "has no column frame"),
        (HEAD + "elsewhere,0,ada,\n", "no row can be used: line 2: 'elsewhere'"),
        (HEAD, "no row can be used"),
    ],
)
def test_tables_without_a_usable_row_are_refused(data, tmp_path, text, message):
    root, work = data
    with pytest.raises(DatasetError, match=message):
        fgbench.import_selection(table(tmp_path, text), work)
    assert not (root / "selection.csv").exists()


def test_no_table_and_other_layouts_are_refused(data, tmp_path):
    _, work = data
    with pytest.raises(ArgumentError, match="tables: no table"):
        fgbench.import_selection([], work)
    with pytest.raises(DatasetError, match="no file"):
        fgbench.import_selection(tmp_path / "absent.csv", work)
    _, other = write_selection_work(tmp_path / "other", CLIPS, adapter="ck_plus")
    with pytest.raises(ConfigError, match="layout ck_plus"):
        fgbench.import_selection(table(tmp_path, HEAD + "a,0,ada,\n"), other)


def test_a_link_in_the_place_of_the_selection_is_not_followed(data, tmp_path):
    root, work = data
    (tmp_path / "private.csv").write_text(HEAD)
    (root / "selection.csv").symlink_to(tmp_path / "private.csv")
    fgbench.import_selection(table(tmp_path, HEAD + "a,0,ada,\n"), work)
    assert (tmp_path / "private.csv").read_text() == HEAD
    assert not (root / "selection.csv").is_symlink()


def test_the_command_writes_pages_and_imports_tables(data, tmp_path, monkeypatch):
    root, work = data
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    words = ["annotate", "frames", "--workdir", str(work)]
    done = runner.invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["frames"] == 10
    assert (tmp_path / "frames/index.html").is_file()
    path = table(tmp_path, HEAD + "a,0,ada,bob\nelsewhere,0,ada,bob\n")
    done = runner.invoke(app, [*words, "--import", str(path)])
    assert done.exit_code == 0, done.output
    assert "1 frame of 1 clip selected (inspected, 0 struck out)" in done.output
    assert "left out: selection (1).csv line 3: unknown_clip" in done.output
    assert (root / "selection.csv").is_file()
    assert runner.invoke(app, [*words, "--import", str(path), "--out", "x"]).exit_code == 2
    assert runner.invoke(app, [*words, "--replace"]).exit_code == 2


def test_import_takes_selections_too(tmp_path, monkeypatch):
    """From the default work folder of the data set; options of votes are refused."""
    write_selection_work(tmp_path, CLIPS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fgbench-data/data").mkdir(parents=True)
    (tmp_path / "work").rename(tmp_path / "fgbench-data/data/work")
    path = table(tmp_path, HEAD + "a,0,ada,bob\n")
    words = ["annotate", "import", str(path), "--tool", "selection", "--data-root", "data"]
    refused = CliRunner().invoke(app, [*words, "--round", "1"])
    assert refused.exit_code == 2
    assert not (tmp_path / "data/selection.csv").exists()
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert read_table(tmp_path / "data/selection.csv")[1:] == [["a", "0", "ada", "bob"]]


def test_a_table_that_no_page_wrote_is_not_read_whole(data, tmp_path, monkeypatch):
    """Its size is looked at before its rows are."""
    root, work = data
    monkeypatch.setattr("fgbench.annotation.selection.selection_table._MOST_BYTES", 100)
    fgbench.import_selection(table(tmp_path, HEAD + "a,1,ada,\n"), work)
    before = (root / "selection.csv").read_bytes()
    with pytest.raises(DatasetError, match="of a table that a page wrote"):
        fgbench.import_selection(table(tmp_path, HEAD + "a,1,ada,\n" * 10), work)
    assert (root / "selection.csv").read_bytes() == before
