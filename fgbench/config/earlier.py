"""Recipes as earlier versions stored them in work folders, in the words of this version.

A key that is absent had the meaning of its time, not that of today's default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_todays_words(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A stored recipe of ``fgbench prepare`` that means what it meant.

    Args:
        recipe: Plain values, not validated; a recipe of this version stays what it is.
    """
    told = dict(recipe)
    faces, lbp = told.get("faces"), told.get("lbp")
    if isinstance(faces, Mapping) and "smooth" not in faces:
        told["faces"] = {**faces, "smooth": False}
    if isinstance(lbp, Mapping) and "margin" not in lbp:
        told["lbp"] = {**_lbp(lbp, faces), "margin": None}  # the grid covered all of the face's picture
    return told


def _lbp(lbp: Mapping[str, Any], faces: object) -> dict[str, Any]:
    """The radius as a share of the face's side, where it was told in px."""
    kept = {key: value for key, value in lbp.items() if key != "radius_px"}
    radius_px = lbp.get("radius_px")
    size_px = faces.get("chip_size", 224) if isinstance(faces, Mapping) else 224
    if isinstance(radius_px, int | float) and isinstance(size_px, int) and size_px > 0:
        return {**kept, "radius": radius_px / size_px}
    return dict(lbp)
