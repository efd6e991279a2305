"""Figures of one run: reliability diagram, and the confusion of all classes as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fgbench.evaluation.calibration import Bin, expected_calibration_error
from fgbench.evaluation.hierarchy import are_leaves
from fgbench.evaluation.metrics import Counts
from fgbench.reports.accuracies import pooled
from fgbench.reports.comparison.contenders import Contender
from fgbench.reports.rendering.drawing_style import canvas, heading, is_for_paper, own_style, points
from fgbench.reports.rendering.table import Cell, Figure, Table
from fgbench.reports.run.sheet import name_of, reliability_of, title_of
from fgbench.taxonomy import leaf

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_ACCURACY, _GAP = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_WRITTEN_FROM = 0.1  # shares that are written into their cells
_MOST_WRITTEN = 12  # classes whose cells have room for numbers in a column or page of a paper
_DARK_FROM = 0.55  # shares with white numbers


def run_figures(one: Contender) -> list[Figure]:
    """Figures of a run, folds and seeds joined."""
    return [reliability_figure(one), _confusion(one)]


def reliability_figure(one: Contender) -> Figure:
    """Reliability diagram of a run: accuracy of its predictions by how sure they are."""
    bins = reliability_of(pooled(one.seeds))
    rows: list[list[Cell]] = [[b.low, b.high, b.n, b.confidence, b.accuracy] for b in bins]
    title = title_of(one, "reliability diagram")
    error = expected_calibration_error(bins)
    table = Table(
        name=name_of(one, "reliability-diagram"),
        title=title,
        columns=["Above", "Up to", "Samples", "Mean confidence", "Accuracy"],
        rows=rows,
        notes=[_error_sentence(error)],
    )
    return Figure(table=table, draw=lambda: _draw_reliability(title, bins, error))


def _error_sentence(error: float | None) -> str:
    if error is None:
        return "There are no predictions."
    return f"Expected calibration error of all predictions together: {error:.3f}."


@own_style()
def _draw_reliability(title: str, bins: Sequence[Bin], error: float | None) -> Drawing:
    drawing = canvas(5.6, 6.2, dpi=150)
    upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled_bins = [b for b in bins if b.confidence is not None and b.accuracy is not None]
    for b in filled_bins:
        assert b.confidence is not None
        assert b.accuracy is not None
        width = b.high - b.low
        upper.bar(b.low, b.accuracy, width, align="edge", color=_ACCURACY, edgecolor="white", linewidth=0.8)
        low, high = sorted((b.accuracy, b.confidence))
        upper.bar(
            b.low,
            high - low,
            width,
            bottom=low,
            align="edge",
            fill=False,
            edgecolor=_GAP,
            hatch="///",
            linewidth=0.8,
        )
        lower.bar(b.low, b.n, width, align="edge", color="0.55", edgecolor="white", linewidth=0.8)
    upper.plot([0, 1], [0, 1], color="0.3", linestyle="--", linewidth=1)
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="Accuracy (share of samples)")
    lower.set(xlabel="Confidence (probability of the class predicted)", ylabel="Samples")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    _legend(upper)
    suffix = "" if error is None else f"\nexpected calibration error {error:.3f}"
    heading(drawing, f"{title}{suffix}", fontsize=10, wrap=True)
    return drawing


def _legend(axes: Axes) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=_ACCURACY, label="accuracy"),
        Patch(fill=False, edgecolor=_GAP, hatch="///", label="distance to the mean confidence"),
        Line2D([], [], color="0.3", linestyle="--", linewidth=1, label="as good as it says"),
    ]
    axes.legend(handles=handles, loc="upper left", frameon=False, fontsize=points(8))


def _confusion(one: Contender) -> Figure:
    return confusion_figure(
        name_of(one, "confusion-matrix"),
        title_of(one, "confusion of all classes"),
        one.classes,
        pooled(one.seeds).confusion(),
    )


def confusion_figure(name: str, title: str, classes: Sequence[str], counts: Counts) -> Figure:
    """Confusion of all classes as a picture, those of one upper class side by side.

    Args:
        name: Of its files.
        title: Title.
        classes: C names.
        counts: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
    """
    order = _tree_order(classes)
    confusion = counts[np.ix_(order, [*order, len(order)])]
    labels = [classes[index] for index in order]
    total = confusion.sum(axis=1)
    rows: list[list[Cell]] = [
        [label, *(float(n / all_) if all_ else None for n in row)]
        for label, row, all_ in zip(labels, confusion, total, strict=True)
    ]
    table = Table(
        name=name,
        title=title,
        columns=["True class", *labels, "no prediction"],
        rows=rows,
        notes=[
            "Shares of the test samples of each true class; classes by upper class.",
            f"Numbers from {_WRITTEN_FROM} are written into the picture, in percent.",
        ],
        keys=1,
    )
    return Figure(table=table, draw=lambda: _draw_confusion(title, labels, confusion))


def _tree_order(classes: Sequence[str]) -> list[int]:
    """Indices of the classes grouped by upper class; unchanged if they are not in the tree."""
    if not are_leaves(classes):
        return list(range(len(classes)))
    return sorted(range(len(classes)), key=lambda index: leaf(classes[index]).class_id)


@own_style()
def _draw_confusion(title: str, labels: Sequence[str], confusion: Counts) -> Drawing:
    total = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, total, out=np.full(confusion.shape, np.nan), where=total > 0)
    side = 3.0 + 0.27 * len(labels)
    drawing = canvas(side, side - 0.6, dpi=150)
    axes = drawing.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="auto")
    heads = [*labels, "no prediction"]
    axes.set_xticks(range(len(heads)), heads, rotation=90, fontsize=points(7))
    axes.set_yticks(range(len(labels)), labels, fontsize=points(7))
    axes.set_xlabel("Predicted class", fontsize=points(8))
    axes.set_ylabel("True class", fontsize=points(8))
    has_numbers = not is_for_paper() or len(labels) <= _MOST_WRITTEN
    for row, column in np.argwhere(np.nan_to_num(shares) >= _WRITTEN_FROM) if has_numbers else ():
        axes.text(
            column,
            row,
            f"{100 * shares[row, column]:.0f}",
            ha="center",
            va="center",
            fontsize=points(5.5),
            color="white" if shares[row, column] >= _DARK_FROM else "black",
        )
    if are_leaves(labels):
        upper = [leaf(label).basic for label in labels]
        for index in range(1, len(labels)):
            if upper[index] != upper[index - 1]:
                axes.axhline(index - 0.5, color="0.3", linewidth=0.8)
                axes.axvline(index - 0.5, color="0.3", linewidth=0.8)
    axes.axvline(len(labels) - 0.5, color="0.3", linewidth=1.6)
    bar = drawing.colorbar(image, ax=axes, fraction=0.03, pad=0.02)
    bar.set_label("Share of the true class", fontsize=points(8))
    bar.ax.tick_params(labelsize=points(7))
    heading(drawing, title, fontsize=11, wrap=True)
    return drawing
