"""Baseline ``lbp-svm``: one-vs-rest SVM on local binary patterns (paper section III; Shan et al. 2009).

Fits on the images of the training part, copies included; chooses kernel and C, and calibrates, on the
original images of the validation part; predicts the original images of the test part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.baselines._svm_run import run_svm
from fgbench.config import LbpSvmConfig
from fgbench.errors import DatasetError
from fgbench.evaluation.place import Progress, RunPlace
from fgbench.evaluation.roles import Roles
from fgbench.evaluation.samples import Sample, image_samples
from fgbench.storage import read_rows
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.memory import require_memory
from fgbench.svm.one_vs_rest import Candidate, bytes_needed

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
        ResourceError: If the kernel between the training images does not fit into memory.
    """
    features = read_lbp(place.manifests / "features" / "lbp")
    roles = place.roles(image_samples(place.manifests), protocol_name="images", known=features)
    width = len(next(iter(features.values())))
    plan_memory(roles, width=width, n_classes=len(place.labels.labels), jobs=place.jobs)
    grams = _Grams(
        _matrix(roles.train, features), _matrix(roles.selection, features), config, jobs=place.jobs
    )
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


def plan_memory(
    roles: Roles, *, width: int, n_classes: int, jobs: int | None, available: int | None = None
) -> None:
    """Refuse more training images than memory has room for, before any kernel is computed.

    Args:
        roles: The samples.
        width: Features of an image.
        n_classes: Classes.
        jobs: Machines fitted at the same time.
        available: Bytes that are there; ``None`` asks the system.

    Raises:
        ResourceError: If the kernel between the training images does not fit.
    """
    n, m = len(roles.train), max(len(roles.selection), len(roles.predicted))
    moved = 4 * width * (n + 2 * m)
    require_memory(
        bytes_needed(n, m, n_classes, jobs=jobs) + moved,
        what=f"the kernel between n = {n} training images (8 n^2 bytes and what is computed with it)",
        hint="prepare a work folder with fewer training images (without copies: augment.balance: none or "
        "augment.copies: 0 in its recipe), or use a machine with more memory",
        available=available,
    )


class _Grams:
    """Gram matrices of the kernels to choose from; those of training samples are float64, as LIBSVM reads."""

    def __init__(self, train: Matrix, selection: Matrix, config: LbpSvmConfig, *, jobs: int | None) -> None:
        self._train = train
        self._selection = selection
        self._gammas = [factor * scale_gamma(train) for factor in config.gamma_factors]
        self._jobs = jobs

    def candidates(self) -> list[Candidate]:
        """Linear, and RBF of every width."""
        kernels: list[dict[str, float | str]] = [{"kernel": "linear"}]
        kernels += [{"kernel": "rbf", "gamma": gamma} for gamma in self._gammas]
        return [
            Candidate(kernel, partial(self._gram, kernel), partial(self._selected, kernel))
            for kernel in kernels
        ]

    def _gram(self, parameters: Mapping[str, float | str]) -> npt.NDArray[np.float64]:
        if parameters["kernel"] == "linear":
            return linear_gram(self._train, dtype="float64", jobs=self._jobs)
        distances = squared_distances(self._train, dtype="float64", jobs=self._jobs)
        return rbf_gram(distances, float(parameters["gamma"]), in_place=True)

    def _selected(self, parameters: Mapping[str, float | str]) -> Matrix:
        return self.against_train(self._selection, parameters)

    def against_train(self, rows: Matrix, parameters: Mapping[str, float | str]) -> Matrix:
        """Gram matrix (m, n) of other samples against the training samples, for the kernel chosen."""
        if parameters["kernel"] == "linear":
            return linear_gram(rows, self._train, jobs=self._jobs)
        distances = squared_distances(rows, self._train, jobs=self._jobs)
        return rbf_gram(distances, float(parameters["gamma"]), in_place=True)


def _matrix(samples: Sequence[Sample], features: Mapping[str, Matrix]) -> Matrix:
    width = len(next(iter(features.values())))
    return np.array([features[s.sample_id] for s in samples], np.float32).reshape(-1, width)
