"""Networks of the 33 leaves on sets of six, seven or eight classes, without training (paper section V-D).

The rules, in the paper's words and order:

- a prediction counts as its upper class "regardless of the fine-grained class";
- the leaf disgust counts as disgust, "since disgust belongs to the basic classes in standard FER";
- a prediction under love is wrong for every class.

Neutral has no leaf, and contempt is not among the six classes: samples of both are left out and counted (not
stated in the paper). The score takes the upper class of the most probable leaf, as the paper words it;
probabilities are summed over leaves, so that the other reading (the class of the largest sum) can be scored
too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation import metrics
from fgbench.runs.labels import FG33, LabelSet
from fgbench.runs.predictions import Predictions
from fgbench.taxonomy import leaf, leaves, normal_label, ontology

DISGUST = "disgust"
LOVE = "love"
WITHOUT_LEAF = ("neutral", "contempt")
"""Classes of seven- and eight-class sets whose samples are left out."""

RULE = (
    "Zero-shot: upper class of the likeliest leaf, leaf disgust as disgust, love wrong for every class "
    "(paper section V-D)."
)


def six() -> tuple[str, ...]:
    """Ekman's six classes."""
    return ontology("ekman6").labels


def basic_of(name: str) -> str:
    """Class that a leaf counts as: one of :func:`six`, or ``love``.

    Raises:
        UnknownLabelError: If there is no such leaf.
    """
    item = leaf(name)
    return DISGUST if item.name == DISGUST else item.basic


def can_map(labels: LabelSet) -> bool:
    """Whether all classes of a set are among the six or those that are left out."""
    return labels.name != FG33 and set(map(normal_label, labels.labels)) <= {*six(), *WITHOUT_LEAF}


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShot:
    """Predictions of leaves mapped to six classes.

    Attributes:
        predictions: Classes are the six and ``love``, which has no samples: its prediction is wrong for every
            class. Probabilities are sums over leaves.
        dropped: Class to number of samples that were left out.
        summed: Scores of the other reading, the class with the largest sum.
    """

    predictions: Predictions
    dropped: Mapping[str, int]
    summed: metrics.Scores


def zero_shot(leaf_predictions: Predictions) -> ZeroShot:
    """Map predictions of the 33 leaves to six classes, for samples labelled with those of a smaller set.

    Args:
        leaf_predictions: Classes are the leaves, in any order; true labels the six, neutral or contempt.

    Raises:
        ConfigError: If a true label is another.
        DatasetError: If no sample is left.
    """
    if set(leaf_predictions.classes) != {item.name for item in leaves()}:
        raise ConfigError(
            f"predictions of {len(leaf_predictions.classes)} classes, expected the {len(leaves())} leaves",
            "take a network that was trained on the fine-grained classes",
        )
    labels = [normal_label(label) for label in leaf_predictions.labels]
    strange = sorted(set(labels) - {*six(), *WITHOUT_LEAF})
    if strange:
        raise ConfigError(
            f"class {strange[0]!r} has no counterpart among the leaves, expected {', '.join(six())}, neutral "
            "or contempt",
            "train on the classes of this data set instead (fgbench train msau --init)",
        )
    classes = (*six(), LOVE)
    kept = [row for row, label in enumerate(labels) if label not in WITHOUT_LEAF]
    if not kept:
        raise DatasetError(
            f"all {len(leaf_predictions.labels)} samples are of classes without a leaf",
            "take another data set",
        )
    sums = np.zeros((len(kept), len(classes)), np.float32)
    for column, name in enumerate(leaf_predictions.classes):
        sums[:, classes.index(basic_of(name))] += leaf_predictions.probabilities[kept, column]
    leaves_predicted = [leaf_predictions.predicted[row] for row in kept]
    predictions = Predictions(
        classes=classes,
        sample_ids=[leaf_predictions.sample_ids[row] for row in kept],
        clip_ids=[leaf_predictions.clip_ids[row] for row in kept],
        subject_ids=[leaf_predictions.subject_ids[row] for row in kept],
        source_ids=[leaf_predictions.source_ids[row] for row in kept],
        labels=[labels[row] for row in kept],
        predicted=[None if name is None else basic_of(name) for name in leaves_predicted],
        probabilities=sums,
    )
    dropped = Counter(label for label in labels if label in WITHOUT_LEAF)
    return ZeroShot(
        predictions=predictions, dropped=dict(sorted(dropped.items())), summed=_summed(predictions)
    )


def _summed(predictions: Predictions) -> metrics.Scores:
    number = {label: index for index, label in enumerate(predictions.classes)}
    truth = np.array([number[label] for label in predictions.labels], np.int64)
    likeliest = [
        metrics.MISSING if label is None else int(np.argmax(row))
        for label, row in zip(predictions.predicted, predictions.probabilities, strict=True)
    ]
    counts = metrics.confusion_matrix(truth, np.array(likeliest, np.int64), n_classes=len(number))
    return metrics.scores(counts, predictions.classes)
