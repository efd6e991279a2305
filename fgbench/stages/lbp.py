"""Stage ``lbp``: local binary patterns of every image of the image set, copies included.

Reads ``augment``; writes one row per image: its id and the histograms of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from fgbench.config import LbpConfig
from fgbench.features import lbp
from fgbench.images import decode
from fgbench.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.records import SPLITS

_BATCH = 64


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, LbpConfig)
    with_images: set[str] = set()
    for part in SPLITS:
        images = task.rows("augment", part, ["image_id", "clip_id", "image"])
        for clip_id, found in groupby(images, key=lambda row: str(row["clip_id"])):
            with_images.add(clip_id)
            yield Item(clip_id, partial(_clip, clip_id, found, config))
    for clip_id in sorted({row["clip_id"] for row in task.rows("faces", columns=["clip_id"])} - with_images):
        yield Item(clip_id, partial(Accepted, clip_id, ()))


def _clip(clip_id: str, images: Iterator[dict[str, Any]], config: LbpConfig) -> Accepted:
    return Accepted(clip_id, _rows(images, config))


def operator(config: LbpConfig, side_px: int) -> lbp.LbpConfig:
    """The operator that a recipe describes, on faces of a size.

    Args:
        config: The recipe's section.
        side_px: Side of the aligned face.
    """
    # Tenths: what a radius in px is written with; whole numbers take pixels themselves beside and above.
    radius_px = round(config.radius * side_px, 1)
    return lbp.LbpConfig(points=config.points, radius_px=radius_px, rows=config.rows, columns=config.columns)


def _rows(images: Iterator[dict[str, Any]], wanted: LbpConfig) -> Iterator[dict[str, Any]]:
    pending: list[dict[str, Any]] = []
    for image in images:
        pending.append(image)
        if len(pending) == _BATCH:
            yield from _described(pending, wanted)
            pending = []
    if pending:
        yield from _described(pending, wanted)


def _described(images: list[dict[str, Any]], wanted: LbpConfig) -> Iterator[dict[str, Any]]:
    import cv2

    grey = np.stack([cv2.cvtColor(decode(row["image"]["bytes"]), cv2.COLOR_RGB2GRAY) for row in images])
    histograms = lbp.lbp_histograms(grey, operator(wanted, grey.shape[1]))
    for row, histogram in zip(images, histograms, strict=True):
        yield {"image_id": row["image_id"], "clip_id": row["clip_id"], "lbp": histogram.tolist()}


STAGE = Stage(
    name="lbp",
    version=2,
    inputs=("faces", "augment"),
    outputs={ROWS: "lbp"},
    run=_run,
    width=lambda config: config.rows * config.columns * lbp.n_labels(config.points),
    enabled=lambda config: bool(config.enabled),
)
