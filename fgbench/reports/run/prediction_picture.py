"""Picture of one prediction: the face in its frame, its regions, the most probable classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fgbench.reports.rendering.drawing_style import own_style
from fgbench.reports.run.regions import REGION_STYLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing
    from matplotlib.patheffects import AbstractPathEffect

_FACE_COLOUR = "#56B4E9"
_BAR_COLOUR, _UPPER_COLOUR = "#0072B2", "#999999"
_LONGEST_PX = 1280  # a larger picture is reduced before it is drawn
_MARGIN = 0.35  # share of the face's side around the close-up


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPrediction:
    """Contents of the picture; coordinates in px of the picture, centres of pixels are integers.

    Attributes:
        title: Name of the file, and of the frame of a video.
        notes: Lines below the drawing.
        picture: (H, W, 3) uint8 RGB.
        box_xyxy: (4,) around the face; ``None`` draws none.
        landmarks: (P, 2); ``None`` draws none.
        outline: (4, 2) corners of the aligned face.
        regions: (n, 4, 2) corners of regions, strongest first; the first three are drawn.
        n_zooms: Number of regions that the network zoomed into.
        fine: Names and probabilities of the most probable classes, in falling order.
        basic: Likewise for upper classes; empty if there are none.
        basic_source: Source of the probabilities of the upper classes.
        fine_title: Title of ``fine``.
    """

    title: str
    notes: Sequence[str]
    picture: npt.NDArray[np.uint8]
    box_xyxy: npt.NDArray[np.float32] | None
    landmarks: npt.NDArray[np.float32] | None
    outline: npt.NDArray[np.float64]
    regions: npt.NDArray[np.float64]
    n_zooms: int
    fine: Sequence[tuple[str, float]]
    basic: Sequence[tuple[str, float]]
    basic_source: str
    fine_title: str = "likeliest classes"


@own_style()
def draw_prediction(shown: ShownPrediction) -> Drawing:
    """Draw a prediction: the whole picture, a close-up of the face, bars of probabilities."""
    from matplotlib.figure import Figure as Canvas
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawing = Canvas(figsize=(13, 4.8), dpi=110, layout=ConstrainedLayoutEngine(w_pad=0.08))
    panels: dict[str, Axes] = drawing.subplot_mosaic(
        [["whole", "face", "fine"], ["whole", "face", "basic"]],
        width_ratios=[1.25, 1, 0.9],
        height_ratios=[max(3, len(shown.fine)), max(1, len(shown.basic))],
    )
    _draw_whole(panels["whole"], shown)
    _draw_face(panels["face"], shown)
    _draw_bars(panels["fine"], shown.fine, _BAR_COLOUR, shown.fine_title)
    if shown.basic:
        _draw_bars(panels["basic"], shown.basic, _UPPER_COLOUR, f"upper classes, {shown.basic_source}")
    else:
        panels["basic"].set_axis_off()
    drawing.suptitle(shown.title, parse_math=False)
    if shown.notes:
        drawing.supxlabel("\n".join(shown.notes), fontsize=9, parse_math=False)
    return drawing


def _draw_whole(axes: Axes, shown: ShownPrediction) -> None:
    """Draw the whole picture with the face's box."""
    from matplotlib.patches import Polygon

    height, width = shown.picture.shape[:2]
    step = -(-max(height, width) // _LONGEST_PX)
    axes.imshow(shown.picture[::step, ::step], extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    box = shown.outline if shown.box_xyxy is None else _rectangle(shown.box_xyxy)
    axes.add_patch(Polygon(box, fill=False, edgecolor=_FACE_COLOUR, linewidth=2, path_effects=_dark(3.5)))
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()
    axes.set_title("face" if shown.box_xyxy is not None else "whole frame taken as the face", fontsize=10)


def _draw_face(axes: Axes, shown: ShownPrediction) -> None:
    """Draw a close-up of the face in the picture's own pixels, with landmarks and regions."""
    from matplotlib.patches import Polygon

    height, width = shown.picture.shape[:2]
    margin_px = _MARGIN * float(np.ptp(shown.outline, axis=0).max()) / 2
    low = np.floor(shown.outline.min(axis=0) - margin_px).astype(int)
    high = np.ceil(shown.outline.max(axis=0) + margin_px).astype(int)
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (width, height))
    axes.imshow(shown.picture[y0:y1, x0:x1], extent=(x0 - 0.5, x1 - 0.5, y1 - 0.5, y0 - 0.5))
    outline = Polygon(shown.outline, fill=False, edgecolor="white", linewidth=1, path_effects=_dark(2))
    axes.add_patch(outline)
    if shown.landmarks is not None:
        across, down = shown.landmarks.T
        axes.scatter(across, down, s=5, color=_FACE_COLOUR, edgecolors="black", linewidths=0.3)
    for rank, (region, (colour, style)) in enumerate(zip(shown.regions, REGION_STYLES, strict=False)):
        axes.add_patch(
            Polygon(
                region,
                fill=False,
                edgecolor=colour,
                linestyle=style,
                linewidth=2,
                path_effects=_dark(3.5),
            )
        )
        x, y = region[0] + 0.06 * (region[2] - region[0])
        number = axes.text(x, y, str(rank + 1), color=colour, weight="bold", va="top")
        number.set_path_effects(_dark(2.5))
    axes.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), facecolor="0.92", xticks=[], yticks=[])
    axes.set_aspect("equal")
    title = "aligned face (white)"
    if len(shown.regions):
        title += f", its strongest regions\n(looked at again: {_first(shown.n_zooms)})"
    axes.set_title(title, fontsize=10)


def _draw_bars(axes: Axes, values: Sequence[tuple[str, float]], colour: str, title: str) -> None:
    rows = range(len(values))
    axes.barh(rows, [value for _, value in values], color=colour)
    axes.set_yticks(rows, [name for name, _ in values])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.18), xticks=[])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    for row, (_, value) in enumerate(values):
        axes.text(value + 0.02, row, f"{value:.2f}", va="center", fontsize=9)
    axes.set_title(title, fontsize=10, loc="left")


def _first(n: int) -> str:
    return "1" if n == 1 else f"1 to {n}"


def _rectangle(box: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def _dark(width: float) -> list[AbstractPathEffect]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="black")]
