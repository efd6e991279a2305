"""Further files of some runs: training curves, predictions of parts of a network, regions, attention.

Reads ``history.json``, ``branches.parquet``, ``streams.parquet``, ``regions.parquet`` and
``attention.parquet`` of a run, each if it exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.errors import ManifestError
from fgbench.evaluation import metrics
from fgbench.reports.run.regions import GRID, REGIONS, read_regions
from fgbench.runs.attention import ATTENTION, ClipAttention, read_attention
from fgbench.runs.labels import FG33
from fgbench.runs.predictions import Predictions
from fgbench.runs.result_schema import TrainingHistory, read_shaped
from fgbench.runs.results import read_result
from fgbench.runs.streams import STREAMS, read_streams
from fgbench.runs.training_details import CELLS
from fgbench.runs.zero_shot import basic_of
from fgbench.storage import read_rows
from fgbench.taxonomy import ontology

HISTORY = "history.json"
BRANCHES = "branches.parquet"

WHOLE_FACE = "whole face"


def read_history(folder: Path) -> dict[str, Any] | None:
    """Curves of a training: per epoch its losses and its scores on the validation part.

    Epochs count from 1, as on the console; in the file they count from 0.

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
    """Predictions of each scale of an image network alone, or of each stream of a clip network.

    For a network of the 33 leaves that was tested on six classes: the upper class of the most probable leaf.

    Returns:
        Per scale or stream its name, its UAR over all samples, and its predicted class per sample (-1: none).

    Raises:
        ManifestError: If a file is damaged, or is of other classes.
    """
    rows: dict[str, dict[str, int]] = {}
    if (folder / BRANCHES).is_file():
        for row in read_rows(folder / BRANCHES, ["branch", "sample_id", "probabilities"]):
            name = WHOLE_FACE if row["branch"] == 0 else f"region {row['branch']}"
            indices = _indices_of_unnamed(len(row["probabilities"]), predictions.classes, folder / BRANCHES)
            rows.setdefault(name, {})[row["sample_id"]] = indices[int(np.argmax(row["probabilities"]))]
    if (folder / STREAMS).is_file():
        for name, stream in read_streams(folder).items():
            indices = _class_indices(stream.classes, predictions.classes, folder / STREAMS)
            rows[f"{name} stream"] = {
                sample: indices[int(np.argmax(probabilities))]
                for sample, probabilities in zip(stream.sample_ids, stream.probabilities, strict=True)
            }
    index_of = {label: number for number, label in enumerate(predictions.classes)}
    truth = np.array([index_of[label] for label in predictions.labels])
    opinions = []
    for name, classes in rows.items():
        predicted = np.array([classes.get(sample, metrics.MISSING) for sample in predictions.sample_ids])
        confusion = metrics.confusion_matrix(truth, predicted, n_classes=len(index_of))
        score = metrics.uar(confusion)
        uar = None if np.isnan(score) else score
        opinions.append({"name": name, "uar": uar, "predicted": predicted.tolist()})
    return opinions


def _indices_of_unnamed(n_classes: int, classes: Sequence[str], path: Path) -> Sequence[int]:
    """Indices as of :func:`_class_indices`, for a table without names of classes."""
    is_same = n_classes == len(classes)
    return range(n_classes) if is_same else _class_indices(ontology(FG33).labels, classes, path)


def _class_indices(labels: Sequence[str], classes: Sequence[str], path: Path) -> Sequence[int]:
    """Index of each class of a scale or stream among the classes that the run is scored in.

    Raises:
        ManifestError: If a class has none.
    """
    is_mapped = set(labels) != set(classes) and set(labels) == set(ontology(FG33).labels)
    names = [basic_of(name) for name in labels] if is_mapped else list(labels)
    if not set(names) <= set(classes):
        raise ManifestError(
            f"{path} tells {len(labels)} classes, expected those of the predictions",
            "run the experiment again",
        )
    return [classes.index(name) for name in names]


def read_boxes(folder: Path, predictions: Predictions) -> list[list[list[int]]] | None:
    """Regions of each sample by rank: ``x0, y0, x1, y1`` in px of the 224 px face; ``None`` without regions.

    Raises:
        ManifestError: If the file is damaged.
    """
    if not (folder / REGIONS).is_file():
        return None
    regions = read_regions(folder, grid=read_result(folder)["details"].get(CELLS) or GRID)
    return [
        [[round(edge) for edge in region.box_px] for region in regions.get(sample, [])]
        for sample in predictions.sample_ids
    ]


def read_weights(folder: Path) -> Mapping[str, ClipAttention]:
    """Attention weights over the frames of the test clips, by clip; empty if a run keeps none.

    Raises:
        ManifestError: If the file is damaged.
    """
    if not (folder / ATTENTION).is_file():
        return {}
    return {clip: weights for clip, weights in read_attention(folder).items() if weights.part == "test"}
