"""Networks of clips: frames described once, pictures held or read, streams of the small recipes; memory.

Clips are made here: smooth noise as faces, smooth noise as flow. Times are elapsed seconds, as the networks
use all cores. The spatial stream's baseline describes every frame again in every epoch, which is what a
training without kept descriptions does.
"""

from __future__ import annotations

import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from fgbench import records
from fgbench.config import TrainClipConfig, load_training
from fgbench.inputs.clip_frames import open_rows
from fgbench.inputs.clip_set import ClipSet, clip_frames
from fgbench.inputs.image_set import open_source
from fgbench.inputs.manifest_pictures import find_frames
from fgbench.media.images import encode
from fgbench.methods.msau.opened import ImageNetwork, open_network
from fgbench.methods.tmsau.data import open_clips
from fgbench.methods.tmsau.frame_features import describe_faces
from fgbench.methods.tmsau.network import build_drawn
from fgbench.methods.tmsau.task import ClipTask, predict_clips
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet
from fgbench.models.weights import save_weights
from fgbench.runs.labels import fg33
from fgbench.runs.samples import clip_samples
from fgbench.runs.weights import read_trained
from fgbench.storage import TableWriter
from fgbench.training.context import TrainingContext
from fgbench.training.optimisation import build_optimiser

CPU = torch.device("cpu")
N_CLIPS, N_FRAMES = 48, 48


def main() -> None:
    """Print the tables."""
    print(f"{torch.get_num_threads()} threads; {N_CLIPS} clips of {N_FRAMES} frames.", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        context, clips = _work(Path(folder), N_CLIPS, N_FRAMES)
        image = _image(Path(folder))
        _described(context, clips, image)
        _rows(context, clips)
        _streams(context, clips, image)
    with tempfile.TemporaryDirectory() as folder:
        _long(Path(folder))


def _table(title: str, columns: str) -> None:
    names = [title, *columns.split(", ")]
    print(f"\n| {' | '.join(names)} |\n|---|{'---:|' * (len(names) - 1)}", flush=True)


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for repeat in range(repeats + 1):
        begin = time.perf_counter()
        work()
        if repeat:
            times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _work(folder: Path, n_clips: int, n_frames: int) -> tuple[TrainingContext, ClipSet]:
    """A work folder with clips of noise; every third picture is another one."""
    manifests = folder / "manifests"
    random = np.random.default_rng(0)
    pictures = [
        encode(cv2.resize(random.integers(0, 256, (12, 12, 3), np.uint8), (224, 224)), "jpeg", 95)
        for _ in range(32)
    ]
    fields = [
        cv2.imencode(".png", cv2.resize(random.integers(110, 146, (14, 14), np.uint8), (112, 112)))[
            1
        ].tobytes()
        for _ in range(32)
    ]
    faces = TableWriter(manifests / "faces" / "0.parquet", records.schema("faces"))
    flow = TableWriter(manifests / "features" / "optical_flow" / "0.parquet", records.schema("optical_flow"))
    labels = fg33().labels
    clips = []
    for number in range(n_clips):
        name = f"clip{number:03d}"
        clips.append({"clip_id": name, "label": labels[number % 33], "split": "train", "subject_id": name})
        for frame in range(n_frames):
            key = {"clip_id": name, "frame_index": frame}
            data = pictures[(number + frame) % 32]
            faces.add({**key, "role": "both", "status": "ok", "image": {"bytes": data, "path": "x"}})
            if frame + 1 < n_frames:
                one, other = fields[(number + frame) % 32], fields[(number + 3 * frame) % 32]
                flow.add({**key, "u": one, "v": other})
    faces.close()
    flow.close()
    table = TableWriter(manifests / "clips.parquet", records.schema("clips"))
    for row in clips:
        table.add(row)
    table.close()
    (manifests / "index.json").write_text(json.dumps({"dataset": "noise", "synthetic": True, "files": {}}))
    context = TrainingContext(
        workdir=folder,
        manifest_digest="noise",
        details={},
        seed=0,
        resume=False,
        force=False,
        jobs=2,
        progress=lambda name, done, of: None,
        device=CPU,
    )
    actual = clip_frames(manifests, flow=True)
    return context, actual.clip_set(clip_samples(manifests), fg33(), CPU)


def _image(folder: Path) -> ImageNetwork:
    """The image model of the small recipes, with drawn values."""
    from fgbench.config import TrainImageConfig

    config = load_training("msau-small", TrainImageConfig).network
    model = MsauNet(config)
    initialise(model, torch.Generator().manual_seed(0))
    metadata = {
        "kind": "image",
        "experiment": "msau-small",
        "seed": 0,
        "basic": list(fg33().upper),
        "network": config.model_dump(mode="json"),
        "resize_px": 240,
        "mean": [120.0] * 3,
        "std": [60.0] * 3,
        **fg33().described(),
    }
    save_weights(folder / "weights.safetensors", model.state_dict(), metadata)
    return open_network(read_trained(folder / "weights.safetensors"), CPU)


def _described(context: TrainingContext, clips: ClipSet, image: ImageNetwork) -> None:
    config = load_training("nan-small", TrainClipConfig)
    frames = [
        (sample.clip_id, int(number))
        for sample, numbers in zip(clips.samples, clips.frames, strict=True)
        for number in numbers[: config.attention.frames]
    ]
    source = open_source(find_frames(context.manifests, frames), device=CPU, resident_mb=4096, jobs=2)

    def anew() -> None:
        for batch in source.batches(epoch=0, seed=0, batch=32, shuffle=False):
            describe_faces(image, batch.images, config.attention.features)

    begin = time.perf_counter()
    opened, _ = open_clips(config, context, clips, image, None, trained_on=True)
    made = time.perf_counter() - begin
    task = ClipTask(
        build_drawn(config, image, None, seed=0, labels=fg33()),
        config,
        train=opened,
        selection=opened,
        seed=0,
        device=CPU,
    )
    epoch = _seconds(lambda: _epoch(task))
    baseline = _seconds(anew, repeats=1) + epoch
    _table(
        "spatial stream, an epoch of nan-small",
        "describing frames anew clips/s, kept clips/s, ratio, making frames/s",
    )
    _row(
        f"{len(frames)} frames",
        f"{N_CLIPS / baseline:.1f}",
        f"{N_CLIPS / epoch:.0f}",
        f"{baseline / epoch:.0f}",
        f"{2 * len(frames) / made:.0f} (both views)",
    )


def _epoch(task: ClipTask) -> None:
    optimiser = build_optimiser(task.groups(), task._config.optimiser)
    task.model.train()
    for batch in task.batches(epoch=0, rank=0, world=1):
        optimiser.zero_grad()
        task.loss(batch, epoch=0)[0].backward()
        optimiser.step()


def _rows(context: TrainingContext, clips: ClipSet) -> None:
    _table(
        "pictures of batches of 8 clips", "read from disk /s, held in memory /s, ratio, memory a picture kB"
    )
    for kind, side_px, per_clip in (("rgb", 224, 6), ("flow", 112, 20)):
        numbers = clips.frames if kind == "rgb" else clips.pairs
        frames = [
            (sample.clip_id, int(number))
            for sample, one in zip(clips.samples, numbers, strict=True)
            for number in one
        ]
        chosen = np.random.default_rng(0).integers(0, len(frames), 8 * per_clip)
        rates = []
        for resident_mb in (0, 8192):
            rows = open_rows(
                context.manifests,
                frames,
                kind,
                side_px=side_px,
                device=CPU,
                resident_mb=resident_mb,
                jobs=2,
                progress=lambda name, done, of: None,
            )
            rates.append(len(chosen) / _seconds(lambda rows=rows, chosen=chosen: rows.take(chosen)))
        kilobytes = (3 if kind == "rgb" else 2) * side_px**2 / 1000
        _row(
            f"{kind}, {side_px} px",
            *(f"{rate:.0f}" for rate in rates),
            f"{rates[1] / rates[0]:.1f}",
            f"{kilobytes:.0f}",
        )


def _streams(context: TrainingContext, clips: ClipSet, image: ImageNetwork) -> None:
    _table("network", "training clips/s, inference clips/s")
    for name in (
        "nan-small",
        "plain-tsnet-small",
        "tmsau-small",
        "tmsau-vgg-lstm-small",
        "tmsau-c3d-lstm-small",
    ):
        config = load_training(name, TrainClipConfig)
        network = image if config.image_recipe else None
        opened, scales = open_clips(config, context, clips, network, None, trained_on=True)
        model = build_drawn(config, network, None, seed=0, labels=fg33())
        task = ClipTask(model, config, train=opened, selection=opened, seed=0, device=CPU)
        training = _seconds(lambda task=task: _epoch(task), repeats=1)
        tested, _ = open_clips(config, context, clips, network, scales, trained_on=False)
        model.eval()
        inference = _seconds(lambda model=model, tested=tested: predict_clips(model, tested), repeats=1)
        _row(name, f"{N_CLIPS / training:.1f}", f"{N_CLIPS / inference:.1f}")


def _long(folder: Path) -> None:
    """One clip of 10,000 frames, whose faces are described and attended to."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    context, clips = _work(folder, 1, 10_000)
    image = _image(folder)
    config = load_training("nan-small", TrainClipConfig)
    opened, scales = open_clips(config, context, clips, image, None, trained_on=False)
    model = build_drawn(config, image, None, seed=0, labels=fg33()).eval()
    seconds = _seconds(lambda: predict_clips(model, opened), repeats=1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n = len(opened.described[0])
    memory = f"peak memory {before / 1024:.0f} MB before, {after / 1024:.0f} MB after"
    print(f"\nA clip of 10,000 frames: {n} are attended to in {1000 * seconds:.0f} ms; {memory}.")
    assert scales == {}
