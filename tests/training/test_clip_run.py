"""Runs of networks of clips: what they write, stopped and resumed, predicted anew, on odd clips, in folds."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench.callbacks import ignore
from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.inference.clip_test import evaluate_clips, tuned_weight
from fgbench.inference.own_networks import input_settings
from fgbench.inputs.crops import without_colour
from fgbench.media.images import decode, encode
from fgbench.methods.tmsau import run as video_run
from fgbench.methods.tmsau.opened import open_clip_network
from fgbench.models.c3d_lstm import C3d
from fgbench.models.googlenet import GoogLeNet
from fgbench.models.vgg_lstm import Vgg16
from fgbench.models.weights import load_weights, save_weights
from fgbench.runs.attention import read_attention
from fgbench.runs.labels import fg33
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.streams import read_streams
from fgbench.runs.weights import read_trained
from fgbench.workfolders.sealed_json import read_sealed
from tests.support.tiny_clips import clip, clip_recipe, other_clips, small_clips, write_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_task import KilledError, killer
from tests.support.tiny_work import COLOURS, THREE, context_in

CPU = torch.device("cpu")
KINDS = {
    "tmsau": {},
    "nan": {"temporal": None, "name": "tiny-nan", "method": "NAN"},
    "plain-tsnet": {"image_recipe": None, "spatial": "rgb", "name": "tiny-tsnet", "method": "Plain TSNet"},
    "vgg-lstm": {"temporal": "vgg-lstm", "name": "tiny-vgg"},
    "c3d-lstm": {"temporal": "c3d-lstm", "name": "tiny-c3d"},
}


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return read_trained(write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors"))


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("three"), rest=False)


def run_in(folder, manifests, image, *, seed=0, labels=None, note=ignore, **changes):
    config = clip_recipe(**changes)
    context = context_in(folder, manifests, seed=seed, labels=labels or fg33(), note=note)
    return video_run.run(config, context, image if config.image_recipe else None), context


@pytest.fixture(scope="module")
def done(manifests, image, tmp_path_factory):
    return run_in(tmp_path_factory.mktemp("done") / "work", manifests, image)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_run_writes_what_can_be_computed_again(tmp_path, manifests, image, kind):
    messages = []
    folder, context = run_in(tmp_path / "work", manifests, image, note=messages.append, **KINDS[kind])
    verify(folder)
    n_epochs = len(read_sealed(folder / "history.json")["epochs"])
    assert sum(line.startswith("epoch ") and ": loss " in line for line in messages) == n_epochs
    assert messages[-1].startswith("kept epoch ")
    predictions, details = read_predictions(folder), read_result(folder)["details"]
    assert len(predictions.sample_ids) == 7, "the clip without a face counts"
    assert predictions.predicted[predictions.sample_ids.index("clip024")] is None
    streams = read_streams(folder)
    names = ["spatial"] if kind == "nan" else ["spatial", "temporal"]
    assert list(streams) == names == details["streams"]
    ids = [name for name in predictions.sample_ids if name != "clip024"]
    rows = [predictions.sample_ids.index(name) for name in ids]
    fused = np.mean([streams[name].of(ids) for name in names], axis=0)
    np.testing.assert_allclose(predictions.probabilities[rows], fused, atol=1e-6)
    assert {part: streams["spatial"].parts.count(part) for part in ("val", "test")} == {"val": 6, "test": 6}
    if kind != "plain-tsnet":
        attention = read_attention(folder)
        assert len(attention) == 12
        for clip_id in ids:
            np.testing.assert_array_equal(attention[clip_id].frames, np.arange(5 + int(clip_id[4:]) % 4))
    else:
        assert not (folder / "attention.parquet").exists()
    for name in ("config.yaml", "history.json", "README.md", "weights.safetensors"):
        assert (folder / name).is_file()
    assert not (folder / "checkpoint.pt").exists()
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    assert (network.image is not None) == (kind != "plain-tsnet")
    actual, comparison = evaluate_clips(network, context)
    assert actual == folder
    assert comparison.is_equal
    assert video_run.run(clip_recipe(**KINDS[kind]), context, image if network.image else None) == folder


def test_the_card_and_the_metadata_tell_what_the_streams_take(done):
    folder, _ = done
    card = (folder / "README.md").read_text()
    assert "- Input of the spatial stream (attention)" in card
    assert "- Input of the temporal stream (flow): optical flow (8 bits), less (127.5, 127.5)" in card
    assert "- Weight of the spatial stream: 0.5" in card
    state, metadata = load_weights(folder / "weights.safetensors")
    assert metadata["kind"] == "video"
    assert metadata["image"]["experiment"] == "tiny"
    assert any(name.startswith("image.trunk.") for name in state)


@pytest.mark.parametrize("after", [1, 3])
def test_killed_and_resumed_is_the_same_to_the_last_bit(tmp_path, manifests, image, after):
    folder = tmp_path / "work"
    config = clip_recipe(optimiser={**clip_recipe().optimiser.model_dump(), "checkpoint_steps": 1})
    whole = video_run.run(config, context_in(tmp_path / "whole", manifests), image)
    killed = context_in(folder, manifests, progress=killer(after))
    with pytest.raises(KilledError):
        video_run.run(config, killed, image)
    again = video_run.run(config, context_in(folder, manifests), image)
    for name in ("weights.safetensors", "predictions.parquet", "streams.parquet"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name


def test_frames_are_described_once(tmp_path, manifests, image):
    folder = tmp_path / "work"
    run_in(folder, manifests, image, temporal=None, name="first")
    before = {path: path.stat().st_mtime_ns for path in (folder / "cache" / "frames").rglob("*.f16")}
    assert len(before) == 3
    run_in(folder, manifests, image, temporal=None, name="second", fusion_weight=0.3)
    after = {path: path.stat().st_mtime_ns for path in (folder / "cache" / "frames").rglob("*.f16")}
    assert after == before


def test_streams_that_are_read_from_disk_give_the_same(tmp_path, manifests, image):
    data = clip_recipe().data.model_dump() | {"resident_mb": 1}
    kind = KINDS["plain-tsnet"] | {"rgb": {"input_px": 96, "width": 0.0625, "dropout": 0.0}}
    whole, _ = run_in(tmp_path / "a", manifests, image, **kind)
    read, _ = run_in(tmp_path / "b", manifests, image, **kind, data=data)
    assert (read / "predictions.parquet").read_bytes() == (whole / "predictions.parquet").read_bytes()


@pytest.mark.parametrize("weight", [0.0, 0.25, 1.0, "tuned"])
def test_another_weight_is_a_run_of_its_own(tmp_path, done, weight):
    folder, context = done
    before = (folder / "result.json").read_bytes()
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    other, comparison = evaluate_clips(network, context, weight)
    assert comparison is None
    chosen = tuned_weight(folder) if weight == "tuned" else weight
    assert other.parent.parent.name == f"tiny-tmsau-w{chosen:.2f}"
    predictions, streams = read_predictions(other), read_streams(folder)
    ids = [name for name, label in zip(predictions.sample_ids, predictions.predicted, strict=True) if label]
    rows = [predictions.sample_ids.index(name) for name in ids]
    expected = chosen * streams["spatial"].of(ids) + (1 - chosen) * streams["temporal"].of(ids)
    np.testing.assert_allclose(predictions.probabilities[rows], expected, atol=1e-6)
    details = read_result(other)["details"]
    assert details["fusion_weight"] == chosen
    assert ("chosen on validation" in details["method"]) == (weight == "tuned")
    assert (folder / "result.json").read_bytes() == before


def test_a_weight_needs_two_streams(tmp_path, manifests, image):
    folder, context = run_in(tmp_path / "work", manifests, image, **KINDS["nan"])
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    with pytest.raises(ConfigError, match="spatial stream alone, expected two"):
        evaluate_clips(network, context, 0.5)


def test_on_other_data_it_is_a_run_there(tmp_path, done, image):
    folder, _ = done
    other = small_clips(tmp_path / "other", moves=False)
    context = context_in(
        tmp_path / "work", other, manifest_digest="o", details={"dataset": "others", "synthetic": True}
    )
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    made, comparison = evaluate_clips(network, context)
    assert comparison is None
    assert made == tmp_path / "work" / "runs" / "tiny-tmsau-on-others" / "0" / "0"
    details = read_result(made)["details"]
    assert details["method"] == "TMSAU-Net (Ours), trained on made up"
    assert details["weights"]["sha256"] == network.trained.digest
    assert details["clips_trained_on"] == 0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("bound_px", 20.0, "112 px by farneback up to 20 px"),
        ("method", "dis", "112 px by dis up to 5 px"),
        ("size_px", 96, "96 px by farneback up to 5 px"),
    ],
)
def test_optical_flow_of_another_kind_is_refused(tmp_path, done, manifests, key, value, words):
    folder, _ = done
    expected = {"size_px": 112, "method": "farneback", "bound_px": 5.0}
    assert read_result(folder)["details"]["optical_flow"] == expected
    trained = read_trained(folder / "weights.safetensors")
    assert trained.metadata["optical_flow"] == expected
    context = context_in(tmp_path / "work", manifests, manifest_digest="o")
    path = context.workdir / "prepare.json"
    prepared = json.loads(path.read_text())
    prepared["recipe"]["optical_flow"][key] = value
    path.write_text(json.dumps(prepared))
    network = open_clip_network(trained, CPU)
    with pytest.raises(ConfigError) as error:
        evaluate_clips(network, context)
    assert (
        f"was trained on optical flow of 112 px by farneback up to 5 px, but {context.workdir} has {words}"
        in (error.value.message)
    )
    assert all(f"{name}: {reported}" in error.value.hint for name, reported in expected.items())
    assert not (context.workdir / "runs").exists()

    unknown = {name: reported for name, reported in trained.metadata.items() if name != "optical_flow"}
    notes = []
    older = replace(network, trained=replace(trained, metadata=unknown))
    evaluate_clips(older, replace(context, note=notes.append))
    assert notes == ["tiny-tmsau/0/0 does not tell how the optical flow was computed that it was trained on"]


def test_files_get_the_optical_flow_that_weights_tell_of(tmp_path, done):
    trained = read_trained(done[0] / "weights.safetensors")
    described = {"size_px": 96, "method": "dis", "bound_px": 7.0}
    alone = replace(
        trained, path=tmp_path / "w.safetensors", metadata={**trained.metadata, "optical_flow": described}
    )
    flow = input_settings(alone).flow
    assert {name: getattr(flow, name) for name in described} == described


def test_without_flow_its_kind_does_not_matter(tmp_path, manifests, image):
    folder, _ = run_in(tmp_path / "own", manifests, image, **KINDS["nan"])
    trained = read_trained(folder / "weights.safetensors")
    assert trained.metadata["optical_flow"] is None
    context = context_in(tmp_path / "work", manifests, manifest_digest="o")
    path = context.workdir / "prepare.json"
    prepared = json.loads(path.read_text())
    prepared["recipe"]["optical_flow"]["bound_px"] = 20.0
    path.write_text(json.dumps(prepared))
    made, _ = evaluate_clips(open_clip_network(trained, CPU), context)
    assert made.is_relative_to(context.workdir)


def odd_clips(folder, n_frames):
    """Beside usual clips, one of a single frame, one with gaps, one of many frames, and one without flow."""
    parts = [
        clip(number, part, f"s{number}", label, 4)
        for number, (part, label) in enumerate(
            [(part, label) for part in ("train", "train", "val", "test") for label in COLOURS]
        )
    ]
    face = encode(np.full((224, 224, 3), COLOURS["panic"], np.uint8), "jpeg", 80)
    flow = parts[0][5]
    gaps = [(0, face), (1, face), (2, None), (3, face), (4, face)]
    parts += [
        ("single", "test", "s90", "panic", [(7, face)], []),
        ("gaps", "train", "s91", "panic", gaps, [(0, *flow[0][1:]), (3, *flow[1][1:])]),
        ("none", "test", "s92", "relief", [(0, None)], []),
        (
            "long",
            "test",
            "s93",
            "panic",
            [(n, face) for n in range(n_frames)],
            [(n, *flow[0][1:]) for n in range(n_frames - 1)],
        ),
    ]
    return write_clips(folder / "manifests", [*parts, *other_clips()])


@pytest.mark.parametrize("kind", ["tmsau", "plain-tsnet", "c3d-lstm"])
def test_clips_of_one_frame_of_many_and_of_none(tmp_path, image, kind):
    n_frames = 10_000 if kind == "tmsau" else 100
    folder, _ = run_in(tmp_path / "work", odd_clips(tmp_path, n_frames), image, **KINDS[kind])
    predictions = read_predictions(folder)
    mapping = dict(zip(predictions.sample_ids, predictions.predicted, strict=True))
    assert mapping["none"] is None
    assert mapping["single"] is not None
    assert mapping["long"] is not None
    assert np.isfinite(predictions.probabilities[predictions.sample_ids.index("single")]).all()
    if kind == "tmsau":
        attention = read_attention(folder)
        assert attention["single"].frames.tolist() == [7]
        assert len(attention["long"].frames) == 64, "at most so many frames, evenly spread"
        streams = read_streams(folder)
        uniform = streams["temporal"].of(["single"])[0]
        np.testing.assert_allclose(uniform, 1 / 33, atol=1e-6)


def test_weights_of_torchvisions_kind_start_the_streams(tmp_path, manifests):
    torch.manual_seed(0)
    backbone = GoogLeNet(3, width=0.0625)
    path = tmp_path / "googlenet.pth"
    torch.save({**backbone.state_dict(), "fc.weight": torch.zeros(1, 64), "fc.bias": torch.zeros(1)}, path)
    config = clip_recipe(
        **KINDS["plain-tsnet"]
        | {"optimiser": {"epochs": 1, "learning_rate": 1e-12, "momentum": 0.0, "weight_decay": 0.0}}
    )
    folder = video_run.run(config, context_in(tmp_path / "work", manifests), None, path)
    state, metadata = load_weights(folder / "weights.safetensors")
    first = backbone.state_dict()["conv1.conv.weight"]
    torch.testing.assert_close(state["spatial.backbone.conv1.conv.weight"], first)
    expected = first.mean(1, keepdim=True).expand(-1, 4, -1, -1)
    torch.testing.assert_close(state["temporal.backbone.conv1.conv.weight"], expected)
    assert read_result(folder)["details"]["weights"] == metadata["initial_weights"]


@pytest.fixture
def seen_by(monkeypatch):
    """The first input of every network of a kind."""
    actual = {}

    def record(kind):
        forward = kind.forward

        def recorded(self, x):
            if x.shape[1] not in actual:
                actual[x.shape[1]] = x.detach().clone()
            return forward(self, x)

        monkeypatch.setattr(kind, "forward", recorded)
        return actual

    return record


PUBLISHED = {
    "plain-tsnet": (GoogLeNet, lambda: GoogLeNet(3, width=0.0625), (0.5,) * 3, (0.5,) * 3),
    "vgg-lstm": (
        Vgg16,
        lambda: Vgg16(width=0.0625, fc=16, dropout=0.5, batch_norm=True),
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "c3d-lstm": (
        C3d,
        lambda: C3d(width=0.0625, fc=16, dropout=0.5, batch_norm=True, input_px=64),
        (102 / 255, 98 / 255, 90 / 255),
        (1 / 255,) * 3,
    ),
}


@pytest.mark.parametrize("kind", sorted(PUBLISHED))
def test_published_weights_see_the_scale_that_they_were_trained_with(
    tmp_path, manifests, image, seen_by, kind
):
    """Turned back, the input is whole grey levels within those of the faces; with another scale it is not."""
    network, make, mean, std = PUBLISHED[kind]
    path = tmp_path / "published.pth"
    torch.save(make().state_dict(), path)
    config = clip_recipe(
        **KINDS[kind]
        | {
            "optimiser": {"epochs": 1, "learning_rate": 1e-12, "batch": 6},
            "data": {"enlarge": 1.0, "crops": "centre", "flip": False},
        }
    )
    recorded = seen_by(network)
    context = context_in(tmp_path / "work", manifests)
    folder = video_run.run(config, context, image if config.image_recipe else None, path)
    levels = 255 * (recorded[3].moveaxis(1, -1) * torch.tensor(std) + torch.tensor(mean))
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=0.01)
    assert levels.min() > 39.9
    assert levels.max() < 250.1
    _, metadata = load_weights(folder / "weights.safetensors")
    stream = "spatial" if kind == "plain-tsnet" else "temporal"
    np.testing.assert_allclose(metadata["scales"][stream]["mean"], np.array(mean) * 255, atol=1e-9)
    np.testing.assert_allclose(metadata["scales"][stream]["std"], np.array(std) * 255, atol=1e-9)
    assert read_result(folder)["details"]["input_scale"] == "published"
    network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
    np.testing.assert_allclose(network.scales[stream].std, np.array(std) * 255, atol=1e-9)


def test_what_cannot_be_is_refused(tmp_path, manifests, image):
    context = context_in(tmp_path / "work", manifests)
    with pytest.raises(ConfigError, match="needs image model"):
        video_run.run(clip_recipe(), context, None)
    with pytest.raises(ConfigError, match="takes no image model"):
        video_run.run(clip_recipe(**KINDS["plain-tsnet"]), context, image)
    path = tmp_path / "w.pth"
    torch.save({"conv1.conv.weight": torch.zeros(1)}, path)
    with pytest.raises(ConfigError, match="no stream that starts from weights"):
        video_run.run(clip_recipe(**KINDS["nan"]), context, image, path)
    with pytest.raises(ConfigError, match="expected attention alone"):
        RECIPE_BASELINES["nan"].check(clip_recipe())
    with pytest.raises(ConfigError, match="expected rgb and flow"):
        RECIPE_BASELINES["plain-tsnet"].check(clip_recipe())
    with pytest.raises(ConfigError, match=r"describes a frame by 16 numbers, attention.size is 8"):
        video_run.run(clip_recipe(attention={"size": 8, "project": False}), context, image)
    with pytest.raises(ManifestError, match="cannot read the weights"):
        video_run.run(clip_recipe(**KINDS["plain-tsnet"]), context, None, tmp_path / "nowhere.pth")


def test_without_flow_the_message_says_what_to_do(tmp_path, manifests, image):
    shutil.copytree(manifests, tmp_path / "manifests")
    shutil.rmtree(tmp_path / "manifests" / "features")
    with pytest.raises(ManifestError, match=r"optical_flow is missing"):
        run_in(tmp_path / "work", tmp_path / "manifests", image)


def test_without_validation_clips_there_is_an_error(tmp_path, image):
    shown = [*(("train", label) for label in COLOURS), ("test", "panic")]
    clips = [clip(n, part, f"s{n}", label, 3) for n, (part, label) in enumerate(shown)]
    with pytest.raises(DatasetError, match="no clips to choose the epoch on"):
        run_in(tmp_path / "work", write_clips(tmp_path / "manifests", [*clips, *other_clips()]), image)


def test_weights_of_another_kind_are_refused(done, image):
    folder, _ = done
    with pytest.raises(ManifestError, match="expected 'video'"):
        open_clip_network(image, CPU)
    trained = read_trained(folder / "weights.safetensors")
    broken = {**trained.metadata, "scales": None}
    damaged = type(trained)(path=trained.path, state=trained.state, metadata=broken, digest="x")
    with pytest.raises(ManifestError, match="do not tell of a network"):
        open_clip_network(damaged, CPU)


def test_other_label_sets_and_folds(tmp_path, image):
    from fgbench.runs.division_reading import read_division
    from fgbench.runs.labels import read_labels

    manifests = small_clips(tmp_path / "clips", rest=False)
    index = {"scheme": "free", "classes": sorted(COLOURS), "dataset": "made up", "synthetic": True}
    index["files"] = {}
    index["protocol"] = {"kind": "k-fold", "folds": 4, "group_by": "subject_id", "label": "4-fold by subject"}
    (manifests / "index.json").write_text(json.dumps(index))
    work = tmp_path / "work"
    plain = context_in(work, manifests)
    division = read_division(work, index)
    context = context_in(tmp_path / "w2", manifests, labels=read_labels(index), division=division)
    assert plain.fold == "0"
    folders = [
        video_run.run(clip_recipe(**KINDS["plain-tsnet"]), each, None) for each in context.each_fold()[:2]
    ]
    tested = []
    for number, folder in enumerate(folders, 1):
        assert folder.parent.name == str(number)
        predictions = read_predictions(folder)
        assert predictions.classes == tuple(sorted(COLOURS))
        tested.append(set(predictions.subject_ids))
        assert "losses.basic taken as 0" in read_result(folder)["details"]["notes"][0]
        network = open_clip_network(read_trained(folder / "weights.safetensors"), CPU)
        assert network.classes == predictions.classes
    assert not tested[0] & tested[1], "no person is tested in two folds"


def shuffled(manifests, seed):
    clips = pq.read_table(manifests / "clips.parquet").to_pylist()
    drawn = np.random.default_rng(seed).permutation([row["label"] for row in clips])
    return dict(enumerate(drawn.tolist()))


QUICK = {"kind": "adamw", "learning_rate": 0.005, "batch": 6, "epochs": 10, "patience": 10}


@pytest.mark.parametrize("kind", ["nan", "plain-tsnet"])
def test_networks_are_above_chance_on_persons_they_have_not_seen(tmp_path, three_classes, image, kind):
    recipe = KINDS[kind] | {"head_factor": 5.0, "optimiser": QUICK | {"epochs": 16, "patience": 16}}
    folder, _ = run_in(tmp_path / "work", three_classes, image, labels=THREE, **recipe)
    # Five or more of six clips of three classes are right by chance in 1.8 % of all cases.
    assert read_result(folder)["metrics"]["war"] >= 5 / 7


@pytest.mark.parametrize("kind", ["nan", "plain-tsnet", "tmsau", "vgg-lstm", "c3d-lstm"])
def test_on_shuffled_labels_networks_are_at_chance(tmp_path, three_classes, image, kind):
    recipe = KINDS[kind] | {"head_factor": 5.0, "optimiser": QUICK | {"epochs": 6}}
    right = 0
    for seed in range(3):
        made = small_clips(tmp_path / f"clips{seed}", labels=shuffled(three_classes, seed), rest=False)
        run, _ = run_in(tmp_path / f"work{seed}", made, image, labels=THREE, **recipe)
        predictions = read_predictions(run)
        right += sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))
    # Of 18 clips of three classes, 12 or more are right by chance in 0.4 % of all cases.
    assert right < 12


def test_the_temporal_stream_alone_solves_what_only_movement_tells(tmp_path, image):
    """Frames of all classes look alike; a network of frames is at chance."""
    made = small_clips(tmp_path / "clips", colours=False, rest=False)
    usual = {
        "optimiser": QUICK | {"epochs": 24, "patience": 24},
        "choose_by": "probability",
        "head_factor": 5.0,
        "labels": THREE,
    }
    kinds = {"flow": {"image_recipe": None, "spatial": None}, "nan": {"temporal": None}}
    right = dict.fromkeys(kinds, 0)
    for kind, streams in kinds.items():
        for seed in range(2):
            here = tmp_path / f"{kind}{seed}"
            predictions = read_predictions(
                run_in(here, made, image, **usual, **streams, name=kind, seed=seed)[0]
            )
            right[kind] += sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))
            assert predictions.predicted.count(None) == 1, "the clip without a face, which counts as wrong"
    # Of 12 clips of three classes, 9 or more are right by chance in 0.4 % of all cases.
    assert right["flow"] >= 9 > right["nan"]


def without_colour_in(manifests, folder):
    """The same clips with grey pictures."""
    shutil.copytree(manifests, folder)
    for path in sorted((folder / "faces").glob("*.parquet")):
        table = pq.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            if row["image"] is not None:
                picture = torch.from_numpy(decode(row["image"]["bytes"])).permute(2, 0, 1)[None]
                grey = without_colour(picture)[0].permute(1, 2, 0).to(torch.uint8)
                row["image"]["bytes"] = encode(grey.numpy(), "png", 0)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    return folder


@pytest.mark.parametrize("kind", ["nan", "vgg-lstm"])
def test_a_network_of_grey_clips_sees_grey(tmp_path, manifests, image, kind):
    folder, _ = run_in(tmp_path / "work", manifests, image, **KINDS[kind])
    trained = read_trained(folder / "weights.safetensors")
    origin = {"align": "always", "geometry": "face", "padding": None}
    grey_manifests = without_colour_in(manifests, tmp_path / "grey")
    others = {"dataset": "others", "synthetic": True}
    described = {}
    for is_grey in (True, False):
        path = tmp_path / f"{is_grey}.safetensors"
        metadata = {**trained.metadata, "faces": {**origin, "grey": is_grey}, "seed": int(is_grey)}
        save_weights(path, trained.state, metadata)
        network = open_clip_network(read_trained(path), CPU)
        for name, data in (("colour", manifests), ("grey", grey_manifests)):
            context = context_in(tmp_path / f"{name}{is_grey}", data, manifest_digest=name, details=others)
            made, _ = evaluate_clips(network, context)
            described[is_grey, name] = read_predictions(made).probabilities
    np.testing.assert_array_equal(described[False, "grey"], described[True, "grey"])
    # Frames that are reduced are rounded before they lose their colour, or afterwards.
    apart = {
        is_grey: np.nanmax(np.abs(described[is_grey, "colour"] - described[is_grey, "grey"]))
        for is_grey in (True, False)
    }
    assert apart[False] > 1e-3
    assert apart[True] <= (0 if kind == "nan" else apart[False] / 20)
