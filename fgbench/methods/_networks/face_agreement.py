"""Networks on faces that lie otherwise in their pictures than those that they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.errors import ConfigError
from fgbench.runs.face_origin import (
    FACE_ORIGIN,
    FACES_MARK,
    geometry_keys,
    geometry_words,
    have_other_geometry,
)
from fgbench.runs.weights import Trained
from fgbench.training.context import Place


def refuse_other_faces(trained: Trained, place: Place) -> list[str]:
    """Refuse a work folder whose faces have another geometry than those that were trained on.

    Pictures that are taken as they are have none, and are not refused. Weights that do not tell it, of an
    earlier version, are taken, and the user is told so.

    Returns:
        Notes for the result.

    Raises:
        ConfigError: If they have.
    """
    told, here = _told(trained), place.details.get(FACE_ORIGIN)
    if here is None:
        return []
    if told is None:
        note = f"{trained.name} does not tell how the faces lay in the pictures that it was trained on"
        place.note(note)
        return [f"{FACES_MARK}{note}"]
    if (told["align"] == "never") != (here["align"] == "never"):
        place.note(f"{trained.name} was trained on {_taken(told)}; {place.workdir} has {_taken(here)}")
        return [f"{FACES_MARK}{trained.name} was trained on {_taken(told)}, here they are {_taken(here)}"]
    if have_other_geometry(told, here):
        raise ConfigError(
            f"{trained.name} was trained on faces of {geometry_words(told)}, but {place.workdir} has "
            f"{geometry_words(here)}, expected the same",
            f"prepare it with faces: {{{geometry_keys(told)}}} in the recipe, or train on this work folder",
        )
    return []


def note_other_faces(start: Trained, place: Place) -> list[str]:
    """Tell the user where a network starts from one that saw faces of another geometry; returns notes for the
    result."""
    told, here = _told(start), place.details.get(FACE_ORIGIN)
    if here is None or told is None or not have_other_geometry(told, here):
        return []
    note = (
        f"{start.name}, which is started from, saw faces of {geometry_words(told)}; here they have "
        f"{geometry_words(here)}"
    )
    place.note(note)
    return [f"{FACES_MARK}{note}"]


def _taken(faces: Mapping[str, Any]) -> str:
    return "pictures as they are" if faces["align"] == "never" else "aligned faces"


def _told(trained: Trained) -> Mapping[str, Any] | None:
    told: Mapping[str, Any] | None = trained.metadata.get(FACE_ORIGIN)
    return told


def refuse_mixed_faces(places: Sequence[Place]) -> None:
    """Refuse to take work folders together whose faces have different geometries.

    Raises:
        ConfigError: If they have.
    """
    known = [place for place in places if place.details.get(FACE_ORIGIN) is not None]
    for place in known[1:]:
        first, other = known[0].details[FACE_ORIGIN], place.details[FACE_ORIGIN]
        if have_other_geometry(first, other):
            raise ConfigError(
                f"{known[0].workdir} has faces of {geometry_words(first)}, but {place.workdir} of "
                f"{geometry_words(other)}, expected the same",
                f"prepare the second with faces: {{{geometry_keys(first)}}} in the recipe",
            )
