"""The network of one's own of the documentation: put where plugins go, it does all that others do."""

import json
import sys

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
import torch
import typer
import yaml
from torch.nn import functional
from typer.testing import CliRunner

import fgbench.methods
from fgbench import plugins
from fgbench.cli.app import app as fgbench_app
from fgbench.cli.baseline_plugins import add_commands
from fgbench.errors import ManifestError
from fgbench.methods.protocol.kinds import open_trained
from fgbench.models.weights import load_weights, save_weights
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.doc_blocks import block
from tests.support.tiny_task import KilledError, killer
from tests.support.tiny_work import context_in, pictures_of, seen, small_work

CPU = torch.device("cpu")
MOST_LINES = 60
QUICK = {
    "name": "resnet",
    "width": 16,
    "optimiser": {"kind": "adamw", "learning_rate": 0.003, "batch": 16, "epochs": 2},
    "data": {"resize_px": 232},
}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def text():
    return block("docs/extending/networks.md", '"""Baseline ``resnet``: ')


@pytest.fixture(scope="module")
def work(tmp_path_factory, text):
    """A work folder, with the file of the page where plugins go, and its run by the command."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "resnet.py").write_text(text)
    made = folder / "work"
    context_in(made, small_work(folder / "drawn"))
    (folder / "quick.yaml").write_text(yaml.safe_dump(QUICK))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fgbench.methods, "__path__", [*fgbench.methods.__path__, str(folder / "plugins")])
        done = baseline("--workdir", made, "--recipe", folder / "quick.yaml")
        assert done.exit_code == 0, done.output
        yield made
    sys.modules.pop("fgbench.methods.resnet", None)


def baseline(*arguments):
    commands = typer.Typer()
    add_commands(commands)
    return CliRunner().invoke(commands, ["resnet", *map(str, arguments), "--device", "cpu", "--jobs", "1"])


def cli(*arguments):
    return CliRunner().invoke(fgbench_app, list(map(str, arguments)))


@pytest.fixture
def run(work):
    return work / "runs" / "resnet" / "0" / "0"


def test_it_is_one_short_file(text):
    assert len(text.splitlines()) <= MOST_LINES


def test_its_predictions_can_be_computed_again(work, run):
    """By the module alone, from what its weights tell and the pictures that the test decodes."""
    verify(run)
    state, metadata = load_weights(run / "weights.safetensors")
    assert metadata["kind"] == "resnet"
    module = plugins.load("methods", "resnet")
    model = module.build(module.RECIPE.model_validate(QUICK), 33)
    model.load_state_dict(state)
    predictions = read_predictions(run)
    ids = [
        name for name, reported in zip(predictions.sample_ids, predictions.predicted, strict=True) if reported
    ]
    faces = pictures_of(work / "manifests", ids)
    with torch.no_grad():
        wanted = functional.softmax(model.eval()(seen(faces, metadata)), 1).numpy()
    rows = [predictions.sample_ids.index(name) for name in ids]
    np.testing.assert_allclose(predictions.probabilities[rows], wanted, atol=1e-5)
    assert predictions.probabilities[rows].std(axis=0).max() > 1e-4, "faces differ"


def test_it_is_evaluated(work, run):
    done = cli("evaluate", run, "--workdir", work, "--device", "cpu", "--jobs", 1, "--json")
    assert done.exit_code == 0, done.output
    compared = json.loads(done.stdout)["compared"]
    assert compared["largest_difference"] <= 1e-5
    assert compared["n"] == 6


def test_it_tells_of_files(work, run, tmp_path):
    picture = tmp_path / "astronaut.png"
    picture.write_bytes(cv2.imencode(".png", np.ascontiguousarray(skimage.data.astronaut()[..., ::-1]))[1])
    done = cli("predict", run, picture, "--out", tmp_path / "out", "--device", "cpu")
    assert done.exit_code == 0, done.output
    (row,) = pq.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    assert row["status"] == "ok"
    assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert (tmp_path / "out" / "astronaut.prediction.png").is_file()


def test_it_is_exported(work, run, tmp_path):
    """The file tells of stored faces what the run predicted."""
    import onnxruntime

    done = cli("export", run, "--onnx", tmp_path / "resnet.onnx")
    assert done.exit_code == 0, done.output
    predictions = read_predictions(run)
    ids = [
        name for name, reported in zip(predictions.sample_ids, predictions.predicted, strict=True) if reported
    ]
    faces = pictures_of(work / "manifests", ids).to(torch.uint8).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "resnet.onnx")
    probabilities, basic = session.run(["probabilities", "basic_probabilities"], {"faces": faces})
    rows = [predictions.sample_ids.index(name) for name in ids]
    np.testing.assert_allclose(probabilities, predictions.probabilities[rows], atol=1e-4)
    assert basic.shape == (6, 6)
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(predictions.classes)


def test_it_stands_in_table_2_though_no_method_of_the_paper_ran(work):
    done = cli("report", "--table", "II", "--workdir", work)
    assert done.exit_code == 0, done.output
    assert "| image | ResNet-18 | this data set |" in done.stdout


def test_killed_and_resumed_is_the_same_to_the_last_bit(work, run, tmp_path):
    module = plugins.load("methods", "resnet")
    config = module.RECIPE.model_validate(QUICK)
    with pytest.raises(KilledError):
        module.run(config, context_in(tmp_path, work / "manifests", progress=killer(1)))
    again = module.run(config, context_in(tmp_path, work / "manifests"))
    whole = module.run(config, context_in(tmp_path / "whole", work / "manifests"))
    for name in ("weights.safetensors", "predictions.parquet"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name
    np.testing.assert_allclose(
        read_predictions(again).probabilities, read_predictions(run).probabilities, atol=1e-5
    )
    assert read_result(again)["details"]["method"] == "ResNet-18"


def test_weights_that_do_not_fit_are_one_clear_error(run, tmp_path):
    state, metadata = load_weights(run / "weights.safetensors")
    path = tmp_path / "w.safetensors"
    network = metadata["network"]
    for changed, message in (
        ({"network": network | {"width": 8}}, "do not fit the network"),
        ({"network": network | {"depth": 8}}, "do not tell of a network that this resnet knows"),
        ({"std": [1.0, 0.0, 1.0]}, "std.1: Input should be greater than 0"),
        ({"kind": "yours"}, "weights of kind 'yours', expected one that a method makes"),
        ({"kind": "lbp-svm"}, "weights of kind 'lbp-svm', expected one that a method makes"),
    ):
        save_weights(path, state, metadata | changed)
        with pytest.raises(ManifestError, match=message):
            open_trained(read_trained(path), CPU)
