"""Baseline ``dense-traj-svm``: bags of dense trajectories, one-vs-rest SVM (paper section III; Wang 2013).

Words are made from training clips, and so are the scales of the kernel; C is chosen, and probabilities are
calibrated, on validation clips; test clips are predicted. A clip without trajectories has empty histograms:
it lies as far from every other clip as can be, and is predicted all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.baselines.lbp_svm import class_numbers, predictions_of
from fgbench.config import DenseTrajSvmConfig
from fgbench.errors import DatasetError
from fgbench.evaluation.protocol import Protocol
from fgbench.evaluation.results import write_run
from fgbench.evaluation.samples import Sample, clip_samples
from fgbench.features.bag_of_words import Codebook, CodebookConfig, bag_of_words, fit_codebook
from fgbench.hashing import hash_u64
from fgbench.records import TRAJECTORY_CHANNELS
from fgbench.storage import read_rows
from fgbench.svm.calibration import fit_sigmoid
from fgbench.svm.kernels import chi2_distances, combined_kernel, mean_distance
from fgbench.svm.one_vs_rest import Candidate, select
from fgbench.taxonomy import ontology

Matrix = npt.NDArray[np.float32]
NEEDS = ("dense_trajectories",)
"""Stages of features that have to be enabled."""


def run(
    manifests: Path,
    config: DenseTrajSvmConfig,
    *,
    root: Path,
    seed: int,
    manifest_digest: str,
    details: Mapping[str, Any],
    progress: Callable[[str, int, int], None],
    jobs: int | None = None,
) -> Path:
    """Run the baseline on a prepared work folder; arguments and errors as of the baseline ``lbp-svm``."""
    samples = {
        part: [s for s in clip_samples(manifests) if s.part == part] for part in ("train", "val", "test")
    }
    Protocol(
        name="clips",
        train=frozenset(s.sample_id for s in samples["train"]),
        selection=frozenset(s.sample_id for s in samples["val"]),
        test=frozenset(s.sample_id for s in samples["test"]),
    )
    labels = ontology("fg33").labels
    folder = manifests / "features" / "dense_trajectories"
    channels = list(TRAJECTORY_CHANNELS)
    train: dict[str, Matrix] = {}
    against: dict[str, dict[str, Matrix]] = {"val": {}, "test": {}}
    scales: dict[str, float] = {}
    words: dict[str, int] = {}
    for done, channel in enumerate(channels):
        progress("channels", done, len(channels))
        histograms, codebook = channel_histograms(folder, channel, samples, config, seed=seed, jobs=jobs)
        train[channel] = chi2_distances(histograms["train"], jobs=jobs)
        scales[channel] = mean_distance(train[channel])
        words[channel] = len(codebook.words)
        for part, found in against.items():
            found[channel] = chi2_distances(histograms[part], histograms["train"], jobs=jobs)
    progress("channels", len(channels), len(channels))
    candidate = Candidate(
        {"kernel": "chi2"},
        lambda: combined_kernel(train, scales),
        lambda: combined_kernel(against["val"], scales),
    )
    truth = {part: class_numbers(samples[part], labels) for part in ("train", "val")}
    chosen = select(
        [candidate], truth["train"], truth["val"], labels=labels, c_values=config.c_values, jobs=jobs
    )
    sigmoid = fit_sigmoid(chosen.decisions, truth["val"])
    decisions = chosen.machine.decisions(combined_kernel(against["test"], scales))
    ids = [s.sample_id for s in samples["test"]]
    return write_run(
        root,
        predictions_of(samples["test"], ids, sigmoid.probabilities(decisions), labels),
        experiment=config.name,
        fold="0",
        seed=seed,
        config=config.model_dump(mode="json"),
        manifest_digest=manifest_digest,
        device="cpu",
        details={
            **details,
            "chosen": {"uar": chosen.best.uar, **chosen.best.parameters},
            "trials": [{"uar": trial.uar, **trial.parameters} for trial in chosen.trials],
            "words": words,
            "scales": scales,
            "n_train": len(samples["train"]),
            "n_selection": len(samples["val"]),
        },
    )


def channel_histograms(
    folder: Path,
    channel: str,
    samples: Mapping[str, Sequence[Sample]],
    config: DenseTrajSvmConfig,
    *,
    seed: int,
    jobs: int | None,
) -> tuple[dict[str, Matrix], Codebook]:
    """Histograms of all clips in one channel, and the words, which training clips alone decide.

    Args:
        folder: Tables of trajectories.
        channel: Key of :data:`fgbench.records.TRAJECTORY_CHANNELS`.
        samples: Part to its clips.
        config: The recipe.
        seed: Of the words.
        jobs: Processes.

    Returns:
        Part to (clips, words) float32, and the codebook.
    """
    descriptors = _descriptors(folder, channel)
    size = TRAJECTORY_CHANNELS[channel]
    known = [descriptors[s.clip_id] for s in samples["train"] if s.clip_id in descriptors]
    if not known:
        raise DatasetError(
            f"no training clip has trajectories in {folder}", "prepare it with dense_trajectories"
        )
    pool = np.concatenate(known)
    wanted = CodebookConfig(words=min(config.words, len(pool)), samples=config.samples, runs=config.runs)
    codebook = fit_codebook(pool, wanted, seed=hash_u64("words", seed, channel) % 2**32, jobs=jobs)
    empty = np.empty((0, size), np.float16)
    histograms = {}
    for part, clips in samples.items():
        rows = np.zeros((len(clips), len(codebook.words)), np.float32)
        for row, clip in enumerate(clips):
            found = descriptors.get(clip.clip_id, empty)
            if len(found):
                rows[row] = bag_of_words(found, codebook)
        histograms[part] = rows
    return histograms, codebook


def _descriptors(folder: Path, channel: str) -> dict[str, npt.NDArray[np.float16]]:
    rows: dict[str, list[Any]] = defaultdict(list)
    for path in sorted(folder.glob("*.parquet")):
        for row in read_rows(path, ["clip_id", channel]):
            rows[row["clip_id"]].append(row[channel])
    return {clip: np.asarray(found, np.float16) for clip, found in rows.items()}
