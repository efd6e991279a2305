"""Choice of kernel and C of a one-vs-rest machine on samples that it was not fitted to: one part, or folds.

Samples that machines may be fitted to, and that settings are chosen on, are one pool. A fold of it names the
samples that a machine is fitted to and those held out; with one fold that is a choice on a validation part,
with several an inner cross-validation. The choice has the best unweighted average recall (UAR) over the
held-out samples of all folds together. Test samples are never used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation import metrics
from fgbench.svm.one_vs_rest import Fit, Indices, Machine, Trial, fit_one_vs_rest

Matrix = npt.NDArray[np.float32]
Rows = slice | Indices
"""Samples of the pool: a slice, whose values are not copied, or sorted indices."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kernel to try.

    Attributes:
        parameters: Its parameters in results, e.g. ``{"kernel": "rbf", "gamma": 0.5}``.
        train: Computes the (n, n) Gram matrix of the training samples: float64, as LIBSVM reads it, takes 8
            bytes per pair, float32 takes 4 more while it is converted. For a machine on features: their
            (n, d) features.
        selection: Computes the (m, n) Gram matrix of the validation samples against them, or their features.
    """

    parameters: Mapping[str, float | str]
    train: Callable[[], npt.NDArray[Any]]
    selection: Callable[[], Matrix]


class PoolKernel(Protocol):
    """One kernel between the samples of a pool."""

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """Its parameters in results, e.g. ``{"kernel": "rbf", "gamma": 0.5}``."""

    def fitted(self, rows: Rows) -> npt.NDArray[Any]:
        """Return the input to fit a machine on these samples: (n, n) float64 kernel, or (n, d) features."""

    def held_out(self, rows: Rows, fitted: Rows) -> Matrix:
        """Return the input to decide on others: (m, n) kernel to the fitted samples, or (m, d) features."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A division of the pool.

    Attributes:
        fitted: Samples that a machine is fitted to.
        held_out: Samples that it is judged by; it is fitted to none of them.
    """

    fitted: Rows
    held_out: Rows


@dataclass(frozen=True, slots=True)
class Choice:
    """Outcome of a choice.

    Attributes:
        best: The best parameters and their score.
        decisions: (m, C) decision values of the held-out samples, each by a machine that was not fitted to
            it, to calibrate with.
        truth: (m,) classes of these samples.
        trials: All trials, in order.
        machine: The best machine if there is one fold; ``None`` if there are several.
    """

    best: Trial
    decisions: Matrix
    truth: Indices
    trials: tuple[Trial, ...]
    machine: Machine | None


def choose(
    kernels: Iterable[PoolKernel],
    folds: Sequence[Fold],
    truth: npt.ArrayLike,
    *,
    labels: Sequence[str],
    c_values: Sequence[float],
    fit: Fit,
    jobs: int | None = None,
) -> Choice:
    """Choose the kernel and C with the best UAR on held-out samples; of equals the first (smallest C first).

    Kernels are computed one after the other, and none is kept.

    Args:
        kernels: Kernels to try.
        folds: Divisions of the pool.
        truth: Classes of the samples of the pool, as indices in ``labels``.
        labels: Names of all classes.
        c_values: Values of C to try.
        fit: Fits a machine to the kernels' values.
        jobs: Machines fitted at the same time. The result does not depend on it.

    Raises:
        ConfigError: If there is nothing to try.
        DatasetError: If there are no held-out samples, or a fold fits to fewer than two classes.
    """
    truth_p = np.asarray(truth, np.int64)
    held = [truth_p[fold.held_out] for fold in folds]
    truth_m: Indices = np.concatenate(held) if held else np.empty(0, np.int64)
    if not truth_m.size:
        raise DatasetError(
            "no validation samples, expected some to choose C on", "give the validation part a weight above 0"
        )
    trials: list[Trial] = []
    best: tuple[Trial, Matrix, Machine] | None = None
    for kernel in kernels:
        decisions_by_c: dict[float, list[Matrix]] = {c: [] for c in sorted(c_values)}
        machines: dict[float, Machine] = {}
        for fold in folds:
            values, cross = kernel.fitted(fold.fitted), kernel.held_out(fold.held_out, fold.fitted)
            for c in decisions_by_c:
                machines[c] = fit_present(
                    fit, values, truth_p[fold.fitted], labels=labels, c=c, jobs=jobs, is_whole=len(folds) == 1
                )
                decisions_by_c[c].append(machines[c].decisions(cross))
            del values, cross  # before the next ones are made
        for c, parts in decisions_by_c.items():
            decisions = np.concatenate(parts)
            confusion = metrics.confusion_matrix(truth_m, decisions.argmax(axis=1), n_classes=len(labels))
            trial = Trial({**kernel.parameters, "C": c}, metrics.uar(confusion))
            trials.append(trial)
            if best is None or trial.uar > best[0].uar:
                best = (trial, decisions, machines[c])
        del kernel  # before the next one is made
    if best is None:
        raise ConfigError("no kernel or no value of C to try, expected at least one of each")
    return Choice(
        best=best[0],
        decisions=best[1],
        truth=truth_m,
        trials=tuple(trials),
        machine=best[2] if len(folds) == 1 else None,
    )


def select(
    candidates: Iterable[Candidate],
    train_truth: npt.ArrayLike,
    selection_truth: npt.ArrayLike,
    *,
    labels: Sequence[str],
    c_values: Sequence[float],
    fit: Fit = fit_one_vs_rest,
    jobs: int | None = None,
) -> Choice:
    """Choose as :func:`choose` does, on a validation part, from kernels between two given parts.

    One Gram matrix of the training samples is in memory at a time; see
    :func:`fgbench.svm.one_vs_rest.bytes_needed`.

    Args:
        candidates: Kernels to try.
        train_truth: (n,) classes of the training samples, as indices in ``labels``.
        selection_truth: (m,) classes of the validation samples.
        labels: Names of all classes.
        c_values: Values of C to try.
        fit: Fits a machine to the candidates' values.
        jobs: Machines fitted at the same time.

    Raises:
        ConfigError: If there is nothing to try.
        DatasetError: If there are no validation samples, and as :func:`fit_one_vs_rest` raises.
    """
    train, selection = np.asarray(train_truth), np.asarray(selection_truth)
    n, m = len(train), len(selection)
    return choose(
        (_Given(candidate, as_float64=fit is fit_one_vs_rest) for candidate in candidates),
        [Fold(slice(0, n), slice(n, n + m))],
        np.concatenate([train, selection]),
        labels=labels,
        c_values=c_values,
        fit=fit,
        jobs=jobs,
    )


class _Given:
    """A candidate as a kernel of the pool of its two parts."""

    def __init__(self, candidate: Candidate, *, as_float64: bool) -> None:
        self._candidate, self._as_float64 = candidate, as_float64
        self.parameters = candidate.parameters

    def fitted(self, rows: Rows) -> npt.NDArray[Any]:
        values = self._candidate.train()
        return np.asarray(values, np.float64) if self._as_float64 else values  # once, not for every C

    def held_out(self, rows: Rows, fitted: Rows) -> Matrix:
        return self._candidate.selection()


def fit_present(
    fit: Fit,
    values: npt.NDArray[Any],
    truth: Indices,
    *,
    labels: Sequence[str],
    c: float,
    jobs: int | None,
    is_whole: bool,
) -> Machine:
    """Fit a machine to a fold, in which a class with few subjects may have no sample.

    Such a class gets the decision value -1 everywhere, which minimises the loss if all samples are of other
    classes.

    Args:
        fit: Fits a machine.
        values: Kernel or features.
        truth: (n,) classes.
        labels: Names of all classes.
        c: Penalty of errors.
        jobs: Machines fitted at the same time.
        is_whole: Whether these are all samples: then a class without samples is an error.

    Raises:
        DatasetError: If there are fewer than two classes, or ``is_whole`` and one is absent.
    """
    present = np.unique(truth)
    if is_whole or present.size == len(labels):
        return fit(values, truth, labels=labels, c=c, jobs=jobs)
    if present.size < 2:
        raise DatasetError(
            f"an inner fold trains on {present.size} class, expected at least 2",
            "set selection: part in the recipe, or another number of inner_folds",
        )
    few = fit(
        values, np.searchsorted(present, truth), labels=[labels[index] for index in present], c=c, jobs=jobs
    )
    weights = np.zeros((len(few.weights), len(labels)), np.float32)
    offsets = np.full(len(labels), -1.0, np.float32)
    weights[:, present], offsets[present] = few.weights, few.offsets
    return Machine(weights, offsets)
