"""Convert recipes that earlier versions stored in work folders to this version.

An absent key had the default of its time, not today's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_current_form(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a stored recipe of ``fgbench prepare`` so that it keeps its meaning.

    Args:
        recipe: Plain values, not validated; a recipe of this version is unchanged.
    """
    updated = dict(recipe)
    faces, lbp = updated.get("faces"), updated.get("lbp")
    if isinstance(faces, Mapping) and "smooth" not in faces:
        updated["faces"] = {**faces, "smooth": False}
    if isinstance(lbp, Mapping) and "margin" not in lbp:
        updated["lbp"] = {**_lbp(lbp, faces), "margin": None}  # the grid covered all of the face's picture
    return updated


def _lbp(lbp: Mapping[str, Any], faces: object) -> dict[str, Any]:
    """The radius as a share of the face's side, if it was given in px."""
    kept = {key: value for key, value in lbp.items() if key != "radius_px"}
    radius_px = lbp.get("radius_px")
    size_px = faces.get("chip_size", 224) if isinstance(faces, Mapping) else 224
    if isinstance(radius_px, int | float) and isinstance(size_px, int) and size_px > 0:
        return {**kept, "radius": radius_px / size_px}
    return dict(lbp)
