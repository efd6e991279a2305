"""What commands print: nothing of others' making reaches the terminal raw, failures are one clear message."""

import errno
import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fgbench.cli.console import DEBUG, errors_explained, note, print_json, say
from fgbench.errors import MediaError

NASTY = "x\x1b]0;pwned\x07\x1b[31m\u202e\udce9"
SHOWN = "x\\x1b]0;pwned\\x07\\x1b[31m\\u202e\\xe9"


@pytest.fixture(autouse=True)
def no_debug(monkeypatch):
    monkeypatch.delenv(DEBUG, raising=False)


def exit_code_of(error):
    with pytest.raises(SystemExit) as caught, errors_explained():
        raise error
    return caught.value.code


def test_lines_are_printable(capsys):
    say(f"{NASTY}\nnext")
    note(NASTY)
    assert capsys.readouterr() == (f"{SHOWN}\nnext\n", f"{SHOWN}\n")


def test_json_is_printable_and_means_the_same(capsys):
    print_json({NASTY: [NASTY, "é"]})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {NASTY: [NASTY, "é"]}
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_terminal_that_lacks_a_character_gets_its_escape(monkeypatch):
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    say("é")
    plain.flush()
    assert plain.buffer.getvalue() == b"\\xe9\n"


@pytest.mark.parametrize("debug", [False, True])
def test_errors_are_printable_also_with_their_traceback(capsys, monkeypatch, debug):
    if debug:
        monkeypatch.setenv(DEBUG, "1")
    assert exit_code_of(MediaError(f"cannot read {NASTY}", f"look at {NASTY}")) == 5
    shown = capsys.readouterr().err
    assert f"error: cannot read {SHOWN}\n  look at {SHOWN}\n" in shown
    assert ("Traceback" in shown) == debug
    assert "\x1b" not in shown.replace("\x1b[31m", "", 1).replace("\x1b[0m", "", 1)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError("std::bad_alloc"), "error: out of memory: MemoryError: std::bad_alloc"),
        (ImportError("x.so: failed to map segment from shared object"), "error: out of memory: ImportError"),
        (
            OSError(errno.EFBIG, "File too large", "a.png"),
            "error: File too large: a.png\n  raise the limit of a file's size",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "error: No space left on device\n  free some disk",
        ),
        (PermissionError(errno.EACCES, "Permission denied", b"caf\xe9"), "Permission denied: caf\\xe9"),
    ],
)
def test_limits_of_the_machine_are_resource_errors(capsys, error, message):
    assert exit_code_of(error) == 8
    assert message in capsys.readouterr().err


def test_what_was_not_foreseen_is_one_line_and_a_file(capsys):
    assert exit_code_of(KeyError("origin")) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("unexpected failure: KeyError: 'origin'\n  this is a fault of fgbench; ")
    assert "Traceback" not in shown
    log = Path(shown.split("its traceback is in ")[1].split(";")[0])
    assert "KeyError: 'origin'" in log.read_text()
    log.unlink()


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_failure():
    with pytest.raises(BrokenPipeError), errors_explained():
        raise BrokenPipeError
    command = f"{sys.executable} -m fgbench datasets | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.slow
def test_wrong_use_is_printable():
    done = subprocess.run(
        [sys.executable, "-m", "fgbench", "report", "\x1b[31m"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7  # no work folder of that name
    assert "\x1b" not in done.stderr
    assert "\\x1b[31m" in done.stderr


def test_a_message_that_would_fill_the_screen_is_cut(capsys):
    assert exit_code_of(MediaError("begin" + "x" * 10**6 + "end")) == 5
    reported = capsys.readouterr().err
    assert len(reported) < 2100
    assert reported.startswith("error: beginxxx")
    assert "xxxend (1,000,008 characters, cut)" in reported


def test_an_interrupt_while_the_command_is_being_imported_shows_no_traceback():
    code = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'typer':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.argv = ['fgbench', 'doctor']\n"
        "import runpy\n"
        "runpy.run_module('fgbench', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "\ninterrupted; nothing was done yet\n")


def test_the_console_script_is_the_one_that_can_be_interrupted():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"fgbench": "fgbench.cli.entry:main"}
