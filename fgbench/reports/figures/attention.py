"""Attention over the frames of some test clips: faces, and the weights of both blocks (paper section IV-B).

Reads ``attention.parquet`` and the predictions of a run, and clips and faces of the manifests. Not a figure
of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.reports.experiments import find_experiments, title_of, warnings_of
from fgbench.reports.freshness import read_present, state_notes, state_of
from fgbench.reports.paper.methods import C3D_LSTM, NAN, TMSAU, VGG_LSTM
from fgbench.reports.rendering.drawing_style import canvas, heading, is_for_paper, own_style, points
from fgbench.reports.rendering.table import Cell, Figure, Table
from fgbench.reports.run.clip_attention import (
    Image,
    Shown,
    choose,
    evenly,
    key_frame_note,
    read_attended,
    read_faces,
    read_key_frames,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_ACROSS = 2  # clips side by side
_FRAMES = 7  # faces per clip

# Okabe and Ito's colours; lines and markers distinguish the blocks too.
_LOOKS = {"first block": ("#0072B2", "--", "o"), "second block": ("#D55E00", "-", "s")}
_KEY = "#009E73"


def build(workdir: Path) -> Figure:
    """Attention of TMSAU-Net, or else of the spatial stream alone, over some test clips.

    Raises:
        NoRunError: If no run kept its attention.
        ManifestError: If manifests or a run are missing or damaged.
    """
    attended = read_attended(find_experiments(workdir, [TMSAU, NAN, VGG_LSTM, C3D_LSTM]))
    key_frames = read_key_frames(workdir)
    chosen = choose(attended)
    rows: list[list[Cell]] = []
    for shown in chosen:
        clip = shown.attention
        first, second = int(np.argmax(clip.first)), int(np.argmax(clip.second))
        rows.append(
            [
                clip.sample_id,
                shown.label,
                shown.predicted,
                shown.confidence,
                len(clip.frames),
                key_frames.get(clip.sample_id),
                1.0 / len(clip.frames),
                int(clip.frames[first]),
                float(clip.first[first]),
                int(clip.frames[second]),
                float(clip.second[second]),
            ]
        )
    note = key_frame_note(attended.clips, key_frames)
    folders = ", ".join(folder.relative_to(workdir).as_posix() for folder in attended.folders)
    table = Table(
        name="attention",
        title=title_of(
            f"Attention of {attended.experiment.method} over the frames of test clips", [attended.experiment]
        ),
        columns=[
            "Clip",
            "Class",
            "Predicted",
            "Confidence",
            "Frames",
            "Key frame",
            "Equal weight",
            "First block: frame",
            "First block: largest",
            "Second block: frame",
            "Second block: largest",
        ],
        rows=rows,
        notes=[
            "One test clip of each upper class: of those that are recognised, or of all where none is, that "
            "with the highest probability of the predicted class. So the clips are no average ones.",
            "Frames are numbered from 0; frames without a usable face have no weight. The weights of a block "
            "add up to 1 over the frames of a clip; the second block gives the feature of the clip.",
            *([] if note is None else [note]),
            f"From {folders}.",
            *state_notes([(attended.experiment.name, state_of(attended.experiment, read_present(workdir)))]),
            *warnings_of(attended.experiment, attended.experiment.name),
        ],
    )

    def draw() -> Drawing:
        wanted = {
            (shown.attention.sample_id, frame)
            for shown in chosen
            for frame in evenly(shown.attention.frames, _FRAMES)
        }
        return _draw(table.title, chosen, read_faces(workdir, wanted), key_frames)

    return Figure(table=table, draw=draw)


@own_style()
def _draw(
    title: str,
    chosen: Sequence[Shown],
    faces: Mapping[tuple[str, int], Image],
    key_frames: Mapping[str, int],
) -> Drawing:
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D

    layout = ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.12)
    across = min(_ACROSS, len(chosen))
    down = -(-len(chosen) // across)
    drawing = canvas(7.6 * across, 3.5 * down + 0.9, dpi=120, layout=layout)
    grid = drawing.add_gridspec(2 * down, across, height_ratios=[1.15, 1.2] * down)
    for index, shown in enumerate(chosen):
        row, column = divmod(index, across)
        strip = drawing.add_subplot(grid[2 * row, column])
        curves = drawing.add_subplot(grid[2 * row + 1, column])
        key = key_frames.get(shown.attention.sample_id)
        _draw_strip(strip, shown, faces, key)
        _draw_weights(curves, shown, key, has_label=column == 0)
    heading(drawing, title, fontsize=13)
    handles = [
        *[
            Line2D([], [], color=colour, linestyle=line, marker=marker, label=block)
            for block, (colour, line, marker) in _LOOKS.items()
        ],
        Line2D([], [], color="0.35", linestyle=":", label="equal weights"),
        Line2D([], [], color=_KEY, linewidth=2, label="key frame (annotated), and the face nearest to it"),
    ]
    drawing.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2 if is_for_paper() else len(handles),
        frameon=False,
    )
    return drawing


def _draw_strip(axes: Axes, shown: Shown, faces: Mapping[tuple[str, int], Image], key: int | None) -> None:
    """Draw faces side by side, each above its frame in the curves below, with a frame around the nearest to
    the key."""
    from matplotlib.patches import Rectangle

    clip = shown.attention
    frames = evenly(clip.frames, _FRAMES)
    nearest = None if key is None else min(frames, key=lambda frame: abs(frame - key))
    for index, frame in enumerate(frames):
        axes.imshow(faces[clip.sample_id, frame], extent=(index + 0.02, index + 0.98, 0.0, 0.96))
        if frame == nearest:
            axes.add_patch(
                Rectangle((index + 0.02, 0.0), 0.96, 0.96, fill=False, edgecolor=_KEY, linewidth=2.5)
            )
    axes.set(xlim=(0, len(frames)), ylim=(0.0, 0.98))
    axes.set_axis_off()
    outcome = "✓ recognised" if shown.is_right else f"✗ taken for {shown.predicted}"
    axes.set_title(
        f"{shown.label}: {outcome}, probability {shown.confidence:.2f}",
        fontsize=points(10),
        color="#0072B2" if shown.is_right else "#B34700",
    )


def _draw_weights(axes: Axes, shown: Shown, key: int | None, *, has_label: bool) -> None:
    """Draw the curves of both blocks over all frames."""
    clip = shown.attention
    frames = evenly(clip.frames, _FRAMES)
    every = max(1, len(clip.frames) // 15)
    for weights, (colour, line, marker) in zip((clip.first, clip.second), _LOOKS.values(), strict=True):
        axes.plot(
            clip.frames,
            weights,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=3.5,
            markevery=every,
            linewidth=1.5,
        )
    axes.axhline(1.0 / len(clip.frames), color="0.35", linestyle=":", linewidth=1)
    if key is not None:
        axes.axvline(key, color=_KEY, linewidth=2, alpha=0.8, zorder=1)
    half = (frames[-1] - frames[0]) / max(len(frames) - 1, 1) / 2 or 0.5
    axes.set_xlim(frames[0] - half, frames[-1] + half)
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.12)
    axes.set_xticks(frames)
    axes.tick_params(labelsize=points(8))
    axes.set_xlabel("Frame", fontsize=points(9))
    if has_label:
        axes.set_ylabel("Weight", fontsize=points(9))
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
