"""The baseline ``lbp-svm`` on many images: exact machines and approximated kernels, on the same pictures.

Pictures are textures: of a class, of a person (those of training, validation and test differ), and noise.
Their histograms are those of 49 cells x 59 labels; kernel and C are chosen by the packed recipe on 2,000
pictures, and the recall is that on 2,000 others. Larger sets have the cells of training pictures of the
same class, mixed anew for every image: they tell of time and memory, not of recall, which is blank. Seconds
are CPU seconds of all threads, from features in memory to the decisions for the test pictures; memory is
the peak of a process that did this alone, features included.

``--large`` adds the sizes of RAF-DB with its copies, FER2013 with copies, and AffectNet.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

N_CLASSES, N_HELD_OUT, PERSONS = 7, 2_000, 60
LABELS = tuple(f"c{place}" for place in range(N_CLASSES))
SMALL, RAF_DB, FER2013, AFFECTNET = 3_000, 12_826, 57_122, 300_000
LANDMARKS = (500, 1000, 2000)
SIDE_PX, FIELD_PX = 224, 1024
FILES = ("train", "selection", "test")

Data = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Print the table."""
    large = "--large" in sys.argv
    compared = RAF_DB if large else SMALL
    print("| solver | training images | chosen | UAR on test | CPU s | peak GB |")
    print("|---|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place, part in enumerate(FILES):
            features, truth = _drawn(compared if part == "train" else N_HELD_OUT, part=place)
            np.save(folder / f"{part}.npy", features)
            np.save(folder / f"{part}-truth.npy", truth)
        cases = [("exact", compared, 0), *(("nystroem", compared, count) for count in LANDMARKS)]
        if large:
            cases += [("nystroem", FER2013, 1000), ("nystroem", AFFECTNET, 1000)]
        for case in cases:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                print(pool.submit(_row, folder, *case).result(), flush=True)


def _row(folder: Path, solver: str, n: int, landmarks: int) -> str:
    from fgbench.baselines._lbp_kernels import lbp_kernels
    from fgbench.config import LbpSvmConfig, load_baseline
    from fgbench.evaluation import metrics
    from fgbench.svm.one_vs_rest import fit_one_vs_rest, select
    from fgbench.svm.primal import LinearFit

    changes = {"solver": solver, "landmarks": landmarks or 2}
    config = load_baseline("lbp-svm", LbpSvmConfig).model_copy(update=changes)
    data = {part: (np.load(folder / f"{part}.npy"), np.load(folder / f"{part}-truth.npy")) for part in FILES}
    train, truth = data["train"] if n <= len(data["train"][0]) else _mixed(data["train"], n)
    begin = time.process_time()
    kernels = lbp_kernels(config, train, data["selection"][0], seed=0, jobs=None)
    chosen = select(
        kernels.candidates(),
        truth,
        data["selection"][1],
        labels=LABELS,
        c_values=config.c_values,
        fit=fit_one_vs_rest if solver == "exact" else LinearFit(),
    )
    decisions = chosen.machine.decisions(kernels.of(data["test"][0], chosen.best.parameters))
    seconds = time.process_time() - begin
    confusion = metrics.confusion_matrix(data["test"][1], decisions.argmax(axis=1), n_classes=N_CLASSES)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    best = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{value}"
        for key, value in chosen.best.parameters.items()
    )
    name = f"{solver}, {landmarks:,} landmarks" if landmarks else solver
    recall = f"{metrics.uar(confusion):.3f}" if n <= len(data["train"][0]) else ""
    return f"| {name} | {n:,} | {best} | {recall} | {seconds:.0f} | {peak_gb:.1f} |"


def _drawn(n: int, *, part: int) -> Data:
    """Histograms (n, 2891) of textures, and their classes; parts have persons of their own."""
    from fgbench.features.lbp import LbpConfig, lbp_histograms

    kinds = [_field(seed=place, along=1.2 + 0.2 * place, across=2.4 - 0.2 * place) for place in range(7)]
    persons = [
        _field(seed=1000 * (part + 1) + place, along=1.2 + 0.4 * (place % 5), across=1.2 + 0.3 * (place % 7))
        for place in range(PERSONS)
    ]
    noise = _field(seed=999, along=0.0, across=0.0)
    generator = np.random.default_rng(part)
    truth = generator.integers(0, N_CLASSES, n)
    features = np.empty((n, 49 * 59), np.float32)
    config = LbpConfig(rows=7, columns=7)
    for row, place in enumerate(truth):
        person = persons[generator.integers(PERSONS)]
        share = generator.uniform(0.2, 0.7)
        picture = share * _cut(kinds[place], generator) + (1 - share) * _cut(person, generator)
        picture += generator.uniform(0.0, 0.3) * _cut(noise, generator)
        levels = np.clip(128 + 40 * picture, 0, 255).astype(np.uint8)
        features[row] = lbp_histograms(levels[None], config)[0]
    return features, truth


def _field(*, seed: int, along: float, across: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (FIELD_PX, FIELD_PX)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across) if along else noise
    return smooth / smooth.std()


def _cut(field: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    top, left = generator.integers(0, FIELD_PX - SIDE_PX, 2)
    return field[top : top + SIDE_PX, left : left + SIDE_PX]


def _mixed(known: Data, n: int) -> Data:
    """``n`` images, each cell of which is that of some image of its class."""
    generator = np.random.default_rng(0)
    features, truth = known
    cells = features.reshape(len(features), 49, 59)
    drawn = generator.integers(0, N_CLASSES, n)
    result = np.empty((n, 49 * 59), np.float32)
    members = [np.flatnonzero(truth == place) for place in range(N_CLASSES)]
    for begin in range(0, n, 2048):
        rows = slice(begin, begin + 2048)
        from_ = np.stack([generator.choice(members[place], 49) for place in drawn[rows]])
        result[rows] = cells[from_, np.arange(49)].reshape(len(from_), -1)
    return result, drawn
