"""Runs of image models that were finished, killed or stopped before."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_json
from fgbench.methods._networks import fitting
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.runs.results import read_result, verify
from tests.support.image_runs import run_one
from tests.support.tiny_work import (
    FAST,
    au_recipe,
    au_rows,
    context_in,
    image_recipe,
    plain_recipe,
    small_work,
    with_three_leaves,
)

ROOT = Path(__file__).parents[2]


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture(scope="module")
def au_weights(tmp_path_factory, manifests):
    """Weights of a run of action units."""
    context = context_in(tmp_path_factory.mktemp("au"), manifests)
    (folder,) = au_run.run(au_recipe(), context, au_rows(manifests))
    return folder / "weights.safetensors"


@pytest.fixture
def context(tmp_path, manifests):
    return context_in(tmp_path / "work", manifests)


def test_a_finished_run_is_that_of_its_recipe_and_trunk(context, au_weights, tmp_path, monkeypatch):
    trained = []
    fit = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *args, **more: trained.append(more["fingerprint"]) or fit(*args, **more)
    )
    config = image_recipe(optimiser=FAST | {"epochs": 1})
    folder = run_one(config, context, au_weights)
    path = folder / "weights.safetensors"
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert run_one(config, context, au_weights) == folder
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert len(trained) == 1
    run_one(config, replace(context, force=True), au_weights)
    assert trained[1:] == trained[:1]
    assert path.read_bytes() == before[0]
    damaged, messages = bytearray(before[0]), []
    damaged[-9] ^= 1
    path.write_bytes(damaged)
    run_one(config, replace(context, note=messages.append), au_weights)
    assert path.read_bytes() == before[0], "a damaged run is made again, and that is told"
    assert messages[0] == f"{path} is not the file that the result of the run tells of: the run is made again"
    assert all(line.startswith(("epoch ", "kept epoch ")) for line in messages[1:])
    other_place = context_in(tmp_path / "other", context.manifests, seed=1)
    (other,) = au_run.run(au_recipe(optimiser={"epochs": 1}), other_place, au_rows(context.manifests))
    trained_before = len(trained)
    run_one(config, context, other / "weights.safetensors")
    (again,) = trained[trained_before:]
    assert again != trained[0]
    assert path.read_bytes() != before[0]


class KilledError(Exception):
    pass


def test_other_settings_leave_a_finished_run(context, au_weights):
    """Without --force; with it, a replacement that was stopped goes on without --force too."""
    once = image_recipe(optimiser=FAST | {"epochs": 1})
    other = image_recipe(optimiser=FAST | {"epochs": 2, "checkpoint_steps": 1})
    folder = run_one(once, context, au_weights)
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    message = (
        r"tiny/0/0 is finished, with other settings: optimiser.checkpoint_steps \(\d+ there, 1 here\), "
        r"optimiser.epochs \(1 there, 2 here\); nothing was changed"
    )
    with pytest.raises(ConfigError, match=message) as caught:
        run_one(other, context, au_weights)
    assert "another name to keep both (--set name=NAME" in caught.value.hint
    assert "--force" in caught.value.hint
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == files

    def killed(name, done, of):
        if name == "train" and done == 7:
            raise KilledError

    with pytest.raises(KilledError):
        run_one(other, replace(context, force=True, progress=killed), au_weights)
    steps = []
    resumed = replace(
        context, progress=lambda name, done, of: steps.append(done) if name == "train" else None
    )
    assert run_one(other, resumed, au_weights) == folder
    assert min(steps) > 5, "what was kept is not done again"
    assert read_result(folder)["config_digest"] == digest_json(other.model_dump(mode="json"))


KILLED_AT = """
import os, runpy, signal, sys
from fgbench.methods._networks import fitting

fit = fitting.fit

def killed(*arguments, progress, **more):
    def told(name, done, of):
        if done == {step}:
            os.kill(os.getpid(), signal.SIGKILL)
        progress(name, done, of)

    return fit(*arguments, progress=told, **more)

fitting.fit = killed
sys.argv = ["fgbench", *sys.argv[1:]]
runpy.run_module("fgbench", run_name="__main__")
"""


@pytest.mark.slow
def test_a_program_that_is_killed_goes_on_and_ends_the_same(context, au_weights, tmp_path):
    recipe = tmp_path / "tiny.yaml"
    config = image_recipe(optimiser=FAST | {"epochs": 2, "checkpoint_steps": 1})  # two rounds
    recipe.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    other = context_in(tmp_path / "killed", context.manifests)

    def words(workdir):
        options = {"--recipe": recipe, "--workdir": workdir, "--au-weights": au_weights, "--device": "cpu"}
        return ["train", "msau", *(str(word) for option in options.items() for word in option), "--jobs", "1"]

    whole = CliRunner().invoke(app, words(context.workdir))
    assert whole.exit_code == 0, whole.stderr

    def run(*command):
        return subprocess.run(
            [sys.executable, *command, *words(other.workdir)],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )

    # Two epochs of three steps are whole, and one step of the third; the step that is killed is not kept.
    assert run("-c", KILLED_AT.format(step=8)).returncode == -signal.SIGKILL
    folder, expected = other.folder("tiny"), context.folder("tiny")
    assert not (folder / "result.json").exists()
    kept = json.loads((folder / "history.json").read_text())["epochs"]
    assert len(kept) == 2
    assert (folder / "checkpoint.pt").is_file()
    resumed = run("-m", "fgbench")
    assert resumed.returncode == 0, resumed.stderr
    verify(folder)
    epochs = json.loads((folder / "history.json").read_text())["epochs"]
    assert epochs[:2] == kept, "they were not trained again"
    assert len(epochs) == 4
    for name in ("weights.safetensors", "predictions.parquet", "branches.parquet", "regions.parquet"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name


@pytest.mark.parametrize("trunk", ["frozen", "trained"])
def test_a_stopped_run_goes_on_and_ends_the_same(context, au_weights, tmp_path, trunk):
    optimiser = FAST | {"epochs": 3, "checkpoint_steps": 2, "batch": 3}
    frozen = trunk == "frozen"
    config = (image_recipe if frozen else plain_recipe)(optimiser=optimiser)
    weights = au_weights if frozen else None
    whole = run_one(config, context, weights)
    step = int(np.random.default_rng(7 + frozen).integers(5, 12))

    def killed(name, done, of):
        if name == "train" and done == step:
            raise KilledError

    stopped = context_in(tmp_path / "stopped", context.manifests, progress=killed)
    with pytest.raises(KilledError):
        image_run.run(config, stopped, weights)
    messages = []
    resumed = replace(stopped, progress=lambda name, done, of: messages.append((name, done)))
    folder = run_one(config, resumed, weights)
    assert min(done for name, done in messages if name == "train") > 4
    assert frozen or "maps" not in dict(messages)
    for name in ("weights.safetensors", "predictions.parquet", "branches.parquet"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
