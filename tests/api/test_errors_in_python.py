"""Errors as Python shows them: each option that they name comes with its call or argument of Python."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import fgbench
from fgbench.errors import ArgumentError, ConfigError, FgbenchError
from fgbench.python_calls import ARGUMENTS, FUNCTIONS, OF_THE_SCREEN, SWITCHES, WHOLE_CALLS, python_calls

ROOT = Path(__file__).parents[2]

_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")
_OF_OTHER_PROGRAMS = {
    "always",
    "abbrev",
    "exclude",
    "dirty",
    "force-reinstall",
    "nproc-per-node",
    "head",
    "local-dir",
}
"""Options of git, pip, torchrun, Ray and hf that fgbench starts or advises."""

_OPTIONS_OF_METHODS = {
    "arch",
    "au_weights",
    "classes",
    "download",
    "finetune",
    "folds",
    "from_scratch",
    "hf",
    "image_run",
    "init",
    "onnx",
    "prompts",
    "temporal",
    "torch",
    "trunk",
    "variant",
    "zero_shot",
}


def _texts():
    """Every text of the library, but docstrings, with NAME for what is put in, and its module."""
    for path in sorted((ROOT / "fgbench").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "cli" in path.parts or path.name == "python_calls.py" or "--" not in source:
            continue
        tree = ast.parse(source)
        inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                inner |= {id(part) for part in node.values}
                parts = [part.value if isinstance(part, ast.Constant) else "NAME" for part in node.values]
                yield path, "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                yield path, node.value


def test_every_option_that_a_message_names_has_its_python_way():
    known = {*SWITCHES, *ARGUMENTS, *OF_THE_SCREEN, "workdir", "root", *(name for _, name in WHOLE_CALLS)}
    n_named = 0
    for path, text in _texts():
        named = set(_OPTION.findall(text)) - _OF_OTHER_PROGRAMS
        assert named <= known, f"{path}: {text}"
        if named - OF_THE_SCREEN and "NAME --" not in text and not re.search("--(html|votes)NAME", text):
            n_named += 1
            shown = str(FgbenchError("message", text))
            assert "in python" in shown.lower(), f"{path}: {text}"
            for name in named & (SWITCHES.keys() | ARGUMENTS.keys()):
                assert SWITCHES.get(name, f"{ARGUMENTS.get(name)}=") in shown, f"{path}: {text}"
    assert n_named > 60


def test_functions_and_arguments_are_those_of_the_interface():
    takes = set(_OPTIONS_OF_METHODS)
    for name in {*FUNCTIONS.values(), *(call.partition("(")[0] for call in WHOLE_CALLS.values())}:
        owner, _, member = name.partition(".")
        function = getattr(fgbench.Work if owner == "work" else fgbench, member)
        if inspect.isfunction(function):
            takes |= set(inspect.signature(function).parameters)
    annotation = (fgbench.export_tasks, fgbench.import_votes, fgbench.push_tasks, fgbench.import_selection)
    for function in (fgbench.Network.predict_files, fgbench.export_frame_tasks, *annotation):
        takes |= set(inspect.signature(function).parameters)
    assert {argument.partition("=")[0] for argument in SWITCHES.values()} <= takes
    assert set(ARGUMENTS.values()) <= takes


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("train again with --force; if it stays so, lower the rate", ["force=True"]),
        ("leave out --au-weights and --init, or --trunk", ["au_weights=...", "init=...", "trunk=..."]),
        ("cross-validate over the subjects of all: --folds 3", ["folds=3"]),
        ("fgbench check --repair, on the work folder, makes it anew", ["work.check(repair=True)"]),
        ("fgbench check --repair /data/w makes it anew", ["fgbench.open('/data/w').check(repair=True)"]),
        ("fgbench check default --root '/my data'", ["fgbench.survey('default', root='/my data')"]),
        ("fgbench rebuild THIS --data-root CLIPS", ["fgbench.rebuild(THIS, data=CLIPS)"]),
        ("fgbench train msau --init RUN --workdir w", ["fgbench.open('w').train('msau', init=RUN)"]),
        ("fgbench baseline insightface --weights b.pth", ["work.train('insightface', weights='b.pth')"]),
        ("fgbench report --table III", ["work.table('III')"]),
        ("choose another --workdir", ["workdir=...", "fgbench.open(...)"]),
        ("printed with --full", []),
        ("pip install --force-reinstall fgbench", []),
        ("free some space", []),
    ],
)
def test_calls_that_options_stand_for(text, calls):
    assert python_calls(text) == calls


def test_an_error_as_text_ends_with_the_calls_and_keeps_its_parts():
    error = ConfigError("no weights", "give them with --au-weights")
    assert str(error) == "no weights\ngive them with --au-weights (in Python: au_weights=...)"
    assert (error.message, error.hint) == ("no weights", "give them with --au-weights")
    assert error._render_traceback_()[-1] == "  give them with --au-weights (in Python: au_weights=...)"
    assert str(ArgumentError("2 times", argument="fold")) == "fold: 2 times"
    told = "--weights FILE. In Python: weights=..."
    assert str(ConfigError("none", told)) == f"none\n{told}"


def test_the_command_line_prints_no_python(tmp_path, capsys):
    from fgbench.cli.console import errors_explained

    with pytest.raises(SystemExit), errors_explained():
        raise ConfigError("a finished run", "replace it with --force")
    shown = capsys.readouterr().err
    assert "--force" in shown
    assert "Python" not in shown
