"""Runs of insightface that were finished or killed before."""

from dataclasses import replace

import pytest
import torch

from fgbench.errors import ConfigError
from fgbench.methods._networks import fitting
from fgbench.methods.insightface import method as insightface
from tests.support.insightface_runs import FAST, KilledError, config
from tests.support.insightface_work import context_of, narrow_on_one_thread, write_colours, write_weights
from tests.support.one_writer import forced_runs_start_anew, other_processes_write_no_run


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    with narrow_on_one_thread(monkeypatch):
        yield


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return write_colours(tmp_path_factory.mktemp("work"), rest=False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "backbone.pth")


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    return context_of(work, tmp_path)


@pytest.mark.slow
def test_a_finished_run_is_that_of_its_weights_and_recipe(context, weights, monkeypatch):
    trained = []
    fit = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *args, **more: trained.append(more["fingerprint"]) or fit(*args, **more)
    )
    short = config(optimiser=FAST | {"epochs": 1})
    insightface.run(short, context, weights)
    insightface.run(short, context, weights)
    assert len(trained) == 1
    insightface.run(short, replace(context, force=True), weights)
    assert trained[1] == trained[0]
    other = weights.with_name("other.pth")
    torch.save({"state_dict": {f"module.{k}": v + 0 for k, v in torch.load(weights).items()}}, other)
    insightface.run(short, context, other)
    plain = short.model_copy(update={"flip": False})
    with pytest.raises(ConfigError, match=r"other settings: flip \(True there, False here\)"):
        insightface.run(plain, context, weights)
    insightface.run(plain, replace(context, force=True), weights)
    assert len(set(trained)) == 3


@pytest.mark.slow
def test_what_is_forced_starts_anew(context, weights):
    short = config(optimiser=FAST | {"epochs": 3})
    forced_runs_start_anew(lambda here: insightface.run(short, here, weights), context)


@pytest.mark.slow
def test_one_process_writes_the_run(context, weights, monkeypatch):
    short = config(optimiser=FAST | {"epochs": 1})
    other_processes_write_no_run(lambda here: insightface.run(short, here, weights), context, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [True, False])
def test_a_killed_run_goes_on_and_ends_the_same(context, weights, tmp_path, freeze):
    recipe = config(freeze_backbone=freeze)
    whole = insightface.run(recipe, context, weights)
    expected = {name: (whole / name).read_bytes() for name in ("weights.safetensors", "predictions.parquet")}
    for path in (whole / "result.json", whole / "weights.safetensors"):
        path.unlink()
    messages = []

    def killed(name, done, of):
        if name == "train":
            messages.append(done)
            if done == 8:  # in the third epoch of three steps
                raise KilledError

    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    assert (whole / "checkpoint.pt").is_file()
    assert not (whole / "result.json").exists()
    messages.clear()
    resumed = replace(
        context, progress=lambda name, done, of: messages.append(done) if name == "train" else None
    )
    assert insightface.run(recipe, resumed, weights) == whole
    assert messages[0] == 7, "two epochs were kept"
    assert {name: (whole / name).read_bytes() for name in expected} == expected


@pytest.mark.slow
def test_force_begins_a_killed_run_anew(context, weights):
    messages = []

    def killed(name, done, of):
        if name == "train" and done == 4:  # in the second epoch of three steps
            raise KilledError

    recipe = config(freeze_backbone=True, optimiser=FAST | {"epochs": 2})
    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    anew = replace(
        context,
        force=True,
        progress=lambda name, done, of: messages.append(done) if name == "train" else None,
    )
    insightface.run(recipe, anew, weights)
    assert messages[0] == 1
