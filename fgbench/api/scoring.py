"""``fgbench.score`` and ``fgbench.compare``: the numbers of the tables for predictions of whatever origin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from fgbench.errors import ConfigError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import ClusterCounts, Metric, count_clusters
from fgbench.evaluation.clusters import LEAST
from fgbench.evaluation.paired import method_test, paired_interval
from fgbench.evaluation.significance import seeds_interval
from fgbench.naming import counted

if TYPE_CHECKING:
    import pandas as pd

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

    def __repr__(self) -> str:
        row = self.scores.loc["uar"]
        interval = "" if np.isnan(row["low"]) else f" ({row['low']:.3f} to {row['high']:.3f})"
        n = f"{len(self.labels)} samples, {len(self.classes)} classes"
        return f"<Scored: UAR {row['score']:.3f}{interval}, {n}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>{self.scores.round(3).to_html(border=0)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A method against another, both on the same samples: the second minus the first.

    Attributes:
        first: Name of the first.
        second: Name of the second.
        difference: Difference in UAR.
        low: Lower end of its 95 % interval by whole clusters; NaN with fewer than two.
        high: Upper end.
        p: p-value: of the sign-flip permutation over clusters of two single runs; over clusters and seeds
            where one has several seeds.
        n: Samples that both share.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    n: int

    def __repr__(self) -> str:
        return (
            f"<Compared: UAR of {self.second} minus {self.first} {self.difference:+.3f} "
            f"({self.low:.3f} to {self.high:.3f}), p {self.p:.3g}, {self.n} samples>"
        )


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

    truth = _words("labels", labels)
    predicted, names = _predicted(predictions, truth, classes)
    alike = None if clusters is None else _words("clusters", clusters)
    if len(predicted) != len(truth) or (alike is not None and len(alike) != len(truth)):
        n_clusters = "" if alike is None else f" and {len(alike)} clusters"
        raise ConfigError(
            f"{len(predicted)} predictions{n_clusters} of {len(truth)} labels, expected as many",
            "give one per sample",
        )
    if not truth:
        raise ConfigError("no samples, expected at least one", "give predictions and labels")
    if not 0 < level < 1:
        raise ConfigError(f"level {level}, expected more than 0 and less than 1", "e.g. 0.95")
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


def compared(
    first: tuple[str, Sequence[ClusterCounts]], second: tuple[str, Sequence[ClusterCounts]], *, n: int
) -> Compared:
    """Return the comparison of two methods by name and counts of each seed.

    Raises:
        DatasetError: If there are fewer than two clusters.
    """
    gap = paired_interval(second[1], first[1], metric="uar")
    return Compared(
        first=first[0],
        second=second[0],
        difference=gap.estimate,
        low=gap.low,
        high=gap.high,
        p=method_test(second[1], first[1]).p,
        n=n,
    )


def _listed(what: str, values: Any) -> list[Any]:
    """Return values one by one.

    Raises:
        ConfigError: If they are a single one, or no row of values.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError(
            f"{what} {values!r}, a single {type(values).__name__}, expected one per sample",
            "give a list, an array or a column of a table",
        )
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _is_missing(value: Any) -> bool:
    """Return whether there is no value: ``None``, NaN, or what pandas has for them."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _word(value: Any) -> str:
    """Return the name of a class or cluster: whole numbers are the same with and without a point, as a column
    of them has one where a value is missing."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _words(what: str, values: Any) -> list[str]:
    """Return names of which none may be missing.

    Raises:
        ConfigError: If one is.
    """
    listed = _listed(what, values)
    if missing := [number for number, one in enumerate(listed) if _is_missing(one)]:
        raise ConfigError(
            f"{what} have no value at {counted(len(missing), 'place')}, the first is {missing[0]}",
            "leave these samples out"
            if what == "labels"
            else "give each a name of its own, e.g. that of its clip",
        )
    return [_word(one) for one in listed]


def _class_names(classes: Any) -> tuple[str, ...]:
    names = tuple(_words("classes", classes))
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"classes have {twice[0]!r} twice", "name each class once")
    return names


def _predicted(
    predictions: Any, truth: list[str], classes: Sequence[str] | None
) -> tuple[list[str | None], tuple[str, ...]]:
    """Return predicted classes, and the names of all classes."""
    columns = getattr(predictions, "columns", None)
    names = None if classes is None else _class_names(classes)
    if columns is not None:
        own = _class_names(columns)
        names = own if names is None else names
        if sorted(own) != sorted(names):
            raise ConfigError(
                f"a table of probabilities with the columns {', '.join(own)}, expected {', '.join(names)}",
                "give a column per class",
            )
        predictions = predictions.to_numpy()[:, [own.index(name) for name in names]]
    rows = predictions if isinstance(predictions, np.ndarray) else _listed("predictions", predictions)
    is_table = rows.ndim != 1 if isinstance(rows, np.ndarray) else any(map(_is_row, rows))
    if is_table:
        shares = _shares(rows, names)
        return [_likeliest(row, names) for row in shares], names or ()
    words = [None if _is_missing(one) else _word(one) for one in _listed("predictions", rows)]
    return words, names or tuple(sorted({*truth, *(one for one in words if one is not None)}))


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _shares(rows: Any, names: tuple[str, ...] | None) -> npt.NDArray[np.float64]:
    """Return probabilities, (N, C)."""
    try:
        shares = np.asarray(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"predictions are rows that are no table of numbers: {error}",
            "give one class per sample, or probabilities of all classes for each",
        ) from error
    if shares.ndim != 2:
        raise ConfigError(
            f"predictions of shape {shares.shape}, expected (N,) classes or (N, C) probabilities",
            "give one class per sample, or probabilities of all classes for each",
        )
    if names is None or shares.shape[1] != len(names):
        n_named = "none" if names is None else len(names)
        raise ConfigError(
            f"probabilities of {shares.shape[1]} classes, and {n_named} named",
            "name them in order: classes=[...]",
        )
    return shares


def _likeliest(row: npt.NDArray[np.float64], names: tuple[str, ...] | None) -> str | None:
    return None if names is None or np.isnan(row).any() else names[int(row.argmax())]


def _with_interval(counts: ClusterCounts, metric: Metric, level: float) -> dict[str, float]:
    value = {"score": counts.score(metric), "low": float("nan"), "high": float("nan")}
    if len(counts.names) >= LEAST:
        interval = seeds_interval([counts], metric=metric, level=level)
        value |= {"low": interval.low, "high": interval.high}
    return value
