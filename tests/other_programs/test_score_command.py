"""``fgbench score``: what is refused, where the run shows, and what cannot be done with it."""

import json
import os
import shutil
from dataclasses import replace

import pytest

from fgbench.errors import DatasetError
from fgbench.inference.other_programs import samples
from fgbench.methods.steps.contexts import open_work
from fgbench.runs.division import Division
from fgbench.runs.results import read_result
from tests.support.outside_work import cli, contents, score, write_rows


@pytest.fixture(scope="module")
def scored(prepared_pictures, tmp_path_factory):
    """A work folder of pictures with two programs' scores."""
    folder = tmp_path_factory.mktemp("scored")
    work = folder / "work"
    shutil.copytree(prepared_pictures.work, work)
    for name, n_wrong in (("good", 3), ("bad", 12)):
        rows = [
            {"clip_id": clip, "label": label if number >= n_wrong else "anger"}
            for number, (clip, label) in enumerate(prepared_pictures.labels.items())
        ]
        score(write_rows(folder / f"{name}.csv", rows), work)
    return work


def error_of(done, code):
    """The error that a command ends with: one, without a traceback."""
    assert done.exit_code == code, done.output
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


FINE = [{"clip_id": "test/anger/test-anger-0", "label": "anger"}]


@pytest.mark.parametrize(
    ("text", "more", "code", "message"),
    [
        (None, (), 4, "does not exist"),
        ("", (), 4, "is empty"),
        ("clip_id,label\n", (), 4, "has no rows"),
        ("a,b\n1,2\n", (), 4, "has columns of no format that is known (it has: a, b)"),
        ("clip_id,label\nx,anger\n", (), 4, "the file has e.g. 'x', the work folder 'test/"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--format", "spss"), 3, "unknown format 'spss'"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--format", "openface"), 4, "no columns of the"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--format", "deepface"), 4, "is a table, the"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--samples", "some"), 3, "unknown samples"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--name", "a/b"), 3, "name 'a/b' of an"),
        (
            "clip_id,label\ntest/anger/test-anger-0,anger\n",
            ("--name", "a" * 201),
            3,
            "has 201 letters, expected",
        ),
        ("clip_id,label\ntrain/anger/train-anger-0,anger\n", (), 4, "they are of clips of other parts"),
        (
            "clip_id,label,predicted\ntest/anger/test-anger-0,anger,sad\n",
            (),
            4,
            "has the columns label and predicted, expected one",
        ),
        ("clip_id,label\ntest/anger/test-anger-0,joy\n", (), 3, "'joy' is none of the classes"),
        ("clip_id,label\ntest/anger/test-anger-0,anger\n", ("--map", "x=y"), 3, "have no class 'x'"),
        ("clip_id,label,label\nx,a,b\n", (), 4, "columns that come twice: label"),
        ("clip_id,label\nx\n", (), 4, "line 2 has 1 cells, expected 2"),
        ("clip_id,label\n,anger\n", (), 4, "line 2 names no clip or file"),
        ("clip_id,frame,label\nx,1.5,anger\n", (), 4, "frame is '1.5'"),
        (
            "clip_id,AU1\ntest/anger/test-anger-0,1\n",
            (),
            4,
            "has no labels of action units (no action_units.csv)",
        ),
        (
            "clip_id,label\ntest/anger/test-anger-0,anger\ntest/anger/test-anger-0.png,anger\n",
            (),
            4,
            "two rows are of one sample: x.csv line 2 (test/anger/test-anger-0) and x.csv line 3",
        ),
        (
            "clip_id,anger,happy,sad,surprise\ntest/anger/test-anger-0,0.2,0.2,0.2,0.2\n",
            (),
            4,
            "x.csv line 2 (test/anger/test-anger-0): its scores add up to 0.8",
        ),
    ],
)
def test_bad_input_is_one_error_and_nothing_is_written(scored, tmp_path, text, more, code, message):
    path = tmp_path / "x.csv"
    if text is not None:
        path.write_text(text)
    before = contents(scored)
    assert message in error_of(cli("score", path, "--workdir", scored, *more), code)
    assert contents(scored) == before


@pytest.mark.parametrize("name", ["annotations.csv", "votes.csv", "action_units.csv", "."])
def test_labels_of_the_data_set_are_no_predictions(scored, tmp_path, name):
    """They would be right in all samples; so would a copy of them."""
    root = tmp_path / "root"
    root.mkdir()
    table = root / ("annotations.csv" if name == "." else name)
    table.write_text("clip,label,AU1\ntest/anger/test-anger-0,anger,1\n")
    origin = json.loads((scored / "prepare.json").read_text()) | {"root": str(root)}
    work, copy = tmp_path / "work", tmp_path / "copy.csv"
    shutil.copytree(scored, work)
    (work / "prepare.json").write_text(json.dumps(origin))
    shutil.copy(table, copy)
    before = contents(work)
    for path in (root / name, copy):
        told = error_of(cli("score", path, "--workdir", work), 4)
        assert f"holds the labels of the data set ({table.name}), expected what a program predicted" in told
    assert contents(work) == before


def test_a_work_folder_that_is_none_or_tests_nothing(prepared_pictures, tmp_path):
    path = write_rows(tmp_path / "x.csv", FINE)
    (tmp_path / "bare").mkdir()
    assert "fgbench prepare" in error_of(cli("score", path, "--workdir", tmp_path / "bare"), 7)
    assert list((tmp_path / "bare").iterdir()) == []


def test_a_part_without_samples(prepared_pictures):
    context = open_work(prepared_pictures.work)
    bare = replace(context, division=Division(parts={"train": "train"}))
    with pytest.raises(DatasetError, match="has no test images to score"):
        samples.tested_samples(bare, samples.read_clips(bare), "auto")


def test_action_units_of_data_without_labels_are_passed_over(scored, tmp_path):
    """Programs tell more than a data set labels."""
    row = {"clip_id": "test/anger/test-anger-0", "label": "anger", "AU1": 1}
    done = cli("score", write_rows(tmp_path / "more.csv", [row]), scored)
    assert done.exit_code == 0, done.output
    assert "action units are not scored: " in done.stderr
    shutil.rmtree(scored / "runs" / "more")


def test_the_name_of_another_file_is_refused(scored, tmp_path):
    path = write_rows(tmp_path / "good.csv", FINE)
    before = contents(scored)
    stderr = error_of(cli("score", path, "--workdir", scored), 3)
    assert "has the scores of another file" in stderr
    assert "or replace them with force" in stderr
    assert contents(scored) == before
    copy = tmp_path / "work"
    shutil.copytree(scored, copy)
    assert score(path, copy, "--force")["classes"]["metrics"]["n_missing"] == 19
    assert score(path, scored, "--name", "other")["classes"]["experiment"] == "other"
    shutil.rmtree(scored / "runs" / "other")


def test_runs_of_fgbench_are_never_replaced(scored, tmp_path):
    folder = scored / "runs" / "tiny" / "0" / "0"
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"begun")
    path = write_rows(tmp_path / "tiny.csv", FINE)
    stderr = error_of(cli("score", path, "--workdir", scored, "--force"), 3)
    assert "runs/tiny has a run that fgbench made itself (tiny/0/0)" in stderr
    assert (folder / "checkpoint.pt").read_bytes() == b"begun"
    shutil.rmtree(scored / "runs" / "tiny")


def test_the_summary(scored, tmp_path):
    copy = tmp_path / "work"
    shutil.copytree(scored, copy)
    shutil.rmtree(copy / "runs")
    path = write_rows(tmp_path / "one.csv", FINE)
    done = cli("score", path, copy)
    assert done.exit_code == 0, done.output
    assert f"{path} is read as csv (its columns tell), 1 rows" in done.stderr
    assert "19 of 20 samples have no prediction" in done.stdout
    assert (
        "one: OUTSIDE: predicted by another program (one.csv, read as csv); what it was trained"
        in done.stdout
    )
    full = cli("score", path, copy, "--full")
    assert "| anger | 5 | 0.200 |" in full.stdout


NOTE = "OUTSIDE: predicted by another program (good.csv, read as csv)"


@pytest.mark.parametrize(
    "words",
    [
        ("leaderboard",),
        ("leaderboard", "--format", "html"),
        ("compare", "good", "bad"),
        ("compare", "good", "bad", "--json"),
        ("report", "--run", "good/0/0", "--out", "OUT"),
        ("report", "--table", "III"),
    ],
)
def test_the_mark_is_wherever_the_run_is(scored, tmp_path, words):
    more = [tmp_path if word == "OUT" else word for word in words]
    done = cli(*more, "--workdir", scored)
    assert done.exit_code == 0, done.output
    assert (
        f"good: {NOTE}" in done.stdout
        or f"good/0/0: {NOTE}" in done.stdout
        or ("good (outside): " + NOTE in done.stdout)
    )


@pytest.mark.parametrize("kind", ["csv", "tex", "html", "md"])
def test_the_mark_is_in_every_format_of_a_comparison(scored, kind):
    """CSV has no notes, so that the name of the run has it."""
    done = cli("compare", "good", "bad", "--workdir", scored, "--format", kind, "--full")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("good (outside)") >= 2  # its scores, and the head of the classes
    assert done.stdout.count("bad (outside)") >= 3  # these, and the difference to the first


def test_the_page_has_the_mark(scored):
    done = cli("report", "--html", "--workdir", scored)
    assert done.exit_code == 0, done.output
    page = (scored / "reports" / "report.html").read_text()
    assert page.count(NOTE) >= 2  # on its leaderboard, and where the run is shown


def test_comparison(scored):
    done = cli("compare", "bad", "good", "--workdir", scored, "--json")
    report = json.loads(done.stdout)
    (pair,) = report["differences"]
    known = {
        name: read_result(scored / "runs" / name / "0" / "0")["metrics"]["uar"] for name in ("bad", "good")
    }
    assert pair["differences"]["uar"]["estimate"] == pytest.approx(known["good"] - known["bad"])
    assert report["runs"][0]["data"] == "now"


@pytest.mark.parametrize(
    "words", [("predict", "good", "x.png"), ("evaluate", "good"), ("export", "good", "--onnx", "x.onnx")]
)
def test_there_are_no_weights(scored, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    before = contents(scored)
    stderr = error_of(cli(*words, "--workdir", scored), 3)
    assert "good was predicted by another program (fgbench score) and has no weights" in stderr
    assert contents(scored) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="names of files are text there")
def test_a_file_whose_name_is_no_text_is_scored(prepared_pictures, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(prepared_pictures.work, work)
    path = write_rows(tmp_path / os.fsdecode(b"caf\xe9.csv"), FINE)
    told = score(path, work, "--name", "mine")
    assert told["classes"]["details"]["outside"]["file"] == "caf\\xe9.csv"
    assert read_result(work / "runs/mine/0/0")["details"] == told["classes"]["details"]
