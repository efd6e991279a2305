"""Every public function with arguments that cannot be meant: one clear error each, nothing written."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import fgbench
from tests.support.page_folders import write_data
from tests.support.report_folders import write_fake_run


class Odd:
    """Something that is nothing."""


HOSTILE = {
    "None": None,
    "number": 7,
    "negative": -3,
    "fraction": 2.5,
    "NaN": float("nan"),
    "truth": True,
    "bytes": b"my-clips",
    "empty": "",
    "blank": "  ",
    "NUL": "a\0b",
    "list": ["a", 1, None],
    "nested": [[["a"]]],
    "tuple": (1, 2),
    "dict": {"a": 1},
    "odd keys": {1: 2},
    "set": {"a"},
    "object": Odd(),
    "class": Odd,
    "array": np.zeros((2, 3, 4)),
    "0-d": np.array(5),
    "texts": np.array(["a", "b"]),
    "objects": np.array([None, Odd()], dtype=object),
    "table": pd.DataFrame({"a": [1.0, 2.0]}),
    "column": pd.Series([1, None]),
    "path": Path("not/there"),
    "generator": (number for number in ()),
    "function": len,
}

SOUND = {
    "add_network": {"name": "nothing-added", "build": lambda settings, n: None},
    "align": {"picture": np.zeros((64, 64), np.uint8)},
    "align_all": {"picture": np.zeros((64, 64), np.uint8)},
    "check_plugin": {"name": "nothing/like-it"},
    "compare": {"first": None, "second": None},
    "data_sets": {"root": "missing"},
    "dense_trajectories": {"video": "missing.mp4"},
    "diff": {"first": "missing", "second": "missing"},
    "doctor": {},
    "export_frame_tasks": {"workdir": "missing", "expert": "ada"},
    "export_frames": {"workdir": "missing"},
    "export_tasks": {"data": "missing"},
    "import_selection": {"tables": "missing.csv", "workdir": "missing"},
    "import_votes": {"files": "missing.json", "data": "missing"},
    "label_set": {"name": "no-such-labels"},
    "label_sets": {},
    "lbp": {"faces": np.zeros((224, 224), np.uint8)},
    "load": {"run": "missing"},
    "open": {"workdir": "missing"},
    "prepare": {"data": "missing", "recipe": "default"},
    "publish": {"workdir": "missing", "out": "published", "without_pixels": True},
    "pull": {"repo": "no owner"},
    "pull_selection": {"data": "missing", "url": "http://127.0.0.1:9", "project": "missing"},
    "pull_votes": {"data": "missing", "url": "http://127.0.0.1:9"},
    "push": {"path": "missing", "repo": "no owner"},
    "push_tasks": {"data": "missing", "url": "http://127.0.0.1:9"},
    "rebuild": {"published": "missing", "data": "missing"},
    "recipe": {"name": "no-such-recipe"},
    "recipes": {},
    "score": {"predictions": ["a", "b"], "labels": ["a", "b"]},
    "survey": {"recipe": "fer2013", "root": "missing"},
    "synth": {"out": "missing", "width": 1},  # draws nothing
}
"""Arguments to which one hostile at a time is added; those of what is long fail in any case."""

METHODS = {
    "agreement": {},
    "audit": {"against": "missing"},
    "check": {},
    "clips_in": {},
    "evaluate": {"run": "good"},  # without weights
    "export_faces": {"layout": "no-such-layout"},
    "faces": {},
    "figure": {"name": "6"},
    "images": {},
    "page": {},
    "report": {"formats": ["no-such-format"], "for_paper": "no"},
    "run": {"name": "good"},
    "score": {"file": "missing.csv"},
    "status": {},
    "table": {"name": "II"},
    "train": {"method": "no-such-method"},
}


MEANT = {"against=None", "against=path", "out=None", "out=path"}
"""Arguments of ``audit`` and ``page`` that are good: the folder is read, or written to."""


class Unreached:
    """A network that refuses whatever is asked of it: calls have to check their arguments before."""

    def __getattr__(self, name):
        raise fgbench.FgbenchError(f"{name} was asked for")


NETWORK = {
    "export_onnx": {"path": "network.onnx"},
    "export_weights": {"path": "network.safetensors"},
    "predict": {"picture": "missing.jpg"},
    "predict_all": {"picture": "missing.jpg"},
    "predict_files": {"paths": ["missing.jpg"], "out": "out"},
    "probabilities": {"faces": None},
}


def refuse_call(*_):
    raise fgbench.FgbenchError("the network was called")


def parameters(function):
    return [name for name, one in inspect.signature(function).parameters.items() if name != "self"]


def refused(function, arguments):
    """The error of a call; ``None`` if the arguments are good after all. Any other exception is a failure."""
    try:
        function(**arguments)
    except fgbench.FgbenchError as error:
        return error
    return None


def check(error):
    """A message that tells people something."""
    assert error.message
    assert "object at 0x" not in error.message
    assert len(error.message) < 600


def each(function, sound):
    """All calls with one hostile argument, by what they are."""
    for parameter in parameters(function):
        for kind, value in HOSTILE.items():
            yield f"{parameter}={kind}", {**sound, parameter: value}


@pytest.fixture(scope="module")
def hostile_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "work"
    write_data(folder, clips={"train": 2, "test": 2}, images_per_clip=1, copies={}, n_faces=2)
    write_fake_run(folder, "good", method=None)
    return fgbench.open(folder)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """The current directory, in which nothing may appear."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def test_every_public_callable_is_among_those_tried():
    functions = {name for name in fgbench.__all__ if inspect.isfunction(getattr(fgbench, name))}
    assert functions == set(SOUND)
    own = {name for name, _ in inspect.getmembers(fgbench.Work, inspect.isfunction) if name[0] != "_"}
    assert own == set(METHODS)
    own = {name for name, _ in inspect.getmembers(fgbench.Network, inspect.isfunction) if name[0] != "_"}
    assert own == set(NETWORK)


@pytest.mark.slow
@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("name", sorted(SOUND))
def test_a_function_refuses_what_cannot_be_meant(name):
    function, n_refused = getattr(fgbench, name), 0
    for what, arguments in each(function, SOUND[name]):
        try:
            found = refused(function, arguments)
        except Exception as error:
            raise AssertionError(f"{name}({what}): {type(error).__name__}: {error}") from error
        if found is not None:
            check(found)
            n_refused += 1
    assert n_refused >= len(parameters(function)) * len(HOSTILE) // 2


@pytest.mark.slow
@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_of_a_work_folder_refuses_what_cannot_be_meant(hostile_work, name):
    function, n_refused = getattr(hostile_work, name), 0
    before = sorted(hostile_work.path.rglob("*"))
    for what, arguments in each(function, METHODS[name]):
        if name in ("audit", "page") and what in MEANT:
            continue
        try:
            found = refused(function, arguments)
        except Exception as error:
            raise AssertionError(f"{name}({what}): {type(error).__name__}: {error}") from error
        if found is not None:
            check(found)
            n_refused += 1
    assert n_refused >= len(parameters(function)) * len(HOSTILE) // 2
    assert sorted(hostile_work.path.rglob("*")) == before


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("name", sorted(NETWORK))
def test_a_method_of_a_network_refuses_what_cannot_be_meant(name):
    own = SimpleNamespace(network=Unreached(), settings=Unreached())
    own.predict = own.predict_everyone = own.predict_frame = own.predict_everyone_in = refuse_call
    function = getattr(fgbench.Network(own), name)
    for what, arguments in each(function, NETWORK[name]):
        try:
            error = refused(function, arguments)
        except Exception as fault:
            raise AssertionError(f"{name}({what}): {type(fault).__name__}: {fault}") from fault
        assert error is not None, what
        check(error)


@pytest.mark.usefixtures("empty")
def test_values_refuse_what_cannot_be_meant(hostile_work):
    images, run = hostile_work.images(), hostile_work.run("good")
    scored = fgbench.score(["a", "b"], ["a", "b"])
    table = hostile_work.leaderboard[0]
    calls = {
        "images[]": lambda value: images[value],
        "Images": fgbench.Images,
        "Work": fgbench.Work,
        "Run": fgbench.Run,
        "Run.of": fgbench.Run.of,
        "UnitRun": fgbench.UnitRun,
        "Network": fgbench.Network,
        "compared_with": run.compared_with,
        "run.figure": run.figure,
        "run.network": lambda value: run.network(device=value) if value is not None else None,
        "scored.figure": scored.figure,
        "table.text": table.text,
        "table.save": table.save,
    }
    for name, call in calls.items():
        for kind, value in HOSTILE.items():
            try:
                found = refused(lambda call=call, value=value: call(value), {})
            except Exception as error:
                is_beyond = name == "images[]" and isinstance(error, IndexError)
                if not is_beyond:
                    raise AssertionError(f"{name}({kind}): {type(error).__name__}: {error}") from error
                found = None
            if found is not None:
                check(found)


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("au-small", "'au-small' is a recipe of the method 'au'", "train('au', 'au-small')"),
        ("msau_small", "is a recipe of the method 'msau'", "train('msau', 'msau-small')"),
        ("nan-original", "is a recipe of the method 'nan'", "train('nan', 'nan-original')"),
        ("insightface-small-from-scratch", "of the method 'insightface'", "train('insightface', 'insight"),
        ("lbp-svm-paper", "is a recipe of the method 'lbp-svm'", "train('lbp-svm', 'lbp-svm-paper')"),
        (
            "ck-plus",
            "'ck-plus' is a recipe that data sets are prepared with",
            "fgbench.prepare(recipe='ck-plus')",
        ),
        ("mine.yaml", "is the file of a recipe, expected a method", "train('msau', 'mine.yaml')"),
        ("LBP-SMV", "no method 'LBP-SMV', did you mean 'lbp-svm'", "one of au, "),
    ],
)
def test_what_is_no_method_is_told_with_the_line_to_type(hostile_work, name, message, hint):
    with pytest.raises(fgbench.FgbenchError) as caught:
        hostile_work.train(name)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_settings_that_are_none(hostile_work):
    for settings, message in (
        ({"optimiser.epochs": {1, 2}}, "setting optimiser.epochs is set of 2"),
        (["a"], "settings list of 1, expected a dict"),
        ({1: 2}, "settings dict of 1, expected a dict with names"),
    ):
        with pytest.raises(fgbench.FgbenchError, match=message):
            hostile_work.train("lbp-svm", settings=settings)
    with pytest.raises(fgbench.FgbenchError, match="unknown key"):
        fgbench.align(np.zeros((64, 64), np.uint8), settings={"min_qualiti": 0.5})
