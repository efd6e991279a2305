"""``backbone`` with folders of Hugging Face's layout: features, own classes, sentences, export."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from fgbench.errors import ConfigError
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods.backbone import method
from fgbench.methods.backbone.hf_folder import open_hf
from fgbench.methods.backbone.kept_features import Prepared, features_of, usable_samples
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import prepared, recipe, small_context
from tests.support.tiny_backbones import write_clip, write_processor, write_vit
from tests.support.tiny_work import THREE, small_work

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("made"), rest=False)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks") / "clip"
    return folder, write_clip(folder)


def opened(folder, config=None):
    config = config or recipe()
    frozen = open_hf(folder, CPU, pooling=config.pooling)
    return Prepared(frozen=frozen, taken=taken_of(config.input, frozen.stated, name=frozen.name), batch=8)


def pictures(context, samples):
    return torch.from_numpy(prepared(context.manifests, [one.sample_id for one in samples]))


def test_features_are_those_of_the_class_token(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    model = write_vit(tmp_path / "vit")
    samples = usable_samples(context)[:9]
    features = features_of(opened(tmp_path / "vit"), context, samples)
    with torch.no_grad():
        hidden = model(pixel_values=pictures(context, samples)).last_hidden_state
    np.testing.assert_allclose(features, hidden[:, 0].numpy(), atol=2e-5)
    mean = features_of(opened(tmp_path / "vit", recipe(pooling="mean")), context, samples)
    np.testing.assert_allclose(mean, hidden.mean(1).numpy(), atol=2e-5)


@pytest.mark.parametrize("kind", ["convnext", "resnet", "dinov2", "clip_vision"])
def test_features_of_other_networks_are_their_own_pooling(made, tmp_path, kind):
    import transformers as tf

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32}
    model = {
        "convnext": lambda: tf.ConvNextModel(tf.ConvNextConfig(depths=[1] * 4, hidden_sizes=[8] * 4)),
        "resnet": lambda: tf.ResNetModel(
            tf.ResNetConfig(embedding_size=8, hidden_sizes=[16] * 4, depths=[1] * 4, layer_type="basic")
        ),
        "dinov2": lambda: tf.Dinov2Model(tf.Dinov2Config(**small, patch_size=8)),
        "clip_vision": lambda: tf.CLIPVisionModel(
            tf.CLIPVisionConfig(**small, patch_size=8, intermediate_size=16)
        ),
    }[kind]().eval()
    model.save_pretrained(tmp_path / "network")
    write_processor(tmp_path / "network")
    context, _ = small_context(tmp_path, made)
    samples = usable_samples(context)[:5]
    features = features_of(opened(tmp_path / "network"), context, samples)
    with torch.no_grad():
        expected = model(pixel_values=pictures(context, samples)).pooler_output.flatten(1)
    np.testing.assert_allclose(features, expected.numpy(), atol=2e-5)


def test_a_run_is_exported_with_its_network(made, tmp_path):
    """The exported file takes stored faces and gives the network's probabilities."""
    import onnxruntime

    context, _ = small_context(tmp_path, made)
    write_vit(tmp_path / "vit")
    folder = method.run(recipe(), context, hf=str(tmp_path / "vit"))
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    _, comparison = evaluate_images(network, context)
    assert comparison.is_equal
    deviation = export_onnx(network, tmp_path / "whole.onnx")
    assert deviation.probabilities < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "whole.onnx")
    assert [one.name for one in session.get_inputs()] == ["faces"]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == list(THREE.labels)
    assert json.loads(metadata["backbone"])["name"] == "vit"


def test_a_classifier_is_scored_by_its_own_classes(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    model = write_vit(tmp_path / "fer", classes=["panic", "anger", "relief"])
    folder = method.run(recipe(), context, hf=str(tmp_path / "fer"), zero_shot=True)
    predictions = verify(folder)
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    ids = [predictions.sample_ids[row] for row in rows]
    with torch.no_grad():
        logits = model(pixel_values=torch.from_numpy(prepared(context.manifests, ids))).logits
    expected = logits.softmax(1).numpy()[:, [1, 0, 2]]
    np.testing.assert_allclose(predictions.probabilities[rows], expected, atol=1e-5)
    probe = method.run(recipe(), context, hf=str(tmp_path / "fer"))
    assert probe.parts[-3] == "backbone-fer-logistic"


def test_six_classes_are_scored_in_a_data_set_of_leaves(made, tmp_path):
    """Leaves count as their upper class; those without counterpart are left out and counted."""
    work = small_work(tmp_path / "leaves")
    context, _ = small_context(tmp_path, work)
    from fgbench.runs.labels import fg33

    object.__setattr__(context, "labels", fg33())
    six = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    write_vit(tmp_path / "fer", classes=six)
    folder = method.run(recipe(), context, hf=str(tmp_path / "fer"), zero_shot=True)
    predictions = verify(folder)
    assert predictions.classes == (
        "anger",
        "disgust",
        "fear",
        "happiness",
        "sadness",
        "surprise",
        "neutral",
    )
    assert set(predictions.labels) == {"anger", "fear", "happiness"}
    assert read_result(folder)["details"]["level"] == "ekman7"
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    again, comparison = evaluate_images(network, context)
    assert (again, comparison.n, comparison.is_equal) == (folder, 6, True)
    elsewhere, _ = small_context(tmp_path / "other", work, manifest_digest="other")
    object.__setattr__(elsewhere, "labels", fg33())
    other, nothing = evaluate_images(network, elsewhere)
    assert nothing is None
    assert verify(other).classes == predictions.classes
    np.testing.assert_array_equal(verify(other).probabilities, predictions.probabilities)
    details = read_result(other)["details"]
    assert (details["level"], details["dropped"]) == ("ekman7", {})


def test_sentences_are_compared_as_by_hand(made, tmp_path, clip):
    folder, model = clip
    context, _ = small_context(tmp_path, made)
    prompts = {"templates": ["a {} face"], "classes": {"panic": ["a frightened face", "in panic"]}}
    (tmp_path / "prompts.yaml").write_text(yaml.safe_dump(prompts))
    own = tmp_path / "prompts.yaml"
    run = method.run(recipe(), context, hf=str(folder), zero_shot=True, prompts=own)
    predictions = verify(run)
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    ids = [predictions.sample_ids[row] for row in rows]
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    packed = yaml.safe_load((repository() / "manifests" / "prompts.yaml").read_text())["classes"]
    texts = {**packed, **prompts["classes"]}
    of_class = []
    with torch.no_grad():
        for label in THREE.labels:
            vectors = []
            for sentence in texts[label]:
                tokens = tokenizer(sentence, return_tensors="pt", truncation=True, max_length=40)
                out = model.text_model(tokens["input_ids"], attention_mask=tokens["attention_mask"])
                vector = model.text_projection(out.pooler_output)[0]
                vectors.append(vector / vector.norm())
            mean = torch.stack(vectors).mean(0)
            of_class.append(mean / mean.norm())
        out = model.vision_model(torch.from_numpy(prepared(context.manifests, ids)))
        faces = model.visual_projection(out.pooler_output)
        faces = faces / faces.norm(dim=1, keepdim=True)
        expected = (model.logit_scale.exp() * faces @ torch.stack(of_class).T).softmax(1).numpy()
    np.testing.assert_allclose(predictions.probabilities[rows], expected, atol=1e-4)
    _, comparison = evaluate_images(open_trained(read_trained(run / "weights.safetensors"), CPU), context)
    assert comparison.is_equal


def test_the_probe_takes_the_features_that_sentences_are_compared_with(made, tmp_path, clip):
    folder, _ = clip
    context, _ = small_context(tmp_path, made)
    method.run(recipe(), context, hf=str(folder), zero_shot=True)
    probe = method.run(recipe(), context, hf=str(folder))
    assert len(list((context.workdir / "cache" / "features").iterdir())) == 1
    assert read_predictions(probe).probabilities.shape[1] == 3


def test_six_classes_can_be_compared_too(tmp_path, clip):
    folder, _ = clip
    context, _ = small_context(tmp_path, small_work(tmp_path / "leaves"))
    from fgbench.runs.labels import fg33

    object.__setattr__(context, "labels", fg33())
    run = method.run(recipe(level="six"), context, hf=str(folder), zero_shot=True)
    assert run.parts[-3] == "backbone-clip-zero-shot-six"
    assert read_predictions(run).classes == ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    _, comparison = evaluate_images(open_trained(read_trained(run / "weights.safetensors"), CPU), context)
    assert comparison.is_equal


def test_options_that_do_not_fit_the_network_are_refused(made, tmp_path, clip):
    folder, _ = clip
    context, _ = small_context(tmp_path, made)
    with pytest.raises(ConfigError, match="has no classes, but map names some"):
        method.run(recipe(), context, hf=str(folder), zero_shot=True, map=["a=anger"])
    write_vit(tmp_path / "vit")
    with pytest.raises(ConfigError, match="does not name its classes"):
        method.run(recipe(), context, hf=str(tmp_path / "vit"), zero_shot=True)
    shutil.copytree(tmp_path / "vit", tmp_path / "bare")
    (tmp_path / "bare" / "preprocessor_config.json").unlink()
    with pytest.raises(ConfigError, match=r"does not tell its input \(size_px, scale, mean, std\)"):
        method.run(recipe(), context, hf=str(tmp_path / "bare"))
    with pytest.raises(ConfigError, match="does not take pictures of"):
        method.run(recipe(input={"size_px": 48}), context, hf=str(tmp_path / "vit"))


def repository():
    from pathlib import Path

    return Path(__file__).parents[2]
