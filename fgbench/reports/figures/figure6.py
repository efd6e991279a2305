"""Figure 6: the first three regions that MSAU-Net looks at again, on test faces of several classes.

Reads ``regions.parquet`` and the predictions of a run, and the images and landmarks of the manifests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.files.hashing import hash_u64
from fgbench.media.images import decode
from fgbench.reports.experiments import find_experiments, title_of, warnings_of
from fgbench.reports.freshness import read_present, state_notes, state_of
from fgbench.reports.paper.first_regions import (
    VALENCES,
    Looked,
    cell_shares,
    part_notes,
    part_shares,
    read_looked,
)
from fgbench.reports.paper.methods import MSAU
from fgbench.reports.rendering.drawing_style import canvas, heading, is_for_paper, own_style, points
from fgbench.reports.rendering.table import Cell, Figure, Table
from fgbench.reports.run.regions import GRID, REGION_STYLES, Region, read_landmarks
from fgbench.storage import read_rows
from fgbench.taxonomy import leaf, leaves
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_ACROSS = 6
_ROWS_PER_VALENCE = 2
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    """A face to draw."""

    image: npt.NDArray[np.uint8]
    regions: Sequence[Region]
    label: str
    predicted: str


def build(workdir: Path) -> Figure:
    """Figure 6 of a work folder.

    Raises:
        NoRunError: If no run of MSAU-Net kept its regions.
        ManifestError: If manifests or a run are missing or damaged.
    """
    experiments = find_experiments(workdir, [MSAU])
    looked = read_looked(experiments)
    manifests = workdir / MANIFESTS
    files = sorted(read_index(workdir)["files"])
    faces = [manifests / name for name in files if name.startswith("faces/")]
    images = [manifests / name for name in files if name.startswith("images/")]
    shares = part_shares(looked, read_landmarks(faces, looked.regions.keys()))
    rows: list[list[Cell]] = []
    for valence in VALENCES:
        for down, values in enumerate(cell_shares(looked, valence)):
            cells = [None if np.isnan(value) else float(value) for value in values]
            rows.append([valence, down + 1, *cells])
    counts = ", ".join(f"{len(looked.of_valence(valence))} {valence}" for valence in VALENCES)
    folders = ", ".join(folder.relative_to(workdir).as_posix() for folder in looked.folders)
    table = Table(
        name="figure6",
        title=title_of("Figure 6. Regions of MSAU-Net", [looked.experiment]),
        columns=["Valence", "Row of cells", *[f"Column {across + 1}" for across in range(GRID)]],
        rows=rows,
        notes=[
            f"Share of the faces whose first region is each of the {GRID} x {GRID} cells, counted from the "
            f"top left of the face; {counts} test faces, without augmented copies.",
            *part_notes(shares),
            "The drawing shows one face per class, chosen by a hash of its id whether or not it is "
            "recognised: first region solid (red), second dashed (green), third dotted (yellow).",
            f"From {folders}.",
            *state_notes([(looked.experiment.name, state_of(looked.experiment, read_present(workdir)))]),
            *warnings_of(looked.experiment, looked.experiment.name),
        ],
    )
    chosen = choose(looked)
    return Figure(table=table, draw=lambda: _draw(table.title, _read(images, chosen, looked)))


def choose(looked: Looked) -> list[str | None]:
    """Samples to draw, row by row: pleasant classes first; ``None`` is an empty cell.

    One sample per class, that with the lowest hash of its id; classes alternate over the upper classes.
    """
    per_class: dict[str, str] = {}
    for name, label in zip(looked.predictions.sample_ids, looked.predictions.labels, strict=True):
        if name in looked.regions:
            per_class[label] = min(per_class.get(label, name), name, key=lambda one: hash_u64("shown", one))
    cells: list[str | None] = []
    room = _ACROSS * _ROWS_PER_VALENCE
    for valence in VALENCES:
        groups: dict[str, list[str]] = {}
        for entry in leaves():
            if entry.valence == valence and entry.name in per_class:
                groups.setdefault(entry.basic, []).append(entry.name)
        turns = [
            group[turn]
            for turn in range(max(map(len, groups.values()), default=0))
            for group in groups.values()
            if turn < len(group)
        ]
        in_order = sorted(turns[:room], key=lambda label: leaf(label).class_id)
        cells += [per_class[label] for label in in_order] + [None] * (room - len(in_order))
    return cells


def _read(files: Sequence[Path], chosen: Sequence[str | None], looked: Looked) -> list[_Face | None]:
    """Read the faces to draw.

    Raises:
        ManifestError: If an image is not in the manifests.
    """
    wanted = {name for name in chosen if name is not None}
    images = _images(files, wanted)
    predictions = looked.predictions
    outcome = {
        name: (label, predicted or "none")
        for name, label, predicted in zip(
            predictions.sample_ids, predictions.labels, predictions.predicted, strict=True
        )
    }
    return [
        None
        if name is None
        else _Face(
            image=images[name],
            regions=looked.regions[name][:_SHOWN],
            label=outcome[name][0],
            predicted=outcome[name][1],
        )
        for name in chosen
    ]


def _images(files: Sequence[Path], wanted: Collection[str]) -> Mapping[str, npt.NDArray[np.uint8]]:
    images = {}
    for path in files:
        if any(row["image_id"] in wanted for row in read_rows(path, ["image_id"])):
            for row in read_rows(path, ["image_id", "image"]):
                if row["image_id"] in wanted:
                    images[row["image_id"]] = decode(row["image"]["bytes"])
    lost = sorted(set(wanted) - set(images))
    if lost:
        raise ManifestError(
            f"{len(lost)} images of the run are not in the manifests, e.g. {lost[0]}",
            f"the manifests have changed since: {MSAU.command} --force",
        )
    return images


@own_style()
def _draw(title: str, faces: Sequence[_Face | None]) -> Drawing:
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D

    n_rows = len(faces) // _ACROSS
    layout = ConstrainedLayoutEngine(h_pad=0.08)
    drawing = canvas(10, 2.0 * n_rows + 1.0, dpi=150, layout=layout)
    panels = drawing.subplots(n_rows, _ACROSS)
    for axes, face in zip(panels.flat, faces, strict=True):
        axes.set_axis_off()
        if face is not None:
            _draw_face(axes, face)
    for row, panel in enumerate(panels[:, 0]):
        panel.text(
            -0.08,
            0.5,
            VALENCES[row // _ROWS_PER_VALENCE],
            rotation=90,
            va="center",
            ha="right",
            transform=panel.transAxes,
        )
    handles = [
        Line2D([], [], color=colour, linestyle=style, linewidth=2.5, label=f"{rank + 1}. region")
        for rank, (colour, style) in enumerate(REGION_STYLES)
    ]
    heading(drawing, title, wrap=True)
    drawing.legend(handles=handles, loc="outside lower center", ncols=_SHOWN, frameon=False)
    return drawing


def _draw_face(axes: Axes, face: _Face) -> None:
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    height, width = face.image.shape[:2]
    axes.imshow(face.image, extent=(0, width, height, 0))
    dark = [withStroke(linewidth=3.5, foreground="black")]
    for region, (colour, style) in zip(face.regions, REGION_STYLES, strict=False):
        x0, y0, x1, y1 = region.box_px
        axes.add_patch(
            Rectangle(
                (x0, y0),
                x1 - x0,
                y1 - y0,
                fill=False,
                edgecolor=colour,
                linestyle=style,
                linewidth=1.8,
                path_effects=dark,
            )
        )
        axes.text(
            x0 + 5,
            y0 + 4,
            str(region.rank + 1),
            color=colour,
            va="top",
            fontsize=points(8),
            weight="bold",
            path_effects=[withStroke(linewidth=2, foreground="black")],
        )
    axes.set(xlim=(0, width), ylim=(height, 0))
    right = face.predicted == face.label
    # A paper's panel is no wider than a name; its caption explains the signs.
    short, second = is_for_paper(), height + (40 if is_for_paper() else 32)
    below = ("✓" if short else "✓ correct") if right else f"✗ {'' if short else 'taken for '}{face.predicted}"
    axes.text(width / 2, height + 8, face.label, ha="center", va="top", fontsize=points(8), weight="bold")
    axes.text(
        width / 2,
        second,
        below,
        ha="center",
        va="top",
        fontsize=points(8),
        color="#0072B2" if right else "#B34700",
    )
