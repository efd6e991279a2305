"""Choice of the classifier on features under the protocol of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fgbench.config import BackboneHeadConfig
from fgbench.files.hashing import hash_u64
from fgbench.methods._svm_run import require_plan
from fgbench.methods.backbone.frozen import Floats
from fgbench.methods.backbone.head import Head
from fgbench.methods.backbone.head_fitting import fit_head
from fgbench.methods.lbp_svm.choice import INNER_CV, Plan, plan_choice
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample
from fgbench.training.context import TrainingContext


def choose_head(
    config: BackboneHeadConfig,
    context: TrainingContext,
    roles: Roles,
    features_of: Callable[[Sequence[Sample]], Floats],
    *,
    name: str,
    what: str = "training images",
    fewer: str = "take copies: false in the recipe",
) -> tuple[Head, dict[str, Any]]:
    """Choose and fit a head; return it, and the details of its choice.

    Args:
        config: Section of the recipe.
        context: Context of the run.
        roles: The samples.
        features_of: Returns the features (n, d) of samples.
        name: Name of the recipe.
        what: Kind of the samples, for messages.
        fewer: Way to fewer of them, for messages.

    Raises:
        DatasetError: If features are all equal, or a class has no training samples.
        ResourceError: If memory has no room for the kernels.
    """
    plan = plan_choice(config.svm(name), roles, context.division)
    pool = features_of(plan.pool)
    _require_memory(config, plan, name=name, width=pool.shape[1], what=what, fewer=fewer)
    fitted = fit_head(
        config,
        pool,
        context.labels.numbers([sample.label for sample in plan.pool]),
        plan,
        labels=context.labels.labels,
        seed=hash_u64("landmarks", context.seed) % 2**32,
        jobs=context.jobs,
    )
    details: dict[str, Any] = {
        "chosen": {"uar": fitted.best.uar, **fitted.best.parameters},
        "trials": [{"uar": trial.uar, **trial.parameters} for trial in fitted.trials],
        "selection": plan.selection,
        "n_fitted": plan.n_final,
    }
    if plan.selection == INNER_CV:
        protocol = context.details.get("protocol")
        replaced = {"protocol": {**protocol, "select_on": INNER_CV}} if protocol else {}
        details |= {"inner_folds": len(plan.folds), **replaced}
    return fitted.head, details


def _require_memory(
    config: BackboneHeadConfig, plan: Plan, *, name: str, width: int, what: str, fewer: str
) -> None:
    """Refuse kernels that memory has no room for, before any is computed."""
    if not config.kind.endswith("svm"):
        return
    svm, n = config.svm(name), len(plan.pool)
    exact = svm.solver_for(plan.n_final) == "exact"
    needed = 4 * width * n + (12 * n**2 if exact else 4 * n * (width + 2 * svm.landmarks))
    require_plan(needed, svm, n=plan.n_final, what=what, fewer=fewer, pair_bytes=12)
