"""Details of results of already trained networks on other data: weights, data and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.errors import ConfigError
from fgbench.methods._networks.overlap import clips_trained_on
from fgbench.methods._networks.transfer_names import training_details
from fgbench.methods.action_units.pseudo_labels import pseudo_trained
from fgbench.runs.class_names import Level
from fgbench.runs.labels import FG33, LabelSet
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import CONFIG, SINGLE_FOLD, read_result
from fgbench.runs.settings import read_settings
from fgbench.runs.training_details import given_weights
from fgbench.runs.weights import Trained
from fgbench.runs.zero_shot import RULE, can_map, zero_shot
from fgbench.training.context import TrainingContext

_UNKNOWN = "unknown data"


def is_zero_shot(
    trained: Trained, labels: LabelSet, context: TrainingContext, *, level: Level | None = None
) -> bool:
    """Return whether a network's classes have to be mapped to those of a work folder.

    Args:
        trained: The network.
        labels: Its classes.
        context: The work folder; where its classes are some of the network's, none has to be mapped.
        level: Level of the work folder whose classes are the network's, see :mod:`fgbench.runs.levels`.

    Raises:
        ConfigError: If they differ and cannot be mapped.
    """
    if set(context.labels.labels) <= set(labels.labels) or level is not None:
        return False
    if labels.name == FG33 and can_map(context.labels):
        return True
    raise ConfigError(
        f"{trained.name} tells {len(labels.labels)} classes of {labels.name} apart, but {context.workdir} "
        f"has {len(context.labels.labels)} of {context.labels.name}, expected the same or some of them",
        "train on the classes of this work folder: "
        f"fgbench train msau --init RUN --workdir {context.workdir}",
    )


def tested_elsewhere(
    predictions: Predictions,
    trained: Trained,
    labels: LabelSet,
    source: Mapping[str, Any] | None,
    context: TrainingContext,
    *,
    more: Mapping[str, Any],
    notes: Sequence[str],
    level: Level | None,
) -> tuple[Predictions, dict[str, Any]]:
    """Return predictions of a network on other data in the classes of these, and the result's details.

    Args:
        predictions: Predictions in the network's classes.
        trained: The network.
        labels: Its classes.
        source: Result of the network's run, if there is one.
        context: The work folder that it was tested on.
        more: Further details.
        notes: Sentences that tables show.
        level: Level of the work folder that it was tested at, if not at its classes.

    Raises:
        ConfigError: If the classes cannot be mapped.
        ManifestError: If manifests are missing or damaged.
    """
    own = {} if source is None else source["details"]
    dataset = own.get("dataset", _UNKNOWN)
    notes = [*pseudo_trained(trained.metadata), *notes, *_partial(labels, context)]
    details = {
        **({"notes": notes} if notes else {}),
        **origin_details(trained, source, context),
        # Not the name of a row of Table II, whose methods are trained on the data that they are tested on.
        "method": f"{own.get('method', trained.metadata['experiment'])}, trained on {dataset}",
        **({"chain": own["chain"]} if "chain" in own else {}),
        **more,
    }
    if is_zero_shot(trained, labels, context, level=level):
        mapped = zero_shot(predictions)
        predictions = mapped.predictions
        details["transfer"] = {
            "kind": "zero-shot",
            "method": own.get("method"),
            "run": trained.name,
            "dataset": dataset,
            "scheme": labels.name,
            "rule": RULE,
            "dropped": dict(mapped.dropped),
            "summed": {"uar": mapped.summed.uar, "war": mapped.summed.war},
        }
    return predictions, details


def _partial(labels: LabelSet, context: TrainingContext) -> list[str]:
    """Return a sentence where a work folder has some of a network's classes only."""
    n_here, n = len(context.labels.labels), len(labels.labels)
    if n_here == n or not set(context.labels.labels) <= set(labels.labels):
        return []
    return [f"The network tells {n} classes apart, of which {n_here} are here; any other is wrong."]


def origin_details(
    trained: Trained, source: Mapping[str, Any] | None, context: TrainingContext
) -> dict[str, Any]:
    """Return the details of a result on other data: these data and the weights.

    Args:
        trained: The network.
        source: Result of the network's run, if there is one.
        context: The work folder that it was tested on.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    own = {} if source is None else source["details"]
    details = {
        **context.details,
        "manifest_digest": context.manifest_digest,
        "recipe": trained.metadata["experiment"],
        "weights": {
            "manifest_digest": None,
            **training_details(trained, source),
            "sha256": trained.digest,
            "run": trained.name,
            "dataset": own.get("dataset", _UNKNOWN),
            "synthetic": own.get("synthetic"),
            "initial_weights": _initial_weights(trained, own),
        },
        "clips_trained_on": clips_trained_on(trained, context),
    }
    if context.division.n_folds:
        label = f"{context.division.label}, all folds tested by one network"
        details["protocol"] = {**context.division.to_json(), "label": label, "folds": [SINGLE_FOLD]}
    return details


def _initial_weights(trained: Trained, own: Mapping[str, Any]) -> dict[str, str] | None:
    """Return file and digest of the weights that a user gave to a network's training, if any."""
    if given := given_weights(own):
        return {"file": given[0], "sha256": given[1]}
    digest = trained.metadata.get("initial_weights")
    return {"file": "", "sha256": digest} if isinstance(digest, str) else None


def settings_of(trained: Trained) -> Mapping[str, Any]:
    """Return the settings of the run of weights; without a run, those of the network in their metadata.

    Raises:
        ManifestError: If they are damaged.
    """
    if trained.run is None or not (trained.run / CONFIG).is_file():
        return {"network": trained.metadata["network"]} if "network" in trained.metadata else {}
    return read_settings(trained.run, read_result(trained.run))
