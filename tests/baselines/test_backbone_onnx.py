"""``backbone`` with ONNX files: features are right, kept once, and make sound runs."""

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods.backbone import kept_features, method
from fgbench.methods.backbone.kept_features import Prepared, features_of, usable_samples
from fgbench.methods.backbone.onnx_file import open_onnx
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.digests import kept_files
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import prepared, recipe, small_context
from tests.support.tiny_backbones import TinyCnn, stated, write_onnx
from tests.support.tiny_work import THREE, small_work

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("made"), rest=False)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_onnx(tmp_path_factory.mktemp("networks") / "tiny.onnx", TinyCnn(), metadata=stated())


def opened(path, config=None, batch=32):
    frozen = open_onnx(path, CPU, output="auto")
    taken = taken_of((config or recipe()).input, frozen.stated, name=frozen.name)
    return Prepared(frozen=frozen, taken=taken, batch=batch)


def test_features_are_those_of_an_independent_computation(made, network, tmp_path):
    context, _ = small_context(tmp_path, made)
    samples = usable_samples(context)
    features = features_of(opened(network), context, samples)
    session = onnxruntime.InferenceSession(network)
    pictures = prepared(context.manifests, [one.sample_id for one in samples])
    (expected,) = session.run(None, {session.get_inputs()[0].name: pictures})
    np.testing.assert_allclose(features, expected, atol=2e-5)
    with torch.no_grad():
        np.testing.assert_allclose(features, TinyCnn().eval()(torch.from_numpy(pictures)).numpy(), atol=2e-5)


def test_features_do_not_depend_on_batch_and_workers(made, network, tmp_path):
    results = []
    for number, (batch, jobs) in enumerate([(32, 1), (1, 1), (5, 3)]):
        context, _ = small_context(tmp_path / str(number), made, jobs=jobs)
        results.append(features_of(opened(network, batch=batch), context, usable_samples(context)))
    np.testing.assert_allclose(results[0], results[1], atol=1e-5)
    np.testing.assert_allclose(results[0], results[2], atol=1e-5)


def test_features_are_computed_once_for_heads_and_seeds(made, network, tmp_path, monkeypatch):
    context, _ = small_context(tmp_path, made)
    method.run(recipe(), context, onnx=network)
    monkeypatch.setattr(kept_features, "check_input", kept_features.check_input)
    monkeypatch.setattr(
        kept_features.Prepared, "inputs", lambda *_: pytest.fail("features are computed again")
    )
    method.run(recipe(), context.with_seed(1), onnx=network)
    for kind in ("linear-svm", "rbf-svm", "knn"):
        method.run(recipe(head={"kind": kind}), context, onnx=network)
    kept = [path for path, _ in kept_files(context.workdir) if path.suffix == ".f32"]
    assert len(kept) == 1
    assert kept[0].stat().st_size == 4 * 80 * len(usable_samples(context))


def test_a_run_is_sound_and_that_of_scikit_learn(made, network, tmp_path):
    """The chosen C, the probabilities and the missing face are as computed by hand."""
    context, notes = small_context(tmp_path, made)
    folder = method.run(recipe(head={"scaling": "none"}), context, onnx=network, licence="research only")
    predictions, details = verify(folder), read_result(folder)["details"]
    rows = usable_samples(context)
    features = features_of(opened(network), context, rows)
    truth = THREE.numbers([one.label for one in rows])
    parts = np.array([one.part for one in rows])
    best = None
    for c in recipe().head.c_values:
        model = LogisticRegression(C=c, tol=1e-8, max_iter=10_000)
        model.fit(features[parts == "train"], truth[parts == "train"])
        right = model.predict(features[parts == "val"]) == truth[parts == "val"]
        score = np.mean([right[truth[parts == "val"] == one].mean() for one in range(3)])
        if best is None or score > best[0]:
            best = (score, c, model)
    assert details["chosen"] == {"uar": pytest.approx(best[0]), "C": best[1]}
    row_of = {one.sample_id: row for row, one in enumerate(rows)}
    for sample_id, label, given in zip(
        predictions.sample_ids, predictions.predicted, predictions.probabilities, strict=True
    ):
        if label is None:
            assert np.isnan(given).all()
            continue
        np.testing.assert_allclose(given, best[2].predict_proba(features[[row_of[sample_id]]])[0], atol=2e-3)
    assert sum(label is None for label in predictions.predicted) == 1
    assert read_result(folder)["metrics"]["uar"] > 0.6
    card = (folder / "README.md").read_text()
    assert "research only (as the user states)" in card
    assert details["weights"] in card
    assert "RGB, (level x 0.00392157 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)" in card
    assert any("channels in the order RGB" in note and "80 features" in note for note in notes)


@pytest.mark.parametrize("kind", ["logistic", "linear-svm", "rbf-svm", "knn"])
def test_evaluation_equals_the_run(made, network, tmp_path, kind):
    context, _ = small_context(tmp_path, made)
    folder = method.run(recipe(head={"kind": kind}), context, onnx=network)
    opened_again = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    again, comparison = evaluate_images(opened_again, context)
    assert again == folder
    assert comparison.is_equal
    predictions = read_predictions(folder)
    faces = np.stack([_face(context, one) for one in predictions.sample_ids[:3]])
    alone = opened_again.predict_faces(faces).fine
    np.testing.assert_allclose(alone, predictions.probabilities[:3], atol=1e-5)
    assert method.run(recipe(head={"kind": kind}), context, onnx=network) == folder


def test_other_networks_and_settings_do_not_replace_a_run(made, network, tmp_path):
    context, _ = small_context(tmp_path, made)
    folder = method.run(recipe(), context, onnx=network)
    other = write_onnx(tmp_path / "tiny.onnx", TinyCnn(seed=1), metadata=stated())
    with pytest.raises(ConfigError, match="settings"):
        method.run(recipe(), context, onnx=other)
    named = method.run(recipe(network="second"), context, onnx=other)
    assert named.parts[-3] == "backbone-second-logistic"
    assert folder.parts[-3] == "backbone-tiny-logistic"


def test_a_network_that_moved_is_asked_for(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    path = write_onnx(tmp_path / "mine.onnx", TinyCnn(), metadata=stated())
    weights = method.run(recipe(), context, onnx=path) / "weights.safetensors"
    moved = path.rename(tmp_path / "elsewhere.onnx")
    with pytest.raises(ManifestError, match="which is not at"):
        open_trained(read_trained(weights), CPU)
    (weights.parent / "mine.onnx").write_bytes(moved.read_bytes())
    open_trained(read_trained(weights), CPU)
    write_onnx(weights.parent / "mine.onnx", TinyCnn(seed=5), metadata=stated())
    with pytest.raises(ManifestError, match="another network"):
        open_trained(read_trained(weights), CPU)


def test_its_own_classes_are_scored_without_training(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    metadata = stated(classes=json.dumps(["Relief", "rage", "panic", "blank"]))
    path = write_onnx(tmp_path / "fer.onnx", TinyCnn(classes=4), metadata=metadata)
    with pytest.raises(ConfigError, match="'rage' is none of the classes") as caught:
        method.run(recipe(), context, onnx=path, zero_shot=True)
    assert "--map rage=" in caught.value.hint
    folder = method.run(recipe(), context, onnx=path, zero_shot=True, map=["rage=anger", "blank="])
    predictions = verify(folder)
    ids = [one for one, label in zip(predictions.sample_ids, predictions.predicted, strict=True) if label]
    with torch.no_grad():
        logits = TinyCnn(classes=4).eval()(torch.from_numpy(prepared(context.manifests, ids)))
    own = logits[:, :3].softmax(1).numpy()[:, [1, 2, 0]]  # anger, panic, relief
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    np.testing.assert_allclose(predictions.probabilities[rows], own, atol=1e-5)
    _, comparison = evaluate_images(open_trained(read_trained(folder / "weights.safetensors"), CPU), context)
    assert comparison.is_equal


def test_features_of_a_classifier_are_what_its_last_layer_takes(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    path = write_onnx(tmp_path / "fer.onnx", TinyCnn(classes=7), metadata=stated())
    samples = usable_samples(context)[:4]
    features = features_of(opened(path), context, samples)
    with torch.no_grad():
        pictures = torch.from_numpy(prepared(context.manifests, [one.sample_id for one in samples]))
        np.testing.assert_allclose(features, TinyCnn(classes=7).eval().embed(pictures).numpy(), atol=2e-5)


def test_blue_first_is_told_and_given(made, network, tmp_path):
    """Swapped channels give other features; the check tells the order and shows what goes in."""
    context, notes = small_context(tmp_path, made)
    method.run(recipe(), context, onnx=network)
    swapped = recipe(name="bgr", input={"colours": "bgr"})
    folder = method.run(swapped, context, onnx=network)
    assert "channels in the order BGR" in " ".join(notes)
    right, wrong = (opened(network, one) for one in (recipe(), swapped))
    samples = usable_samples(context)[:3]
    one, two = (features_of(each, context, samples) for each in (right, wrong))
    assert np.abs(one - two).max() > 1e-2
    import cv2

    seen = cv2.imread(str(folder / "prepared_face.png"))[:, :, ::-1].mean(axis=(0, 1))
    first = min(one.sample_id for one in usable_samples(context))
    true = prepared(context.manifests, [first], mean=(0,) * 3, std=(1,) * 3, scale=1)[0].mean(axis=(1, 2))
    np.testing.assert_allclose(seen, true[::-1], atol=1)


@pytest.mark.parametrize("kind", ["logistic", "linear-svm", "rbf-svm", "knn", "zero-shot"])
def test_the_file_is_exported_with_its_head(made, network, tmp_path, kind):
    """One file from stored faces to probabilities, compared with the network on random faces."""
    context, _ = small_context(tmp_path, made)
    if kind == "zero-shot":
        metadata = stated(classes=json.dumps(list(THREE.labels)))
        path = write_onnx(tmp_path / "fer.onnx", TinyCnn(classes=3), metadata=metadata)
        folder = method.run(recipe(), context, onnx=path, zero_shot=True)
    else:
        folder = method.run(recipe(head={"kind": kind}), context, onnx=network)
    trained = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert export_onnx(trained, tmp_path / "out.onnx").probabilities < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    assert [one.name for one in session.get_inputs()] == ["faces"]
    assert [one.name for one in session.get_outputs()] == ["probabilities", "basic_probabilities"]
    predictions = read_predictions(folder)
    face = _face(context, predictions.sample_ids[0]).transpose(2, 0, 1)[None]
    np.testing.assert_allclose(
        session.run(None, {"faces": face})[0], predictions.probabilities[:1], atol=1e-4
    )


def test_seeds_have_intervals_like_other_baselines(made, network, tmp_path):
    context, _ = small_context(tmp_path, made)
    folders = [method.run(recipe(), replace(context, seed=seed), onnx=network) for seed in (0, 1)]
    assert [folder.name for folder in folders] == ["0", "1"]
    one, two = (read_predictions(folder).probabilities for folder in folders)
    np.testing.assert_array_equal(one, two)


def _face(context, sample_id):
    from tests.support.tiny_work import pictures_of

    return pictures_of(context.manifests, [sample_id])[0].permute(1, 2, 0).numpy().astype(np.uint8)
