"""``fgbench.score`` and ``fgbench.compare``: the numbers of the tables for predictions of whatever origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import name_of, share
from fgbench.api.differences import Compared, compared
from fgbench.api.predicted_labels import predicted_classes, words
from fgbench.api.showing import paragraph, table
from fgbench.errors import ConfigError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import ClusterCounts, Metric, count_clusters
from fgbench.evaluation.clusters import LEAST
from fgbench.evaluation.significance import seeds_interval

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.report_values import Figure
    from fgbench.api.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Scores of predictions; :func:`compare` takes two of the same samples.

    Attributes:
        classes: Names of the classes.
        scores: A row each for UAR (mean accuracy of the classes), WAR (share of samples that are right) and
            macro F1, with the ends ``low`` and ``high`` of the interval; NaN with fewer than five clusters.
        per_class: Samples, recall, precision and F1 of each class; NaN where undefined.
        confusion: Samples per true (rows) and predicted class (columns); the last column counts those without
            a prediction.
        n_clusters: Number of clusters; of samples if no clusters were given.
        labels: True class of each sample.
        counts: Samples per cluster and class.
    """

    classes: tuple[str, ...]
    scores: pd.DataFrame
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    n_clusters: int
    labels: tuple[str, ...]
    counts: ClusterCounts

    def figure(self, title: str = "Confusion of all classes") -> Figure:
        """Return the confusion as a picture, shares of the samples of each true class.

        Args:
            title: Its title.

        Raises:
            ConfigError: If the title is no text.
        """
        from fgbench.api.report_values import Figure
        from fgbench.reports.run.figures import confusion_figure

        heading = name_of("title", title, example="title='My method'")
        counts = self.confusion.to_numpy(np.int64)
        return Figure(confusion_figure("confusion-matrix", heading, self.classes, counts))

    def __repr__(self) -> str:
        row = self.scores.loc["uar"]
        interval = "" if np.isnan(row["low"]) else f" ({row['low']:.3f} to {row['high']:.3f})"
        n = f"{len(self.labels)} samples, {len(self.classes)} classes"
        return f"<Scored: UAR {row['score']:.3f}{interval}, {n}>"

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1]) + table(self.scores)


def score(
    predictions: Sequence[str | None] | npt.NDArray[Any],
    labels: Sequence[str],
    *,
    clusters: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    level: float = 0.95,
) -> Scored:
    """Return the scores of predictions.

    Args:
        predictions: N predicted classes, ``None`` (or NaN) where there is none, which counts as wrong; or (N,
            C) probabilities in the order of ``classes``, a row of NaN where there is no prediction; or a
            table of pandas with a column of probabilities per class, in any order.
        labels: N true classes.
        clusters: N names of what is alike, e.g. the person shown: intervals are by whole clusters; ``None``
            takes samples to be independent, which those of one person or one clip are not.
        classes: C names; ``None``: those that occur, sorted, or the columns of a table. Needed for other
            probabilities.
        level: Confidence of the intervals, above 0 and below 1.

    Raises:
        ConfigError: If lengths differ, a class is unknown or named twice, a label or cluster is missing, or
            the classes of probabilities are not named.
    """
    import pandas as pd

    truth = words("labels", labels)
    predicted, names = predicted_classes(predictions, truth, classes)
    alike = None if clusters is None else words("clusters", clusters)
    if len(predicted) != len(truth) or (alike is not None and len(alike) != len(truth)):
        n_clusters = "" if alike is None else f" and {len(alike)} clusters"
        raise ConfigError(
            f"{len(predicted)} predictions{n_clusters} of {len(truth)} labels, expected as many",
            "give one per sample",
        )
    if not truth:
        raise ConfigError("no samples, expected at least one", "give predictions and labels")
    level = share("level", level)
    number: dict[str | None, int] = {name: index for index, name in enumerate(names)} | {
        None: metrics.MISSING
    }
    if unknown := sorted({*truth, *(one for one in predicted if one is not None)} - {*names}):
        raise ConfigError(
            f"class {unknown[0]!r} is none of {', '.join(names)}", "name all classes, or map the labels"
        )
    rows, columns = ([number[one] for one in side] for side in (truth, predicted))
    own = [str(index) for index in range(len(truth))] if alike is None else alike
    counts = count_clusters(rows, columns, clusters=own, n_classes=len(names))
    confusion = metrics.confusion_matrix(rows, columns, n_classes=len(names))
    scored = metrics.scores(confusion, names)
    return Scored(
        classes=names,
        scores=pd.DataFrame.from_dict(
            {metric: _with_interval(counts, metric, level) for metric in get_args(Metric)}, orient="index"
        ),
        per_class=pd.DataFrame(
            [(one.n, one.recall, one.precision, one.f1) for one in scored.classes],
            index=pd.Index(names),
            columns=["n", "recall", "precision", "f1"],
        ).astype({"recall": float, "precision": float, "f1": float}),
        confusion=pd.DataFrame(
            confusion, index=pd.Index(names, name="true"), columns=[*names, "no prediction"]
        ),
        n_clusters=len(counts.names),
        labels=tuple(truth),
        counts=counts,
    )


def compare(first: Run | Scored, second: Run | Scored) -> Compared:
    """Return the difference in UAR of two methods with its interval and a paired test.

    Args:
        first: A run, or scores.
        second: Another one of the same kind; scores: of the same samples in the same order.

    Raises:
        ConfigError: If they are not of one kind, or not of the same samples and clusters; or two runs are the
            same.
        DatasetError: If runs are of different data sets or classes, share no sample, or labels differ.
    """
    from fgbench.api.runs import Run

    if isinstance(first, Run) and isinstance(second, Run):
        return first.compared_with(second)
    if not isinstance(first, Scored) or not isinstance(second, Scored):
        raise ConfigError(
            f"{type(first).__name__} and {type(second).__name__}, expected two runs or two results of score",
            "score both, or run both",
        )
    if (first.labels, first.classes, first.counts.names) != (
        second.labels,
        second.classes,
        second.counts.names,
    ) or not np.array_equal(first.counts.true, second.counts.true):
        raise ConfigError(
            "the two are of different samples, classes or clusters, expected the same in the same order",
            "score both with the same labels, classes and clusters",
        )
    return compared(("first", [first.counts]), ("second", [second.counts]), n=len(first.labels))


def _with_interval(counts: ClusterCounts, metric: Metric, level: float) -> dict[str, float]:
    value = {"score": counts.score(metric), "low": float("nan"), "high": float("nan")}
    if len(counts.names) >= LEAST:
        interval = seeds_interval([counts], metric=metric, level=level)
        value |= {"low": interval.low, "high": interval.high}
    return value
