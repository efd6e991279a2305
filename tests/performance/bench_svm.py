"""The baseline ``lbp-svm`` on many images: exact machines and approximated kernels, on the same pictures.

Pictures are textures: of a class, of a person (those of training, validation and test differ), and noise.
Their histograms are those of 49 cells x 59 labels; kernel and C are chosen by the packed recipe on 2,000
pictures, and the recall is that on 2,000 others; beside it the interval (95 %, by person) of its difference
to the exact machine's on the same pictures. Larger sets have the cells of training pictures of the
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
from typing import NamedTuple

import cv2
import numpy as np

from fgbench.evaluation.cluster_counts import ClusterCounts, count_clusters
from fgbench.evaluation.paired import paired_interval

N_CLASSES, N_HELD_OUT, PERSONS = 7, 2_000, 60
LABELS = tuple(f"c{place}" for place in range(N_CLASSES))
SMALL, RAF_DB, FER2013, AFFECTNET = 3_000, 12_826, 57_122, 300_000
LANDMARKS = (500, 1000, 2000)
SIDE_PX, FIELD_PX = 224, 1024
FILES = ("train", "selection", "test")

Data = tuple[np.ndarray, np.ndarray]


class _Case(NamedTuple):
    """What is measured: the solver, the number of training pictures, and of landmarks (0: exact)."""

    solver: str
    n: int
    landmarks: int


class _Outcome(NamedTuple):
    """What came of it: parameters chosen, predicted classes of the test pictures, CPU seconds, peak GB."""

    chosen: str
    predicted: np.ndarray
    seconds: float
    peak_gb: float


def main() -> None:
    """Print the table."""
    large = "--large" in sys.argv
    compared = RAF_DB if large else SMALL
    print("| solver | training images | chosen | UAR on test | minus exact | CPU s | peak GB |")
    print("|---|---:|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, part in enumerate(FILES):
            features, truth, persons = _drawn(compared if part == "train" else N_HELD_OUT, part=index)
            np.save(folder / f"{part}.npy", features)
            np.save(folder / f"{part}-truth.npy", truth)
        cases = [_Case("exact", compared, 0), *(_Case("nystroem", compared, count) for count in LANDMARKS)]
        if large:
            cases += [_Case("nystroem", FER2013, 1000), _Case("nystroem", AFFECTNET, 1000)]
        exact = None
        for case in cases:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                outcome = pool.submit(_outcome, folder, case).result()
            counts = _counts(truth, outcome.predicted, persons)
            exact = exact or counts
            scores = _scores(counts, exact) if case.n == compared else ("", "")
            cells = (_name(case), f"{case.n:,}", outcome.chosen, *scores, f"{outcome.seconds:.0f}")
            print(f"| {' | '.join(cells)} | {outcome.peak_gb:.1f} |", flush=True)


def _name(case: _Case) -> str:
    return f"{case.solver}, {case.landmarks:,} landmarks" if case.landmarks else case.solver


def _counts(truth: np.ndarray, predicted: np.ndarray, persons: np.ndarray) -> ClusterCounts:
    names = [f"person {one}" for one in persons]
    return count_clusters(truth, predicted, clusters=names, n_classes=N_CLASSES)


def _scores(counts: ClusterCounts, exact: ClusterCounts) -> tuple[str, str]:
    """UAR, and the interval of its difference to the exact machine's (blank for that itself)."""
    if counts is exact:
        return f"{counts.score('uar'):.3f}", ""
    difference = paired_interval([counts], [exact])
    return (
        f"{counts.score('uar'):.3f}",
        f"{difference.estimate:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})",
    )


def _outcome(folder: Path, case: _Case) -> _Outcome:
    from fgbench.config import LbpSvmConfig, load_baseline
    from fgbench.methods.lbp_svm.kernels import Histograms, LbpKernels
    from fgbench.svm.choice import Fold, choose
    from fgbench.svm.one_vs_rest import fit_one_vs_rest
    from fgbench.svm.primal import LinearFit

    changes = {"solver": case.solver, "landmarks": case.landmarks or 2}
    config = load_baseline("lbp-svm", LbpSvmConfig).model_copy(update=changes)
    data = {part: (np.load(folder / f"{part}.npy"), np.load(folder / f"{part}-truth.npy")) for part in FILES}
    train, truth = data["train"] if case.n <= len(data["train"][0]) else _mixed(data["train"], case.n)
    n, m = len(train), len(data["selection"][0])
    begin = time.process_time()
    is_exact = case.solver == "exact"
    pool = Histograms(lambda: np.concatenate([train, data["selection"][0]]))
    kernels = LbpKernels(config, pool, scaled_by=slice(0, n), exact=is_exact, seed=0, jobs=None)
    chosen = choose(
        kernels,
        [Fold(slice(0, n), slice(n, n + m))],
        np.concatenate([truth, data["selection"][1]]),
        labels=LABELS,
        c_values=config.c_values,
        fit=fit_one_vs_rest if is_exact else LinearFit(),
    )
    assert chosen.machine is not None, "one fold has one machine"
    cross = kernels.others(data["test"][0].copy(), chosen.best.parameters, slice(0, n))
    decisions = chosen.machine.decisions(cross)
    seconds = time.process_time() - begin
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    best = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{value}"
        for key, value in chosen.best.parameters.items()
    )
    return _Outcome(best, decisions.argmax(axis=1), seconds, peak_gb)


def _drawn(n: int, *, part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histograms (n, 2891) of textures, their classes, and their persons; parts have persons of their own."""
    from fgbench.config import LbpConfig
    from fgbench.features.lbp import lbp_histograms

    kinds = [_field(seed=index, along=1.2 + 0.2 * index, across=2.4 - 0.2 * index) for index in range(7)]
    persons = [
        _field(seed=1000 * (part + 1) + index, along=1.2 + 0.4 * (index % 5), across=1.2 + 0.3 * (index % 7))
        for index in range(PERSONS)
    ]
    noise = _field(seed=999, along=0.0, across=0.0)
    generator = np.random.default_rng(part)
    truth = generator.integers(0, N_CLASSES, n)
    shown = np.empty(n, np.int64)
    features = np.empty((n, 49 * 59), np.float32)
    config = LbpConfig(rows=7, columns=7)
    for row, index in enumerate(truth):
        shown[row] = generator.integers(PERSONS)
        person = persons[shown[row]]
        share = generator.uniform(0.2, 0.7)
        picture = share * _cut(kinds[index], generator) + (1 - share) * _cut(person, generator)
        picture += generator.uniform(0.0, 0.3) * _cut(noise, generator)
        levels = np.clip(128 + 40 * picture, 0, 255).astype(np.uint8)
        features[row] = lbp_histograms(levels[None], config)[0]
    return features, truth, shown


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
    members = [np.flatnonzero(truth == index) for index in range(N_CLASSES)]
    for begin in range(0, n, 2048):
        rows = slice(begin, begin + 2048)
        from_ = np.stack([generator.choice(members[index], 49) for index in drawn[rows]])
        result[rows] = cells[from_, np.arange(49)].reshape(len(from_), -1)
    return result, drawn
