"""Baseline ``lbp-svm``: one-vs-rest SVM on local binary patterns (paper section III; Shan 2009).

Fits on the images of the training part, copies included. Normalisation, kernel, gamma and C are chosen, and
probabilities calibrated, on original images that the machine was not fitted to: those of the validation part,
or, where the protocol is k-fold, all of the training and selection folds by an inner cross-validation, after
which a machine is fitted to them all. Predicts the original images of the test part, read once that machine
is fitted. Above a number of training images that the recipe states, kernels are approximated.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fgbench.config import LbpSvmConfig
from fgbench.files.hashing import hash_u64
from fgbench.methods._svm_run import approximation, require_plan, write_svm_run
from fgbench.methods.lbp_svm.choice import INNER_CV, Plan, plan_choice
from fgbench.methods.lbp_svm.features import read_ids, read_matrices, read_width
from fgbench.methods.lbp_svm.kernels import Histograms, LbpKernels
from fgbench.runs.context import RunContext
from fgbench.runs.samples import image_samples
from fgbench.svm.calibration import fit_sigmoid
from fgbench.svm.choice import choose
from fgbench.svm.nystroem import nystroem_bytes_needed
from fgbench.svm.one_vs_rest import bytes_needed, fit_one_vs_rest
from fgbench.svm.primal import LinearFit, linear_bytes_needed
from fgbench.workfolders.layout import FEATURES

NEEDS = ("lbp",)
"""Stages of features that have to be enabled."""
RECIPE = LbpSvmConfig
"""Model of its recipes."""


def run(config: LbpSvmConfig, context: RunContext) -> Path:
    """Run the baseline on a prepared work folder.

    Args:
        config: The recipe.
        context: Context of the run; only the landmarks of an approximation depend on its seed.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If there are too few groups for an inner cross-validation.
        DatasetError: If a class or a part has no images, or a feature is not finite.
        ManifestError: If manifests or features are missing.
        ResourceError: If the recipe's solver needs more memory than there is.
    """
    folder = context.manifests / FEATURES / "lbp"
    image_ids = read_ids(folder)
    labels = context.labels.labels
    roles = context.roles(image_samples(context.manifests), protocol_name="images", with_features=image_ids)
    plan = plan_choice(config, roles, context.division)
    width = read_width(folder)
    plan_memory(
        plan, config, n_predicted=len(roles.predicted), width=width, n_classes=len(labels), jobs=context.jobs
    )
    exact = config.solver_for(plan.n_final) == "exact"
    if not exact:
        context.note(approximation(config, plan.n_final))
    ids = [sample.sample_id for sample in plan.pool]
    kernels = LbpKernels(
        config,
        Histograms(lambda: read_matrices(folder, [ids])[0]),
        scaled_by=plan.scaled_by,
        exact=exact,
        seed=hash_u64("landmarks", context.seed) % 2**32,
        jobs=context.jobs,
        progress=context.progress,
    )
    truth = context.labels.numbers([sample.label for sample in plan.pool])
    fit = fit_one_vs_rest if exact else LinearFit()
    chosen = choose(
        kernels, plan.folds, truth, labels=labels, c_values=config.c_values, fit=fit, jobs=context.jobs
    )
    parameters = {name: value for name, value in chosen.best.parameters.items() if name != "C"}
    machine = chosen.machine
    if plan.refits or machine is None:
        values = kernels.again(parameters).fitted(plan.final)
        c = float(chosen.best.parameters["C"])
        machine = fit(values, truth[plan.final], labels=labels, c=c, jobs=context.jobs)
        del values
    (predicted,) = read_matrices(folder, [[sample.sample_id for sample in roles.predicted]])
    return write_svm_run(
        config,
        context,
        roles=roles,
        decisions=machine.decisions(kernels.others(predicted, parameters, plan.final)),
        sigmoid=fit_sigmoid(chosen.decisions, chosen.truth),
        best=chosen.best,
        trials=chosen.trials,
        n_fitted=plan.n_final,
        details={
            "kind": "image",
            "selection": plan.selection,
            "n_fitted": plan.n_final,
            **(_inner_details(plan, context) if plan.selection == INNER_CV else {}),
        },
    )


def _inner_details(plan: Plan, context: RunContext) -> dict[str, Any]:
    """Return a result's details of an inner cross-validation, which replaces the protocol's selection."""
    protocol = context.details.get("protocol")
    replaced = {"protocol": {**protocol, "select_on": INNER_CV}} if protocol else {}
    return {"inner_folds": len(plan.folds), **replaced}


def plan_memory(
    plan: Plan,
    config: LbpSvmConfig,
    *,
    n_predicted: int,
    width: int,
    n_classes: int,
    jobs: int | None,
    available: int | None = None,
) -> None:
    """Refuse more training images than fit into memory, before any kernel is computed.

    Args:
        plan: The samples.
        config: The recipe; all its kernels take the same memory.
        n_predicted: Images of the test part.
        width: Features of an image.
        n_classes: Classes.
        jobs: Machines fitted at the same time.
        available: Free bytes; ``None`` asks the system.

    Raises:
        ResourceError: If the memory that the recipe's solver needs does not fit.
    """
    pool, n = len(plan.pool), plan.most_fitted
    m = max(plan.most_held_out, n_predicted)
    histograms = 4 * width * pool
    # Test images, and the copies that distances are computed from.
    tested = 4 * width * (2 * m + pool)
    if config.solver_for(plan.n_final) == "exact":
        pairs = 4 * pool**2
        made = 4 * width * pool + pairs
        fitted = pairs + bytes_needed(n, m, n_classes, jobs=jobs)
        needed = histograms + max(made, fitted, tested + 2 * 4 * m * n)
        per_pair = 12
    else:
        landmarks = min(config.landmarks, n)
        copied = 0 if len(plan.folds) == 1 else n + plan.most_held_out  # a fold's features
        linear = 4 * width * copied + linear_bytes_needed(n, width, n_classes, jobs=jobs)
        mapped = (
            4 * landmarks * (pool + copied)
            + nystroem_bytes_needed(pool, m, landmarks, jobs=jobs)
            + linear_bytes_needed(n, landmarks, n_classes, jobs=jobs)
        )
        needed = histograms + max(linear, mapped, 4 * width * m + 2 * 4 * landmarks * m)
        per_pair = 0
    require_plan(
        needed,
        config,
        n=plan.n_final,
        what="training images",
        fewer="prepare a work folder with fewer training images (without copies: augment.balance: none or "
        "augment.copies: 0 in its recipe)",
        pair_bytes=per_pair,
        available=available,
    )
