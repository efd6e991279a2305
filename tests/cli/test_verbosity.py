"""``--quiet``, ``--verbose`` and ``--log-file``: what is printed, and what a file keeps."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fgbench.cli import verbosity
from fgbench.cli.app import app
from fgbench.cli.console import errors_explained, note, progress_bars, say, sentences_printed
from fgbench.errors import MediaError, ResourceError
from fgbench.workers import Workers
from tests.support.clip_folders import write_plain_clip
from tests.support.logged_work import double, start

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR) (\d+) (.*)")


def fgbench(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def lines_of(path):
    matches = [LINE.fullmatch(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(matches), path.read_text()
    return [match.groups() for match in matches]


@pytest.mark.parametrize(
    ("typed", "ordered"),
    [
        (["prepare", "--quiet"], ["--quiet", "prepare"]),
        (
            ["prepare", "--jobs", "2", "--log-file", "a.log", "-"],
            ["--log-file", "a.log", "prepare", "--jobs", "2", "-"],
        ),
        (["prepare", "--log-file=a", "--verbose"], ["--log-file=a", "--verbose", "prepare"]),
        (["predict", "--", "--quiet"], ["predict", "--", "--quiet"]),
        (["prepare", "--log-file"], ["--log-file"]),
        (["status", "--quiet", "--log-file", "--json"], ["--quiet", "--log-file"]),
    ],
)
def test_they_may_stand_anywhere(typed, ordered):
    assert verbosity.options_first(typed) == ordered


def test_no_command_has_one_of_them_itself():
    """It would never get it."""
    frozen = (Path(__file__).parent / "commands.txt").read_text(encoding="utf-8").splitlines()
    own = [line.split() for line in frozen if {"--quiet", "--verbose", "--log-file"} & set(line.split())]
    assert own == []


def test_quiet_prints_results_and_errors_alone(capsys):
    with verbosity.logged(quiet=True, verbose=False, log_file=None):
        note("a note")
        say("a result")
        with progress_bars() as progress:
            progress("faces", 3, 3)
        with pytest.raises(SystemExit), errors_explained():
            raise MediaError("cannot read x", "look at it")
    assert capsys.readouterr() == ("a result\n", "error: cannot read x\n  look at it\n")
    note("after it")
    assert capsys.readouterr().err == "after it\n"


def test_verbose_adds_details_with_times_and_prints_nothing_twice(capsys):
    with verbosity.logged(quiet=False, verbose=True, log_file=None):
        note("a note")
        logging.getLogger("fgbench.media").debug("opened %s", "a\x1b[31m.mp4")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "a note"
    assert re.fullmatch(r"\d\d:\d\d:\d\d fgbench\.media: opened a\\x1b\[31m\.mp4", second)
    logging.getLogger("fgbench.media").debug("again")
    assert capsys.readouterr().err == ""


def test_a_file_keeps_lines_of_all_runs_in_plain_text(tmp_path, capsys):
    path = tmp_path / "fgbench.log"
    for number in (1, 2):
        with verbosity.logged(quiet=True, verbose=False, log_file=path):
            note(f"note {number}\nits second line \x1b[31m")
            with pytest.raises(SystemExit), errors_explained():
                raise MediaError("cannot read x", "look at it")
    told = [(level, text) for level, _, text in lines_of(path)]
    assert told[:4] == [
        ("INFO", "note 1"),
        ("INFO", "its second line \\x1b[31m"),
        ("ERROR", "error: cannot read x"),
        ("ERROR", "  look at it"),
    ]
    assert told[4] == ("INFO", "note 2")
    assert len(told) == 8
    capsys.readouterr()


@pytest.mark.parametrize("name", ["none/fgbench.log", "."])
def test_a_file_that_cannot_be_written_is_one_error(tmp_path, name):
    with (
        pytest.raises(ResourceError, match="cannot write the log file"),
        verbosity.logged(quiet=False, verbose=False, log_file=tmp_path / name),
    ):
        pytest.fail("nothing is done without it")
    done = fgbench("recipes", "--log-file", tmp_path / name)
    assert done.exit_code == 8
    assert "cannot write the log file" in done.output
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_name_is_wrong_use(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["recipes", "--log-file"], ["recipes", "--log-file", "--json"]):
        done = fgbench(*words)
        assert done.exit_code == 2
        assert "Option '--log-file' requires an argument" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_ends_the_log_and_not_the_command(tmp_path, capsys):
    resource = pytest.importorskip("resource", reason="files have no limit here")
    path = tmp_path / "fgbench.log"
    path.write_bytes(b"-" * 999 + b"\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with sentences_printed(), verbosity.logged(quiet=False, verbose=True, log_file=path):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            note("first")
            note("second")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "gets no more lines" not in line] == ["first", "second"]
    (told,) = (line for line in lines if "gets no more lines" in line)
    assert told.startswith(f"the log file {path} gets no more lines: ")
    assert path.stat().st_size == 1000


@pytest.mark.parametrize("words", [["recipes"], ["recipes", "nothing", "--verbose"]])
def test_nothing_of_a_closed_error_stream_goes_elsewhere(tmp_path, words):
    script = "import sys; sys.stderr = None; from fgbench.cli.app import app; app(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if words == ["recipes"] else 3)
    assert "error" not in done.stdout
    assert done.stderr == ""


def test_progress_is_told_to_no_closed_stream(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bars() as progress:
        progress("faces", 3, 3)
    note("a note")
    assert capsys.readouterr().out == ""


def test_an_error_is_printed_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fgbench", "prepar"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("No such command 'prepar'") == 1
    assert "Did you mean 'prepare'" in done.stderr


def test_quiet_and_verbose_exclude_each_other():
    done = fgbench("recipes", "--quiet", "--verbose")
    assert done.exit_code == 2
    assert "leave one out" in " ".join(done.output.split())


@pytest.mark.slow
def test_lines_of_workers_arrive_with_their_process(tmp_path):
    path = tmp_path / "fgbench.log"
    with verbosity.logged(quiet=True, verbose=False, log_file=path):
        workers = Workers(2, start)
        try:
            assert sorted(result for _, result in workers.run(double, [1, 2, 3])) == [2, 4, 6]
        finally:
            workers.stop()
    lines = lines_of(path)
    of_tasks = {text: process for level, process, text in lines if text.startswith("doubling")}
    assert set(of_tasks) == {"doubling 1", "doubling 2", "doubling 3"}
    started = {text.split()[1] for _, _, text in lines if text.startswith("worker ")}
    assert set(of_tasks.values()) <= started


@pytest.mark.slow
def test_a_command_keeps_what_its_workers_did(tmp_path):
    for part in range(3):
        for label in ("anger", "disgust"):
            write_plain_clip(tmp_path / "data" / label / f"p{part}-{label}.mp4", 3, seed=part)
    short = ("--set", "faces.align=never", "--set", "lbp.enabled=false", "--set", "buckets=2")
    words = ("prepare", "folder", "--data-root", "data", "--workdir", "work", *short, "--jobs", "2")
    done = subprocess.run(
        [sys.executable, "-m", "fgbench", *words, "--quiet", "--log-file", "fgbench.log"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "next:" not in done.stdout
    texts = [text for _, _, text in lines_of(tmp_path / "fgbench.log")]
    assert any(
        re.fullmatch(r"ingest, bucket \d: \d accepted, 0 rejected, \d+\.\d\d s", text) for text in texts
    )
    assert any(text.startswith("recipe folder, data data") for text in texts)
