"""Stage ``lbp``: local binary patterns of every image of the image set, copies included.

Reads ``augment`` and, for the area of the face in its picture, ``faces``; writes one row per image: its id
and the histograms of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from fgbench.config import LbpConfig
from fgbench.errors import ConfigError
from fgbench.faces.layout import layout_of, mean_face_area
from fgbench.media.images import decode
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.records import IMAGE_ROLES, SPLITS, image_id

if TYPE_CHECKING:
    from fgbench.features import lbp

_BATCH = 64
_FACE_COLUMNS = ["clip_id", "frame_index", "role", "status", "landmarks", "transform"]

Faces = dict[str, list[dict[str, Any]]]
"""Rows of aligned faces of the image set, by clip."""


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, LbpConfig)
    clips: set[str] = set()
    faces: Faces = {}
    for row in task.rows("faces", columns=_FACE_COLUMNS):
        clips.add(row["clip_id"])
        if row["role"] in IMAGE_ROLES and row["landmarks"] is not None:
            faces.setdefault(row["clip_id"], []).append(row)
    with_images: set[str] = set()
    for part in SPLITS:
        images = task.rows("augment", part, ["image_id", "parent_id", "clip_id", "image"])
        for clip_id, of_clip in groupby(images, key=lambda row: str(row["clip_id"])):
            with_images.add(clip_id)
            yield Item(clip_id, partial(_clip, clip_id, of_clip, faces.get(clip_id, []), config))
    for clip_id in sorted(clips - with_images):
        yield Item(clip_id, partial(Accepted, clip_id, ()))


def _clip(
    clip_id: str, images: Iterator[dict[str, Any]], faces: list[dict[str, Any]], config: LbpConfig
) -> Accepted:
    by_image = {image_id(clip_id, row["frame_index"]): row for row in faces}
    return Accepted(clip_id, _rows(images, by_image, config))


def radius_of(config: LbpConfig, side_px: float) -> float:
    """Return the radius that a recipe describes, in px of faces of a size.

    Args:
        config: The recipe's section.
        side_px: Side of the square that the grid covers, before it is cut to the picture.
    """
    # Tenths: the precision of a radius in px; whole numbers take pixels themselves beside and above.
    return round(config.radius * side_px, 1)


def grid(face: Mapping[str, Any] | None, config: LbpConfig, size: int) -> tuple[float, lbp.Area | None]:
    """Return radius in px and area of a picture of a face; the whole picture where no face was aligned.

    Args:
        face: ``landmarks``, (68, 2) with NaN for those that a predictor of 5 points lacks or (5, 2), px of
            the frame, and ``transform``, (2, 3), frame to picture; ``None`` where no face was aligned.
        config: The recipe's section.
        size: Side of the picture in px.

    Raises:
        ConfigError: If the area is smaller than the grid.
    """
    if face is None or config.margin is None:
        return radius_of(config, size), None
    points = np.reshape(face["landmarks"], (-1, 2))
    layout = layout_of(
        points[np.isfinite(points[:, 0])], np.reshape(face["transform"], (2, 3)).astype(np.float64), size=size
    )
    area = mean_face_area(layout, size=size, margin=config.margin)
    width, height = area[2] - area[0], area[3] - area[1]
    if width < config.columns or height < config.rows:
        raise ConfigError(
            f"lbp has {config.rows} x {config.columns} cells, and faces are {height} x {width} px of "
            f"pictures of {size} px",
            "take fewer cells, a larger lbp.margin, a larger faces.chip_size or a smaller faces.padding",
        )
    side_px = size * (1 + 2 * config.margin) / (1 + 2 * layout.padding)
    return radius_of(config, min(side_px, size)), area


def _rows(
    images: Iterator[dict[str, Any]], faces: Mapping[str, dict[str, Any]], config: LbpConfig
) -> Iterator[dict[str, Any]]:
    pending: list[dict[str, Any]] = []
    for image in images:
        pending.append(image)
        if len(pending) == _BATCH:
            yield from _described(pending, faces, config)
            pending = []
    if pending:
        yield from _described(pending, faces, config)


def _described(
    images: list[dict[str, Any]], faces: Mapping[str, dict[str, Any]], config: LbpConfig
) -> Iterator[dict[str, Any]]:
    import cv2

    from fgbench.features import lbp

    grey = np.stack([cv2.cvtColor(decode(row["image"]["bytes"]), cv2.COLOR_RGB2GRAY) for row in images])
    layouts = [
        grid(faces.get(row["parent_id"] or row["image_id"]), config, size=grey.shape[1]) for row in images
    ]
    histograms: dict[int, Any] = {}
    for layout in dict.fromkeys(layouts):
        alike = [number for number, one in enumerate(layouts) if one == layout]
        radius_px, area = layout
        described = lbp.lbp_histograms(grey[alike], config, radius_px=radius_px, area=area)
        histograms |= zip(alike, described, strict=True)
    for number, row in enumerate(images):
        yield {"image_id": row["image_id"], "clip_id": row["clip_id"], "lbp": histograms[number].tolist()}


def _width(config: LbpConfig) -> int:
    from fgbench.features import lbp

    return lbp.length(config)


STAGE = Stage(
    name="lbp",
    version=3,
    inputs=("faces", "augment"),
    outputs={ROWS: "lbp"},
    run=_run,
    width=_width,
    enabled=lambda config: bool(config.enabled),
)
