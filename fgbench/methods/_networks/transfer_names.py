"""Names of the runs that test a network on other data, so that no two networks share one.

Runs of one recipe that were trained on different data have the same name but are different networks.
The first that is tested on a work folder has the plain name; others add a digest of what they were
trained on, the same for all seeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_json
from fgbench.runs.digests import PREDICTIONS_OF
from fgbench.runs.results import SINGLE_FOLD, run_folder
from fgbench.runs.weights import Trained
from fgbench.storage import read_json
from fgbench.training.context import TrainingContext

_OF_TRAINING = ("dataset", "manifest_digest", "config_digest")
"""Keys of a training that are the same for all its seeds; earlier versions wrote no ``config_digest``."""

_DIGITS = 8


def experiment_elsewhere(
    trained: Trained, source: Mapping[str, Any] | None, context: TrainingContext, *, seed: int, more: str = ""
) -> str:
    """Return the name of the experiment that tests a network on the data of a work folder.

    Args:
        trained: The network.
        source: Result of the network's run, if there is one.
        context: The work folder.
        seed: Seed of the run.
        more: Suffix of the name.

    Raises:
        ConfigError: If the run of that name is of other weights of the same recipe, data and seed.
    """
    name = f"{trained.metadata['experiment']}-on-{slug(str(context.details['dataset']))}"
    training = training_details(trained, source)
    names = [f"{name}{more}", f"{name}-{digest_json(training)[:_DIGITS]}{more}"]
    weights_by_folder = [_tested(context.workdir, each) for each in names]
    chosen = next(
        (
            number
            for number, tested in enumerate(weights_by_folder)
            if all(_is_same_training(training, trained, other) for other in tested.values())
        ),
        len(names) - 1,
    )
    folder = run_folder(context.workdir, experiment=names[chosen], fold=SINGLE_FOLD, seed=seed)
    weights = weights_by_folder[chosen].get(folder)
    if weights is not None and weights["sha256"] != trained.digest:
        raise ConfigError(
            f"{folder} has the scores of other weights (SHA-256 {weights['sha256'][:12]}..., here "
            f"{trained.digest[:12]}...) of the same recipe, data and seed; nothing was changed",
            "move that folder away, or train one of the two under another name: of its recipe",
        )
    return names[chosen]


def training_details(trained: Trained, source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what identifies a network's training; for weights without a run, their digest alone."""
    if source is None:
        return {"sha256": trained.digest}
    details = source["details"]
    return {
        "dataset": details.get("dataset"),
        "manifest_digest": source.get("manifest_digest", details.get("manifest_digest")),
        "config_digest": source["config_digest"],
    }


def _is_same_training(training: Mapping[str, Any], trained: Trained, other: Mapping[str, Any]) -> bool:
    if "sha256" in training:
        return bool(other["sha256"] == trained.digest)
    keys = [key for key in _OF_TRAINING if key != "config_digest" or key in other]
    return all(training[key] == other.get(key) for key in keys)


def _tested(workdir: Path, experiment: str) -> dict[Path, Mapping[str, Any]]:
    """Read which weights the runs of an experiment used, by folder; damaged results are left out."""
    weights_by_folder = {}
    above = run_folder(workdir, experiment=experiment, fold=SINGLE_FOLD, seed=0).parents[1]
    for name in PREDICTIONS_OF:
        for path in sorted(above.glob(f"*/*/{name}")):
            try:
                weights = read_json(path)["details"]["weights"]
                sound = isinstance(weights["sha256"], str)
            except (ManifestError, FileNotFoundError, KeyError, TypeError):
                continue
            if sound:
                weights_by_folder[path.parent] = weights
    return weights_by_folder


def slug(name: str) -> str:
    """Return a name with only characters that suit a folder's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
