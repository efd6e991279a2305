"""Networks of clips as tasks: overfitting, losses, what is drawn, prediction."""

from contextlib import nullcontext

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench.config import OptimiserConfig
from fgbench.inputs.clip_frames import open_rows
from fgbench.inputs.clip_set import clip_frames
from fgbench.inputs.frame_choice import pick
from fgbench.methods.msau.opened import open_network
from fgbench.methods.tmsau.data import open_clips
from fgbench.methods.tmsau.frame_features import describe_faces, feature_size
from fgbench.methods.tmsau.network import build_drawn
from fgbench.methods.tmsau.task import ClipTask, clip_loss, predict_clips
from fgbench.models.streams import StreamOutputs
from fgbench.runs.labels import fg33
from fgbench.runs.samples import clip_samples
from fgbench.runs.weights import read_trained
from fgbench.training.losses import softmax_losses
from fgbench.training.optimisation import build_optimiser
from tests.support.chains import with_chains
from tests.support.clip_networks import short_googlenet
from tests.support.tiny_clips import clip_recipe, small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import context_in

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
RECIPE = OptimiserConfig(kind="adamw", learning_rate=0.003)
KINDS = {
    "tmsau": {},
    "nan": {"temporal": None},
    "flow": {"image_recipe": None, "spatial": None},
    "plain-tsnet": {"image_recipe": None, "spatial": "rgb"},
    "vgg-lstm": {"image_recipe": None, "spatial": None, "temporal": "vgg-lstm"},
    "c3d-lstm": {"image_recipe": None, "spatial": None, "temporal": "c3d-lstm"},
}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    folder = tmp_path_factory.mktemp("video")
    return context_in(folder / "work", small_clips(folder, rest=False))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors")
    return open_network(read_trained(path), CPU)


def opened(context, config, image, part="train", scales=None, trained_on=True):
    actual = clip_frames(context.manifests, flow=True, near=config.rgb.train_on == "image")
    samples = [
        s for s in clip_samples(context.manifests) if s.part == part and s.sample_id in actual.clip_ids
    ]
    network = image if config.image_recipe else None
    return open_clips(
        config, context, actual.clip_set(samples, fg33(), CPU), network, scales, trained_on=trained_on
    )


def task_of(context, image, *, seed=0, **changes):
    config = clip_recipe(**({"head_factor": 12.0} | changes))
    train, scales = opened(context, config, image)
    selection, _ = opened(context, config, image, "val", scales, trained_on=False)
    model = build_drawn(config, image if config.image_recipe else None, None, seed=seed, labels=fg33())
    return ClipTask(model, config, train=train, selection=selection, seed=seed, device=CPU)


@pytest.mark.parametrize("kind", with_chains(sorted(KINDS), "flow", "plain-tsnet"))
def test_clips_are_learnt_by_heart_and_every_parameter_trains(context, image, kind):
    """LSTMs are slow learners: that they learn by heart is tested with their networks.

    GoogLeNet is whole where it is alone.
    """
    with nullcontext() if kind == "flow" else short_googlenet():
        task = task_of(context, image, **KINDS[kind])
    before = {name: value.detach().clone() for name, value in task.model.named_parameters()}
    frozen = {name: value.clone() for name, value in image.model.state_dict().items()}
    optimiser = build_optimiser(task.groups(), RECIPE)
    task.model.train()
    losses = []
    is_slow = "lstm" in kind
    for epoch in range(3 if is_slow else 20):
        for batch in task.batches(epoch=epoch, rank=0, world=1):
            optimiser.zero_grad()
            loss, parts = task.loss(batch, epoch=epoch)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert set(parts) == {"fine", "basic"}
    knows_how_often = np.log(3)  # both levels: three classes, equally often
    assert np.mean(losses[-2:]) < (losses[0] if is_slow else 0.7 * knows_how_often)
    for name, value in task.model.named_parameters():
        assert value.grad is not None, name
        assert not torch.equal(value, before[name]), name
    for name, value in image.model.state_dict().items():
        assert torch.equal(value, frozen[name]), f"{name} of the image model is frozen"


def test_what_an_epoch_draws_comes_from_seed_and_epoch(context, image):
    def first(task, epoch):
        batch = next(iter(task.batches(epoch=epoch, rank=0, world=1)))
        with torch.no_grad():
            return batch.index, task.loss(batch, epoch=epoch)[0]

    plain = {"image_recipe": None, "spatial": "rgb"}
    task = task_of(context, image, **plain)
    task.model.eval()
    index, loss = first(task, 3)
    other = task_of(context, image, **plain)
    other.model.eval()
    first(other, 0)  # what was drawn before does not matter
    again, same = first(other, 3)
    assert torch.equal(index, again)
    assert torch.equal(loss, same)
    assert not torch.equal(first(task, 4)[0], index)


def test_frames_near_the_key_frame_are_trained_on_and_all_are_tested_on(tmp_path):
    context = context_in(tmp_path / "work", small_clips(tmp_path, rest=False))
    (path,) = (context.manifests / "faces").glob("*.parquet")
    faces = pq.read_table(path)
    # Frames 1 and 2 are in both sets, the others in the video set alone; clip000 has none of the image set.
    roles = [
        "both" if row["frame_index"] in (1, 2) and row["clip_id"] != "clip000" else "video"
        for row in faces.to_pylist()
    ]
    number = faces.schema.get_field_index("role")
    pq.write_table(faces.set_column(number, faces.schema.field(number), pa.array(roles)), path)
    config = clip_recipe(image_recipe=None, spatial="rgb", rgb={"input_px": 64, "train_on": "image"})
    train, scales = opened(context, config, None)
    lengths = [len(numbers) for numbers in train.clips.frames]
    assert train.inputs["spatial"].pieces.counts().tolist() == [lengths[0]] + [2] * (len(lengths) - 1)
    near = pick(train.inputs["spatial"].pieces, np.array([1]), 2)[0].ravel()
    rows = open_rows(
        context.manifests,
        [("clip001", 1), ("clip001", 2)],
        "rgb",
        side_px=64,
        device=CPU,
        resident_mb=9,
        jobs=1,
        progress=lambda name, done, of: None,
    )
    assert torch.equal(train.inputs["spatial"].rows.take(near), rows.take(np.arange(2)))
    assert train.inputs["temporal"].pieces.counts().tolist() == [n - 2 for n in lengths]  # stacks of 2 fields
    val, _ = opened(context, config, None, "val", scales, trained_on=False)
    assert val.inputs["spatial"].pieces.counts().tolist() == [len(n) for n in val.clips.frames]


def test_processes_share_the_batches(context, image):
    task = task_of(context, image, temporal=None)
    whole = [batch.index.tolist() for batch in task.batches(epoch=0, rank=0, world=1)]
    parts = [[b.index.tolist() for b in task.batches(epoch=0, rank=rank, world=2)] for rank in range(2)]
    assert [one + two for one, two in zip(*parts, strict=True)] == whole
    assert sorted(context for batch in whole for context in batch) == list(range(12))


def test_predictions_do_not_depend_on_the_batch(context, image):
    config = clip_recipe()
    clips, scales = opened(context, config, image, "test", trained_on=False)
    model = build_drawn(config, image, None, seed=0, labels=fg33()).eval()
    actual = predict_clips(model, clips)
    assert len(clips) == 6
    assert actual.streams["spatial"].shape == (6, 33)
    assert [weights.shape for weights in actual.attention] == [(2, len(n)) for n in clips.described]
    for number, sample in enumerate(clips.clips.samples):
        single = clip_frames(context.manifests, flow=True).clip_set([sample], fg33(), CPU)
        alone, _ = open_clips(config, context, single, image, scales, trained_on=False)
        reported = predict_clips(model, alone)
        for stream, values in reported.streams.items():
            np.testing.assert_allclose(values[0], actual.streams[stream][number], atol=2e-6)
        np.testing.assert_allclose(reported.attention[0], actual.attention[number], atol=2e-6)
    for weights in actual.attention:
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(actual.fused(1.0), actual.streams["spatial"])
    np.testing.assert_array_equal(actual.fused(0.0), actual.streams["temporal"])
    half = 0.5 * actual.streams["spatial"] + 0.5 * actual.streams["temporal"]
    np.testing.assert_allclose(actual.fused(0.5), half, rtol=1e-6)


@pytest.mark.parametrize(("features", "size"), [("face", 16), ("all", 32), ("mac", 8)])
def test_frames_are_described_by_the_image_model(image, features, size):
    faces = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), np.uint8))
    assert feature_size(image.model.config, features) == size
    actual = describe_faces(image, faces, features)
    assert actual.shape == (2, size)
    with torch.no_grad():
        result = torch.zeros(2, dtype=torch.int64)
        seen = image.model.see(image.preprocessing.view(faces, result, result.bool()))
        mac = seen.maps[:, 0].amax((2, 3))
        parts = {
            "face": [image.model.scales[0].embedding(seen.maps[:, 0]), mac],
            "all": [
                image.model.scales[0].embedding(seen.maps[:, 0]),
                mac,
                image.model.scales[1].embedding(seen.maps[:, 1]),
                seen.maps[:, 1].amax((2, 3)),
            ],
            "mac": [mac],
        }[features]
    torch.testing.assert_close(actual, torch.cat(parts, 1))
    mirrored = describe_faces(image, faces.flip(3), features)
    torch.testing.assert_close(describe_faces(image, faces, features, view=(0, True)), mirrored)


@pytest.mark.parametrize(("crop", "across", "down"), [(1, 0, 0), (2, 1, 0), (3, 0, 1), (4, 1, 1)])
def test_frames_are_described_in_five_crops(image, crop, across, down):
    """A corner, cut out by hand of the enlarged face, is described as a face that needs no enlarging."""
    faces = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), np.uint8))
    side_px = image.preprocessing.resize_px
    x, y = (side_px - 224) * across, (side_px - 224) * down
    large = torch.nn.functional.interpolate(
        faces.float(), (side_px, side_px), mode="bilinear", align_corners=False
    )
    corner = large[:, :, y : y + 224, x : x + 224]
    mean, std = (
        torch.tensor(values)[:, None, None] for values in (image.preprocessing.mean, image.preprocessing.std)
    )
    with torch.no_grad():
        maps = image.model.see((corner - mean) / std).maps[:, 0]
        expected = torch.cat([image.model.scales[0].embedding(maps), maps.amax((2, 3))], 1)
    actual = describe_faces(image, faces, "face", view=(crop, False))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(actual, describe_faces(image, faces, "face"), rtol=1e-3, atol=1e-3)


def test_five_crops_train_the_attention_stream(context, image):
    """``data.crops: five`` describes training frames in all ten views, and draws among them."""
    config = clip_recipe(temporal=None, data={"enlarge": 1.0, "crops": "five"})
    train, _ = opened(context, config, image)
    assert train.inputs["spatial"].kept.rows(torch.tensor([[0]]), torch.tensor([[9]])).shape[-1] == 16
    task = task_of(context, image, temporal=None, data={"enlarge": 1.0, "crops": "five"})
    seen = set()
    for epoch in range(3):
        batches = task.batches(epoch=epoch, rank=0, world=1)
        seen |= set(zip(batches.views.crop.tolist(), batches.views.mirrored.tolist(), strict=True))
        for batch in batches:
            assert batch.stored["spatial"][0].isfinite().all()
    assert {crop for crop, _ in seen} == set(range(5))


def outputs(seed):
    drawn = torch.Generator().manual_seed(seed)
    return StreamOutputs(
        torch.randn((4, 33), generator=drawn, requires_grad=True),
        torch.randn((4, 6), generator=drawn, requires_grad=True),
    )


def test_losses_of_streams_and_of_their_fusion():
    both = {"spatial": outputs(0), "temporal": outputs(1)}
    fine, basic = torch.tensor([0, 5, 7, 32]), torch.tensor([0, 1, 2, 5])
    total, parts = clip_loss(both, fine, basic, clip_recipe())
    expected = sum(softmax_losses(out.fine[:, None], fine) for out in both.values())
    torch.testing.assert_close(parts["fine"], expected.detach())
    torch.testing.assert_close(total, 0.5 * parts["fine"] + 0.5 * parts["basic"])
    config = clip_recipe(losses={"fine": 1.0, "basic": 0.0, "on": "fused"}, fusion_weight=0.25)
    total, parts = clip_loss(both, fine, basic, config)
    chances = 0.25 * both["spatial"].fine.softmax(1) + 0.75 * both["temporal"].fine.softmax(1)
    by_hand = -np.log(chances.detach().numpy()[range(4), fine.numpy()]).mean()
    assert float(total.detach()) == pytest.approx(by_hand, rel=1e-5)
    assert set(parts) == {"fine"}
