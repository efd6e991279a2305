"""Baseline ``lbp-svm``: one-vs-rest SVM on local binary patterns (paper section III; Shan et al. 2009).

Fits on the images of the training part, copies included; chooses kernel and C, and calibrates, on the
original images of the validation part; predicts the original images of the test part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.baselines._svm_run import run_svm
from fgbench.config import LbpSvmConfig
from fgbench.errors import DatasetError
from fgbench.evaluation.place import Progress, RunPlace
from fgbench.evaluation.roles import assign_roles
from fgbench.evaluation.samples import Sample, image_samples
from fgbench.storage import read_rows
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.one_vs_rest import Candidate

Matrix = npt.NDArray[np.float32]
NEEDS = ("lbp",)
"""Stages of features that have to be enabled."""
RECIPE = LbpSvmConfig
"""What its recipes are."""


def run(config: LbpSvmConfig, place: RunPlace) -> Path:
    """Run the baseline on a prepared work folder.

    Args:
        config: The recipe.
        place: Where; nothing in this baseline is random.

    Returns:
        Folder of the run.

    Raises:
        DatasetError: If a class or a part has no images, or a feature is not finite.
        ManifestError: If manifests or features are missing.
    """
    features = read_lbp(place.manifests / "features" / "lbp")
    samples = place.divide(image_samples(place.manifests))
    roles = assign_roles(samples, protocol_name="images", known=features, fold=place.fold)
    grams = _Grams(_matrix(roles.train, features), _matrix(roles.selection, features), config.gamma_factors)
    return run_svm(
        config,
        place,
        roles=roles,
        c_values=config.c_values,
        candidates=told(grams.candidates(), place.progress),
        test_gram=lambda parameters: grams.against_train(_matrix(roles.predicted, features), parameters),
        details={"kind": "image"},
    )


def told(candidates: Sequence[Candidate], progress: Progress) -> Iterator[Candidate]:
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
    width = len(next(iter(features.values())))
    return np.array([features[s.sample_id] for s in samples], np.float32).reshape(-1, width)
