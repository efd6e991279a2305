"""``backbone --finetune``: what trains, what is kept, and that it comes back."""

import itertools

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import ViTModel

from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods.backbone import method
from fgbench.methods.backbone.hf_runs import Features
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import prepared, recipe, small_context
from tests.support.tiny_backbones import (
    MEAN,
    STD,
    TinyCnn,
    stated,
    vit_config,
    write_onnx,
    write_vit,
)
from tests.support.tiny_networks import tiny_resnet
from tests.support.tiny_work import small_work

CPU = torch.device("cpu")
INPUT = {"size_px": 32, "scale": 1 / 255, "mean": MEAN, "std": STD}
FAST = {"kind": "adamw", "learning_rate": 0.003, "batch": 5, "epochs": 3}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("made"), rest=False)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A vision transformer of two blocks and a residual network of eight."""
    folder = tmp_path_factory.mktemp("networks")
    write_vit(folder / "vit")
    torch.manual_seed(0)
    ViTModel(vit_config(num_hidden_layers=2)).save_pretrained(folder / "vit")
    torch.save(tiny_resnet().state_dict(), folder / "tiny.pth")
    return folder


def settings(**changes):
    return recipe(
        input=INPUT,
        finetune={"optimiser": FAST, "head_rate": 0.02, **changes},
        architecture={},
    )


def run(context, networks, finetune, *, of="vit", config=None):
    if of == "vit":
        return method.run(config or settings(), context, hf=str(networks / "vit"), finetune=finetune)
    changed = (config or settings()).model_copy(update={"architecture": {"width": 0.0625}})
    return method.run(changed, context, torch=networks / "tiny.pth", arch="resnet18", finetune=finetune)


def kept(folder):
    return {
        name: value
        for name, value in load_file(folder / "weights.safetensors").items()
        if name.startswith("network.")
    }


def test_all_of_a_network_is_trained_and_used(made, networks, tmp_path):
    """The kept weights predict, by the test's own code, what the run predicted."""
    context, notes = small_context(tmp_path, made)
    folder = run(context, networks, "all")
    assert folder.parts[-3] == "backbone-vit-finetuned-all"
    assert any("fine-tuning all: " in note for note in notes)
    predictions, result = verify(folder), read_result(folder)
    assert result["details"]["method"] == "vit, fine-tuned"
    assert result["metrics"]["uar"] > 0.8
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    pictures = torch.from_numpy(prepared(context.manifests, [predictions.sample_ids[row] for row in rows]))
    model = ViTModel.from_pretrained(networks / "vit").eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    own = {name.removeprefix("network.model."): value for name, value in kept(folder).items()}
    assert any(not torch.equal(before[name], value) for name, value in own.items())
    model.load_state_dict(own, strict=False)
    head = load_file(folder / "weights.safetensors")
    with torch.no_grad():
        features = model(pixel_values=pictures).last_hidden_state[:, 0]
    expected = (features @ head["head.weights"] + head["head.offsets"]).softmax(1)
    np.testing.assert_allclose(predictions.probabilities[rows], expected.numpy(), atol=1e-4)
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert evaluate_images(network, context)[1].is_equal
    faces = np.zeros((1, 224, 224, 3), np.uint8)
    assert network.predict_faces(faces).fine.shape == (1, 3)
    assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
    card = (folder / "README.md").read_text()
    trained = read_trained(folder / "weights.safetensors").metadata["finetuned"]["trained"]
    assert f"Trained of that network: all of it; SHA-256 of these tensors {trained}" in card
    assert not (context.workdir / "cache" / "features").exists()
    assert run(context, networks, "all") == folder


def test_the_last_blocks_and_what_follows_them_train(made, networks, tmp_path):
    context, _ = small_context(tmp_path, made)
    folder = run(context, networks, "last-1")
    names = {name.removeprefix("network.model.") for name in kept(folder)}
    assert names
    assert all(name.startswith(("layers.1.", "layernorm.")) for name in names)
    folder = run(context, networks, "last-2", of="resnet")
    names = {".".join(name.split(".")[1:3]) for name in kept(folder)}
    assert names == {"layer4.0", "layer4.1"}
    base = torch.load(networks / "tiny.pth", weights_only=True)
    changed = {name for name, value in kept(folder).items() if not torch.equal(value, base[name[8:]])}
    assert "network.layer4.1.bn2.running_mean" in changed
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert evaluate_images(network, context)[1].is_equal
    there = network.network.frozen.runs.module.state_dict()
    assert torch.equal(there["layer3.1.bn2.running_mean"], base["layer3.1.bn2.running_mean"])


@pytest.mark.parametrize(("of", "layer"), [("vit", "layers.0"), ("resnet", "layer1.0.conv1")])
def test_adapters_are_all_that_is_kept(made, networks, tmp_path, of, layer):
    pytest.importorskip("peft")
    context, _ = small_context(tmp_path, made)
    folder = run(context, networks, "lora", of=of, config=settings(lora={"rank": 2, "alpha": 6.0}))
    own = kept(folder)
    assert own
    assert all(".lora_A." in name or ".lora_B." in name for name in own)
    assert any(layer in name for name in own)
    trained = read_trained(folder / "weights.safetensors")
    network = open_trained(trained, CPU)
    assert evaluate_images(network, context)[1].is_equal
    there = network.network.frozen.runs.module.state_dict()
    if of == "vit":
        base = Features(ViTModel.from_pretrained(networks / "vit"), "auto", compares=False).state_dict()
        merged = 0
        for target in trained.metadata["finetuned"]["targets"]:
            up, down = (own[f"network.{target}.lora_{one}.default.weight"] for one in "BA")
            expected = base[f"{target}.weight"] + 6.0 / 2 * (up @ down)
            torch.testing.assert_close(there[f"{target}.weight"], expected)
            merged += not torch.equal(there[f"{target}.weight"], base[f"{target}.weight"])
        assert merged == len(trained.metadata["finetuned"]["targets"]) > 4
    else:
        assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
    assert "adapters (LoRA) of rank 2 beside" in (folder / "README.md").read_text()


def test_another_network_under_adapters_is_refused(made, networks, tmp_path):
    pytest.importorskip("peft")
    context, _ = small_context(tmp_path, made)
    torch.save(tiny_resnet().state_dict(), tmp_path / "tiny.pth")
    folder = run(context, tmp_path, "lora", of="resnet", config=settings(lora={"rank": 1}))
    torch.save(tiny_resnet(seed=1).state_dict(), tmp_path / "tiny.pth")
    with pytest.raises(ManifestError, match="another network than"):
        open_trained(read_trained(folder / "weights.safetensors"), CPU)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize(("finetune", "of"), [("last-2", "resnet"), ("lora", "vit")])
def test_a_resumed_training_gives_the_same_weights(made, networks, tmp_path, finetune, of):
    config = settings(
        optimiser={**FAST, "epochs": 2, "checkpoint_steps": 1}, dropout=0.2, lora={"rank": 2, "dropout": 0.2}
    )
    whole, _ = small_context(tmp_path / "whole", made)
    expected = run(whole, networks, finetune, of=of, config=config)
    steps = itertools.count()

    def stop(name, done, of):
        if name == "train" and next(steps) == 4:
            raise StoppedError

    stopped, _ = small_context(tmp_path / "stopped", made, progress=stop)
    with pytest.raises(StoppedError):
        run(stopped, networks, finetune, of=of, config=config)
    again, notes = small_context(tmp_path / "stopped", made)
    found = run(again, networks, finetune, of=of, config=config)
    assert any("goes on with epoch 2 of 2" in note for note in notes)
    for name, value in load_file(expected / "weights.safetensors").items():
        assert torch.equal(value, load_file(found / "weights.safetensors")[name]), name
    other, _ = small_context(tmp_path / "whole", made, seed=1)
    second = run(other, networks, finetune, of=of, config=config)
    assert second.parts[-1] == "1"
    assert not torch.equal(
        load_file(second / "weights.safetensors")["head.weights"],
        load_file(expected / "weights.safetensors")["head.weights"],
    )


def test_weights_of_classes_are_those_of_a_weighted_cross_entropy(made):
    from fgbench.methods.finetuning.task import class_weights

    labels = torch.tensor([0, 0, 0, 1, 3])
    weights = class_weights(labels, 4)
    torch.testing.assert_close(weights, torch.tensor([5 / 12, 5 / 4, 0.0, 5 / 4]))
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    each = functional.cross_entropy(logits, labels, weight=weights, reduction="sum")
    own = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close((weights[labels] * own).sum(), each)


@pytest.mark.parametrize(
    ("finetune", "lora", "match"),
    [
        ("last-9", {}, "which has 8 blocks, expected last-1 to last-8"),
        ("last-0", {}, "finetune is 'last-0', expected all, last-N with a number from 1, or lora"),
        ("half", {}, "finetune is 'half'"),
        ("lora", {"targets": ["conv9"]}, "names 'conv9', which ends the name of no linear layer"),
    ],
)
def test_what_cannot_be_trained_is_one_clear_error(made, networks, tmp_path, finetune, lora, match):
    context, _ = small_context(tmp_path, made)
    with pytest.raises(ConfigError, match=match) as caught:
        run(context, networks, finetune, of="resnet", config=settings(lora=lora))
    assert caught.value.hint
    left = [path for path in (context.workdir / "runs").rglob("*") if path.is_file()]
    assert [path for path in left if not path.name.endswith(".lock")] == []


def test_options_that_do_not_go_with_finetuning(made, tmp_path):
    for options, match in (
        ({"onnx": tmp_path}, "an ONNX file, whose network cannot be trained"),
        ({"hf": "x", "zero_shot": True}, "finetune and zero_shot"),
        ({"hf": "x", "finetune": "last"}, "finetune is 'last'"),
    ):
        with pytest.raises(ConfigError, match=match):
            method.check_options(**{"onnx": None, "hf": None, "finetune": "all"} | options)
    context, _ = small_context(tmp_path, made)
    write_onnx(tmp_path / "tiny.onnx", TinyCnn(), metadata=stated())
    with pytest.raises(ConfigError, match="expected a network of pictures of a folder or a file of torch"):
        method.run(recipe(), context, onnx=tmp_path / "tiny.onnx", finetune="all")
