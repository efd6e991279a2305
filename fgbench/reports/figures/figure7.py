"""Figure 7: accuracy of MSAU-Net against the number of regions (left; paper section V-E), and of TMSAU-Net
against the weight of its spatial stream (right; section V-F).

Reads the runs of the progressive variant on test images, and of TMSAU-Net on validation clips, never test.
Either panel can stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.evaluation.significance import Interval
from fgbench.reports.chains import chain_notes
from fgbench.reports.experiments import NoRunError, find_experiments, run_notes, shown_names, title_of
from fgbench.reports.paper.curves import (
    REGIONS,
    WEIGHT,
    Panel,
    Point,
    missing_note,
    peak_notes,
    regions_panel,
    weight_panel,
)
from fgbench.reports.paper.methods import PROGRESSIVE, TMSAU
from fgbench.reports.rendering.drawing_style import canvas, heading, is_for_paper, own_style, shows_paper
from fgbench.reports.rendering.table import Cell, Figure, OfPaper, Spread, Table, centre

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Okabe and Ito's colours; markers distinguish the curves too.
_LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"))


def build(workdir: Path) -> Figure:
    """Figure 7 of a work folder: the panels that have runs.

    Raises:
        NoRunError: If neither the progressive variant nor TMSAU-Net with both streams has a finished run.
        ManifestError: If a run is damaged.
    """
    experiments = find_experiments(workdir, [PROGRESSIVE, TMSAU])
    image = [experiment for experiment in experiments if experiment.method == PROGRESSIVE.name]
    video = [experiment for experiment in experiments if experiment.method == TMSAU.name]
    panel_of = {
        REGIONS: regions_panel(image) if image else None,
        WEIGHT: weight_panel(workdir, video),
    }
    panels = [panel for panel in panel_of.values() if panel is not None]
    lost = [missing_note(varied) for varied, panel in panel_of.items() if panel is None]
    if not panels:
        raise NoRunError(f"nothing to draw in {workdir}", "; ".join(lost))
    shown = [*(image if panel_of[REGIONS] else []), *(video if panel_of[WEIGHT] else [])]
    rows: list[list[Cell]] = [
        [panel.varied, recipe, point.value, point.mean, *_ends(point.interval), panel.samples, *_seeds(point)]
        for panel in panels
        for recipe, points in panel.curves.items()
        for point in points
    ]
    n_seeds = max(len(row) for row in rows) - 7
    table = Table(
        name="figure7",
        title=title_of(f"Figure 7. Accuracy against the {_both(panels)}", shown),
        columns=[
            "Varied",
            "Recipe",
            "Value",
            "Mean",
            "95 % from",
            "95 % to",
            "Of",
            *[f"{number + 1}. seed" for number in range(n_seeds)],
        ],
        rows=[[*row, *[None] * (7 + n_seeds - len(row))] for row in rows],
        notes=[
            f"Mean of the accuracies of the 33 classes on {' and '.join(panel.samples for panel in panels)} "
            "without augmented copies.",
            OfPaper("The paper gives no numbers for its curves in the text, only where they are highest."),
            *[note for panel in panels for note in (*peak_notes(panel), *panel.notes)],
            *chain_notes(shown, shown_names(shown)),
            *[f"{note}." for note in lost],
            *run_notes(workdir, shown),
        ],
    )
    return Figure(table=table, draw=lambda: _draw(table.title, panels, lost))


def _both(panels: Sequence[Panel]) -> str:
    if len(panels) == 1:
        return panels[0].varied
    return f"{panels[0].varied} (left) and the {panels[1].varied} (right)"


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _seeds(point: Point) -> list[Cell]:
    """Accuracy of each seed, where there are several."""
    return list(point.seeds) if len(point.seeds) > 1 else []


@own_style()
def _draw(title: str, panels: Sequence[Panel], lost: Sequence[str]) -> Drawing:
    from textwrap import fill

    drawing = canvas(7.4 * len(panels), 5.2, dpi=150)
    for axes, panel in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, panel)
    heading(drawing, title, fontsize=9.5 if len(panels) == 1 else 11, wrap=True)
    if lost and not is_for_paper():  # a paper has no commands
        drawing.supxlabel("\n".join(fill(note, 110) for note in lost), fontsize=8, color="0.3")
    return drawing


def _draw_panel(axes: Axes, panel: Panel) -> None:
    values = sorted({point.value for points in panel.curves.values() for point in points})
    steps = [right - left for left, right in pairwise(values)]
    shift = 0.06 * min(steps, default=1.0)  # so that intervals of curves do not overlap
    for number, (recipe, points) in enumerate(panel.curves.items()):
        colour, marker = _LOOKS[number % len(_LOOKS)]
        away = shift * (number - (len(panel.curves) - 1) / 2)
        if panel.varied == REGIONS:
            _draw_points(axes, points, away, colour=colour, marker=marker, label=recipe)
        else:
            _draw_sweep(axes, points, colour=colour, marker=marker, label=recipe)
        if recipe in panel.chosen:
            _mark(axes, points, panel.chosen[recipe], colour=colour, recipe=recipe)
    if shows_paper():
        axes.axvline(
            panel.peak, color="0.35", linestyle="--", linewidth=1, label=f"paper: highest at {panel.peak:g}"
        )
    axes.set_xticks(values)
    axes.set_xlabel(panel.varied.capitalize())
    spread = "with" if panel.varied == REGIONS else "bands:"
    label = f"Mean accuracy of the 33 classes\non {panel.samples} ({spread} 95 % intervals)"
    axes.set_ylabel(f"Mean accuracy, {panel.samples}" if is_for_paper() else label)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.22 if is_for_paper() else -0.13),
        ncols=1 if is_for_paper() else 2,
        frameon=False,
        fontsize=8,
        markerscale=0.5 if is_for_paper() else 0.8,
    )


def _draw_points(
    axes: Axes, points: Sequence[Point], away: float, *, colour: str, marker: str, label: str
) -> None:
    """Draw a curve with an interval at each point."""
    defined = [(mean, point) for point in points if (mean := centre(point.mean)) is not None]
    ends = [
        (mean - point.interval.low, point.interval.high - mean) if point.interval else (0.0, 0.0)
        for mean, point in defined
    ]
    axes.errorbar(
        [point.value + away for _, point in defined],
        [mean for mean, _ in defined],
        yerr=list(zip(*ends, strict=True)) if ends else None,
        color=colour,
        marker=marker,
        capsize=3,
        label=label,
    )


def _draw_sweep(axes: Axes, points: Sequence[Point], *, colour: str, marker: str, label: str) -> None:
    """Draw a curve in its band of intervals; with several seeds their spread, and a thin line per seed."""
    defined = [(mean, point) for point in points if (mean := centre(point.mean)) is not None]
    across = [point.value for _, point in defined]
    if defined and all(point.interval is not None for _, point in defined):
        ends = [_ends(point.interval) for _, point in defined]
        low, high = ([float(end or 0.0) for end in side] for side in zip(*ends, strict=True))
        axes.fill_between(across, low, high, color=colour, alpha=0.12, linewidth=0)
    n_seeds = max((len(point.seeds) for _, point in defined), default=0)
    spread = [point.mean.sd if isinstance(point.mean, Spread) else 0.0 for _, point in defined]
    if n_seeds > 1:
        label = f"{label}: mean ± sd of {n_seeds} seeds (thin: each seed)"
        for seed in range(n_seeds):
            heights = [np.nan if (one := point.seeds[seed]) is None else one for _, point in defined]
            axes.plot(across, heights, color=colour, alpha=0.35, linewidth=0.8)
    axes.errorbar(
        across,
        [mean for mean, _ in defined],
        yerr=spread if n_seeds > 1 else None,
        color=colour,
        marker=marker,
        markersize=5,
        capsize=3,
        elinewidth=1,
        label=label,
    )


def _mark(axes: Axes, points: Sequence[Point], chosen: float, *, colour: str, recipe: str) -> None:
    """Draw a star at the chosen value."""
    height = next((centre(point.mean) for point in points if point.value == chosen), None)
    if height is not None:
        axes.plot(
            [chosen],
            [height],
            linestyle="none",
            marker="*",
            markersize=17,
            color=colour,
            markeredgecolor="black",
            zorder=5,
            label=f"ours, {recipe}: {chosen:g} chosen on validation",
        )
