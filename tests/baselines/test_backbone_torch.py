"""``backbone`` with files of torch: fgbench's own networks, those of transformers, timm's."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fgbench.errors import ConfigError, DependencyError, ManifestError
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods.backbone import method
from fgbench.methods.backbone.architectures import config_of, plain_architecture
from fgbench.methods.backbone.opening import open_network
from fgbench.methods.backbone.torch_file import prefix_of
from fgbench.methods.protocol.kinds import open_trained
from fgbench.models.iresnet import iresnet
from fgbench.models.resnet import ResNet
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import prepared, recipe, small_context
from tests.support.tiny_backbones import MEAN, STD, TINY_VIT, vit_config
from tests.support.tiny_networks import tiny_resnet as resnet
from tests.support.tiny_work import small_work

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow
INPUT = {"size_px": 32, "scale": 1 / 255, "mean": MEAN, "std": STD}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("made"), rest=False)


def opened(path, arch, **architecture):
    return open_network(
        path, format_="torch", device=CPU, output="auto", pooling="auto", arch=arch, architecture=architecture
    )


def vit(classes=0):
    from transformers import ViTForImageClassification, ViTModel

    torch.manual_seed(0)
    model = (
        ViTForImageClassification(vit_config(num_labels=classes)) if classes else ViTModel(vit_config())
    ).eval()
    return model, {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize("how", ["safetensors", "checkpoint", "wrapped"])
def test_features_of_a_resnet_are_those_of_the_file(tmp_path, how):
    model = resnet()
    state = {**model.state_dict(), "fc.weight": torch.randn(5, 32), "fc.bias": torch.randn(5)}
    path = tmp_path / ("x.safetensors" if how == "safetensors" else "x.pth")
    if how == "safetensors":
        save_file(state, path)
    elif how == "checkpoint":
        torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, path)
    else:
        torch.save(
            {f"backbone.{name}": value for name, value in state.items()} | {"margin": torch.ones(3)}, path
        )
    frozen = opened(path, "resnet18", width=0.0625)
    pictures = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        expected = model(pictures)
    torch.testing.assert_close(frozen.runs.features(pictures), expected)
    logits = expected @ state["fc.weight"].T + state["fc.bias"]
    torch.testing.assert_close(frozen.runs.scores(pictures), logits.softmax(1))
    assert any("margin" in note for note in frozen.notes) == (how == "wrapped")


def test_a_resnet_of_bottlenecks_has_the_numbers_of_torchvision():
    """Parameters of torchvision's networks without their classifier, as its documentation counts them."""
    for depth, whole, width in ((18, 11_689_512, 512), (50, 25_557_032, 2048)):
        with torch.device("meta"):
            model = ResNet(depth)
        assert sum(one.numel() for one in model.parameters()) == whole - 1000 * (width + 1)
        assert model.n_features == width
    names = ResNet(50, width=0.02).state_dict()
    assert "layer1.0.downsample.1.running_var" in names
    assert names["layer2.0.conv2.weight"].shape[2:] == (3, 3)


def test_networks_of_transformers_are_built_by_their_names(made, tmp_path):
    """Of a base network, and of a classifier whose own classes are scored."""
    context, _ = small_context(tmp_path, made)
    model, state = vit(classes=3)
    torch.save(state, tmp_path / "fer.pth")
    (tmp_path / "names.txt").write_text("panic\nanger\nrelief\n")
    config = recipe(input=INPUT, architecture=TINY_VIT)
    folder = method.run(
        config,
        context,
        torch=tmp_path / "fer.pth",
        arch="vit",
        zero_shot=True,
        classes=tmp_path / "names.txt",
    )
    predictions = verify(folder)
    rows = [row for row, label in enumerate(predictions.predicted) if label]
    ids = [predictions.sample_ids[row] for row in rows]
    pictures = torch.from_numpy(prepared(context.manifests, ids))
    with torch.no_grad():
        expected = model(pixel_values=pictures).logits.softmax(1).numpy()[:, [1, 0, 2]]
        hidden = model.vit(pixel_values=pictures).last_hidden_state[:, 0]
    np.testing.assert_allclose(predictions.probabilities[rows], expected, atol=1e-5)
    frozen = opened(tmp_path / "fer.pth", "vit", **TINY_VIT)
    torch.testing.assert_close(frozen.runs.features(pictures), hidden)
    base, state = vit()
    save_file(state, tmp_path / "base.safetensors")
    found = opened(tmp_path / "base.safetensors", "vit", **TINY_VIT).runs.features(pictures)
    with torch.no_grad():
        torch.testing.assert_close(found, base(pixel_values=pictures).last_hidden_state[:, 0])


def test_a_run_is_evaluated_exported_and_tells_its_architecture(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    torch.save(resnet().state_dict(), tmp_path / "tiny.pth")
    config = recipe(input=INPUT, architecture={"width": 0.0625})
    folder = method.run(config, context, torch=tmp_path / "tiny.pth", arch="resnet18")
    assert read_result(folder)["details"]["backbone"]["arch"] == "resnet18"
    assert "- Architecture: resnet18 with width 0.0625" in (folder / "README.md").read_text()
    network = open_trained(read_trained(folder / "weights.safetensors"), CPU)
    assert evaluate_images(network, context)[1].is_equal
    assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
    torch.save(resnet(seed=1).state_dict(), tmp_path / "tiny.pth")
    with pytest.raises(ManifestError, match="another network"):
        open_trained(read_trained(folder / "weights.safetensors"), CPU)


def test_a_network_of_faces_states_its_input(tmp_path):
    torch.manual_seed(0)
    model = iresnet(18, 0.03).eval()
    torch.save(model.state_dict(), tmp_path / "backbone.pth")
    frozen = opened(tmp_path / "backbone.pth", "iresnet18", width=0.03)
    faces = torch.randn(2, 3, 112, 112)
    with torch.no_grad():
        torch.testing.assert_close(frozen.runs.features(faces), model(faces))
    assert frozen.stated["fixed_px"] == 112
    with pytest.raises(ConfigError, match="does not take pictures of"):
        frozen.runs.features(torch.zeros(1, 3, 64, 64))


def test_weights_of_another_network_are_one_error_with_the_first_names(tmp_path):
    torch.save(resnet().state_dict(), tmp_path / "x.pth")
    with pytest.raises(ManifestError, match=r"missing: layer1\.2\.conv1\.weight, .*\.\.\."):
        opened(tmp_path / "x.pth", "resnet34", width=0.0625)
    with pytest.raises(ManifestError, match=r"other shapes: conv1\.weight \(4, 3, 7, 7\) instead of \(64, 3"):
        opened(tmp_path / "x.pth", "resnet18")
    torch.manual_seed(0)
    torch.save(ResNet(34, width=0.0625).state_dict(), tmp_path / "deep.pth")
    with pytest.raises(ManifestError, match=r"not in the network: layer1\.2\.conv1\.weight"):
        opened(tmp_path / "deep.pth", "resnet18", width=0.0625)
    _, state = vit()
    save_file(state, tmp_path / "vit.safetensors")
    for changes, match in (
        ({"num_hidden_layers": 2}, r"fit vit \(\d+ missing: layers\.1\."),
        ({"intermediate_size": 16}, r"other shapes: layers\.0\.mlp\.fc1"),
    ):
        with pytest.raises(ManifestError, match=match):
            opened(tmp_path / "vit.safetensors", "vit", **TINY_VIT | changes)
    more = {**state, **{f"layers.1.{name}": value for name, value in [("mlp.fc1.bias", torch.ones(32))]}}
    save_file(more, tmp_path / "more.safetensors")
    with pytest.raises(ManifestError, match=r"1 not in the network: layers\.1\.mlp\.fc1\.bias"):
        opened(tmp_path / "more.safetensors", "vit", **TINY_VIT)
    with pytest.raises(ManifestError, match=r"do not fit vit: .* numbers, expected about 86,"):
        opened(tmp_path / "vit.safetensors", "vit")


class Evil:
    def __reduce__(self):
        return pytest.fail, ("code was run",)


def test_files_that_hold_more_than_weights(tmp_path):
    torch.save({"state_dict": resnet().state_dict(), "x": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ManifestError, match="would run code when read and was refused"):
        opened(tmp_path / "evil.pth", "resnet18")
    (tmp_path / "evil.bin").write_bytes(b"")
    with pytest.raises(ManifestError, match="is no file of weights"):
        opened(tmp_path / "evil.bin", "resnet18")
    with pytest.raises(ManifestError, match="there are no weights at"):
        opened(tmp_path / "none.pth", "resnet18")


@pytest.mark.parametrize(
    ("arch", "settings", "match"),
    [
        ("resnet5", {}, "no network is called 'resnet5'"),
        ("bert", {}, "takes no pictures"),
        ("clip", {}, "compares pictures with texts"),
        ("detr", {}, "built around a network of another file"),
        ("vit", {"hidden_sizes": 8}, "has no setting 'hidden_sizes'"),
        ("vit", {"auto_map": "x"}, "has no setting 'auto_map'"),
        ("vit", {"hidden_size": "big"}, "cannot make vit"),
        ("vit", {"num_channels": 1}, "of 1 channels"),
    ],
)
def test_names_that_are_no_network_of_pictures(arch, settings, match):
    assert plain_architecture(arch, settings) is None
    with pytest.raises(ConfigError, match=match) as caught:
        config_of(arch, settings)
    assert caught.value.hint


def test_settings_of_own_networks():
    with pytest.raises(ConfigError, match="expected width alone"):
        plain_architecture("resnet18", {"depth": 3})
    with pytest.raises(ConfigError, match="expected width alone"):
        plain_architecture("iresnet18", {"width": 1e9})


def test_names_before_those_of_a_network():
    state = {"a.b.conv1.weight": 0, "a.b.bn1.bias": 0, "a.b.x.conv1.weight": 0, "head": 0}
    assert prefix_of(state, ["conv1.weight", "bn1.bias"]) == "a.b."
    assert prefix_of({"conv1.weight": 0}, ["conv1.weight"]) == ""
    assert prefix_of({"other": 0}, ["conv1.weight"]) == ""


def test_timm_is_asked_for_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(DependencyError, match="needs timm, which is not installed"):
        plain_architecture("timm/tiny", {})
    made = []

    def create_model(name, *, pretrained, num_classes):
        made.append((name, pretrained, num_classes))
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    told = SimpleNamespace(
        to_dict=lambda: {"input_size": (3, 48, 48), "mean": (0.5, 0.5, 0.5), "std": (1, 1, 1)}
    )
    fake = SimpleNamespace(create_model=create_model, get_pretrained_cfg=lambda name: told, __version__="1.0")
    monkeypatch.setitem(sys.modules, "timm", fake)
    model = create_model("tiny", pretrained=False, num_classes=0)
    torch.save({**model.state_dict(), "head.weight": torch.ones(2, 4)}, tmp_path / "x.pth")
    frozen = opened(tmp_path / "x.pth", "timm/tiny")
    pictures = torch.randn(2, 3, 48, 48)
    with torch.no_grad():
        torch.testing.assert_close(frozen.runs.features(pictures), model(pictures))
    assert {one[1:] for one in made} == {(False, 0)}
    assert (frozen.stated["size_px"], frozen.stated["mean"]) == (48, (0.5, 0.5, 0.5))


def test_options_that_do_not_go_together(tmp_path):
    for options, match in (
        ({"torch": tmp_path}, "expected the name of their network too"),
        ({"hf": "x", "arch": "vit"}, "no file of torch"),
        ({"hf": "x", "torch": tmp_path, "arch": "vit"}, "2 networks are named"),
    ):
        with pytest.raises(ConfigError, match=match):
            method.check_options(**{"onnx": None, "hf": None} | options)


def test_names_of_other_classes_than_the_network_has(made, tmp_path):
    context, _ = small_context(tmp_path, made)
    _, state = vit(classes=3)
    torch.save(state, tmp_path / "fer.pth")
    (tmp_path / "two.txt").write_text("anger\nrelief\n")
    with pytest.raises(ConfigError, match="has 3 classes, but 2 are named"):
        method.run(
            recipe(input=INPUT, architecture=TINY_VIT),
            context,
            torch=tmp_path / "fer.pth",
            arch="vit",
            zero_shot=True,
            classes=tmp_path / "two.txt",
        )
