"""``fgbench annotate import`` of CSV tables of other tools, and what the commands print."""

import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.catalogue.pseudonyms import SALT, read_salt
from fgbench.cli.app import app
from fgbench.datasets.fg_emotions import list_clips
from fgbench.errors import ConfigError, DatasetError, ResourceError
from tests.support.annotated_rounds import exported, votes, write_clips
from tests.support.video_files import write_clip


@pytest.fixture
def root(tmp_path):
    return write_clips(tmp_path / "clips")


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def table(root, text):
    path = root.parent / "answers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_of_other_names(root):
    """Columns are named as the tool has them; separators and decimal commas are those of the table."""
    path = table(
        root, "File;Who;Emotion;Sure;Frame\nvideos/a.mp4;Zoë;Wrath;0,75;3\nfilm1\\c.mp4;Zoë;not usable;;\n"
    )
    columns = {
        "clip": "file",
        "annotator": "who",
        "label": "emotion",
        "confidence": "sure",
        "key_frame": "frame",
    }
    done = fgbench.import_votes(path, root, columns=columns, round=2)
    assert votes(root) == ["a.mp4,Zoë,wrath,0.75,3,2,,", "film1/c.mp4,Zoë,not_usable,,,2,,"]
    assert (done.rounds, done.missing, done.rejects) == ((2,), {}, ())
    assert fgbench.import_votes(path, root, columns=columns, round=2).n_same == 2


def test_rows_of_empty_cells_are_left_out(root):
    """Spreadsheets write them below a table, and between its parts."""
    path = table(root, "clip,annotator,label\nvideos/a.mp4,anna,anger\n, ,\nvideos/a.mp4,ben,pride\n,,\n,,\n")
    done = fgbench.import_votes(path, root)
    assert (done.n_added, done.rejects) == (2, ())
    (root / "votes.csv").write_text((root / "votes.csv").read_text() + ",,,,,,,\n")
    assert fgbench.import_votes(path, root).n_same == 2
    (entry,) = [one for one in list_clips(root) if one.votes]
    assert [vote.annotator for vote in entry.votes] == ["anna", "ben"]


def test_columns_that_are_not_read_are_named(root, caplog):
    """A column of confidences that is called otherwise is not lost without a word."""
    path = table(root, "clip,annotator,label,sure\na,anna,anger,0.5\n")
    with caplog.at_level("INFO", logger="fgbench"):
        fgbench.import_votes(path, root)
    (said,) = [one for one in caplog.messages if "not read" in one]
    assert said.startswith(f"{path}: columns not read: sure; if one of them is confidence or key_frame ")
    assert said.endswith(": --column confidence=NAME")
    caplog.clear()
    with caplog.at_level("INFO", logger="fgbench"):
        fgbench.import_votes(path, root, columns={"confidence": "sure"}, update=True)
    assert not [one for one in caplog.messages if "not read" in one]


def test_bad_rows_are_rejected_one_by_one(root):
    """Each row that is no vote has its reason; the others are imported."""
    rows = [
        "a,anna,anger,0.5,1,1,2.5,2026-01-31T12:00:00+01:00",
        "nowhere,anna,anger,,,,,",
        "a,ben,joy of life,,,,,",
        "a,cem,anger,1.5,,,,",
        "a,dora,anger,,x,,,",
        "a,emil,anger,,10,,,",
        "a,,anger,,,,,",
        "a,fay,,,,,,",
        "a,gil,anger,,,,-1,",
        "a,hal,anger,,,,,yesterday",
        "a,ida,anger,,,0,,",
        "a,jon,anger,,,100,,",
    ]
    text = "clip,annotator,label,confidence,key_frame,round,spent_s,cast_at\n" + "\n".join(rows)
    done = fgbench.import_votes(table(root, text), root)
    assert votes(root) == ["a.mp4,anna,anger,0.5,1,1,2.5,2026-01-31T11:00:00Z"]
    assert sorted((one.annotator, one.reason) for one in done.rejects) == [
        ("", "no_annotator"),
        ("anna", "unknown_clip"),
        ("ben", "unknown_label"),
        ("cem", "bad_answer"),
        ("dora", "bad_answer"),
        ("emil", "key_frame_outside"),
        ("fay", "no_answer"),
        ("gil", "bad_answer"),
        ("hal", "bad_answer"),
        ("ida", "bad_answer"),
        ("jon", "bad_answer"),
    ]


def test_times_of_all_years_are_written_as_they_are_read(root):
    """A year below 1000 has four digits too."""
    text = "clip,annotator,label,cast_at\na,anna,anger,0900-01-31T12:00:00+01:00\n"
    assert fgbench.import_votes(table(root, text), root).n_added == 1
    assert votes(root) == ["a.mp4,anna,anger,,,1,,0900-01-31T11:00:00Z"]
    (entry,) = [one for one in list_clips(root) if one.votes]
    assert entry.problem is None


@pytest.mark.parametrize("name", ["an\0na", "\x1b[31manna", "anna\x9d"])
def test_names_with_control_characters_are_rejected(root, name):
    done = fgbench.import_votes(table(root, f"clip,annotator,label\na,{name},anger\na,ben,pride\n"), root)
    assert [(one.annotator, one.reason) for one in done.rejects] == [(name, "bad_annotator")]
    assert votes(root) == ["a.mp4,ben,pride,,,1,,"]


def test_a_round_that_the_table_names_itself_is_not_another(root):
    """Votes of the first round are not taken into it where the second was asked for, and the reverse."""
    path = table(root, "clip,annotator,label,round\na,anna,anger,\na,ben,pride,1\n")
    with pytest.raises(ConfigError, match=r"answers\.csv names round 1 itself"):
        fgbench.import_votes(path, root, round=2)
    assert not (root / "votes.csv").exists()
    done = run("annotate", "import", path, "--data-root", root, "--round", 2)
    assert (done.exit_code, "--round" in done.output) == (2, True)
    assert fgbench.import_votes(path, root, round=1).n_added == 2


def test_a_table_without_anything_tells_so(root):
    with pytest.raises(DatasetError, match="it has: nothing"):
        fgbench.import_votes(table(root, ""), root)


def test_names_that_spreadsheets_take_for_formulas(root):
    """Names of people that begin like formulas are escaped, and found again."""
    write_clips(root, ["=cmd"])
    path = table(root, "clip,annotator,label\n=cmd,@me,anger\n")
    assert fgbench.import_votes(path, root).n_added == 1
    assert votes(root) == ["./=cmd.mp4,'@me,anger,,,1,,"]
    assert fgbench.import_votes(path, root).n_same == 1


def test_names_and_classes_that_spreadsheets_take_for_formulas_are_read_back(root):
    """What an import escapes in votes, and a table of known answers has escaped, counts as it was meant."""
    recipe = root.parent / "own.yaml"
    recipe.write_text("name: own\ndataset: {name: own, scheme: free, classes: ['=happy', sad]}\n")
    done = fgbench.import_votes(table(root, "clip,annotator,label\na,@me,=happy\n"), root, recipe=recipe)
    assert (done.n_added, votes(root)) == (1, ["a.mp4,'@me,'=happy,,,1,,"])
    (root / "gold.csv").write_text("clip,label\na,'=happy\n")
    (entry,) = list_clips(root)
    assert [(vote.annotator, vote.label) for vote in entry.votes] == [("@me", "=happy")]
    assert (entry.gold_label, entry.problem) == ("=happy", None)


@pytest.mark.parametrize(
    ("text", "columns", "error", "message"),
    [
        ("clip,label\na,anger\n", {}, DatasetError, "has no column annotator; it has: clip, label"),
        ("clip,annotator,label\na,b\n\na,b,c,d\n", {}, DatasetError, "line 4 has more cells"),
        ("clip,annotator,label\n", {"sex": "x"}, ConfigError, "'sex' is no column of votes"),
        ("clip,annotator,label\n", {"clip": "file"}, ConfigError, "has no column 'file', or several"),
        ("clip,annotator,label,who\n", {"annotator": 3}, ConfigError, "expected a name"),
        ('clip,annotator,label\n"a,b,c\n', {}, DatasetError, "is not a CSV table"),
        ("clip,annotator,label,label\n", {}, DatasetError, "has the column label twice"),
    ],
)
def test_bad_tables(root, text, columns, error, message):
    """A table that cannot be read is one clear error, and nothing is written."""
    with pytest.raises(error, match=message):
        fgbench.import_votes(table(root, text), root, columns=columns)
    assert not (root / "votes.csv").exists()


def test_bad_table_of_votes_is_not_added_to(root):
    """What cannot be read is not replaced."""
    path = table(root, "clip,annotator,label\na,anna,anger\n")
    for text, message in (
        ("clip,who\n", "has the columns clip, who"),
        ("clip,annotator,label,round\na,x,anger,two\n", "round is 'two'"),
        ("clip,annotator,label\na,x,anger,1\n", "line 2 has more cells"),
        (b"\xff", "is not UTF-8"),
    ):
        (root / "votes.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        before = (root / "votes.csv").read_bytes()
        with pytest.raises(DatasetError, match=message):
            fgbench.import_votes(path, root)
        assert (root / "votes.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tool": "paper"}, "tool: 'paper', expected one of label-studio, csv"),
        ({"round": 100}, "round: 100, expected 1 to 99"),
        ({"update": "yes"}, "update 'yes', expected True or False"),
        ({"annotators": ["anna"]}, "annotators list of 1, expected a dict"),
    ],
)
def test_bad_settings(root, settings, message):
    """A setting that cannot be meant is one clear error."""
    path = table(root, "clip,annotator,label\na,anna,anger\n")
    with pytest.raises(ConfigError, match=message):
        fgbench.import_votes(path, root, **settings)


def test_files_of_no_tool(root, tmp_path):
    """A suffix that no tool writes, and a file that is not there."""
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(ConfigError, match=r"tool: not given, and .*notes\.txt ends in none of"):
        fgbench.import_votes(tmp_path / "notes.txt", root)
    with pytest.raises(DatasetError, match="no file"):
        fgbench.import_votes(tmp_path / "no.csv", root)
    with pytest.raises(ResourceError, match="File name too long"):
        fgbench.import_votes("x" * 300 + ".csv", root)


def test_commands_print_the_table_of_rejects(root):
    """The commands print a line for each reason, and name what is missing."""
    exported(root)
    path = table(root, "clip,annotator,label\na,anna,anger\na,zoe,anger\n")
    done = run("annotate", "import", path, "--data-root", root)
    assert done.exit_code == 0
    assert "1 vote added" in done.stdout
    assert "unknown_annotator" in done.stdout
    assert "missing: anna 2 of 3, ben 3 of 3, " in done.stdout
    wrong = run("annotate", "import", path, "--data-root", root, "--column", "clip")
    assert (wrong.exit_code, "--column" in wrong.stderr) == (2, True)


def test_the_first_votes_get_a_salt_for_pseudonyms_and_a_table_that_is_there_none(root):
    """Made before the table; pseudonyms of a table without one stay as they are."""
    path = table(root, "clip,annotator,label\na,anna,anger\n")
    fgbench.import_votes(path, root)
    salt = read_salt(root)
    assert salt is not None
    assert (root / SALT).stat().st_mode & 0o077 == 0
    path.write_text("clip,annotator,label\na,ben,anger\n", encoding="utf-8")
    fgbench.import_votes(path, root)
    assert read_salt(root) == salt
    (root / SALT).unlink()
    path.write_text("clip,annotator,label\na,cem,anger\n", encoding="utf-8")
    fgbench.import_votes(path, root)
    assert read_salt(root) is None


@pytest.mark.parametrize("first", ["sep=;", "SEP=;\r", '"sep=;"', "\ufeffsep=;"])
def test_the_line_of_excel_that_names_the_separator_is_no_row(root, first):
    """The separator is the named one, though the columns have more commas; lines keep their numbers."""
    head = 'clip;annotator;"label, of, six"'
    path = table(root, f"{first}\n{head}\na;anna;anger\na;ben;nothing\n")
    done = fgbench.import_votes(path, root, columns={"label": "label, of, six"})
    assert votes(root) == ["a.mp4,anna,anger,,,1,,"]
    assert [(one.reason, one.source) for one in done.rejects] == [("unknown_label", "line 4")]


def test_votes_with_the_line_of_excel_are_read_and_added_to(root):
    (root / "votes.csv").write_text("sep=;\nclip;annotator;label;confidence\na;anna;anger;0,5\n")
    (entry,) = list_clips(root)
    assert [(vote.annotator, vote.confidence) for vote in entry.votes] == [("anna", 0.5)]
    fgbench.import_votes(table(root, "clip,annotator,label\na,ben,wrath\n"), root)
    assert votes(root)[-1] == "a.mp4;ben;wrath;;;1;;"
    assert len(list_clips(root)[0].votes) == 2


@pytest.mark.parametrize(
    "clip", ["../secret.mp4", "videos/../../secret.mp4", "a/../../secret", "/etc/passwd", ".."]
)
def test_a_name_that_leads_out_of_the_folder_is_no_clip(root, clip):
    """Whatever lies there is neither opened nor voted on, and is no item with a known answer."""
    write_clip(root.parent / "secret.mp4", 2)
    done = fgbench.import_votes(table(root, f"clip,annotator,label,key_frame\n{clip},anna,anger,1\n"), root)
    assert [(one.reason, "leads out of the data set's folder" in one.detail) for one in done.rejects] == [
        ("unknown_clip", True)
    ]
    assert not (root / "votes.csv").exists()
    (root / "gold.csv").write_text(f"clip,label\n{clip},anger\n")
    with pytest.raises(DatasetError, match=r"line 2: path .* leads out of"):
        exported(root)


def test_very_long_names_are_cut_where_they_are_told(root):
    path = table(root, f"clip,annotator,label\n{'x' * 100_000},{'y' * 100_000},anger\n")
    done = fgbench.import_votes(path, root)
    assert [one.reason for one in done.rejects] == ["unknown_clip"]
    assert max(map(len, done.lines())) < 1000


def test_table_without_answers_is_no_success(root):
    with pytest.raises(DatasetError, match="holds no answer"):
        fgbench.import_votes(table(root, "clip,annotator,label\n"), root)


def test_spellings_on_one_clip_are_asked_about(root):
    """No answer of a name in another spelling, equal or not, is taken for the first one's in silence."""
    for label in ("anger", "wrath"):
        path = table(root, f"clip,annotator,label\na,Anna,anger\na,anna,{label}\n")
        with pytest.raises(DatasetError, match=r"may be one person: 'Anna' \(1 vote\) and 'anna' \(1 vote\)"):
            fgbench.import_votes(path, root)
    assert not (root / "votes.csv").exists()
    (root / "annotators.csv").write_text("name,annotator\nAnna,Anna\nanna,Anna\n")
    assert [one.reason for one in fgbench.import_votes(path, root).rejects] == ["several_answers"] * 2


def test_two_people_whose_names_differ_in_case_are_not_one_vote(root):
    """An import knows people by names without case: it says so before one takes the place of the other."""
    (root / "annotators.csv").write_text("name,annotator\nAnna,Anna\nanna,another Anna\n")
    (root / "votes.csv").write_text("clip,annotator,label\na,Anna,anger\n")
    for clip in "ab":
        with pytest.raises(DatasetError, match="'anna' and 'Anna' are two people"):
            fgbench.import_votes(table(root, f"clip,annotator,label\n{clip},anna,wrath\n"), root, update=True)
    assert votes(root) == ["a,Anna,anger"]
    assert fgbench.import_votes(table(root, "clip,annotator,label\nb,Ben,wrath\n"), root).n_added == 1
