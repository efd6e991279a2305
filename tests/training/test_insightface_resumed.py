"""Runs of insightface that were finished or killed before."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench import records
from fgbench.errors import ConfigError
from fgbench.faces.geometry import mean_face
from fgbench.media.images import encode
from fgbench.methods._networks import fitting
from fgbench.methods.insightface import method as insightface
from fgbench.models.initialisation import initialise
from fgbench.training.context import TrainingContext
from tests.support.insightface_runs import CLASSES, CPU, FAST, PARTS, KilledError, config, narrow
from tests.support.one_writer import forced_runs_start_anew, other_processes_write_no_run
from tests.support.tiny_manifests import image_row, write_faces, write_images
from tests.support.tiny_work import GREY, REST


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setattr(insightface, "iresnet", narrow)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A work folder whose classes are colours: 12 training images and a copy, 6 to choose on, 6 to test.

    A grey training image of each of the other 30 leaves lets all be trained on."""
    folder = tmp_path_factory.mktemp("work")
    points = np.zeros((68, 2))
    points[17:] = (mean_face() + 0.25) / 1.5 * 224 - 0.5
    clips, faces, images = [], [], []
    shown = [(label, colour, part) for label, colour in CLASSES.items() for part in PARTS]
    shown += [(label, GREY, "train") for label in REST]
    for context, (label, colour, part) in enumerate(shown):
        noise = np.random.default_rng(3 * context).integers(0, 50, (8, 8, 3), np.uint8)
        smooth = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_LINEAR)
        row = image_row(3 * context, part=part, label=label, data=encode(smooth + np.uint8(colour), "png", 0))
        clips.append({**{key: row[key] for key in ("clip_id", "label", "split")}, "subject_id": part})
        about = {"role": "image", "status": "ok", "transform": [1.0, 0, 0, 0, 1.0, 0]}
        keys = {key: row[key] for key in ("clip_id", "frame_index")}
        faces.append({**keys, **about, "landmarks": points.ravel().tolist()})
        images.append(row)
    change = {"rotation_deg": 5.0, "scale": 1.0, "noise_sigma": 0.0, "noise_seed": 1}
    copy = {**images[0], "image_id": "copy", "parent_id": images[0]["image_id"], "augmentation": change}
    manifests = folder / "manifests"
    write_faces(manifests, faces)
    write_images(manifests, [*images, copy])
    seen = 3 * len(PARTS) - 1
    clips.append({**clips[seen], "clip_id": "unseen"})  # a test frame without a face, which counts as wrong
    faces.append({**faces[seen], "clip_id": "unseen", "status": "no_face", "landmarks": None})
    write_faces(manifests, faces)
    pq.write_table(pa.Table.from_pylist(clips, schema=records.schema("clips")), manifests / "clips.parquet")
    (manifests / "index.json").write_text(json.dumps({"dataset": "made up", "synthetic": True, "files": {}}))
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights with the names of arcface_torch, as torch.save writes them."""
    net = narrow()
    initialise(net, torch.Generator().manual_seed(3))
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(net.state_dict(), path)
    return path


@pytest.fixture
def context(work, tmp_path):
    """A work folder of the test's own."""
    shutil.copytree(work / "manifests", tmp_path / "manifests")
    return TrainingContext(
        workdir=tmp_path,
        manifest_digest="m",
        details={"dataset": "made up", "synthetic": True},
        seed=0,
        device=CPU,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
    )


@pytest.mark.slow
def test_a_finished_run_is_that_of_its_weights_and_recipe(context, weights, monkeypatch):
    trained = []
    fit = fitting.fit
    monkeypatch.setattr(
        fitting, "fit", lambda *args, **more: trained.append(more["fingerprint"]) or fit(*args, **more)
    )
    short = config(optimiser=FAST | {"epochs": 1})
    insightface.run(short, context, weights)
    insightface.run(short, context, weights)
    assert len(trained) == 1
    insightface.run(short, replace(context, force=True), weights)
    assert trained[1] == trained[0]
    other = weights.with_name("other.pth")
    torch.save({"state_dict": {f"module.{k}": v + 0 for k, v in torch.load(weights).items()}}, other)
    insightface.run(short, context, other)
    plain = short.model_copy(update={"flip": False})
    with pytest.raises(ConfigError, match=r"other settings: flip \(True there, False here\)"):
        insightface.run(plain, context, weights)
    insightface.run(plain, replace(context, force=True), weights)
    assert len(set(trained)) == 3


@pytest.mark.slow
def test_what_is_forced_starts_anew(context, weights):
    short = config(optimiser=FAST | {"epochs": 3})
    forced_runs_start_anew(lambda here: insightface.run(short, here, weights), context)


@pytest.mark.slow
def test_one_process_writes_the_run(context, weights, monkeypatch):
    short = config(optimiser=FAST | {"epochs": 1})
    other_processes_write_no_run(lambda here: insightface.run(short, here, weights), context, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [True, False])
def test_a_killed_run_goes_on_and_ends_the_same(context, weights, tmp_path, freeze):
    recipe = config(freeze_backbone=freeze)
    whole = insightface.run(recipe, context, weights)
    expected = {name: (whole / name).read_bytes() for name in ("weights.safetensors", "predictions.parquet")}
    for path in (whole / "result.json", whole / "weights.safetensors"):
        path.unlink()
    messages = []

    def killed(name, done, of):
        if name == "train":
            messages.append(done)
            if done == 25:  # in the third epoch of eleven steps
                raise KilledError

    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    assert (whole / "checkpoint.pt").is_file()
    assert not (whole / "result.json").exists()
    messages.clear()
    resumed = replace(
        context, progress=lambda name, done, of: messages.append(done) if name == "train" else None
    )
    assert insightface.run(recipe, resumed, weights) == whole
    assert messages[0] == 23, "two epochs were kept"
    assert {name: (whole / name).read_bytes() for name in expected} == expected


@pytest.mark.slow
def test_force_begins_a_killed_run_anew(context, weights):
    messages = []

    def killed(name, done, of):
        if name == "train" and done == 12:  # in the second epoch of eleven steps
            raise KilledError

    recipe = config(freeze_backbone=True, optimiser=FAST | {"epochs": 2})
    with pytest.raises(KilledError):
        insightface.run(recipe, replace(context, progress=killed), weights)
    anew = replace(
        context,
        force=True,
        progress=lambda name, done, of: messages.append(done) if name == "train" else None,
    )
    insightface.run(recipe, anew, weights)
    assert messages[0] == 1
