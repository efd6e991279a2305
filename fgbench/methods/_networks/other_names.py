"""Names of the runs that test a network on other data, so that no two networks share one.

Networks of one recipe, trained on different data, are different ones though their runs are called the same.
The first that is tested on a work folder has the plain name; another one's bears a digest of what it was
trained on, the same for all its seeds.
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
from fgbench.training.context import Place

_OF_TRAINING = ("dataset", "manifest_digest", "config_digest")
"""What results tell of a training, the same for all its seeds; earlier versions told no ``config_digest``."""

_DIGITS = 8


def experiment_elsewhere(
    trained: Trained, source: Mapping[str, Any] | None, place: Place, *, seed: int, more: str = ""
) -> str:
    """Name of the experiment that tests a network on the data of a work folder.

    Args:
        trained: The network.
        source: Result of the run that it is of, if it is at hand.
        place: The work folder.
        seed: Of the run.
        more: What the name ends in.

    Raises:
        ConfigError: If the run of that name is of other weights of the same recipe, data and seed.
    """
    name = f"{trained.metadata['experiment']}-on-{slug(str(place.details['dataset']))}"
    told = training_told(trained, source)
    names = [f"{name}{more}", f"{name}-{digest_json(told)[:_DIGITS]}{more}"]
    found = [_tested(place.workdir, each) for each in names]
    chosen = next(
        (
            number
            for number, tested in enumerate(found)
            if all(_is_same_training(told, trained, other) for other in tested.values())
        ),
        len(names) - 1,
    )
    folder = run_folder(place.workdir, experiment=names[chosen], fold=SINGLE_FOLD, seed=seed)
    there = found[chosen].get(folder)
    if there is not None and there["sha256"] != trained.digest:
        raise ConfigError(
            f"{folder} has the scores of other weights (SHA-256 {there['sha256'][:12]}..., here "
            f"{trained.digest[:12]}...) of the same recipe, data and seed; nothing was changed",
            "move that folder away, or train one of the two under another name: of its recipe",
        )
    return names[chosen]


def training_told(trained: Trained, source: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a result on other data tells of the training; of weights without a run, their digest alone."""
    if source is None:
        return {"sha256": trained.digest}
    details = source["details"]
    return {
        "dataset": details.get("dataset"),
        "manifest_digest": source.get("manifest_digest", details.get("manifest_digest")),
        "config_digest": source["config_digest"],
    }


def _is_same_training(told: Mapping[str, Any], trained: Trained, other: Mapping[str, Any]) -> bool:
    if "sha256" in told:
        return bool(other["sha256"] == trained.digest)
    known = [key for key in _OF_TRAINING if key != "config_digest" or key in other]
    return all(told[key] == other.get(key) for key in known)


def _tested(workdir: Path, experiment: str) -> dict[Path, Mapping[str, Any]]:
    """What the runs of an experiment tell of their weights, by folder; damaged ones are left out."""
    found = {}
    above = run_folder(workdir, experiment=experiment, fold=SINGLE_FOLD, seed=0).parents[1]
    for name in PREDICTIONS_OF:
        for path in sorted(above.glob(f"*/*/{name}")):
            try:
                weights = read_json(path)["details"]["weights"]
                sound = isinstance(weights["sha256"], str)
            except (ManifestError, FileNotFoundError, KeyError, TypeError):
                continue
            if sound:
                found[path.parent] = weights
    return found


def slug(name: str) -> str:
    """A name as part of that of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
