"""Choice and fit of the classifier on the features of a frozen network.

Settings are chosen as ``lbp-svm`` chooses them: by the unweighted average recall on the validation part, or
by inner cross-validation over groups where the protocol is k-fold (:mod:`fgbench.methods.lbp_svm.choice`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fgbench.config import BackboneHeadConfig
from fgbench.errors import DatasetError
from fgbench.methods.backbone.head import Head
from fgbench.methods.backbone.logistic import LogisticPath, fit_logistic
from fgbench.methods.backbone.neighbours import choose_neighbours, votes_of
from fgbench.methods.lbp_svm.choice import Plan
from fgbench.methods.lbp_svm.kernels import Histograms, LbpKernels
from fgbench.svm.calibration import fit_sigmoid
from fgbench.svm.choice import Rows, choose
from fgbench.svm.grams import rbf_gram, squared_distances
from fgbench.svm.nystroem import draw_landmarks, inverse_root
from fgbench.svm.one_vs_rest import Fit, Trial, fit_one_vs_rest
from fgbench.svm.primal import LinearFit

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A chosen and fitted head.

    Attributes:
        head: The head.
        best: The chosen settings, with their UAR on samples that they were not fitted to.
        trials: All settings that were tried.
    """

    head: Head
    best: Trial
    trials: Sequence[Trial]


def fit_head(
    config: BackboneHeadConfig,
    pool: Matrix,
    truth: Indices,
    plan: Plan,
    *,
    labels: Sequence[str],
    seed: int,
    jobs: int,
) -> Fitted:
    """Choose settings, and fit a head with them.

    Args:
        config: Section of the recipe.
        pool: (n, d) features of the plan's pool.
        truth: (n,) classes, as indices in ``labels``.
        plan: Samples to choose by and to fit to.
        labels: Names of the classes.
        seed: Seed of the landmarks of an approximated kernel.
        jobs: Fits at the same time; results do not depend on it.

    Raises:
        DatasetError: If features are all equal, or a fold fits to fewer than two classes.
    """
    scaled, tensors = scale_features(config.scaling, pool, plan.scaled_by)
    if config.kind == "knn":
        best, trials = choose_neighbours(
            config.neighbours, scaled, truth, plan.folds, n_classes=len(labels), balanced=config.balanced
        )
        votes = votes_of(truth[plan.final], len(labels), balanced=config.balanced)
        knn = {"support": scaled[plan.final], "weights": votes}
        return Fitted(
            head=_head(config, "knn", "shares", tensors | knn, neighbours=best.parameters["neighbours"]),
            best=best,
            trials=trials,
        )
    if config.kind == "logistic":
        return _logistic(config, scaled, truth, plan, tensors, labels=labels, jobs=jobs)
    return _machine(config, scaled, truth, plan, tensors, labels=labels, seed=seed, jobs=jobs)


def scale_features(scaling: str, pool: Matrix, rows: Rows) -> tuple[Matrix, dict[str, Matrix]]:
    """Return scaled features and, of ``standard``, the tensors that scale: ``mean`` and ``scale`` (d).

    Args:
        scaling: ``"none"``, ``"length"`` or ``"standard"``.
        pool: (n, d) features.
        rows: Samples that mean and deviation come from.

    Raises:
        DatasetError: If all of these have the same features.
    """
    if scaling == "none":
        return pool, {}
    if scaling == "length":
        return pool / np.maximum(np.linalg.norm(pool, axis=1, keepdims=True), 1e-12), {}
    mean = pool[rows].mean(axis=0, dtype=np.float64)
    deviation = pool[rows].std(axis=0, dtype=np.float64)
    varies = deviation > 1e-6 * max(float(deviation.max()), 1e-12)
    if float(deviation.max()) == 0.0:
        raise DatasetError(
            "all training images have the same features, expected different ones",
            "check the network's input (section input of the recipe)",
        )
    factor = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
    tensors = {"mean": mean.astype(np.float32), "scale": factor.astype(np.float32)}
    return (pool - tensors["mean"]) * tensors["scale"], tensors


def _logistic(
    config: BackboneHeadConfig,
    scaled: Matrix,
    truth: Indices,
    plan: Plan,
    tensors: Mapping[str, Matrix],
    *,
    labels: Sequence[str],
    jobs: int,
) -> Fitted:
    path = LogisticPath(config.c_values, balanced=config.balanced, jobs=jobs)
    chosen = choose(
        [_Features(scaled)],
        plan.folds,
        truth,
        labels=labels,
        c_values=config.c_values,
        fit=path,
        jobs=jobs,
    )
    machine = chosen.machine
    if plan.refits or machine is None:
        c = float(chosen.best.parameters["C"])
        machine = fit_logistic(
            scaled[plan.final], truth[plan.final], labels=labels, c=c, balanced=config.balanced
        )
    linear = {"weights": machine.weights, "offsets": machine.offsets}
    return Fitted(
        head=_head(config, "linear", "softmax", {**tensors, **linear}),
        best=chosen.best,
        trials=chosen.trials,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """Features of a pool as the only kernel to choose from."""

    features: Matrix

    @property
    def parameters(self) -> Mapping[str, float | str]:
        return {}

    def fitted(self, rows: Rows) -> Matrix:
        return self.features[rows]

    def held_out(self, rows: Rows, fitted: Rows) -> Matrix:
        return self.features[rows]


def _machine(
    config: BackboneHeadConfig,
    scaled: Matrix,
    truth: Indices,
    plan: Plan,
    tensors: Mapping[str, Matrix],
    *,
    labels: Sequence[str],
    seed: int,
    jobs: int,
) -> Fitted:
    svm = config.svm("backbone")
    exact = svm.solver_for(plan.n_final) == "exact"
    kernels = LbpKernels(
        svm, Histograms(lambda: scaled), scaled_by=plan.scaled_by, exact=exact, seed=seed, jobs=jobs
    )
    fit: Fit = (
        partial(fit_one_vs_rest, balanced=config.balanced) if exact else LinearFit(balanced=config.balanced)
    )
    chosen = choose(kernels, plan.folds, truth, labels=labels, c_values=config.c_values, fit=fit, jobs=jobs)
    parameters = {name: value for name, value in chosen.best.parameters.items() if name != "C"}
    machine = chosen.machine
    if plan.refits or machine is None:
        values = kernels.again(parameters).fitted(plan.final)
        c = float(chosen.best.parameters["C"])
        machine = fit(values, truth[plan.final], labels=labels, c=c, jobs=jobs)
    sigmoid = fit_sigmoid(chosen.decisions, chosen.truth)
    calibrated = {"slope": sigmoid.slope, "offset": sigmoid.offset}
    best = Trial({k: v for k, v in chosen.best.parameters.items() if k != "normalisation"}, chosen.best.uar)
    if parameters["kernel"] == "linear":
        weights = _primal(scaled[plan.final], machine.weights) if exact else machine.weights
        own = {**tensors, "weights": weights, "offsets": machine.offsets}
        return Fitted(
            head=_head(config, "linear", "sigmoid", own, **calibrated), best=best, trials=chosen.trials
        )
    gamma = float(parameters["gamma"])
    if exact:
        used = np.flatnonzero(machine.weights.any(axis=1))
        support, weights = scaled[plan.final][used], machine.weights[used]
    else:
        drawn = np.arange(len(scaled))[plan.scaled_by]
        support = scaled[drawn[draw_landmarks(len(drawn), svm.landmarks, seed=seed)]]
        root = inverse_root(rbf_gram(squared_distances(support), gamma))
        weights = (root.astype(np.float64) @ machine.weights).astype(np.float32)
    own = {**tensors, "support": support, "weights": weights, "offsets": machine.offsets}
    return Fitted(
        head=_head(config, "rbf", "sigmoid", own, gamma=gamma, **calibrated), best=best, trials=chosen.trials
    )


def _primal(features: Matrix, weights: Matrix) -> Matrix:
    """Return weights of features (d, K) from those of training samples (n, K)."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        product: Matrix = (features.T.astype(np.float64) @ weights).astype(np.float32)
    return product


def _head(
    config: BackboneHeadConfig, decides: Any, becomes: Any, arrays: Mapping[str, Matrix], **numbers: Any
) -> Head:
    return Head(
        scaling=config.scaling,
        decides=decides,
        becomes=becomes,
        tensors={name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()},
        numbers={name: float(value) for name, value in numbers.items()},
    )
