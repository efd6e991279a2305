"""MSAU-Net on the last map of a network of the user's: runs, what they keep, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModel

from fgbench.config import BackboneInputConfig
from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.onnx_export import export_onnx
from fgbench.inference.picture_test import evaluate_images
from fgbench.methods._networks import fitting
from fgbench.methods.backbone.asked import Asked
from fgbench.methods.msau.opened import open_network
from fgbench.methods.steps import images
from fgbench.methods.tmsau import run as clip_run
from fgbench.models.weights import load_weights, save_weights
from fgbench.reports.own_networks import own_network_notes
from fgbench.reports.page.extra_files import read_boxes
from fgbench.reports.run.regions import read_regions
from fgbench.runs.results import read_result, verify
from fgbench.runs.weights import read_trained
from tests.support.backbone_work import normalised
from tests.support.tiny_backbones import MEAN, STD, write_vit
from tests.support.tiny_cnns import write_cnn
from tests.support.tiny_networks import tiny_resnet
from tests.support.tiny_work import (
    FAST,
    RESIZE_PX,
    context_in,
    image_recipe,
    pictures_of,
    seen,
    small_work,
    with_three_leaves,
)

CPU = torch.device("cpu")
SIDE = 96
INPUT = {"size_px": SIDE, "colours": "bgr", "scale": 1 / 255, "mean": MEAN, "std": STD}
PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3, "resize_px": RESIZE_PX}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_work(tmp_path_factory.mktemp("work"), rest=False))


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A folder of transformers and a file of torch, both residual networks."""
    folder = tmp_path_factory.mktemp("networks")
    write_cnn(folder / "cnn", side=SIDE)
    torch.save(tiny_resnet().state_dict(), folder / "tiny.pth")
    return folder


@pytest.fixture
def context(tmp_path, manifests):
    return context_in(tmp_path / "work", manifests)


@pytest.fixture
def tasks(monkeypatch):
    """The tasks of the runs of a test, in order."""
    made, task = [], images.image_run.ImageTask

    def recording(*arguments, **more):
        made.append(task(*arguments, **more))
        return made[-1]

    monkeypatch.setattr(images.image_run, "ImageTask", recording)
    return made


def recipe(*, given=None, keep_maps=True, optimiser=None, **network):
    trunk = {"kind": "backbone", "input": INPUT if given is None else given}
    known = {"trunk": trunk, "fc_hidden": None, "embedding": 8, "dropout": 0.0}
    return image_recipe(
        network=known | network,
        au_recipe=None,
        data={"resize_px": RESIZE_PX, "keep_maps": keep_maps},
        losses={"alternate": False},
        optimiser=FAST | (optimiser or {}),
    )


def asked(networks, of="cnn", licence=None):
    hf, file = (str(networks / of), None) if of != "tiny" else (None, networks / "tiny.pth")
    arch = None if file is None else "resnet18"
    return Asked(onnx=None, hf=hf, torch=file, arch=arch, download=False, licence=licence)


def train(config, context, network):
    """Train as the command does, in a context that is there."""
    (folder,) = images._on_backbone(config, context, network)
    return folder


def of_torch(**network):
    """A recipe for the file of torch, which trains on after an epoch."""
    config = recipe(keep_maps=False, **network)
    trunk = config.network.trunk.model_copy(update={"architecture": {"width": 0.0625}})
    return config.model_copy(update={"network": config.network.model_copy(update={"trunk": trunk})})


def own_probabilities(model, state, faces):
    """Probabilities (N, K) of faces by the test's own code: Pillow for the input, NumPy for the rest."""
    crops = seen(faces, PLAIN)

    def maps_of(pictures):
        prepared = normalised(pictures.flip(1), side=SIDE, mean=MEAN, std=STD)
        with torch.no_grad():
            return model(pixel_values=torch.from_numpy(prepared)).last_hidden_state.numpy()

    whole = maps_of(crops)
    cells = whole.shape[2]
    regions = []
    for face, one in zip(crops, whole, strict=True):
        row, column = np.unravel_index(one.max(0).argmax(), (cells, cells))
        top, left = (np.clip((index + 0.5) * 224 / cells - 48, 0, 128) for index in (row, column))
        steps = (np.arange(224) + 0.5) / 224 * 96 - 0.5
        at_y, at_x = np.clip(top + steps, 0, 223), np.clip(left + steps, 0, 223)
        upper, before = np.floor(at_y).astype(int), np.floor(at_x).astype(int)
        lower, after = np.minimum(upper + 1, 223), np.minimum(before + 1, 223)
        down, across = (at_y - upper)[:, None], (at_x - before)[None]
        pixels = face.numpy()
        above = pixels[:, upper][:, :, before] * (1 - across) + pixels[:, upper][:, :, after] * across
        below = pixels[:, lower][:, :, before] * (1 - across) + pixels[:, lower][:, :, after] * across
        regions.append(above * (1 - down) + below * down)
    zoomed = maps_of(torch.from_numpy(np.stack(regions).astype(np.float32)))
    branches = []
    for scale, maps in enumerate((whole, zoomed)):
        tensors = {
            part: state[f"scales.{scale}.{part}"].numpy()
            for part in ("embedding.fc9.weight", "embedding.fc9.bias", "fine.weight", "fine.bias")
        }
        flat = maps.reshape(len(maps), -1)
        embedded = np.maximum(flat @ tensors["embedding.fc9.weight"].T + tensors["embedding.fc9.bias"], 0)
        features = np.concatenate([embedded, maps.max((2, 3))], 1)
        logits = features @ tensors["fine.weight"].T + tensors["fine.bias"]
        branches.append(functional.softmax(torch.from_numpy(logits), 1).numpy())
    return np.mean(branches, 0)


def test_a_run_predicts_what_the_tests_own_code_does(context, networks):
    """With the network's own colours, size and normalisation; and is told as what it is."""
    notes = []
    context = replace(context, note=notes.append)
    folder = train(recipe(), context, asked(networks, licence="MIT"))
    assert folder.parts[-3] == "tiny-on-cnn"
    predictions = verify(folder)
    state, metadata = load_weights(folder / "weights.safetensors")
    assert not [name for name in state if name.startswith("trunk.")], "a frozen network stays where it is"
    there = [row for row, label in enumerate(predictions.predicted) if label]
    faces = pictures_of(context.manifests, [predictions.sample_ids[row] for row in there])
    model = AutoModel.from_pretrained(networks / "cnn").eval()
    expected = own_probabilities(model, state, faces)
    np.testing.assert_allclose(predictions.probabilities[there], expected, atol=2e-3)
    assert np.abs(expected - expected[:1]).max() > 0.02, "they depend on the face"
    network = open_network(read_trained(folder / "weights.safetensors"), CPU)
    assert evaluate_images(network, context)[1].is_equal
    details, card = read_result(folder)["details"], (folder / "README.md").read_text()
    digest = details["backbone"]["sha256"]
    assert details["method"] == "MSAU-Net (Ours), trunk of cnn"
    assert (details["weights"], details["weights_file"], details["trunk"]) == (digest, "cnn", None)
    assert own_network_notes([("row", details)]) == [
        "On networks of the user's, which the paper does not have: row (trunk of MSAU-Net, frozen)."
    ]
    assert metadata["initial_weights"] == metadata["backbone"]["sha256"] == digest
    for line in (
        f"- Frozen network: cnn (hf), SHA-256 {digest}; it is not part of these weights",
        "- Licence of the frozen network: MIT (as the user states)",
        "- Trunk: ResNetModel, last map of 16 channels, 3 x 3 cells; frozen. The paper's is DRML's",
        "- Normalisation: BGR, (level x 0.00392157 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)",
    ):
        assert line in card
    assert any(
        "last map of 16 channels, 3 x 3 cells; a face as the network sees it" in note for note in notes
    )
    assert (folder / "prepared_face.png").is_file()
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert settings["backbone"]["sha256"] == digest
    assert train(recipe(), context, asked(networks, licence="MIT")) == folder
    with pytest.raises(
        ConfigError, match=r"tiny-on-cnn/0/0 is finished, with other settings: backbone.licence"
    ):
        train(recipe(), context, asked(networks))


def test_kept_maps_and_pictures_give_the_same(context, manifests, networks, tmp_path):
    kept = train(recipe(), context, asked(networks))
    assert (context.workdir / "cache" / "maps").is_dir()
    other = context_in(tmp_path / "other", manifests)
    streamed = train(recipe(keep_maps=False), other, asked(networks))
    assert not (other.workdir / "cache" / "maps").exists()
    one, two = (verify(folder).probabilities for folder in (kept, streamed))
    np.testing.assert_allclose(one[np.isfinite(one)], two[np.isfinite(two)], atol=2e-3)


def test_everything_follows_from_the_seed(manifests, networks, tmp_path):
    """Also where the network trains; and of another seed the heads are other ones."""
    bytes_of = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        made = context_in(tmp_path / place, manifests, seed=seed)
        folder = train(of_torch(freeze="none"), made, asked(networks, "tiny"))
        bytes_of.append((folder / "weights.safetensors").read_bytes())
    assert bytes_of[0] == bytes_of[1]
    assert bytes_of[0] != bytes_of[2]


@pytest.mark.parametrize("later", [False, True])
def test_a_trunk_that_trains_is_kept_and_comes_back(context, networks, tasks, tmp_path, later):
    """Its statistics move with it; the user's own file stays as it is."""
    before = (networks / "tiny.pth").read_bytes()
    how = {"unfreeze_after": 1, "unfreeze_rate": 0.5} if later else {"freeze": "none"}
    config = of_torch(**how)
    config = config.model_copy(update={"optimiser": config.optimiser.model_copy(update={"keep": "last"})})
    folder = train(config, context, asked(networks, "tiny"))
    assert (networks / "tiny.pth").read_bytes() == before
    base = torch.load(networks / "tiny.pth", weights_only=True)
    prefix = "trunk.network.module."
    own = {
        name.removeprefix(prefix): value
        for name, value in load_file(folder / "weights.safetensors").items()
        if name.startswith("trunk.")
    }
    assert own.keys() == base.keys()
    same = [name for name in base if torch.equal(own[name], base[name])]
    assert not same, "all of it trains, statistics of normalisations too"
    groups = tasks[0].groups()
    assert len(groups) == (2 if later else 1)
    network = open_network(read_trained(folder / "weights.safetensors"), CPU)
    assert evaluate_images(network, context)[1].is_equal
    assert export_onnx(network, tmp_path / "whole.onnx").probabilities < 1e-4
    card = (folder / "README.md").read_text()
    assert "trained on; what was trained of it is part of these weights" in card
    assert read_result(folder)["details"]["backbone"]["trunk"] == "trained"
    there = network.model.trunk.state_dict()
    assert all(torch.equal(there[f"network.module.{name}"], value) for name, value in own.items())


def test_a_frozen_trunk_stays_as_it_is_in_training(context, networks, tasks):
    train(recipe(keep_maps=False), context, asked(networks))
    base = AutoModel.from_pretrained(networks / "cnn").state_dict()
    after = tasks[0].model.trunk.state_dict()
    assert base
    assert all(torch.equal(after[f"network.module.model.{name}"], value) for name, value in base.items())
    assert not any(value.requires_grad for value in tasks[0].model.trunk.parameters())


def test_a_frozen_run_is_exported_and_tells_of_faces(context, networks, tmp_path):
    folder = train(recipe(zooms=2, suppress_radius=0), context, asked(networks))
    network = open_network(read_trained(folder / "weights.safetensors"), CPU)
    told = network.predict_faces(np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8))
    assert told.fine.shape == (3, 3)
    np.testing.assert_allclose(told.fine.sum(1), 1, atol=1e-5)
    assert told.boxes.shape[0] == 3
    compared = export_onnx(network, tmp_path / "whole.onnx")
    assert compared.probabilities < 1e-4


class KilledError(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(context, manifests, networks, tmp_path, monkeypatch):
    config = of_torch(unfreeze_after=1)
    config = config.model_copy(update={"optimiser": config.optimiser.model_copy(update={"epochs": 3})})
    whole = train(config, context_in(tmp_path / "whole", manifests), asked(networks, "tiny"))

    def killed(name, done, of):
        if name == "train" and done > of * 2 // 3:
            raise KilledError

    with pytest.raises(KilledError):
        train(config, replace(context, progress=killed), asked(networks, "tiny"))
    folder = context.workdir / "runs" / "tiny-on-tiny" / "0" / "0"
    assert not (folder / "result.json").exists()
    fingerprints, fit = [], fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *args, **more: fingerprints.append(more["fingerprint"]) or fit(*args, **more)
    )
    assert train(config, context, asked(networks, "tiny")) == folder
    assert (folder / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    other = replace(context, force=True)
    train(recipe(given=INPUT | {"colours": "rgb"}), other, asked(networks))
    train(recipe(), other, asked(networks))
    assert len({*fingerprints}) == 3, "the input is part of what a run is"


def test_the_users_network_is_looked_for_and_has_to_be_the_same(context, manifests, networks, tmp_path):
    mine = tmp_path / "mine"
    write_cnn(mine / "cnn", side=SIDE)
    folder = train(recipe(), context, asked(mine))
    trained = read_trained(folder / "weights.safetensors")
    (mine / "cnn").rename(mine / "away")
    with pytest.raises(ManifestError, match=r"of cnn \(SHA-256 [0-9a-f]{12}\.\.\.\), which is not at"):
        open_network(trained, CPU)
    write_cnn(mine / "cnn", seed=1, side=SIDE)
    with pytest.raises(ManifestError, match="is another network than tiny-on-cnn"):
        open_network(trained, CPU)
    (mine / "away").rename(folder / "cnn")
    assert evaluate_images(open_network(trained, CPU), context)[1].is_equal


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": None}, "do not tell of their network"),
        ({"input": {"crop": "stored"}}, "do not tell of their network"),
        ({"trunk_trains": True}, "are missing or too many"),
    ],
)
def test_altered_weights_are_refused(context, networks, change, message):
    folder = train(recipe(), context, asked(networks))
    state, metadata = load_weights(folder / "weights.safetensors")
    save_weights(folder / "other.safetensors", state, metadata | change)
    shutil.copytree(networks / "cnn", folder / "cnn")
    with pytest.raises(ManifestError, match=message):
        open_network(read_trained(folder / "other.safetensors"), CPU)


def test_a_network_of_tokens_is_refused_before_training(context, networks, tmp_path):
    write_vit(tmp_path / "vit")
    with pytest.raises(ConfigError, match=r"vit \(ViTModel, pooling auto\) has no last map"):
        train(recipe(given={}), context, asked(tmp_path, "vit"))
    assert not (context.workdir / "runs").exists()


def test_an_input_that_nothing_states_is_asked_for(context, networks):
    config = of_torch()
    trunk = config.network.trunk.model_copy(update={"input": BackboneInputConfig(size_px=SIDE)})
    config = config.model_copy(update={"network": config.network.model_copy(update={"trunk": trunk})})
    with pytest.raises(ConfigError, match=r"tiny does not tell its input \(scale, mean, std\)") as caught:
        train(config, context, asked(networks, "tiny"))
    hint = caught.value.hint
    assert "of networks of ImageNet: --set network.trunk.input.scale=0.003921569 --set network.trunk" in hint


def test_what_cannot_start_from_such_a_run_says_so(context, networks):
    folder = train(recipe(), context, asked(networks))
    trained = read_trained(folder / "weights.safetensors")
    clips = clip_run.TrainClipConfig.model_validate(
        {
            "name": "clips",
            "method": "NAN",
            "spatial": "attention",
            "temporal": None,
            "image_recipe": "msau-small",
        }
    )
    with pytest.raises(
        ConfigError, match=r"tiny-on-cnn/0/0 is on a network of the user's .* weights of clips"
    ):
        clip_run.run(clips, context, trained)
    with pytest.raises(ConfigError, match="one of them has a network of the user's as trunk"):
        images.on_trunk_of(image_recipe(), trained)
    with pytest.raises(
        ConfigError, match=r"recipe tiny has a network of the user's as trunk .* none is named"
    ):
        images.train_images_in(recipe(), context)


def test_action_units_of_the_recipe_are_left_out_and_that_is_told(context, networks):
    notes = []
    config = recipe().model_copy(update={"au_recipe": "au-small"})
    folder = train(config, replace(context, note=notes.append), asked(networks))
    assert "no action units: the trunk is cnn, which the paper does not have" in notes
    assert read_result(folder)["details"]["chain"] == []
    assert not (context.workdir / "runs" / "au-small").exists()
    assert json.loads((folder / "history.json").read_text())["epochs"]


def test_the_page_shows_regions_of_maps_of_any_size(context, networks):
    """Cells beyond the paper's six are no damage; those beyond the map's own are."""
    side = {"size_px": 224}
    folder = train(recipe(given=INPUT | side, optimiser={"epochs": 1}), context, asked(networks))
    predictions = verify(folder)
    result = read_result(folder)
    assert result["details"]["cells"] == 7
    boxes = read_boxes(folder, predictions)
    assert [len(one) for one in boxes] == [3 if label else 0 for label in predictions.predicted]
    cells = [region.cell for regions in read_regions(folder, grid=7).values() for region in regions]
    assert max(max(cell) for cell in cells) == 6, "one lies where the paper's map has none"
    with pytest.raises(ManifestError, match=r"has cell \(\d, \d\), expected 0 to 5"):
        read_regions(folder)
