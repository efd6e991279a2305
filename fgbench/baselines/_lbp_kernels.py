"""Kernels that ``lbp-svm`` chooses from, as its solver takes them: Gram matrices, or features."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fgbench.config import LbpSvmConfig
from fgbench.svm.grams import linear_gram, rbf_gram, scale_gamma, squared_distances
from fgbench.svm.nystroem import draw_landmarks, inverse_root, map_rows
from fgbench.svm.one_vs_rest import Candidate

Matrix = npt.NDArray[np.float32]
Parameters = Mapping[str, float | str]


class Kernels(Protocol):
    """Kernels between training samples, and between others and them."""

    def candidates(self) -> list[Candidate]:
        """Linear, and RBF of every width."""

    def of(self, rows: Matrix, parameters: Parameters) -> Matrix:
        """What a machine takes of other samples, for one of the kernels."""


def lbp_kernels(
    config: LbpSvmConfig, train: Matrix, selection: Matrix, *, seed: int, jobs: int | None
) -> Kernels:
    """The kernels of a recipe.

    Args:
        config: The recipe.
        train: (n, d) features of the training images.
        selection: (m, d) those of the validation images.
        seed: Of the landmarks of an approximation.
        jobs: Threads; nothing depends on them.

    Raises:
        DatasetError: If all features are equal.
    """
    kinds: list[dict[str, float | str]] = [{"kernel": "linear"}]
    if config.gamma_factors:
        scale = scale_gamma(train)
        kinds += [{"kernel": "rbf", "gamma": factor * scale} for factor in config.gamma_factors]
    if config.solver_for(len(train)) == "exact":
        return _Grams(train, selection, kinds, jobs=jobs)
    places = draw_landmarks(len(train), config.landmarks, seed=seed)
    return _Features(train, selection, kinds, train[places], jobs=jobs)


class _Grams:
    """Gram matrices; those of training samples are float64, as LIBSVM reads."""

    def __init__(
        self, train: Matrix, selection: Matrix, kinds: list[dict[str, float | str]], *, jobs: int | None
    ) -> None:
        self._train, self._selection, self._kinds, self._jobs = train, selection, kinds, jobs

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(kind, partial(self._gram, kind), partial(self.of, self._selection, kind))
            for kind in self._kinds
        ]

    def _gram(self, parameters: Parameters) -> npt.NDArray[np.float64]:
        if parameters["kernel"] == "linear":
            return linear_gram(self._train, dtype="float64", jobs=self._jobs)
        distances = squared_distances(self._train, dtype="float64", jobs=self._jobs)
        return rbf_gram(distances, float(parameters["gamma"]), in_place=True)

    def of(self, rows: Matrix, parameters: Parameters) -> Matrix:
        if parameters["kernel"] == "linear":
            return linear_gram(rows, self._train, jobs=self._jobs)
        distances = squared_distances(rows, self._train, jobs=self._jobs)
        return rbf_gram(distances, float(parameters["gamma"]), in_place=True)


class _Features:
    """Features themselves for the linear kernel, those of Nyström for RBF; one matrix of them at a time."""

    def __init__(
        self,
        train: Matrix,
        selection: Matrix,
        kinds: list[dict[str, float | str]],
        landmarks: Matrix,
        *,
        jobs: int | None,
    ) -> None:
        self._train, self._selection, self._kinds, self._jobs = train, selection, kinds, jobs
        self._landmarks = landmarks

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(kind, partial(self.of, self._train, kind), partial(self.of, self._selection, kind))
            for kind in self._kinds
        ]

    def of(self, rows: Matrix, parameters: Parameters) -> Matrix:
        if parameters["kernel"] == "linear":
            return rows
        gamma = float(parameters["gamma"])

        def kernel(samples: Matrix) -> Matrix:
            return rbf_gram(squared_distances(samples, self._landmarks, jobs=1), gamma, in_place=True)

        root = inverse_root(kernel(self._landmarks))
        return map_rows(len(rows), lambda part: kernel(rows[part]), root, jobs=self._jobs)
