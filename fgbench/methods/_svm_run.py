"""Runs of the baselines with a support vector machine: solver, selection, calibration, results.

Kernel and C are chosen, and probabilities are calibrated, on the validation part (``lbp-svm`` also by inner
cross-validation, see :mod:`fgbench.methods.lbp_svm.choice`). A run with approximated kernels says so to
the user, in its result, and in tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import SvmConfig
from fgbench.runs.context import RunContext
from fgbench.runs.results import write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.trained_labels import trained_rows, write_trained_rows
from fgbench.svm.calibration import Sigmoid, fit_sigmoid
from fgbench.svm.choice import Candidate, select
from fgbench.svm.memory import require_memory
from fgbench.svm.one_vs_rest import Trial, fit_one_vs_rest
from fgbench.svm.primal import LinearFit

Matrix = npt.NDArray[np.float32]


def run_svm(
    config: SvmConfig,
    context: RunContext,
    *,
    roles: Roles,
    candidates: Iterable[Candidate],
    test_values: Callable[[Mapping[str, float | str]], Matrix],
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Choose a machine, calibrate it, predict the test part and write the run.

    Args:
        config: The recipe.
        context: Context of the run.
        roles: The samples.
        candidates: Kernels to choose from, as the recipe's solver for so many training samples takes them:
            Gram matrices (``exact``) or features (``nystroem``).
        test_values: Returns the (predicted, training) kernel, or the features, for the chosen parameters.
        details: More to keep with the result.

    Returns:
        Folder of the run.

    Raises:
        DatasetError: If a class has no training samples, there are no validation samples, or a kernel is not
            finite.
        UnknownLabelError: If a sample's class is not in the label set of the work folder.
    """
    labels = context.labels.labels
    y_train = context.labels.numbers([sample.label for sample in roles.train])
    y_selection = context.labels.numbers([sample.label for sample in roles.selection])
    solver = config.solver_for(len(roles.train))
    if solver != "exact":
        context.note(approximation(config, len(roles.train)))
    chosen = select(
        candidates,
        y_train,
        y_selection,
        labels=labels,
        c_values=config.c_values,
        jobs=context.jobs,
        fit=fit_one_vs_rest if solver == "exact" else LinearFit(),
    )
    assert chosen.machine is not None, "there is one fold"
    return write_svm_run(
        config,
        context,
        roles=roles,
        decisions=chosen.machine.decisions(test_values(chosen.best.parameters)),
        sigmoid=fit_sigmoid(chosen.decisions, y_selection),
        best=chosen.best,
        trials=chosen.trials,
        n_fitted=len(roles.train),
        details=details,
    )


def write_svm_run(
    config: SvmConfig,
    context: RunContext,
    *,
    roles: Roles,
    decisions: Matrix,
    sigmoid: Sigmoid,
    best: Trial,
    trials: Sequence[Trial],
    n_fitted: int,
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Write the run of a chosen and calibrated machine.

    Args:
        config: The recipe.
        context: Context of the run.
        roles: The samples.
        decisions: (predicted, C) decision values of the test part.
        sigmoid: The calibration.
        best: The chosen trial.
        trials: All trials.
        n_fitted: Samples that the machine was fitted to.
        details: More to keep with the result.

    Returns:
        Folder of the run.

    Raises:
        ManifestError: If a decision value is not finite, or the manifests are damaged.
    """
    labels = {sample.clip_id: sample.label for sample in (*roles.train, *roles.selection)}
    rows = trained_rows(context.manifests, str(context.details["dataset"]), labels)
    write_trained_rows(context.folder(config.name), rows)
    return write_run(
        context.workdir,
        predictions_of(roles, decisions, sigmoid.probabilities(decisions), context.labels.labels),
        experiment=config.name,
        fold=context.fold,
        seed=context.seed,
        config=config.model_dump(mode="json"),
        manifest_digest=context.manifest_digest,
        device="cpu",
        details={
            **context.details,
            **(details or {}),
            **solver_details(config, n_fitted),
            "chosen": {"uar": best.uar, **best.parameters},
            "trials": [{"uar": trial.uar, **trial.parameters} for trial in trials],
            "n_train": len(roles.train),
            "n_selection": len(roles.selection),
        },
    )


def solver_details(config: SvmConfig, n_train: int) -> dict[str, Any]:
    """Return the details of a result on the solver; ``notes`` are sentences that tables show.

    Args:
        config: The recipe.
        n_train: Training samples.
    """
    if config.solver_for(n_train) == "exact":
        return {"solver": "exact"}
    return {
        "solver": "nystroem",
        "landmarks": min(config.landmarks, n_train),
        "notes": [approximation(config, n_train)],
    }


def approximation(config: SvmConfig, n_train: int) -> str:
    """Return a sentence on the approximation, without a full stop."""
    return (
        f"{config.name}: kernels approximated from {min(config.landmarks, n_train):,} of {n_train:,} "
        "training samples (Nyström), with the squared hinge loss; solver: exact in the recipe does not"
    )


def require_plan(
    needed: int,
    config: SvmConfig,
    *,
    n: int,
    what: str,
    fewer: str,
    pair_bytes: int = 8,
    available: int | None = None,
) -> None:
    """Refuse more training samples than memory has room for; the hint names what the recipe can change.

    Args:
        needed: Bytes that the recipe's solver needs.
        config: The recipe.
        n: Training samples.
        what: Name of the samples, e.g. ``"training images"``.
        fewer: Advice on how to have fewer of them.
        pair_bytes: Bytes of an exact kernel per pair of samples.
        available: Free bytes; ``None`` asks the system.

    Raises:
        ResourceError: If they do not fit.
    """
    if config.solver_for(n) == "exact":
        taken = f"the kernel between n = {n} {what} ({pair_bytes} n^2 bytes and what is computed with it)"
        hint = "set solver: nystroem in the recipe, or exact_up_to below n, which approximates the kernel; "
        hint += f"or {fewer}, or use a machine with more memory"
    else:
        taken = f"the approximated kernel of n = {n} {what} from {min(config.landmarks, n)} of them"
        hint = f"set landmarks lower in the recipe; or {fewer}, or use a machine with more memory"
    require_memory(needed, what=taken, hint=hint, available=available)
