"""Unfinished files: whose they are, and which of them are deleted."""

import os
import subprocess
import sys
import time

import pytest

from fgbench.files import temporaries
from fgbench.files.temporaries import is_temporary, remove_temporaries, temporary_name
from fgbench.storage import write_text

GONE = 9_999_999
"""Above the largest number of a process."""


def left_behind(path):
    """A temporary of ``path`` by a process that has ended."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom fgbench.files.temporaries import temporary_name\n"
        "name = temporary_name(Path(sys.argv[1]))\nname.write_text('half')\nprint(name)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if not path.is_dir())


def test_what_ended_processes_left_is_removed(tmp_path):
    left_behind(tmp_path / "deep" / "t.parquet")
    (tmp_path / "deep" / f"u.parquet.tmp-{GONE}").write_text("as earlier versions named it")
    (tmp_path / "deep" / "t.parquet").write_text("")
    assert remove_temporaries(tmp_path) == 2
    assert names(tmp_path) == ["t.parquet"]


def test_what_a_living_process_writes_is_left(tmp_path):
    temporary_name(tmp_path / "checkpoint.pt").write_text("half")
    (tmp_path / f"checkpoint.pt.tmp-{os.getpid()}").write_text("half")
    before = names(tmp_path)
    assert remove_temporaries(tmp_path) == 0
    assert names(tmp_path) == before


def test_a_process_of_the_same_number_is_told_apart_by_its_start(tmp_path):
    name = temporary_name(tmp_path / "t.parquet").name
    machine, pid, start = name.rpartition(".fgbench-")[2].split("-")
    (tmp_path / f".t.parquet.fgbench-{machine}-{pid}-{int(start) + 1}").write_text("half")
    assert remove_temporaries(tmp_path) == 1


def test_another_machines_are_left_for_a_day(tmp_path):
    path = tmp_path / f".t.parquet.fgbench-00000000-{GONE}-5"
    path.write_text("half")
    assert remove_temporaries(tmp_path) == 0
    old_s = time.time() - 25 * 60 * 60
    os.utime(path, (old_s, old_s))
    assert remove_temporaries(tmp_path) == 1


@pytest.mark.parametrize(
    "name",
    [
        "notes.tmp-2024.docx",
        "backup.tmp-final.zip",
        "take.tmp-2.mp4",
        f"notes.tmp-{GONE}",
        f"thesis.docx.tmp-{GONE}",
        ".t.parquet.fgbench-mine",
        f"t.parquet.fgbench-0123abcd-{GONE}-5",
    ],
)
def test_files_of_the_users_are_left(tmp_path, name):
    (tmp_path / name).write_text("mine")
    assert remove_temporaries(tmp_path) == 0
    assert (tmp_path / name).read_text() == "mine"


def test_links_are_neither_followed_nor_deleted(tmp_path):
    mine = tmp_path / "mine"
    left_behind(mine / "t.parquet")
    work = tmp_path / "work"
    work.mkdir()
    (work / "stages").symlink_to(mine)
    (work / f"u.parquet.tmp-{GONE}").symlink_to(mine / "u")
    assert remove_temporaries(work) == 0
    assert remove_temporaries(work / "stages") == 0
    assert len(names(mine)) == 1


def test_those_of_named_files_alone(tmp_path):
    for path in ("prepare.json", "other.json", "deep/prepare.json"):
        left_behind(tmp_path / path)
    assert remove_temporaries(tmp_path, of={"prepare.json"}) == 1
    assert len(names(tmp_path)) == 2


@pytest.mark.parametrize("name", ["x" * 251 + ".csv", "ü" * 120 + ".csv", "笑" * 80 + ".parquet"])
def test_names_as_long_as_file_systems_take_are_written(tmp_path, name):
    path = tmp_path / name
    write_text(path, "whole")
    assert names(tmp_path) == [name]
    assert temporary_name(path) != temporary_name(path.with_name(f"{name[:-5]}_.csv"))
    left_behind(path)
    assert len(names(tmp_path)) == 2
    assert remove_temporaries(tmp_path) == 1
    assert path.read_text() == "whole"


def test_the_start_of_the_writer_is_asked_for_once_not_for_every_file(tmp_path, monkeypatch):
    first = temporary_name(tmp_path / "a.json")
    monkeypatch.setattr(temporaries, "start_of", lambda pid: pytest.fail("asked again"))
    assert temporary_name(tmp_path / "a.json") == first
    assert is_temporary(temporary_name(tmp_path / "b.json").name, of=["b.json"])


def test_another_process_has_another_start(tmp_path, monkeypatch):
    """As after a fork, when what was asked for before is inherited."""
    first = temporary_name(tmp_path / "a.json").name
    monkeypatch.setattr(temporaries.os, "getpid", lambda: 4321)
    monkeypatch.setattr(temporaries, "start_of", lambda pid: pid + 1)
    other = temporary_name(tmp_path / "a.json").name
    assert other.endswith("-4321-4322")
    assert other != first
    temporaries._own_start.cache_clear()
