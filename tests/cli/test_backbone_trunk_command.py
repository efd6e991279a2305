"""``fgbench train msau --set network.trunk=backbone``: the whole way by commands, and options that do not
fit."""

from __future__ import annotations

import pytest
import torch
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.errors import ArgumentError
from tests.support.striped_manifests import write_index
from tests.support.tiny_cnns import write_cnn
from tests.support.tiny_networks import tiny_resnet
from tests.support.tiny_work import context_in, small_work, with_three_leaves

RECIPE = """
extends: msau-backbone-small
name: tiny
optimiser: {epochs: 1, batch: 5}
network: {embedding: 8}
"""
TORCH = (
    "network.trunk={kind: backbone, architecture: {width: 0.0625}, "
    "input: {size_px: 64, scale: 0.004, mean: [0.5], std: [0.5]}}"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A work folder of three classes, a recipe and networks in two formats."""
    folder = tmp_path_factory.mktemp("place")
    context_in(folder / "work", small_work(folder / "made", rest=False))
    write_index(folder / "work", "made up")
    with_three_leaves(folder / "work" / "manifests")
    write_cnn(folder / "cnn")
    torch.save(tiny_resnet().state_dict(), folder / "tiny.pth")
    (folder / "tiny.yaml").write_text(RECIPE)
    return folder


def command(place, *words, code=0):
    done = CliRunner().invoke(app, [*words, "--workdir", str(place / "work"), "--device", "cpu"])
    assert done.exit_code == code, done.output + done.stderr
    return done


@pytest.mark.slow
def test_networks_of_both_formats_are_trained_evaluated_and_compared(place):
    recipe = ["--recipe", str(place / "tiny.yaml")]
    done = command(place, "train", "msau", *recipe, "--hf", str(place / "cnn"), "--licence", "CC0")
    assert "run: " in done.output
    assert "tiny-on-cnn" in done.output
    card = (place / "work/runs/tiny-on-cnn/0/0/README.md").read_text()
    assert "- Licence of the frozen network: CC0 (as the user states)" in card
    network = ["--torch", str(place / "tiny.pth"), "--arch", "resnet18", "--set", TORCH]
    command(place, "train", "msau", *recipe, *network)
    assert (place / "work/runs/tiny-on-tiny/0/0/result.json").is_file()
    done = command(place, "evaluate", "tiny-on-tiny")
    assert "the predictions of 6 images are equal to those of the run" in done.output
    compare = ["compare", "tiny-on-cnn", "tiny-on-tiny", "--workdir", str(place / "work")]
    told = CliRunner().invoke(app, compare).output
    assert (
        "On networks of the user's, which the paper does not have: tiny-on-cnn (trunk of MSAU-Net, frozen), "
        "tiny-on-tiny (trunk of MSAU-Net, frozen)."
    ) in " ".join(told.split())


@pytest.mark.slow
def test_python_takes_the_same_options(place):
    work = fgbench.open(place / "work")
    run = work.train(
        "msau",
        recipe=place / "tiny.yaml",
        settings={"name": "by-python"},
        hf=place / "cnn",
        device="cpu",
        progress=False,
    )
    assert "by-python-on-cnn" in str(run)
    with pytest.raises(ArgumentError, match="given, but the recipe has the paper's trunk"):
        work.train("msau", recipe="msau-small", hf=place / "cnn", device="cpu", progress=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "network.trunk=backbone"], "--hf: none given, and network.trunk is backbone"),
        (["--hf", "cnn"], "--hf: given, but the recipe has the paper's trunk"),
        (["--licence", "MIT"], "--licence: given, but the recipe has the paper's trunk"),
        (
            ["--set", "network.trunk=backbone", "--hf", "cnn", "--torch", "x.pth"],
            "--hf: both it and torch are given",
        ),
        (["--set", "network.trunk=backbone", "--torch", "x.pth"], "--arch: none given, and a file of torch"),
        (["--set", "network.trunk=backbone", "--hf", "c", "--arch", "vit"], "--arch: given without torch"),
        (
            ["--set", "network.trunk=backbone", "--hf", "cnn", "--trunk", "none"],
            "--trunk: given, but the trunk of recipe msau-small is the network of",
        ),
        (
            ["--set", "network.trunk=backbone", "--hf", "cnn", "--au-weights", "w"],
            "--au-weights: given, but the trunk of recipe msau-small is the network of",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(tmp_path, words, message):
    done = CliRunner().invoke(
        app,
        ["train", "msau", "--recipe", "msau-small", "--workdir", str(tmp_path), "--device", "cpu", *words],
    )
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


@pytest.mark.slow
def test_no_run_starts_from_one_on_a_backbone(place):
    recipe = ["--recipe", str(place / "tiny.yaml")]
    command(place, "train", "msau", *recipe, "--hf", str(place / "cnn"), "--set", "name=first")
    done = command(place, "train", "msau", "--init", "first-on-cnn", code=3)
    assert "first-on-cnn/0/0 is on a network of the user's, from which no other run can start" in done.stderr
