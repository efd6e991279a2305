"""``fgbench.add_network``: a torch module of the running program as a method."""

import numpy as np
import pytest

import fgbench
from fgbench.api.own_code import code_digest
from tests.support.divided_work import described, write_work

torch = pytest.importorskip("torch")

LABELS = ("anger", "joy", "fear")
QUICK = {"optimiser": {"kind": "adamw", "learning_rate": 0.01, "batch": 8, "epochs": 2}}


def colours(settings, n_classes):
    """The mean colour in a few places, and a layer."""
    side = settings.side
    return torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(side), torch.nn.Flatten(), torch.nn.Linear(3 * side * side, n_classes)
    )


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    parts = {"s7": "val", "s8": "val", "s9": "test", "s10": "test"}
    clips = [(clip, who, label, parts.get(who, "train")) for clip, who, label, _ in described(LABELS)]
    write_work(tmp_path / "work", clips, pictures=True, scheme="free", classes=sorted(LABELS))
    return fgbench.open(tmp_path / "work")


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_it_is_trained_tested_and_used(work):
    network = fgbench.add_network("colour-means", colours, title="Colours", settings={"side": 2})
    assert repr(network) == "<OwnNetwork colour-means, side=2: Colours>"
    run = work.train(network, device="cpu", settings=QUICK, progress=False)
    assert run.name == "colour-means/0/0"
    assert run.settings["side"] == 2
    assert len(run.predictions) == 6
    assert work.leaderboard[0].frame["Method"].tolist() == ["Colours"]
    opened = run.network(device="cpu")
    chips = np.zeros((2, 224, 224, 3), np.uint8)
    assert opened.probabilities(chips).sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    other = work.train(
        "colour-means", device="cpu", settings={**QUICK, "side": 3, "name": "wider"}, progress=False
    )
    assert other.settings["side"] == 3
    assert work.train(network, device="cpu", settings=QUICK, progress=False).folders == run.folders

    def otherwise(settings, n_classes):
        return torch.nn.Sequential(torch.nn.Dropout(0.5), colours(settings, n_classes))

    changed = fgbench.add_network("colour-means", otherwise, title="Colours", settings={"side": 2})
    with pytest.raises(fgbench.FgbenchError, match="is finished, with other settings: code"):
        work.train(changed, device="cpu", settings=QUICK, progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "msau"}, "there is a method 'msau' already"),
        ({"name": "My Net"}, "name 'My Net', expected small letters"),
        ({"build": 5}, "build is 5, expected a function"),
        ({"first_values": 5}, "first_values is 5, expected a function"),
        ({"settings": {"width": [1]}}, "setting width is list of 1, expected a number"),
        ({"settings": {"optimiser": 1}}, "setting 'optimiser' is there already"),
        ({"settings": {"my width": 1}}, "setting 'my width', expected a name of Python"),
        ({"title": 5}, "title 5, expected a name"),
    ],
)
def test_what_cannot_be_added(arguments, message):
    with pytest.raises(fgbench.FgbenchError, match=message):
        fgbench.add_network(**{"name": "own-net", "build": colours, **arguments})


@pytest.mark.slow
def test_what_is_no_network(work):
    fgbench.add_network("no-module", lambda settings, n_classes: "a network")
    with pytest.raises(
        fgbench.FgbenchError, match=r"build of no-module gave 'a network', expected a torch\.nn"
    ):
        work.train("no-module", device="cpu", progress=False)
    with pytest.raises(fgbench.FgbenchError, match="no method a module of torch") as caught:
        work.train(torch.nn.Linear(2, 2))
    assert "fgbench.add_network('my-net', build)" in caught.value.hint


def one():
    return inner() + 1


def inner():
    return 1


def test_code_is_told_apart_by_all_that_it_names():
    before = code_digest(one)
    assert code_digest(one) == before != code_digest(inner)
    names: dict = {"__name__": "cells"}
    digests = set()
    for value in (1, 2):
        exec(
            f"def inner():\n    return wide({value})\n\ndef wide(n):\n    return n\n\n"
            "def one():\n    return inner()\n",
            names,
        )
        digests.add(code_digest(names["one"]))
    assert len(digests) == 2
