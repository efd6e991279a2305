"""Figure 3: distribution of images, videos and augmented images over the classes of a data set."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.reports.experiments import NoRunError
from fgbench.reports.paper.counts import SOURCES, DatasetCounts, count_manifests
from fgbench.reports.rendering.drawing_style import canvas, heading, is_for_paper, own_style, points
from fgbench.reports.rendering.table import Cell, Figure, Table, data_title
from fgbench.runs.labels import LabelSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

# Okabe and Ito's colours, which colour-blind people can distinguish; yellow left out (too light).
_COLOURS = ("#D55E00", "#CC79A7", "#E69F00", "#009E73", "#0072B2", "#56B4E9")
_PLAIN = "#0072B2"
_MOST_LEVEL = 15  # bars whose numbers fit side by side in a paper


def build(workdir: Path) -> Figure:
    """Figure 3 of a work folder.

    Raises:
        NoRunError: If its data set has no classes.
        ManifestError: If its manifests are missing, incomplete or damaged.
    """
    counts = count_manifests(workdir)
    if not counts.labels.labels:
        raise NoRunError(
            f"{counts.dataset} has no classes to count",
            "fgbench report --figure 3 of a data set that has some",
        )
    has_upper = counts.labels.basic is not None
    rows: list[list[Cell]] = [
        [label, *([upper] if has_upper else []), *(counts.total(source, label=label) for source in SOURCES)]
        for label, upper in _classes(counts.labels)
    ]
    table = Table(
        name="figure3",
        title=data_title(
            "Figure 3. Distribution over the classes", counts.dataset, synthetic=counts.synthetic
        ),
        columns=["Class", *(["Upper class"] if has_upper else []), *SOURCES],
        rows=rows,
        notes=["Augmented Image counts originals and their copies."],
    )
    return Figure(table=table, draw=lambda: _draw(table.title, counts))


def _classes(labels: LabelSet) -> list[tuple[str, str | None]]:
    """Each class with its upper class, ``None`` where the label set has none."""
    return list(zip(labels.labels, labels.basic or [None] * len(labels.labels), strict=True))


@own_style()
def _draw(title: str, counts: DatasetCounts) -> Drawing:
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    colours = dict(zip(counts.labels.upper, cycle(_COLOURS), strict=False))
    names, filled = [], []
    for name, upper in _classes(counts.labels):
        names.append(name)
        filled.append(_PLAIN if upper is None else colours[upper])
    drawing = canvas(12, 8.5, dpi=120)
    turned = 90 if is_for_paper() and len(names) > _MOST_LEVEL else 0
    panels = drawing.subplots(len(SOURCES), 1, sharex=True)
    for panel, source in zip(panels, SOURCES, strict=True):
        values = [counts.total(source, label=name) for name in names]
        bars = panel.bar(names, values, color=filled, width=0.8)
        panel.bar_label(bars, fontsize=points(7), padding=1, rotation=turned)
        panel.set_ylabel("Videos (clips)" if source == "Video" else f"{source}s")
        panel.margins(x=0.01, y=0.3 if turned else 0.12)
        panel.spines[["top", "right"]].set_visible(False)
        panel.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
    panels[-1].tick_params(axis="x", rotation=60)
    for label in panels[-1].get_xticklabels():
        label.set_horizontalalignment("right")
        label.set_rotation_mode("anchor")
    panels[-1].set_xlabel("Fine-grained class" if colours else "Class")
    heading(drawing, title)
    if colours:
        handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
        where = "outside lower center"
        drawing.legend(handles=handles, loc=where, ncols=len(handles), title="Upper class", frameon=False)
    return drawing
