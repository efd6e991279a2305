"""Figure of agreement: pairwise kappa as a heat map, and the agreement of each annotator with the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fgbench.evaluation.ballots import Floats
from fgbench.naming import counted
from fgbench.reports.rendering.drawing_style import canvas, heading, own_style, points
from fgbench.reports.rendering.table import Cell, Figure, Table, data_title
from fgbench.reports.votes.cast_votes import CastVotes
from fgbench.reports.votes.figures import AnnotatorFigures, VoteFigures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

MOST_SHOWN = 30
"""Annotators in the figure, those with most votes."""
_MOST_LETTERS = 24
"""Letters of a name beside the map."""
_MOST_WRITTEN = 12
"""Annotators up to whom numbers are written into the cells."""
_AGREEMENT, _FLAGGED = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_DARK_FROM = 0.55  # kappas with white numbers
_INSIDE_FROM = 0.3  # bars with room for their number


def agreement_figure(cast: CastVotes, figures: VoteFigures) -> Figure:
    """Heat map of Cohen's kappa of all pairs, beside the agreement of each annotator."""
    shown = _shown(figures.annotators)
    kappa = _matrix(shown, figures)
    title = data_title("Agreement of annotators", cast.dataset, synthetic=cast.synthetic)
    rows: list[list[Cell]] = [
        [one.annotator, one.agreement, *(None if np.isnan(value) else float(value) for value in line)]
        for one, line in zip(shown, kappa, strict=True)
    ]
    rest = len(figures.annotators) - len(shown)
    table = Table(
        name="votes-agreement",
        title=title,
        columns=["Annotator", "Agreement", *(one.annotator for one in shown)],
        rows=rows,
        notes=[
            "Cohen's kappa of each pair of annotators; blank with too few clips in common. Agreement: share "
            "of the votes for the class with most votes of the others.",
            *([f"{counted(rest, 'annotator')} with fewer votes left out."] if rest else []),
        ],
        keys=1,
    )
    return Figure(table=table, draw=lambda: _draw(title, shown, kappa))


def _shown(annotators: Sequence[AnnotatorFigures]) -> list[AnnotatorFigures]:
    """Those with most votes, in the order of their names."""
    most = sorted(annotators, key=lambda one: (-one.votes, one.annotator))[:MOST_SHOWN]
    return sorted(most, key=lambda one: one.annotator)


def _matrix(shown: Sequence[AnnotatorFigures], figures: VoteFigures) -> Floats:
    """(A, A) kappas, symmetric; NaN on the diagonal and where there is none."""
    place = {one.annotator: index for index, one in enumerate(shown)}
    kappa = np.full((len(shown), len(shown)), np.nan)
    for pair in figures.pairs:
        if pair.kappa is not None and pair.first in place and pair.second in place:
            first, second = place[pair.first], place[pair.second]
            kappa[first, second] = kappa[second, first] = pair.kappa
    return kappa


@own_style()
def _draw(title: str, shown: Sequence[AnnotatorFigures], kappa: Floats) -> Drawing:
    side = 2.2 + 0.3 * max(len(shown), 5)
    drawing = canvas(max(8.0, 2 * side), side + 0.5, dpi=150)
    left, right = drawing.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    image = left.imshow(kappa, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="auto")
    names = [_short(one.annotator) for one in shown]
    left.set_facecolor("0.93")
    left.set_xticks(range(len(names)), names, rotation=90, fontsize=points(8))
    left.set_yticks(range(len(names)), names, fontsize=points(8))
    for row, column in np.argwhere(np.isfinite(kappa)) if len(shown) <= _MOST_WRITTEN else ():
        left.text(
            column,
            row,
            f"{kappa[row, column]:.2f}",
            ha="center",
            va="center",
            fontsize=points(7),
            color="white" if kappa[row, column] >= _DARK_FROM else "black",
        )
    bar = drawing.colorbar(image, ax=left, fraction=0.05, pad=0.02)
    bar.set_label("Cohen's kappa", fontsize=points(8))
    bar.ax.tick_params(labelsize=points(7))
    _bars(right, shown)
    heading(drawing, title, fontsize=11, wrap=True)
    return drawing


def _short(name: str) -> str:
    """A name that leaves room for the map."""
    return name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"


def _bars(axes: Axes, shown: Sequence[AnnotatorFigures]) -> None:
    for row, one in enumerate(shown):
        if one.agreement is not None:
            colour = _FLAGGED if one.is_fast_and_wrong else _AGREEMENT
            axes.barh(row, one.agreement, color=colour, height=0.7)
            is_inside = one.agreement >= _INSIDE_FROM
            axes.text(
                one.agreement + (-0.02 if is_inside else 0.02),
                row,
                f"{one.agreement:.2f}",
                va="center",
                ha="right" if is_inside else "left",
                color="white" if is_inside else "black",
                fontsize=points(7),
            )
    axes.set(xlim=(0, 1))
    axes.set_xlabel("Agreement with the others", fontsize=points(8))
    axes.tick_params(axis="x", labelsize=points(7))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    if any(one.is_fast_and_wrong for one in shown):
        from matplotlib.patches import Patch

        handles = [Patch(color=_FLAGGED, label="fast and wrong")]
        axes.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=points(8)
        )
