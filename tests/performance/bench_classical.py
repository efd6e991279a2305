"""Local binary patterns, chi-square kernel, support vector machines, codebook: against scikit-image and
scikit-learn in the same run.

Data are drawn, with the sizes of the paper's image set and of its bags of words. Slow baselines run on a part
and are scaled by the ratio of the work, which the table says. Times are CPU seconds of one thread, except for
the support vector machines, which use all cores (CPU and elapsed seconds). Each kernel of these has a process
of its own. "The same SVC" is scikit-learn's one-vs-one machine on our Gram matrix, the matrix included: a
target for SVC means that row. "One-vs-rest" is what the baselines fit, another machine with 33 problems over
all samples in place of 528 over two classes each.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from threadpoolctl import threadpool_limits

N_IMAGES, N_FEATURES, N_CLASSES = 12_826, 2_891, 33
SVM_PART = 8
LABELS = tuple(f"c{place}" for place in range(N_CLASSES))


def main() -> None:
    """Print the table."""
    print("| what | baseline | s | fgbench, s | ratio | remarks |")
    print("|---|---|---:|---:|---:|---|")
    with threadpool_limits(1):
        _lbp()
        _chi2(1.0)
        _chi2(0.3)
        _assignment()
        _k_means()
    for kernel in ("linear", "rbf"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(_svm, kernel).result()


def _row(what: str, baseline: str, slow_s: float, fast_s: float, remarks: str = "") -> None:
    print(
        f"| {what} | {baseline} | {slow_s:.4g} | {fast_s:.4g} | {slow_s / fast_s:.1f} | {remarks} |",
        flush=True,
    )


def _cpu_s(work: Callable[[], object], repeats: int = 5) -> float:
    """Median CPU seconds, after one call that compiles."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def _lbp() -> None:
    from skimage.feature import local_binary_pattern

    from fgbench.config import LbpConfig
    from fgbench.features.lbp import lbp_histograms

    images = np.random.default_rng(0).integers(0, 256, (20, 224, 224), dtype=np.uint8)
    config = LbpConfig(rows=7, columns=7)

    def slow() -> None:
        codes = local_binary_pattern(images[0], 8, 2, "nri_uniform")
        for row in codes.reshape(7, 32, 7, 32).transpose(0, 2, 1, 3).reshape(49, -1):
            np.histogram(row, bins=59, range=(0, 59))

    lbp_histograms(images[:1], config)
    fast_s = _cpu_s(lambda: lbp_histograms(images, config)) / len(images)
    _row("LBP codes + 7x7 histograms, 224 x 224", "scikit-image", _cpu_s(slow), fast_s, "codes equal")


def _bags(n: int, filled: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = generator.random((n, 4000)) * (generator.random((n, 4000)) < filled)
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def _chi2(filled: float) -> None:
    from sklearn.metrics.pairwise import chi2_kernel

    from fgbench.svm.kernels import chi2_distances

    x, y = _bags(1000, filled, 0), _bags(1000, filled, 1)
    part = x[:50].astype(np.float64)
    slow_s = _cpu_s(lambda: chi2_kernel(part, y.astype(np.float64)), 1) * 20
    fast = chi2_distances(x, y, jobs=1)
    fast_s = _cpu_s(lambda: chi2_distances(x, y, jobs=1), 3)
    error = np.abs(np.exp(-2 * fast[:50].astype(np.float64)) - chi2_kernel(part, y.astype(np.float64))).max()
    what = f"chi-square 1000 x 1000 x 4000, {filled:.0%} filled"
    _row(what, "scikit-learn, 1/20 of the rows, scaled", slow_s, fast_s, f"kernel differs by {error:.1e}")


def _descriptors(n: int) -> np.ndarray:
    """Square roots of normalised histograms with a few factors of variation, as HOG has."""
    generator = np.random.default_rng(0)
    factors = generator.gamma(0.6, 1.0, (n, 12)) @ generator.gamma(0.3, 1.0, (12, 96))
    values = factors * generator.gamma(4.0, 0.25, (n, 96))
    return np.sqrt(values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def _assignment() -> None:
    from sklearn.metrics import pairwise_distances_argmin

    from fgbench.features.bag_of_words import assign_words

    descriptors = _descriptors(127_692)
    words = descriptors[:: len(descriptors) // 4000][:4000]
    part = descriptors[: len(descriptors) // 4]
    fast_s = _cpu_s(lambda: assign_words(descriptors, words), 3)
    slow_s = _cpu_s(lambda: pairwise_distances_argmin(part, words), 1) * 4
    same = (assign_words(part, words) == pairwise_distances_argmin(part, words)).mean()
    _row(
        "nearest of 4000 words, 127,692 x 96",
        "scikit-learn, 1/4, scaled",
        slow_s,
        fast_s,
        f"{same:.4%} equal",
    )


def _k_means() -> None:
    from sklearn.cluster import MiniBatchKMeans

    from fgbench.features.bag_of_words import CodebookConfig, assign_words, fit_codebook

    descriptors = _descriptors(100_000)
    begin = time.process_time()
    codebook = fit_codebook(descriptors, CodebookConfig(runs=1), seed=0, jobs=1)
    fast_s = time.process_time() - begin
    model = MiniBatchKMeans(
        4000, init="random", n_init=1, batch_size=10_000, max_iter=6, max_no_improvement=None, random_state=0
    )
    begin = time.process_time()
    model.fit(descriptors)
    slow_s = time.process_time() - begin
    words = model.cluster_centers_.astype(np.float32)
    nearest = words[assign_words(descriptors, words)]
    mini = float(((descriptors - nearest) ** 2).sum(axis=1).mean())
    remarks = f"distortion {codebook.distortion:.5f}, mini-batch {mini:.5f}"
    _row(
        "4000 words from 100,000 x 96, 1 run",
        "scikit-learn MiniBatchKMeans, 6 epochs",
        slow_s,
        fast_s,
        remarks,
    )


def _faces() -> tuple[np.ndarray, np.ndarray]:
    """Histograms of 49 cells x 59 labels with variation by person and by class."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, N_CLASSES, N_IMAGES)
    kinds, persons = generator.random((N_CLASSES, N_FEATURES)), generator.random((150, N_FEATURES))
    features = np.empty((N_IMAGES, N_FEATURES), np.float32)
    for begin in range(0, N_IMAGES, 1000):
        rows = truth[begin : begin + 1000]
        noise = generator.gamma(1.0, 0.5, (rows.size, N_FEATURES))
        person = persons[generator.integers(0, 150, rows.size)]
        values = (0.25 * kinds[rows] + person + noise).reshape(-1, 49, 59)
        features[begin : begin + 1000] = (values / values.sum(axis=2, keepdims=True)).reshape(-1, N_FEATURES)
    return features, truth


def _svm(kernel: str) -> None:
    from sklearn.svm import SVC

    from fgbench.svm import grams
    from fgbench.svm.one_vs_rest import fit_one_vs_rest

    features, truth = _faces()
    c = 10.0
    gamma = grams.scale_gamma(features)

    def gram(x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        if kernel == "linear":
            return grams.linear_gram(x, y)
        return grams.rbf_gram(grams.squared_distances(x, y), gamma, in_place=True)

    cpu = time.process_time()
    own = gram(features)
    gram_s = time.process_time() - cpu
    begin = time.process_time()
    pairs = SVC(kernel="precomputed", C=c).fit(own, truth)
    pairs_s = time.process_time() - begin
    pairs_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    begin, cpu = time.perf_counter(), time.process_time()
    machine = fit_one_vs_rest(own, truth, labels=LABELS, c=c)
    fast_s, elapsed_s = gram_s + time.process_time() - cpu, time.perf_counter() - begin
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    fast_ms = _cpu_s(lambda: machine.decisions(gram(features[:200], features)), 3) * 1000 / 200
    del own
    part = features[::SVM_PART].astype(np.float64)
    begin = time.process_time()
    anchor = SVC(kernel=kernel, C=c, gamma=gamma).fit(part, truth[::SVM_PART])
    slow_s = (time.process_time() - begin) * SVM_PART**2
    slow_ms = _cpu_s(lambda: anchor.predict(part[:20]), 1) * 1000 / 20 * SVM_PART
    small_gram = gram(features[::SVM_PART])
    same = SVC(kernel="precomputed", C=c).fit(small_gram, truth[::SVM_PART])
    apart = len(set(same.support_.tolist()) ^ set(anchor.support_.tolist()))
    small = fit_one_vs_rest(small_gram, truth[::SVM_PART], labels=LABELS, c=c)
    binary = SVC(kernel=kernel, C=c, gamma=gamma).fit(part, truth[::SVM_PART] == 0)
    differ = len(set(np.flatnonzero(small.weights[:, 0]).tolist()) ^ set(binary.support_.tolist()))
    what = f"SVM {kernel}, {N_IMAGES:,} x {N_FEATURES:,}, {N_CLASSES} classes"
    remarks = f"Gram {gram_s:.0f} s, fit {elapsed_s:.0f} s elapsed, peak {peak_gb:.1f} GB; "
    remarks += (
        f"1/{SVM_PART}, one class: {differ} of {binary.support_.size} support vectors differ from SVC's"
    )
    baseline = f"SVC one-vs-one, 1/{SVM_PART} of the samples, scaled by {SVM_PART**2}"
    target = f"Gram {gram_s:.0f} s, peak {pairs_gb:.1f} GB; {pairs.support_.size} support vectors; "
    target += f"1/{SVM_PART}: {apart} of {anchor.support_.size} differ from the baseline's"
    _row(f"{what}: the same SVC (one-vs-one), fit", baseline, slow_s, gram_s + pairs_s, target)
    _row(f"{what}: one-vs-rest as in the baselines, fit", baseline, slow_s, fast_s, remarks)
    baseline = f"SVC one-vs-one, 1/{SVM_PART} of the samples, scaled by {SVM_PART}"
    _row(f"{what}: one-vs-rest, predict one sample, 200 at once", baseline, slow_ms / 1000, fast_ms / 1000)
