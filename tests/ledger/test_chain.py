"""The chain of a ledger: appended whole, and every change of it found."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError
from fgbench.runs.ledger import chain
from fgbench.runs.ledger.chain import append, read_ledger
from tests.support.plain_ledger import entry, hash_of, is_chain, rows


def five(work):
    for number in range(5):
        append(work, entry(f"lbp-svm/0/{number}"))
    return work / "ledger.jsonl"


def faults(work):
    return list(read_ledger(work).faults)


def changed(path, change):
    """Change the list of lines of a ledger."""
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line}\n" for line in change(lines)))


def edited(line, **values):
    return json.dumps(json.loads(line) | values, sort_keys=True)


def test_lines_are_a_chain_by_an_independent_computation(tmp_path):
    path = five(tmp_path)
    lines = rows(tmp_path)
    assert len(lines) == 5
    assert is_chain(lines)
    ledger = read_ledger(tmp_path)
    assert ledger.faults == ()
    assert [reading.hash for reading in ledger.readings] == [hash_of(row) for row in lines]
    assert [reading.run for reading in ledger.readings] == [f"lbp-svm/0/{number}" for number in range(5)]
    assert path.read_text().endswith("\n")
    assert json.loads((tmp_path / ".ledger.json").read_text())["hash"] == lines[-1]["hash"]


def test_without_a_ledger_there_is_nothing_and_no_fault(tmp_path):
    assert read_ledger(tmp_path) == chain.Ledger()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda lines: [lines[0], edited(lines[1], command="fgbench prepare"), *lines[2:]],
            ["line 2 was edited: its hash is not that of its content"],
        ),
        (
            lambda lines: [*lines[:4], edited(lines[4], n=4)],
            ["line 5 was edited: its hash is not that of its content"],
        ),
        (lambda lines: lines[1:], ["reading 1 is missing before line 1"]),
        (lambda lines: [lines[0], *lines[3:]], ["readings 2 to 3 are missing before line 2"]),
        (lambda lines: lines[:4], ["reading 5 is missing at its end"]),
        (lambda lines: lines[:2], ["readings 3 to 5 are missing at its end"]),
        (lambda lines: [], ["readings 1 to 5 are missing at its end"]),
        (
            lambda lines: [*lines[:2], lines[1], *lines[2:]],
            ["line 3 does not follow the one before: lines were edited, moved or removed"],
        ),
        (
            lambda lines: [*lines[:3], "{}", *lines[3:]],
            ["line 4 is no reading: "],
        ),
        (lambda lines: [*lines, ""], ["line 6 is no reading: it is empty"]),
        (lambda lines: [*lines, "[" * 20000], ["line 6 is no reading: "]),
        (lambda lines: [*lines, '{"n":' + "9" * 6000 + "}"], ["line 6 is no reading: "]),
        (lambda lines: [*lines, " " * 70000], ["line 6 is no reading: it has 70,000 bytes, expected"]),
    ],
)
def test_every_change_has_one_clear_message(tmp_path, change, expected):
    changed(five(tmp_path), change)
    found = faults(tmp_path)
    assert len(found) == len(expected)
    assert all(one.startswith(begin) for one, begin in zip(found, expected, strict=True)), found


def test_an_edit_with_a_hash_of_its_own_breaks_the_next_link(tmp_path):
    path = five(tmp_path)

    def forge(lines):
        row = json.loads(lines[2]) | {"configuration": "d" * 64}
        return [*lines[:2], json.dumps(row | {"hash": hash_of(row)}), *lines[3:]]

    changed(path, forge)
    assert faults(tmp_path) == ["line 4 does not follow the one before: lines were edited, moved or removed"]


def test_the_last_line_written_anew_is_another_one(tmp_path):
    path = five(tmp_path)

    def forge(lines):
        row = json.loads(lines[4]) | {"configuration": "d" * 64}
        return [*lines[:4], json.dumps(row | {"hash": hash_of(row)})]

    changed(path, forge)
    assert faults(tmp_path) == ["reading 5 is another one than was written"]


def test_a_lost_head_is_told_and_written_with_the_next_reading(tmp_path):
    five(tmp_path)
    (tmp_path / ".ledger.json").write_text("no json")
    assert [one.split(":")[0] for one in faults(tmp_path)] == [".ledger.json is missing or damaged"]
    append(tmp_path, entry())
    assert faults(tmp_path) == []


def test_removed_lines_stay_known_after_the_next_reading(tmp_path):
    changed(five(tmp_path), lambda lines: lines[:3])
    added = append(tmp_path, entry())
    assert added.number == 6
    assert faults(tmp_path) == ["readings 4 to 5 are missing before line 4"]
    (tmp_path / "ledger.jsonl").unlink()
    append(tmp_path, entry())
    assert faults(tmp_path) == ["readings 1 to 6 are missing before line 1"]


@pytest.mark.parametrize("keep", [1, 40, 200])
def test_a_line_that_was_cut_off_is_set_apart_by_the_next(tmp_path, keep):
    path = five(tmp_path)
    whole = path.read_bytes()
    torn = whole.splitlines()[4][:keep]
    path.write_bytes(whole + torn)
    assert faults(tmp_path) == ["line 6 is cut off (a crash, or a full disk); the next reading sets it apart"]
    assert not read_ledger(tmp_path).is_broken
    added = append(tmp_path, entry("msau/0/0"))
    assert added.cut_off == hashlib.sha256(torn).hexdigest()
    assert added.number == 6
    assert path.read_bytes().startswith(whole + torn + b"\n"), "no byte is lost"
    assert faults(tmp_path) == []
    assert len(read_ledger(tmp_path).readings) == 6
    path.write_bytes(path.read_bytes().replace(torn + b"\n", torn[:-1] + b"~\n"))
    assert len(faults(tmp_path)) == 1, "what was set apart is known by its digest"


def test_only_the_end_of_the_last_line_is_missing(tmp_path):
    path = five(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    assert faults(tmp_path) == []
    append(tmp_path, entry())
    assert is_chain(rows(tmp_path))
    assert len(rows(tmp_path)) == 6


def test_a_full_disk_leaves_the_lines_that_were_there(tmp_path, monkeypatch):
    path = five(tmp_path)
    before, really = path.read_bytes(), os.write
    calls = []

    def short(number, data):
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return really(number, bytes(data)[:100])

    monkeypatch.setattr("fgbench.runs.ledger.chain.os.write", short)
    with pytest.raises(ResourceError, match="No space left"):
        append(tmp_path, entry())
    assert len(calls) == 2
    assert path.read_bytes() == before
    monkeypatch.undo()
    append(tmp_path, entry())
    assert is_chain(rows(tmp_path))


@pytest.mark.slow
def test_a_limit_of_the_file_size_leaves_the_lines_that_were_there(tmp_path):
    path = five(tmp_path)
    before = path.read_bytes()
    command = [sys.executable, "-m", "tests.support.plain_ledger", tmp_path, "late", "1"]

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, len(before) + 50))

    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited, timeout=60)
    assert "File too large" in ended.stderr
    assert path.read_bytes() == before
    assert faults(tmp_path) == []


@pytest.mark.slow
def test_processes_that_append_at_once_lose_no_line(tmp_path):
    command = [sys.executable, "-m", "tests.support.plain_ledger", tmp_path]
    started = [subprocess.Popen([*command, name, "25"]) for name in ("one", "two")]
    assert [one.wait(timeout=120) for one in started] == [0, 0]
    lines = rows(tmp_path)
    assert len(lines) == 50
    assert is_chain(lines)
    assert {row["run"] for row in lines} == {f"{n}/0/{k}" for n in ("one", "two") for k in range(25)}
    assert faults(tmp_path) == []


@pytest.mark.slow
def test_a_process_killed_while_it_appends_leaves_whole_lines(tmp_path):
    append(tmp_path, entry())
    command = [sys.executable, "-m", "tests.support.plain_ledger", tmp_path, "killed", "100000"]
    for _ in range(3):
        begun = len(rows(tmp_path))
        started = subprocess.Popen(command)
        end = time.monotonic() + 60
        while len(rows(tmp_path)) < begun + 5 and time.monotonic() < end:
            time.sleep(0.01)
        started.kill()
        started.wait(timeout=60)
        assert faults(tmp_path) == []
        append(tmp_path, entry("after/0/0"))
    assert is_chain(rows(tmp_path))
    assert [row["run"] for row in rows(tmp_path)].count("after/0/0") == 3


def test_a_ledger_that_others_hold_for_long_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(chain, "WAIT_S", 0.1)
    with (
        storage.held(tmp_path / ".ledger.lock", "", hint=""),
        pytest.raises(ResourceError, match="other fgbench processes hold"),
    ):
        append(tmp_path, entry())
    assert not (tmp_path / "ledger.jsonl").exists()


def link(path):
    target = path.with_name("elsewhere.jsonl")
    target.write_text("mine\n")
    path.symlink_to(target)


def folder(path):
    path.mkdir()
    (path / "mine").touch()


def huge(path):
    with path.open("wb") as file:
        file.truncate(chain.MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (link, "is a link, expected a file"),
        (folder, "is a folder, expected a file"),
        (os.mkfifo, "is no regular file, expected a file"),
        (huge, "has 268 MB, expected at most 268 MB"),
    ],
)
def test_what_is_no_ledger_is_refused_and_left_alone(tmp_path, put, message):
    path = tmp_path / "ledger.jsonl"
    put(path)
    state = path.lstat()
    assert faults(tmp_path) == [message]
    with pytest.raises(ManifestError, match=message):
        append(tmp_path, entry())
    assert (path.lstat().st_ino, path.lstat().st_size) == (state.st_ino, state.st_size)
    if put is link:
        assert path.read_text() == "mine\n"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00\x01", b"\0" * 100, b"[1, 2]\n", b"null\n", b'{"number": NaN}\n', b"\n\n"]
)
def test_other_content_is_a_fault_and_is_kept(tmp_path, content):
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(content)
    assert len(faults(tmp_path)) == 1
    append(tmp_path, entry())
    assert path.read_bytes().startswith(content)
    assert len(read_ledger(tmp_path).readings) == 1


def test_values_of_a_newer_version_are_in_the_hash(tmp_path):
    append(tmp_path, entry())
    row = rows(tmp_path)[0] | {"weather": "fair"}
    row["hash"] = hash_of(row)
    (tmp_path / "ledger.jsonl").write_text(json.dumps(row) + "\n")
    assert faults(tmp_path) == ["reading 1 is another one than was written"]
    (tmp_path / "ledger.jsonl").write_text(json.dumps(row | {"weather": "foul"}) + "\n")
    assert "line 1 was edited: its hash is not that of its content" in faults(tmp_path)


def test_values_that_no_ledger_has_are_an_error_of_the_program(tmp_path):
    with pytest.raises(ValueError, match="kind"):
        append(tmp_path, entry(kind="weather"))
    assert not (tmp_path / "ledger.jsonl").exists()
