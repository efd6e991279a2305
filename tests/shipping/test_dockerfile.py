"""The Dockerfile, without Docker: what it copies is there, and its steps install fgbench."""

import fnmatch
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def steps():
    """Instructions of the Dockerfile as pairs of name and text, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def copied():
    """Sources of COPY, as paths in the tree."""
    return [word for name, text in steps() if name == "COPY" for word in shlex.split(text)[:-1]]


def is_sent(name):
    """Whether .dockerignore lets a file of the tree into the build."""
    is_left_out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.removeprefix("!").removeprefix("**/")
        paths = [name, *(str(parent) for parent in Path(name).parents if str(parent) != ".")]
        parts = Path(name).parts if pattern.startswith("**/") else ()
        if any(
            fnmatch.fnmatch(path, wanted) and (wanted != "*" or "/" not in path) for path in (*paths, *parts)
        ):
            is_left_out = not pattern.startswith("!")
    return not is_left_out


def test_it_knows_the_instructions_it_uses():
    names = [name for name, _ in steps()]
    assert names[0] == "FROM"
    assert set(names) <= {
        "FROM",
        "ARG",
        "ENV",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "ENTRYPOINT",
        "CMD",
    }


def test_what_it_copies_is_in_the_tree_and_sent_to_the_build():
    assert copied()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert is_sent(name), name


def test_data_of_ones_own_are_not_sent():
    for name in (
        "fgbench-data/demo/work/runs/a.json",
        ".git/config",
        ".venv/bin/python",
        "my-clips/a.mp4",
        "tests/x.py",
    ):
        assert not is_sent(name), name
    assert is_sent("fgbench/cli/app.py")
    assert is_sent("pipelines/train/msau.yaml")
    assert not is_sent("fgbench/cli/__pycache__/app.cpython-312.pyc")


def test_what_the_build_asks_for_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed |= {*wheel["packages"], *wheel["force-include"]}
    assert needed <= set(copied())


def test_it_ends_as_a_user_without_rights_in_the_data():
    told = dict(steps())
    assert told["USER"] not in ("root", "0")
    made = re.search(r"useradd .*?(\w+) &&", " ".join(text for name, text in steps() if name == "RUN"))
    assert made is not None
    assert made[1] == told["USER"]
    assert told["VOLUME"] == "/data"
    assert told["WORKDIR"] == "/data"
    assert told["ENTRYPOINT"] == '["fgbench"]'
    names = [name for name, _ in steps()]
    assert names.index("USER") > max(number for number, name in enumerate(names) if name == "RUN")


def test_its_extras_exist_and_its_python_is_new_enough():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    arguments = dict(text.split("=", 1) for name, text in steps() if name == "ARG")
    assert arguments["EXTRAS"] in project["optional-dependencies"]
    (version,) = re.findall(r"python:3\.(\d+)-slim", dict(steps())["FROM"])
    assert int(version) >= 11
    assert f"Programming Language :: Python :: 3.{version}" in project["classifiers"]


@pytest.mark.parametrize(
    ("index", "options"), [("https://example.org/cpu", ["--index-url", "https://example.org/cpu"]), ("", [])]
)
def test_its_steps_are_what_a_shell_runs(tmp_path, index, options):
    """With a python that tells its words: an empty index leaves pip's own; versions are the tested ones."""
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    told = []
    for name, text in steps():
        if name == "RUN" and "pip install" in text:
            done = subprocess.run(
                ["sh", "-eu", "-c", text],
                cwd=ROOT,
                env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TORCH_INDEX": index, "EXTRAS": "export"},
                capture_output=True,
                text=True,
                check=True,
            )
            told.append(done.stdout.splitlines())
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    (torch,) = (line for line in constraints if line.startswith("torch=="))
    assert told == [
        ["-m", "pip", "install", *options, torch],
        ["-m", "pip", "install", "--constraint", "constraints.txt", ".[export]"],
    ]
