"""Figure 7: accuracy of MSAU-Net against the number of regions that it looks at again (paper section V-E).

Reads the runs of the progressive variant; one curve per recipe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.errors import ManifestError
from fgbench.evaluation.significance import Interval
from fgbench.reports.accuracies import measure
from fgbench.reports.experiments import Experiment, find_experiments, run_notes, title_of
from fgbench.reports.methods import PROGRESSIVE
from fgbench.reports.model import Cell, Figure, Table, centre
from fgbench.reports.paper import figure7_peaks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

REGIONS = "number of regions"

# Okabe and Ito's colours; markers tell the curves apart too.
_LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a curve.

    Attributes:
        value: Where it stands on the axis.
        mean: Mean accuracy, or mean and standard deviation over seeds.
        interval: Its 95 % interval.
    """

    value: float
    mean: Cell
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel of the figure.

    Attributes:
        varied: What is varied.
        curves: Recipe to points from left to right.
        peak: Where the paper has the highest accuracy.
    """

    varied: str
    curves: dict[str, list[Point]]
    peak: float


def build(workdir: Path) -> Figure:
    """Figure 7 of a work folder: its left panel.

    Raises:
        NoRunError: If the progressive variant has no finished run.
        ManifestError: If a run is damaged.
    """
    experiments = find_experiments(workdir, [PROGRESSIVE])
    panels = [regions_panel(experiments)]
    rows: list[list[Cell]] = [
        [panel.varied, recipe, point.value, point.mean, *_ends(point.interval)]
        for panel in panels
        for recipe, points in panel.curves.items()
        for point in points
    ]
    table = Table(
        name="figure7",
        title=title_of("Figure 7. Accuracy against the number of regions", experiments),
        columns=["Varied", "Recipe", "Value", "Mean", "95 % from", "95 % to"],
        rows=rows,
        notes=[
            "Mean of the accuracies of the 33 classes on test images without augmented copies. The paper "
            "gives no numbers for its curves in the text, only where they are highest.",
            *[note for panel in panels for note in _peak_notes(panel)],
            *run_notes(workdir, experiments),
        ],
    )
    return Figure(table=table, draw=lambda: _draw(table.title, panels))


def regions_panel(experiments: Sequence[Experiment]) -> Panel:
    """The left panel: one experiment per recipe and number of regions.

    Raises:
        ManifestError: If a run does not state its number of regions.
    """
    curves: dict[str, list[Point]] = {}
    for experiment in sorted(experiments, key=_regions):
        measured = measure(experiment)
        point = Point(value=_regions(experiment), mean=measured.mean, interval=measured.interval)
        curves.setdefault(str(experiment.details.get("recipe", experiment.name)), []).append(point)
    return Panel(varied=REGIONS, curves=dict(sorted(curves.items())), peak=figure7_peaks()[REGIONS])


def _regions(experiment: Experiment) -> int:
    found = experiment.details.get("regions")
    if not isinstance(found, int):
        raise ManifestError(
            f"runs of {experiment.name} have regions = {found!r}, expected their number",
            f"run {PROGRESSIVE.command} --force",
        )
    return found


def _peak_notes(panel: Panel) -> list[str]:
    """Where each curve is highest, and whether that is where the paper's is."""
    notes = []
    for recipe, points in panel.curves.items():
        known = [(mean, point) for point in points if (mean := centre(point.mean)) is not None]
        if len(known) < 2:
            continue
        highest, best = max(known, key=lambda pair: pair[0])
        lowest = min(known, key=lambda pair: pair[0])
        same = "where the paper's is" if best.value == panel.peak else f"the paper's at {panel.peak:g}"
        notes.append(
            f"{recipe}: highest at {best.value:g} ({highest:.3f}), {same}; lowest at {lowest[1].value:g} "
            f"({lowest[0]:.3f}){_overlap(best, lowest[1])}."
        )
    return notes


def _overlap(best: Point, worst: Point) -> str:
    if best.interval is None or worst.interval is None:
        return ""
    return ", intervals apart" if best.interval.low > worst.interval.high else ", intervals overlap"


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _draw(title: str, panels: Sequence[Panel]) -> Drawing:
    from matplotlib.figure import Figure as Canvas

    drawing = Canvas(figsize=(7.4 * len(panels), 4.4), dpi=150, layout="constrained")
    for axes, panel in zip(drawing.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, panel)
    drawing.suptitle(title, fontsize=11, wrap=True)
    return drawing


def _draw_panel(axes: Axes, panel: Panel) -> None:
    values = sorted({point.value for points in panel.curves.values() for point in points})
    steps = [right - left for left, right in pairwise(values)]
    shift = 0.06 * min(steps, default=1.0)  # so that intervals of curves do not cover each other
    for number, (recipe, points) in enumerate(panel.curves.items()):
        known = [(mean, point) for point in points if (mean := centre(point.mean)) is not None]
        colour, marker = _LOOKS[number % len(_LOOKS)]
        across = [point.value + shift * (number - (len(panel.curves) - 1) / 2) for _, point in known]
        ends = [
            (mean - point.interval.low, point.interval.high - mean) if point.interval else (0.0, 0.0)
            for mean, point in known
        ]
        axes.errorbar(
            across,
            [mean for mean, _ in known],
            yerr=list(zip(*ends, strict=True)) if ends else None,
            color=colour,
            marker=marker,
            capsize=3,
            label=recipe,
        )
    axes.axvline(
        panel.peak, color="0.35", linestyle="--", linewidth=1, label=f"paper: highest at {panel.peak:g}"
    )
    axes.set_xticks(values)
    axes.set_xlabel(panel.varied.capitalize())
    axes.set_ylabel("Mean accuracy of the 33 classes\n(with 95 % intervals)")
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
