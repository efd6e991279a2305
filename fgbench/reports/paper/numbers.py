"""The paper's own numbers, from ``manifests/paper/``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fgbench import plugins
from fgbench.datasets._card import Card
from fgbench.resources import resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A value of Table II whose misprint was mended.

    Attributes:
        method: Its row.
        label: Its class.
        printed: Text in the paper.
        value: Value that it is read as.
    """

    method: str
    label: str
    printed: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table2:
    """Table II.

    Attributes:
        classes: The 33 classes in the order of its columns.
        accuracies: ``(source, method)`` to class to accuracy, 0 to 1, in the order of its rows.
        repairs: Values with mended misprints.
    """

    classes: tuple[str, ...]
    accuracies: Mapping[tuple[str, str], Mapping[str, float]]
    repairs: tuple[Repair, ...]

    def mean(self, source: str, method: str) -> float:
        """Mean of the 33 accuracies of a method."""
        values = self.accuracies[source, method].values()
        return sum(values) / len(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionShares:
    """Table VI or VII: shares of the predictions for some classes of an upper class.

    Attributes:
        classes: The classes, in the order of rows and columns.
        shares: ``(true class, predicted class)`` to share, 0 to 1. A row adds up to less than 1: other
            classes are not listed.
    """

    classes: tuple[str, ...]
    shares: Mapping[tuple[str, str], float]


def table1() -> dict[tuple[str, str], int]:
    """Table I: ``(source, part)`` to number.

    Sources are ``Image``, ``Video`` and ``Augmented Image``; beside the parts there is ``total``.
    """
    return {(row["source"], row["split"]): int(row["n"]) for row in _rows("table1")}


@lru_cache(maxsize=1)
def table2() -> Table2:
    """Table II: accuracies of all classes, of methods on images and on clips."""
    accuracies: dict[tuple[str, str], dict[str, float]] = {}
    repairs = []
    for row in _rows("table2"):
        accuracies.setdefault((row["source"], row["method"]), {})[row["class"]] = float(row["value"])
        if row["repaired"] == "1":
            repairs.append(
                Repair(
                    method=row["method"],
                    label=row["class"],
                    printed=row["raw_ocr"],
                    value=float(row["value"]),
                )
            )
    first = next(iter(accuracies.values()))
    return Table2(classes=tuple(first), accuracies=accuracies, repairs=tuple(repairs))


def confusion(table: Literal["table6", "table7"]) -> ConfusionShares:
    """Table VI (classes of sadness) or VII (of happiness)."""
    shares = {(row["true_class"], row["pred_class"]): float(row["value"]) for row in _rows(table)}
    return ConfusionShares(classes=tuple(dict.fromkeys(true for true, _ in shares)), shares=shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """Table III or IV: accuracies of methods on public data sets.

    Attributes:
        datasets: Names of the data sets, in the order of the paper's own method.
        accuracies: Method to data set to accuracy, 0 to 1; data sets without a number are absent.
        ours: Name of the paper's own method, the last row.
    """

    datasets: tuple[str, ...]
    accuracies: Mapping[str, Mapping[str, float]]
    ours: str

    def mean(self, method: str) -> float:
        """Mean of the accuracies that a method has."""
        values = self.accuracies[method].values()
        return sum(values) / len(values)


def benchmarks(table: Literal["table3", "table4"]) -> Benchmarks:
    """Table III (images) or IV (clips)."""
    accuracies: dict[str, dict[str, float]] = {}
    for row in _rows(table):
        accuracies.setdefault(row["method"], {})[row["dataset"]] = float(row["value"])
    ours = list(accuracies)[-1]
    return Benchmarks(datasets=tuple(accuracies[ours]), accuracies=accuracies, ours=ours)


def benchmark_column(table: Literal["table3", "table4"], dataset: str, n_classes: int) -> str | None:
    """Column of Table III or IV of a data set; ``None`` if it has none.

    The name of a variant begins with that of its data set (``ck-plus-48``); of two that fit, the longer wins.

    Args:
        table: The table.
        dataset: Name of the data set.
        n_classes: Number of its classes, to distinguish columns of the same data set.
    """
    return _benchmark(dataset, n_classes).get(table) or None


def benchmark_title(dataset: str, n_classes: int) -> str:
    """Title of a data set: the paper's, else that of the adapter whose name its name is or begins with, else
    its own name.

    Args:
        dataset: Name of the data set.
        n_classes: Number of its classes.
    """
    row = _benchmark(dataset, n_classes)
    return row.get("title") or row.get("table3") or row.get("table4") or _card_title(dataset) or dataset


def _card_title(dataset: str) -> str:
    name = _typed(dataset)
    adapters = {adapter.replace("_", "-"): adapter for adapter in plugins.names("datasets")}
    fitting = [typed for typed in adapters if _is_or_begins_with(name, typed)]
    if not fitting:
        return ""
    card: Card = plugins.load("datasets", adapters[max(fitting, key=len)]).CARD
    return "" if card.is_own else card.short


def _typed(dataset: str) -> str:
    """Name of a data set as in recipes."""
    return "-".join(
        "".join(c if c.isalnum() else " " for c in dataset.lower().replace("+", " plus ")).split()
    )


def _is_or_begins_with(name: str, dataset: str) -> bool:
    """Whether a name is that of a data set or of a variant of it."""
    return name == dataset or name.startswith(f"{dataset}-")


def _benchmark(dataset: str, n_classes: int) -> dict[str, str]:
    """Row of ``manifests/benchmarks.csv`` of a data set; empty if there is none."""
    name = _typed(dataset)
    with resource("manifests", "benchmarks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    fitting = [row for row in rows if _is_or_begins_with(name, row["dataset"])]
    longest = max((len(row["dataset"]) for row in fitting), default=0)
    for row in fitting:
        if len(row["dataset"]) == longest and row["classes"] in ("", str(n_classes)):
            return row
    return {}


def table5() -> dict[str, dict[str, float]]:
    """Table V: data set to temporal backbone to mean accuracy, 0 to 1."""
    accuracies: dict[str, dict[str, float]] = {}
    for row in _rows("table5"):
        accuracies.setdefault(row["dataset"], {})[row["temporal_backbone"]] = float(row["value"])
    return accuracies


def figure7_peaks() -> dict[str, float]:
    """Figure 7: varied setting to the value of highest accuracy; the text has no other numbers of it."""
    return {row["varied"]: float(row["peak"]) for row in _rows("figure7")}


def _rows(table: str) -> list[dict[str, str]]:
    with resource("manifests", "paper", f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
