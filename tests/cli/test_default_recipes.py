"""Which recipe is taken where none is named, and that training tells of every epoch without a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fgbench.api import training
from fgbench.cli.app import app
from fgbench.config import TrainAuConfig, TrainClipConfig, TrainImageConfig, load_training
from fgbench.workfolders import default_folders as folders

OWN = Path("somewhere/work")


@pytest.fixture
def notes(monkeypatch):
    lines = []
    monkeypatch.setattr(training, "log", lines.append)
    return lines


@pytest.mark.parametrize(
    ("device", "has_gpu", "taken"),
    [
        (None, False, "msau-small"),
        (None, True, "msau"),
        ("cpu", True, "msau-small"),
        ("cpu:8", True, "msau-small"),
        ("cuda", False, "msau"),
        ("cuda:1", True, "msau"),
        ("mps", False, "msau"),
    ],
)
def test_the_cpu_takes_the_small_recipe_and_a_line_says_so(notes, monkeypatch, device, has_gpu, taken):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert training.default_recipe("msau", OWN, device) == taken
    (line,) = notes
    other = {"msau": "msau-small", "msau-small": "msau"}[taken]
    assert line.startswith(f"no recipe is named: {taken} is taken, ")
    assert f"(recipe {other}:" in line
    assert "\n" not in line


def test_the_embedded_data_set_takes_the_small_one_without_a_word(notes):
    assert training.default_recipe("msau", folders.DEMO_WORKDIR, "cuda") == "msau-small"
    assert notes == []


def test_all_that_may_be_taken_are_there():
    from fgbench.api.method_list import TEMPORAL, VARIANTS

    for name in VARIANTS:
        assert load_training(f"{name}-small", TrainImageConfig).name == f"{name}-small"
    for name in ("tmsau", *(f"tmsau-{one}" for one in TEMPORAL if one != "flow"), "nan", "plain-tsnet"):
        assert load_training(f"{name}-small", TrainClipConfig).name == f"{name}-small"
    assert load_training("au-small", TrainAuConfig).name == "au-small"


@pytest.mark.parametrize(
    "words", [("train", "au"), ("train", "msau"), ("train", "tmsau"), ("baseline", "plain-cnn")]
)
def test_commands_take_the_recipe_of_the_device(monkeypatch, words, tmp_path):
    """They end for want of manifests, after they have said what they take."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*words, "--workdir", str(tmp_path), "--device", "cpu"])
    assert done.exit_code == 7, done.output
    name = words[1] if words[0] == "train" else "plain-cnn"
    assert f"no recipe is named: {name}-small is taken" in done.output
    named = CliRunner().invoke(
        app, [*words, "--workdir", str(tmp_path), "--device", "cpu", "--recipe", f"{name}-small"]
    )
    assert "no recipe is named" not in named.output
