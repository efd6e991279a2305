"""Runs of networks of clips: what they write, stopped and resumed, predicted anew, on odd clips, in folds."""

import json

import numpy as np
import pytest
import torch

from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.inference.clip_test import evaluate_clips, tuned_weight
from fgbench.media.images import encode
from fgbench.methods.tmsau import run as video_run
from fgbench.methods.tmsau.opened import open_clip_network
from fgbench.models.weights import load_weights
from fgbench.runs.attention import read_attention
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.streams import read_streams
from fgbench.runs.weights import read_trained
from fgbench.workfolders.sealed_json import read_sealed
from tests.support.clip_networks import CPU, KINDS, run_in, short_googlenet
from tests.support.tiny_clips import clip, clip_recipe, other_clips, small_clips, write_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_task import KilledError, killer
from tests.support.tiny_work import COLOURS, context_in, with_three_leaves

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module", autouse=True)
def _short():
    with short_googlenet():
        yield


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return with_three_leaves(small_clips(tmp_path_factory.mktemp("clips"), rest=False))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return read_trained(write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors"))


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
    other = with_three_leaves(small_clips(tmp_path / "other", moves=False, rest=False))
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
    n_frames = 1_000 if kind == "tmsau" else 100
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


def test_without_validation_clips_there_is_an_error(tmp_path, image):
    shown = [*(("train", label) for label in COLOURS), ("test", "panic")]
    clips = [clip(n, part, f"s{n}", label, 3) for n, (part, label) in enumerate(shown)]
    with pytest.raises(DatasetError, match="no clips to choose the epoch on"):
        run_in(tmp_path / "work", write_clips(tmp_path / "manifests", [*clips, *other_clips()]), image)


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
