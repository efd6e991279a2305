"""Trained networks of insightface used: the command, other data, files, ONNX."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import FacesConfig
from fgbench.faces.still_picture import ImageFrame
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.inference.pictures import predict_file
from fgbench.methods.insightface import method as insightface
from fgbench.methods.insightface.crops import load_crops
from fgbench.methods.protocol import FacePosition
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.chains import with_chains
from tests.support.insightface_runs import CPU, FAST, config
from tests.support.insightface_work import context_of, narrow_on_one_thread, write_colours, write_weights


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    with narrow_on_one_thread(monkeypatch):
        yield


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return write_colours(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "backbone.pth")


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    return context_of(work, tmp_path)


@pytest.mark.slow
def test_command(context, weights, monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    recipe = context.workdir / "mine.yaml"
    recipe.write_text(yaml.safe_dump(config(freeze_backbone=True).model_dump(mode="json")))
    words = ["baseline", "insightface", "--workdir", str(context.workdir), "--recipe", str(recipe)]
    runner = CliRunner()
    done = runner.invoke(app, [*words, "--device", "cpu", "--jobs", "1"])
    assert done.exit_code == 9
    for part in ("--weights", "--from-scratch", "github.com/deepinsight/insightface", "non-commercial"):
        assert part in done.stderr
    done = runner.invoke(app, [*words, "--weights", str(weights), "--from-scratch"])
    assert done.exit_code == 2
    done = runner.invoke(app, [*words, "--weights", str(weights), "--device", "cpu", "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["details"]["method"] == "InsightFace"


def stored_faces(context, ids):
    """Stored faces (N, 224, 224, 3) RGB, and where each lies: the picture is the face itself."""
    table = pq.read_table(context.manifests / "images", columns=["image_id", "image"]).to_pylist()
    data = {row["image_id"]: np.frombuffer(row["image"]["bytes"], np.uint8) for row in table}
    faces = np.stack([cv2.cvtColor(cv2.imdecode(data[name], 1), cv2.COLOR_BGR2RGB) for name in ids])
    points = np.array(pq.read_table(context.manifests / "faces")["landmarks"].to_pylist()[0]).reshape(68, 2)
    still = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    return faces, [
        FacePosition(frame=ImageFrame(pixels=face), landmarks=points.astype(np.float32), transform=still)
        for face in faces
    ]


@pytest.mark.slow
@pytest.mark.parametrize("freeze", with_chains([True, False], False))
def test_a_run_is_evaluated_asked_and_exported(context, weights, tmp_path, freeze):
    """All give what the run predicted: evaluation to 1e-5; single faces, and the ONNX file, to 1e-4."""
    import onnxruntime

    folder = insightface.run(config(freeze_backbone=freeze, optimiser=FAST | {"epochs": 2}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert (network.task, network.crops, network.is_frozen, network.features) == (
        "images",
        "stored",
        freeze,
        (),
    )
    same, compared = evaluate_images(network, context)
    assert same == folder
    assert compared.largest_difference <= 1e-5
    assert compared.n == 6
    predictions = read_predictions(folder)
    ids = [name for name, label in zip(predictions.sample_ids, predictions.predicted, strict=True) if label]
    before = predictions.probabilities[[predictions.sample_ids.index(name) for name in ids]]
    assert before.std(axis=0).max() > 1e-2, "faces differ"
    np.testing.assert_allclose(network.predict_faces(*stored_faces(context, ids)).fine, before, atol=1e-4)
    with pytest.raises(ValueError, match="0 positions of 6 faces"):
        network.predict_faces(stored_faces(context, ids)[0])
    export_onnx(network, tmp_path / "face.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "face.onnx")
    crops = load_crops(context.manifests, ids, device=CPU).numpy()
    given, _ = session.run(["probabilities", "basic_probabilities"], {"crops": crops})
    np.testing.assert_allclose(given, before, atol=1e-4)


@pytest.mark.slow
def test_on_other_data_it_is_a_run_there(context, weights, tmp_path):
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    shutil.copytree(context.manifests, tmp_path / "there" / "manifests")
    details = {"dataset": "other", "synthetic": True}
    there = replace(context, workdir=tmp_path / "there", manifest_digest="n", details=details)
    made, compared = evaluate_images(network, there)
    assert compared is None
    assert made.relative_to(tmp_path / "there").parts[:2] == ("runs", "insightface-on-other")
    assert read_result(made)["details"]["crops"] == "stored"
    assert yaml.safe_load((made / "config.yaml").read_text())["depth"] == 50


@pytest.mark.slow
def test_weights_of_earlier_versions_are_opened_by_the_settings_of_their_run(context, weights):
    """They told neither what crops are cut from nor that features were kept."""
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    path = folder / "weights.safetensors"
    trained = read_trained(path)
    reported = ("crops", "freeze_backbone", "dataset", "synthetic", "faces")
    earlier = {name: value for name, value in trained.metadata.items() if name not in reported}
    network = open_trained(replace(trained, metadata=earlier), CPU)
    assert (network.crops, network.is_frozen) == ("stored", True)
    assert evaluate_images(network, context)[1].largest_difference <= 1e-5


@pytest.mark.slow
def test_a_face_of_a_file_is_told(context, weights, tmp_path):
    """The face is found, also where the data set took pictures as they are."""
    folder = insightface.run(config(freeze_backbone=True, optimiser=FAST | {"epochs": 1}), context, weights)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    picture, empty = tmp_path / "a.png", tmp_path / "b.png"
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    picture.write_bytes(cv2.imencode(".png", astronaut)[1].tobytes())
    empty.write_bytes(cv2.imencode(".png", np.full((120, 120, 3), 90, np.uint8))[1].tobytes())
    prediction = predict_file(picture, network, FacesConfig())
    assert (prediction.status, prediction.n_faces) == ("ok", 1)
    assert prediction.probabilities.fine.sum() == pytest.approx(1, abs=1e-5)
    assert prediction.probabilities.basic_sum.shape == (6,)
    assert predict_file(empty, network, FacesConfig(align="never")).status == "no_face"
