"""What the baselines with a support vector machine do alike: selection, calibration, results.

Kernel and C are chosen, and probabilities are calibrated, on the validation part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.config import BaselineConfig
from fgbench.evaluation.place import RunPlace
from fgbench.evaluation.results import write_run
from fgbench.evaluation.roles import Roles, predictions_of
from fgbench.svm.calibration import fit_sigmoid
from fgbench.svm.one_vs_rest import Candidate, select

Matrix = npt.NDArray[np.float32]


def run_svm(
    config: BaselineConfig,
    place: RunPlace,
    *,
    roles: Roles,
    c_values: Sequence[float],
    candidates: Iterable[Candidate],
    test_gram: Callable[[Mapping[str, float | str]], Matrix],
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Choose a machine, calibrate it, predict the test part and write the run.

    Args:
        config: The recipe.
        place: Where.
        roles: The samples.
        c_values: Penalties to choose from.
        candidates: Kernels to choose from.
        test_gram: Makes the (predicted, training) kernel for the parameters chosen.
        details: More to keep with the result.

    Returns:
        Folder of the run.

    Raises:
        DatasetError: If a class has no training samples, there are no validation samples, or a kernel is not
            finite.
        UnknownLabelError: If a sample's class is not in the label set of the work folder.
    """
    labels = place.labels.labels
    y_train = place.labels.numbers([sample.label for sample in roles.train])
    y_selection = place.labels.numbers([sample.label for sample in roles.selection])
    chosen = select(candidates, y_train, y_selection, labels=labels, c_values=c_values, jobs=place.jobs)
    sigmoid = fit_sigmoid(chosen.decisions, y_selection)
    decisions = chosen.machine.decisions(test_gram(chosen.best.parameters))
    return write_run(
        place.workdir,
        predictions_of(roles, decisions, sigmoid.probabilities(decisions), labels),
        experiment=config.name,
        fold=place.fold,
        seed=place.seed,
        config=config.model_dump(mode="json"),
        manifest_digest=place.manifest_digest,
        device="cpu",
        details={
            **place.details,
            **(details or {}),
            "chosen": {"uar": chosen.best.uar, **chosen.best.parameters},
            "trials": [{"uar": trial.uar, **trial.parameters} for trial in chosen.trials],
            "n_train": len(roles.train),
            "n_selection": len(roles.selection),
        },
    )
