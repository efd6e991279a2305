"""What wider variety of drawn persons is worth to a network of action units on persons of another style.

Two sets of equal clips of the same drawn persons, one plain and one wide (``fgbench synth --variety``), train
one small network each. Both are tested on other persons of both, and on other persons in a style that neither
has: printed pictures, with a dot screen, sharpened edges, brown ink and dark corners, which no wide clip has.
Mean average precision of the action units, beside that of chance (the share of frames in which a unit is
present), and mean F1, beside that of a detector that says "present" always. Drawn faces: the figures
say nothing of real ones.
"""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from sklearn.metrics import average_precision_score

from fgbench.config import PrepareConfig, TrainAuConfig, load_prepare, load_training
from fgbench.inference.unit_transfer import evaluate_units_elsewhere
from fgbench.methods.steps.contexts import open_training
from fgbench.methods.steps.units import train_units, unit_data
from fgbench.naming import counted
from fgbench.preparation import prepare
from fgbench.runs.unit_results import mean_f1, read_au_predictions, read_au_result, unit_scores
from fgbench.runs.weights import read_trained
from fgbench.synthetic.dataset import SynthOptions, generate
from fgbench.synthetic.encode import h264_file
from fgbench.workfolders.layout import INDEX, MANIFESTS

SEEDS = 3
EPOCHS = 12
FRAME_STEP = 2
VARIETIES = ("plain", "wide")
TRAIN_SEED, TEST_SEED = 0, 1  # of the persons that are drawn
_DRAWN: dict[str, Any] = {
    "subjects": 20,
    "width": 480,
    "height": 360,
    "min_duration_s": 0.5,
    "max_duration_s": 0.6,
}
_DOTS = np.array([[24, 6, 18, 12], [3, 30, 9, 27], [21, 15, 33, 0]], np.float32) - 16.0


def main(
    seeds: int = SEEDS, epochs: int = EPOCHS, frame_step: int = FRAME_STEP, drawn: Path | None = None
) -> None:
    """Print the table, and the settings that it was made with.

    Args:
        seeds: Networks of each training set.
        epochs: Epochs of each network.
        frame_step: Every so-many-th frame is trained on and tested.
        drawn: Folder of an earlier run with the drawn sets, which are then used again; ``None`` draws them.
    """
    recipe = _recipe(epochs, frame_step)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) if drawn is None else drawn
        train = {
            variety: _work(base, f"train-{variety}", TRAIN_SEED, variety, clips_per_class=5)
            for variety in VARIETIES
        }
        test = {
            variety: _work(base, f"test-{variety}", TEST_SEED, variety, clips_per_class=2)
            for variety in VARIETIES
        }
        test["printed"] = _work(base, "test-printed", TEST_SEED, "plain", clips_per_class=2, printed=True)
        print(
            "| trained on | seed | tested on | frames | mean AP | of chance | mean F1 | of always present |\n"
            "|---|---:|---|---:|---:|---:|---:|---:|"
        )
        for seed in range(seeds):
            for variety, workdir in train.items():
                ((run,),) = train_units(recipe, workdir, seed=seed, device="cpu")
                for style, other in test.items():
                    frames, *scores = _tested(run, other)
                    text = " | ".join(f"{score:.3f}" for score in scores)
                    print(f"| {variety} | {seed} | {style} | {frames} | {text} |", flush=True)
    print(
        "\nSynthetic data: other persons in every test; printed: a style that neither training set has. "
        f"{counted(seeds, 'seed')}, {counted(epochs, 'epoch')} of {recipe.name}, frame step {frame_step}; "
        f"{date.today():%d %B %Y}, load {os.getloadavg()[1]:.0f} on {os.cpu_count()} cores."
    )


def _recipe(epochs: int, frame_step: int) -> TrainAuConfig:
    config = load_training("au-small", TrainAuConfig)
    optimiser = config.optimiser.model_copy(update={"epochs": epochs})
    return config.model_copy(update={"frame_step": frame_step, "optimiser": optimiser})


def _work(
    base: Path, name: str, seed: int, variety: str, *, clips_per_class: int, printed: bool = False
) -> Path:
    """A prepared set of drawn persons; a set to train on keeps a fifth of its persons to choose on."""
    if (base / f"{name}-work" / MANIFESTS / INDEX).is_file():
        return base / f"{name}-work"
    options = SynthOptions(clips_per_class=clips_per_class, seed=seed, variety=variety, **_DRAWN)
    root = generate(base / name, options, jobs=2)
    if printed:
        for path in sorted((root / "videos").iterdir()):
            _print(path)
    config = load_prepare("demo")
    is_test = seed == TEST_SEED
    changes = {
        "dataset": {"name": name},
        "split": {
            "group_by": "subject_id",
            "assign": "exact",
            "cover_all_classes": False,
            "train": 0.0 if is_test else 3.0,
            "val": 0.0 if is_test else 1.0,
            "test": 1.0,
        },
        "augment": {"balance": "none"},
        "lbp": {"enabled": False},
        "sample": {"video": "all"},
    }
    sections = {key: getattr(config, key).model_copy(update=values) for key, values in changes.items()}
    settled = PrepareConfig.model_validate(
        config.model_copy(update={**sections, "max_reject_rate": 0.9}).model_dump()
    )
    prepare.run(settled, root, base / f"{name}-work", jobs=2)
    return base / f"{name}-work"


def _print(path: Path) -> None:
    """Put printed pictures into the place of a video's frames."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    height, width = frames[0].shape[:2]
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    corners = (1.0 - 0.45 * np.clip(across**2 + down**2 - 0.5, 0.0, 1.0)).astype(np.float32)
    screen = np.tile(_DOTS, (height // 3 + 1, width // 4 + 1))[:height, :width]
    path.unlink()
    with h264_file(path, width, height, 25) as append:
        for frame in frames:
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
            sharp = grey + 1.2 * (grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
            ink = np.clip((sharp + screen) * corners, 0, 255)[:, :, None]
            brown = ink * np.array([1.0, 0.88, 0.70], np.float32)
            append(cv2.cvtColor(np.rint(brown).astype(np.uint8), cv2.COLOR_RGB2YUV_I420))


def _tested(run: Path, workdir: Path) -> tuple[int, float, float, float, float]:
    """Frames, mean average precision, that of chance, mean F1, that of "always present", of a network on all
    clips of another set."""
    trained = read_trained(run / "weights.safetensors")
    data = unit_data(open_training(workdir, "cpu"))
    assert data is not None
    folder = evaluate_units_elsewhere(trained, data)
    au_predictions = read_au_predictions(folder)
    scores = unit_scores(au_predictions.labels, au_predictions.probabilities, au_predictions.units)
    always = [score.f1_always for score in scores if score.f1_always is not None]
    mean = mean_f1(scores)
    assert mean is not None
    precisions, shares = [], []
    for labels, probabilities in zip(au_predictions.labels.T, au_predictions.probabilities.T, strict=True):
        present = labels[labels != 0] > 0
        if present.any() and not present.all():
            precisions.append(average_precision_score(present, probabilities[labels != 0]))
            shares.append(present.mean())
    n_frames = int(read_au_result(folder)["n"])
    return n_frames, float(np.mean(precisions)), float(np.mean(shares)), mean, float(np.mean(always))
