"""fgbench on a system that has only what Windows and macOS have, too."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import fgbench
from fgbench.errors import ConfigError
from fgbench.naming import is_reserved
from fgbench.preparation.engines import local
from fgbench.runs.results import run_folder
from tests.support.clip_folders import LABELS, write_plain_clip
from tests.support.elsewhere import MODULES, NAMES, run_elsewhere

PACKAGE = Path(fgbench.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

IMPORT_ALL = """
import importlib, json, pkgutil, fgbench

failed, number = {}, 0
for module in pkgutil.walk_packages(fgbench.__path__, "fgbench."):
    number += 1
    try:
        importlib.import_module(module.name)
    except Exception as error:
        failed[module.name] = f"{type(error).__name__}: {error}"
print(json.dumps([number, failed]))
"""


@pytest.mark.slow
def test_every_module_is_imported_without_what_posix_alone_has(tmp_path):
    done = run_elsewhere(tmp_path / "start", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    number, failed = json.loads(done.stdout.splitlines()[-1])
    assert failed == {}
    assert number > len(SOURCES) * 0.9


def test_the_system_is_another_one(tmp_path):
    """Else the tests beside it would show nothing."""
    asked = "import os, signal; print(hasattr(os, 'fork'), hasattr(signal, 'SIGKILL')); import fcntl"
    done = run_elsewhere(tmp_path / "start", "-c", f"__name__ = 'fgbench.asked'; {asked}")
    assert done.stdout.split() == ["False", "False"]
    assert "ModuleNotFoundError: No module named 'fcntl'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [["-h"], ["--version"], ["doctor"], ["recipes", "default"]])
def test_light_commands_work_there(tmp_path, words):
    done = run_elsewhere(tmp_path / "start", "-m", "fgbench", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_workers_that_start_anew_prepare_the_same(tmp_path):
    for number, part in enumerate(("train", "val", "test")):
        for label in LABELS[:4]:
            write_plain_clip(tmp_path / "data" / label / f"{part}-p{number}-{label}.mp4", 3, seed=number)
    short = ("--set", "faces.align=never", "--set", "lbp.enabled=false", "--set", "buckets=2")
    words = ("prepare", "folder", "--data-root", "data", "--jobs", "2", *short)
    here = subprocess.run(
        [sys.executable, "-m", "fgbench", *words, "--workdir", "here"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    there = run_elsewhere(tmp_path / "start", "-m", "fgbench", *words, "--workdir", "there", cwd=tmp_path)
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    tables = [
        pq.read_table(tmp_path / name / "manifests" / "images").to_pylist() for name in ("here", "there")
    ]
    assert tables[0] == tables[1] != []


def _unguarded(tree):
    """Names of POSIX that a module uses without asking whether they are there."""
    asked = {
        node.args[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("hasattr", "getattr")
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in NAMES.get(node.value.id, ())
        and node.attr not in asked
    }


@pytest.mark.slow
def test_what_posix_alone_has_is_asked_for_before_it_is_used():
    found = {
        (str(path.relative_to(PACKAGE)), name)
        for path in SOURCES
        for name in _unguarded(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == {
        ("workers.py", "signal.SIG_BLOCK"),  # both come with pthread_sigmask, which is asked for
        ("workers.py", "signal.SIG_SETMASK"),
    }


@pytest.mark.slow
def test_modules_of_posix_are_imported_within_functions_alone():
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not set(names) & set(MODULES), path


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "lpt9.txt", "aux.tar.gz", "run.", "run "])
def test_names_that_windows_keeps_to_itself(name):
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["console", "com", "com10", "null", "a.con", "msau-small", ".con"])
def test_names_that_windows_leaves_to_files(name):
    assert not is_reserved(name)


@pytest.mark.parametrize("name", ["con", "nul.v2", "msau.", "a:b", "a\\b", "a*"])
def test_a_run_has_a_name_that_any_system_can_keep(tmp_path, name):
    with pytest.raises(ConfigError, match="of an experiment or fold"):
        run_folder(tmp_path, experiment=name, fold="0", seed=0)


def test_a_limit_that_does_not_hold_is_told(monkeypatch):
    monkeypatch.setattr(local.sys, "platform", "win32")
    assert local.limit_notes(None) == []
    assert local.limit_notes(4.0) == [
        "--worker-memory 4 has no effect: this system limits the memory of no process"
    ]
    local.limit_memory(0.001)  # else the next request of this process would fail
    assert len(bytes(1 << 24)) == 1 << 24
