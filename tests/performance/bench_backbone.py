"""The baseline ``backbone``: features of a frozen network beside bare ONNX Runtime, and heads on features.

The network is an IResNet-18 on 112 px pictures, of random values; faces are stored pictures of noise. Bare
ONNX Runtime gets prepared pictures from memory, so that the ratio is what reading, decoding, preparing and
keeping leave of its throughput. Heads are fitted to drawn features of the paper's number of images.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from fgbench.config import BackboneConfig, BackboneHeadConfig
from fgbench.cores import n_cores
from fgbench.methods.backbone.head_fitting import fit_head
from fgbench.methods.backbone.kept_features import Prepared, features_of, usable_samples
from fgbench.methods.backbone.onnx_file import open_onnx
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.lbp_svm.choice import PART, Plan
from fgbench.models.iresnet import iresnet
from fgbench.svm.choice import Fold
from tests.support.tiny_backbones import write_onnx
from tests.support.tiny_work import COLOURS, add_faces, coloured, context_in

N_FACES, BATCH, ROUNDS = 384, 32, 3
N_IMAGES, N_FEATURES, N_CLASSES = 12_826, 768, 33
INPUT = {"colours": "rgb", "scale": 1.0, "mean": [127.5], "std": [127.5]}


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        _features(Path(name))
    _heads()


def _features(folder: Path) -> None:
    path = write_onnx(folder / "network.onnx", iresnet(18, 1.0), side=112)
    labels = list(COLOURS)
    described = [
        ("train", f"s{number % 40}", labels[number % 3], coloured(number, (90, 60, 30)))
        for number in range(N_FACES)
    ]
    (folder / "made" / "manifests").mkdir(parents=True)
    manifests = add_faces(folder / "made" / "manifests", described)
    config = BackboneConfig.model_validate({"name": "backbone", "input": INPUT})
    frozen = open_onnx(path, torch.device("cpu"), output="auto")
    taken = taken_of(config.input, frozen.stated, name=frozen.name)
    network = Prepared(frozen=frozen, taken=taken, batch=BATCH)
    bare, own = [], []
    session = onnxruntime.InferenceSession(path)
    pictures = np.random.default_rng(0).normal(size=(BATCH, 3, 112, 112)).astype(np.float32)
    session.run(None, {session.get_inputs()[0].name: pictures})
    for number in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(N_FACES // BATCH):
            session.run(None, {session.get_inputs()[0].name: pictures})
        bare.append(N_FACES / (time.perf_counter() - begin))
        context = context_in(folder / f"work{number}", manifests, jobs=n_cores())
        samples = usable_samples(context)
        begin = time.perf_counter()
        features_of(network, context, samples)
        own.append(N_FACES / (time.perf_counter() - begin))
    print("| features of an IResNet-18 on 112 px | faces/s | ratio |")
    print("|---|---:|---:|")
    print(
        f"| bare ONNX Runtime, batches of {BATCH} in memory (baseline) "
        f"| {statistics.median(bare):.1f} | 1.00 |"
    )
    ratio = statistics.median(one / two for one, two in zip(own, bare, strict=True))
    print(f"| read, decoded, prepared, computed, kept | {statistics.median(own):.1f} | {ratio:.2f} |")
    print()


def _heads() -> None:
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    truth = random.integers(0, N_CLASSES, N_IMAGES)
    means = 0.15 * random.normal(size=(N_CLASSES, N_FEATURES))
    features = (means[truth] + random.normal(size=(N_IMAGES, N_FEATURES))).astype(np.float32)
    n_train = N_IMAGES * 3 // 4
    train, held = slice(0, n_train), slice(n_train, N_IMAGES)
    plan = Plan(
        pool=[None] * N_IMAGES,  # type: ignore[list-item]
        folds=[Fold(train, held)],
        scaled_by=train,
        final=train,
        n_final=n_train,
        refits=False,
        selection=PART,
    )
    labels = [f"c{number}" for number in range(N_CLASSES)]
    begin = time.perf_counter()
    values = BackboneHeadConfig().c_values
    for c in values:
        LogisticRegression(C=c, max_iter=1000).fit(features[train], truth[train])
    baseline = time.perf_counter() - begin
    shape = f"{N_IMAGES:,} x {N_FEATURES}, {N_CLASSES} classes"
    print(f"| head on {shape}, settings chosen | s | ratio | peak GB |")
    print("|---|---:|---:|---:|")
    print(f"| scikit-learn, {len(values)} values of C one by one (baseline) | {baseline:.1f} | 1.0 | |")
    for kind in ("logistic", "knn"):
        begin = time.perf_counter()
        config = BackboneHeadConfig(kind=kind)
        fit_head(config, features, truth, plan, labels=labels, seed=0, jobs=n_cores())
        seconds = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"| {kind} | {seconds:.1f} | {baseline / seconds:.1f} | {peak:.1f} |")
