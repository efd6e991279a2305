"""Baseline ``lbp-svm``: one-vs-rest SVM on local binary patterns (paper section III; Shan et al. 2009).

Fits on the images of the training part, copies included; chooses kernel and C, and calibrates, on the
original images of the validation part; predicts the original images of the test part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import LbpSvmConfig
from fgbench.errors import DatasetError
from fgbench.evaluation.protocol import Protocol
from fgbench.evaluation.results import Predictions, write_run
from fgbench.evaluation.samples import Sample, image_samples
from fgbench.storage import read_rows
from fgbench.svm.calibration import fit_sigmoid
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.one_vs_rest import Candidate, select
from fgbench.taxonomy import ontology

Matrix = npt.NDArray[np.float32]
NEEDS = ("lbp",)
"""Stages of features that have to be enabled."""


def run(
    manifests: Path,
    config: LbpSvmConfig,
    *,
    root: Path,
    seed: int,
    manifest_digest: str,
    details: Mapping[str, Any],
    progress: Callable[[str, int, int], None],
    jobs: int | None = None,
) -> Path:
    """Run the baseline on a prepared work folder.

    Args:
        manifests: Folder of the manifests.
        config: The recipe.
        root: Work folder, for the results.
        seed: Number of the run; nothing in this baseline is random.
        manifest_digest: Digest of the manifests.
        details: More to keep with the result.
        progress: Told of finished steps.
        jobs: Processes.

    Returns:
        Folder of the run.

    Raises:
        DatasetError: If a class or a part has no images, or a feature is not finite.
        ManifestError: If manifests or features are missing.
    """
    samples = image_samples(manifests)
    features = read_lbp(manifests / "features" / "lbp")
    labels = ontology("fg33").labels
    roles = {part: [s for s in samples if s.part == part and not s.is_copy] for part in ("val", "test")}
    train = [s for s in samples if s.part == "train" and s.sample_id in features]
    selection = [s for s in roles["val"] if s.sample_id in features]
    Protocol(
        name="images",
        train=frozenset(s.sample_id for s in train),
        selection=frozenset(s.sample_id for s in selection),
        test=frozenset(s.sample_id for s in roles["test"]),
    )
    test = [s for s in roles["test"] if s.sample_id in features]
    x_train, x_selection, x_test = (_matrix(found, features) for found in (train, selection, test))
    y_train, y_selection = class_numbers(train, labels), class_numbers(selection, labels)
    grams = _Grams(x_train, x_selection, config.gamma_factors)
    chosen = select(
        told(grams.candidates(), progress),
        y_train,
        y_selection,
        labels=labels,
        c_values=config.c_values,
        jobs=jobs,
    )
    sigmoid = fit_sigmoid(chosen.decisions, y_selection)
    decisions = chosen.machine.decisions(grams.against_train(x_test, chosen.best.parameters))
    predictions = predictions_of(
        roles["test"], [s.sample_id for s in test], sigmoid.probabilities(decisions), labels
    )
    return write_run(
        root,
        predictions,
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
            "n_train": len(train),
            "n_selection": len(selection),
        },
    )


def told(candidates: Sequence[Candidate], progress: Callable[[str, int, int], None]) -> Iterator[Candidate]:
    """The candidates, with progress."""
    for done, candidate in enumerate(candidates):
        progress("kernels", done, len(candidates))
        yield candidate
    progress("kernels", len(candidates), len(candidates))


def read_lbp(folder: Path) -> dict[str, Matrix]:
    """Features by image id.

    Raises:
        ManifestError: If a table is missing or damaged.
        DatasetError: If there are none, or values are not finite.
    """
    found: dict[str, Matrix] = {}
    for path in sorted(folder.glob("*.parquet")):
        for row in read_rows(path):
            found[row["image_id"]] = np.asarray(row["lbp"], np.float32)
    if not found:
        raise DatasetError(
            f"no features in {folder}", "prepare the work folder with lbp enabled in the recipe"
        )
    bad = sorted(name for name, vector in found.items() if not np.isfinite(vector).all())
    if bad:
        raise DatasetError(
            f"features of {len(bad)} images are not finite, e.g. {bad[0]}", "prepare them again"
        )
    return found


def predictions_of(
    samples: Sequence[Sample], predicted_ids: Sequence[str], probabilities: Matrix, labels: Sequence[str]
) -> Predictions:
    """Predictions of all samples of a part; those without features get none.

    Args:
        samples: All samples, in order.
        predicted_ids: Ids of those that were predicted.
        probabilities: (len(predicted_ids), C).
        labels: C names.
    """
    place = {name: row for row, name in enumerate(predicted_ids)}
    full = np.full((len(samples), len(labels)), np.nan, np.float32)
    predicted: list[str | None] = []
    for row, sample in enumerate(samples):
        found = place.get(sample.sample_id)
        if found is not None:
            full[row] = probabilities[found]
        predicted.append(None if found is None else labels[int(np.argmax(probabilities[found]))])
    return Predictions(
        classes=tuple(labels),
        sample_ids=tuple(s.sample_id for s in samples),
        clip_ids=tuple(s.clip_id for s in samples),
        subject_ids=tuple(s.subject_id for s in samples),
        labels=tuple(s.label for s in samples),
        predicted=tuple(predicted),
        probabilities=full,
    )


class _Grams:
    """Gram matrices of the kernels to choose from; squared distances are computed once."""

    def __init__(self, train: Matrix, selection: Matrix, gamma_factors: Sequence[float]) -> None:
        self._train = train
        self._selection = selection
        self._gammas = {factor: factor * scale_gamma(train) for factor in gamma_factors}

    def candidates(self) -> list[Candidate]:
        """Linear, and RBF of every width."""
        found = [
            Candidate(
                {"kernel": "linear"},
                lambda: linear_gram(self._train),
                lambda: linear_gram(self._selection, self._train),
            )
        ]
        return found + [
            Candidate(
                {"kernel": "rbf", "gamma": gamma}, self._rbf(gamma, None), self._rbf(gamma, self._selection)
            )
            for gamma in self._gammas.values()
        ]

    def _rbf(self, gamma: float, rows: Matrix | None) -> Callable[[], Matrix]:
        if rows is None:
            return lambda: rbf_gram(squared_distances(self._train), gamma, in_place=True)
        return lambda: rbf_gram(squared_distances(rows, self._train), gamma, in_place=True)

    def against_train(self, rows: Matrix, parameters: Mapping[str, float | str]) -> Matrix:
        """Gram matrix of other samples against the training samples, for the kernel chosen."""
        if parameters["kernel"] == "linear":
            return linear_gram(rows, self._train)
        return rbf_gram(squared_distances(rows, self._train), float(parameters["gamma"]), in_place=True)


def _matrix(samples: Sequence[Sample], features: Mapping[str, Matrix]) -> Matrix:
    return np.stack([features[s.sample_id] for s in samples]) if samples else np.empty((0, 0), np.float32)


def class_numbers(samples: Sequence[Sample], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Classes of samples as places in ``labels``, (N,) int64."""
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers[s.label] for s in samples], np.int64)
