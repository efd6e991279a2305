"""What some runs keep beside their predictions: curves, what parts of a network say, regions, attention.

Reads ``history.json``, ``branches.parquet``, ``streams.parquet``, ``regions.parquet`` and
``attention.parquet`` of a run, each where it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.errors import ManifestError
from fgbench.evaluation import metrics
from fgbench.reports.run.regions import REGIONS, read_regions
from fgbench.runs.labels import FG33
from fgbench.runs.result_schema import TrainingHistory, read_shaped
from fgbench.runs.results import Predictions
from fgbench.runs.six_classes import basic_of
from fgbench.runs.streams import ATTENTION, STREAMS, ClipAttention, read_attention, read_streams
from fgbench.storage import read_rows
from fgbench.taxonomy import ontology

HISTORY = "history.json"
BRANCHES = "branches.parquet"

WHOLE_FACE = "whole face"


def read_history(folder: Path) -> dict[str, Any] | None:
    """Curves of a training: per epoch its losses and what was measured on the validation part.

    Epochs are counted from 1, as the console tells them; in the file they are counted from 0.

    Raises:
        ManifestError: If the file is damaged.
    """
    path = folder / HISTORY
    if not path.is_file():
        return None
    read = read_shaped(path, TrainingHistory, hint="train it again with --force")
    epochs = read["epochs"]
    losses = dict.fromkeys(name for epoch in epochs for name in epoch["losses"])
    scores = dict.fromkeys(name for epoch in epochs for name in epoch["score"])
    return {
        "epochs": [epoch["epoch"] + 1 for epoch in epochs],
        "losses": {name: [epoch["losses"].get(name) for epoch in epochs] for name in losses},
        "scores": {name: [epoch["score"].get(name) for epoch in epochs] for name in scores},
        "learning_rate": [epoch["learning_rate"] for epoch in epochs],
        "best_epoch": None if read["best_epoch"] is None else read["best_epoch"] + 1,
        "keep": read.get("keep", "best"),
        "seconds": sum(epoch["seconds"] for epoch in epochs),
    }


def read_opinions(folder: Path, predictions: Predictions) -> list[dict[str, Any]]:
    """What each scale of an image network, or each stream of a video network, says by itself.

    Of a network of the 33 leaves that was tested on six classes, the upper class of the likeliest leaf.

    Returns:
        Per scale or stream its name, its UAR over all samples, and the class that it predicts for each
        (-1: none).

    Raises:
        ManifestError: If a file is damaged, or is of other classes.
    """
    rows: dict[str, dict[str, int]] = {}
    if (folder / BRANCHES).is_file():
        for row in read_rows(folder / BRANCHES, ["branch", "sample_id", "probabilities"]):
            name = WHOLE_FACE if row["branch"] == 0 else f"region {row['branch']}"
            places = _places_of(len(row["probabilities"]), predictions.classes, folder / BRANCHES)
            rows.setdefault(name, {})[row["sample_id"]] = places[int(np.argmax(row["probabilities"]))]
    if (folder / STREAMS).is_file():
        for name, stream in read_streams(folder).items():
            places = _places(stream.classes, predictions.classes, folder / STREAMS)
            rows[f"{name} stream"] = {
                sample: places[int(np.argmax(probabilities))]
                for sample, probabilities in zip(stream.sample_ids, stream.probabilities, strict=True)
            }
    place = {label: number for number, label in enumerate(predictions.classes)}
    truth = np.array([place[label] for label in predictions.labels])
    found = []
    for name, classes in rows.items():
        said = np.array([classes.get(sample, metrics.MISSING) for sample in predictions.sample_ids])
        confusion = metrics.confusion_matrix(truth, said, n_classes=len(place))
        score = metrics.uar(confusion)
        found.append({"name": name, "uar": None if np.isnan(score) else score, "predicted": said.tolist()})
    return found


def _places_of(n_classes: int, classes: Sequence[str], path: Path) -> Sequence[int]:
    """As :func:`_places`, of a table that does not name its classes."""
    return range(n_classes) if n_classes == len(classes) else _places(ontology(FG33).labels, classes, path)


def _places(said: Sequence[str], classes: Sequence[str], path: Path) -> Sequence[int]:
    """Place of each class that a scale or stream tells among those that the run is scored in.

    Raises:
        ManifestError: If there is none.
    """
    is_mapped = set(said) != set(classes) and set(said) == set(ontology(FG33).labels)
    names = [basic_of(name) for name in said] if is_mapped else list(said)
    if not set(names) <= set(classes):
        raise ManifestError(
            f"{path} tells {len(said)} classes, expected those of the predictions", "run the experiment again"
        )
    return [classes.index(name) for name in names]


def read_boxes(folder: Path, predictions: Predictions) -> list[list[list[int]]] | None:
    """Regions of each sample by rank: ``x0, y0, x1, y1`` in px of the 224 px face; ``None`` without any.

    Raises:
        ManifestError: If the file is damaged.
    """
    if not (folder / REGIONS).is_file():
        return None
    regions = read_regions(folder)
    return [
        [[round(edge) for edge in region.box_px] for region in regions.get(sample, [])]
        for sample in predictions.sample_ids
    ]


def read_weights(folder: Path) -> Mapping[str, ClipAttention]:
    """Weights over the frames of the test clips, by clip; empty where a run keeps none.

    Raises:
        ManifestError: If the file is damaged.
    """
    if not (folder / ATTENTION).is_file():
        return {}
    return {clip: weights for clip, weights in read_attention(folder).items() if weights.part == "test"}
