"""A network trained, tested again, used and exported from Python, as the commands do."""

import csv

import numpy as np
import onnxruntime
import pytest
import yaml

import fgbench
from fgbench.api import baselines, training
from fgbench.api.exporting import check_targets
from fgbench.api.finished import runs_lines
from fgbench.api.method_list import other_methods, own_methods, recipe_methods
from fgbench.api.scored_files import score_file
from fgbench.api.testing import evaluation
from fgbench.api.trained_methods import own_options, training_of
from fgbench.api.weights import named_weights
from fgbench.evaluation import metrics
from fgbench.runs.predictions import read_predictions
from tests.support.clip_folders import write_folder
from tests.support.tiny_runs import RECIPE

SLOW = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def slow(test):
    for mark in SLOW:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Clips with a class each of the 33 in training, prepared as they are, and a run of a tiny network."""
    folder = tmp_path_factory.mktemp("trained")
    write_folder(folder / "clips", 12 + 33)
    annotations = folder / "clips" / "annotations.csv"
    head, *lines = annotations.read_text().split()
    parts = ["test", "val", "train", "train"] * 3 + ["train"] * 33
    lines = [f"{line},{part}" for line, part in zip(lines, parts, strict=True)]
    annotations.write_text("\n".join([f"{head},split", *lines]) + "\n")
    recipe = {
        "name": "plain",
        "buckets": 4,
        "faces": {"align": "never"},
        "augment": {"balance": "none"},
        "sample": {"before": 1, "after": 1},
    }
    (folder / "plain.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    work = fgbench.prepare(
        folder / "clips", folder / "plain.yaml", workdir=folder / "work", jobs=1, progress=False
    )
    tiny = training.msau(work.path, recipe=str(folder / "tiny.yaml"), device="cpu")
    assert (tiny.workdirs, tiny.on_device) == ((work.path,), True)
    tiny.find_device()
    (run,) = tiny.run(jobs=1)
    assert run.parent.parent.parent == work.path / "runs"
    return work


@slow
def test_a_network_that_is_tested_again_gives_what_it_gave(work):
    (run,) = work.runs
    evaluated = work.evaluate(run.name, device="cpu", jobs=1, progress=False)
    assert evaluated.folder == run.folders[0]
    assert evaluated.comparison.is_equal
    predictions = read_predictions(run.folders[0])
    assert evaluated.comparison.n == len(predictions.sample_ids)
    uar = metrics.uar(predictions.confusion())
    assert any(line.startswith(f"UAR {uar:.3f}") for line in evaluated.lines())
    assert evaluated.lines()[-1].endswith("are equal to those of the run")
    assert evaluated.to_json()["compared"]["is_equal"] is True
    assert runs_lines(run.folders)[-1] == f"run: {run.folders[0]}"
    for weight in ("half", 1.5):
        with pytest.raises(fgbench.FgbenchError, match="expected a number from 0 to 1") as refused:
            evaluation(run.name, [work.path], fusion_weight=weight)
        assert refused.value.argument == "fusion_weight"
    with pytest.raises(fgbench.FgbenchError, match="no network of clips with two streams"):
        work.evaluate(run.name, fusion_weight=0.5)


@slow
def test_files_are_predicted_into_a_table(work, tmp_path):
    network = fgbench.load(work.runs[0].folders[0], device="cpu")
    from fgbench.media.images import encode

    faces = work.images("test")
    (tmp_path / "a.png").write_bytes(encode(faces[0], "png", 0))
    (tmp_path / "b.txt").write_text("no picture")
    told = []
    predicted = network.predict_files(
        [tmp_path / "a.png", tmp_path / "b.txt"], tmp_path / "out", progress=False, told=told.extend
    )
    first, second = predicted.rows
    assert predicted.outputs == network.classes
    alone = network.predict(tmp_path / "a.png")
    assert first["status"] == alone.status
    if alone.probabilities:
        np.testing.assert_allclose(first["probabilities"], list(alone.probabilities.values()), atol=1e-6)
    assert second["probabilities"] is None
    assert predicted.table.is_file()
    assert any("b.txt" in line for line in told)
    assert len(predicted.to_json()["files"]) == 2


@slow
def test_a_network_is_exported(work, tmp_path):
    network = fgbench.load(work.runs[0].folders[0], device="cpu")
    onnx = network.export_onnx(tmp_path / "net.onnx")
    assert onnx.deviation.probabilities < 1e-3
    assert onnx.has_faces
    session = onnxruntime.InferenceSession(str(onnx.path))
    assert [one.name for one in session.get_outputs()] == list(onnx.outputs)
    weights = network.export_weights(tmp_path / "net.safetensors")
    assert weights.path.read_bytes() == named_weights(work.runs[0].folders[0], ".").read_bytes()
    assert weights.card == tmp_path / "net.md"
    with pytest.raises(fgbench.FgbenchError, match=r"expected a name with \.safetensors"):
        network.export_weights(tmp_path / "net.bin")
    with pytest.raises(fgbench.FgbenchError, match="is a folder") as refused:
        check_targets(onnx=tmp_path, weights=None)
    assert refused.value.argument == "onnx"


@slow
def test_predictions_of_other_programs_become_a_run(work, tmp_path):
    clips = work.clips[work.clips["split"] == "test"]
    with (tmp_path / "theirs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip_id", "label"])
        writer.writerows(zip(clips["clip_id"], clips["label"], strict=True))
    scored = score_file(tmp_path / "theirs.csv", work.path, samples="clips")
    assert scored.units is None
    predictions = read_predictions(scored.classes)
    assert sorted(predictions.clip_ids) == sorted(clips["clip_id"])
    assert metrics.war(predictions.confusion()) == 1
    assert scored.to_json()["classes"]["run"] == str(scored.classes)
    assert scored.lines()[-1] == f"run: {scored.classes}"


def test_what_cannot_be_trained_is_refused_before_anything_is_read(tmp_path):
    for refused, argument in (
        (lambda: training.msau(tmp_path, variant="msau-x"), "variant"),
        (lambda: training.msau(tmp_path, trunk="none", au_weights=tmp_path, recipe="msau"), "trunk"),
        (lambda: training.tmsau(tmp_path, temporal="flows"), "temporal"),
        (lambda: training.tmsau(tmp_path, temporal="flow", recipe="tmsau-c3d-lstm"), "temporal"),
        (
            lambda: baselines.baseline(
                "insightface", tmp_path, options={"from_scratch": True, "weights": tmp_path}
            ),
            "from_scratch",
        ),
    ):
        with pytest.raises(fgbench.FgbenchError) as error:
            refused()
        assert error.value.argument == argument
    with pytest.raises(fgbench.FgbenchError, match="no weights are given"):
        baselines.baseline("insightface", tmp_path, options={"from_scratch": False, "weights": None})
    with pytest.raises(fgbench.FgbenchError, match="expected a plain CNN"):
        baselines.recipe_baseline("plain-cnn", tmp_path, recipe="msau")
    assert not list(tmp_path.iterdir())


def test_trainings_know_their_folders_and_whether_they_need_a_device(tmp_path):
    both = [tmp_path / "a", tmp_path / "b"]
    assert training.units(both, device="cpu").workdirs == tuple(both)
    assert not baselines.baseline("lbp-svm", tmp_path).on_device
    baselines.baseline("lbp-svm", tmp_path, device="no such").find_device()  # it needs none
    with pytest.raises(fgbench.FgbenchError, match="no such"):
        training.units(both, device="no such").find_device()


def test_every_method_has_the_options_of_its_command(tmp_path):
    from fgbench.methods.steps.method_names import method_names

    options = {name: set(own_options(name)) for name in method_names()}
    assert options["au"] == {"folds", "also"}
    network = {"hf", "torch", "arch", "licence"}
    assert options["msau"] == options["msau-joint"] == {"weights", "init", "trunk", *network}
    assert options["tmsau"] == options["tmsau-vgg-lstm"] == {"weights", "image_run", "temporal"}
    assert options["insightface"] == {"weights", "from_scratch"}
    assert options["plain-cnn"] == options["lbp-svm"] == set()
    assert (options["nan"], options["plain-tsnet"]) == ({"image_run"}, {"weights"})
    for method, given in (
        ("au", {"folds": 3, "also": tmp_path / "other"}),
        ("msau", {"weights": tmp_path / "au"}),
        ("msau-progressive", {"trunk": "none"}),
        ("tmsau", {"temporal": "vgg-lstm"}),
        ("tmsau-streams", {}),
        ("nan", {"image_run": "msau-small"}),
        ("insightface", {"from_scratch": True}),
        ("lbp-svm", {}),
    ):
        training = training_of(method, tmp_path, device="cpu", options=given)
        assert training.workdirs[0] == tmp_path
        assert training.on_device is (method != "lbp-svm")
        assert len(training.workdirs) == (2 if "also" in given else 1)
    own = {"torch": tmp_path / "x.pth", "arch": "resnet18", "licence": "MIT"}
    assert training_of("msau", tmp_path, recipe="msau-backbone-small", options=own).on_device


def test_options_that_a_method_lacks_are_refused(tmp_path):
    for method, given, message in (
        ("lbp-svm", {"weights": "a.pth"}, "weights: lbp-svm has no such option"),
        ("msau", {"temporal": "flow"}, "temporal: msau has no such option"),
        ("tmsau", {"temporal": "flows"}, "temporal: 'flows', expected one of flow, vgg-lstm, c3d-lstm"),
        ("tmsau-vgg-lstm", {"temporal": "flow"}, "recipe tmsau-vgg-lstm-small has 'vgg-lstm'"),
        ("insightface", {}, "no weights are given"),
        ("insightface", {"from_scratch": 1}, "from_scratch 1, expected True or False"),
        ("insightface", {"from_scratch": True, "weights": "a.pth"}, "expected one of them"),
        ("au", {"folds": -1}, "folds -1, expected a whole number"),
    ):
        with pytest.raises(fgbench.FgbenchError) as refused:
            training_of(method, tmp_path, device="cpu", options=given)
        assert message in str(refused.value)
    assert not list(tmp_path.iterdir())


@slow
def test_a_method_that_is_run_by_its_name_is_the_run_of_its_command(work):
    tiny = work.path.parent / "tiny.yaml"
    run = work.train("msau", tiny, device="cpu", jobs=1, progress=False)
    assert run.folders == work.run("tiny").folders
    with pytest.raises(fgbench.FgbenchError, match="unknown tracker 'nothing'"):
        work.train("msau", tiny, device="cpu", trackers=("nothing",))
    with pytest.raises(fgbench.FgbenchError, match="image_size: msau has no such option"):
        work.train("msau", tiny, device="cpu", image_size=3)


def test_methods_are_listed_without_being_imported():
    own = {one.name: one for one in own_methods()}
    assert own["lbp-svm"].on_device is False
    assert own["lbp-svm"].summary
    assert {one.name: set(one.takes) for one in recipe_methods()} == {
        "plain-cnn": set(),
        "nan": {"image_run"},
        "plain-tsnet": {"weights"},
    }
    assert other_methods() == []
