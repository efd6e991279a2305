"""Checks that faces have the geometry that a network was trained on."""

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
from fgbench.training.context import TrainingContext


def refuse_other_faces(trained: Trained, context: TrainingContext) -> list[str]:
    """Refuse a work folder whose faces have another geometry than those that were trained on.

    Pictures taken as they are have no geometry and are not refused. Weights of an earlier version, which do
    not state theirs, are accepted with a note to the user.

    Returns:
        Notes for the result.

    Raises:
        ConfigError: If the geometry differs.
    """
    own, here = _face_origin(trained), context.details.get(FACE_ORIGIN)
    if here is None:
        return []
    if own is None:
        note = f"{trained.name} does not tell how the faces lay in the pictures that it was trained on"
        context.note(note)
        return [f"{FACES_MARK}{note}"]
    if (own["align"] == "never") != (here["align"] == "never"):
        context.note(f"{trained.name} was trained on {_taken(own)}; {context.workdir} has {_taken(here)}")
        return [f"{FACES_MARK}{trained.name} was trained on {_taken(own)}, here they are {_taken(here)}"]
    if have_other_geometry(own, here):
        raise ConfigError(
            f"{trained.name} was trained on faces of {geometry_words(own)}, but {context.workdir} has "
            f"{geometry_words(here)}, expected the same",
            f"prepare it with faces: {{{geometry_keys(own)}}} in the recipe, or train on this work folder",
        )
    return []


def note_other_faces(start: Trained, context: TrainingContext) -> list[str]:
    """Warn of a start from a network that saw faces of another geometry; return notes for the result."""
    trained_on, here = _face_origin(start), context.details.get(FACE_ORIGIN)
    if here is None or trained_on is None or not have_other_geometry(trained_on, here):
        return []
    note = (
        f"{start.name}, which is started from, saw faces of {geometry_words(trained_on)}; here they have "
        f"{geometry_words(here)}"
    )
    context.note(note)
    return [f"{FACES_MARK}{note}"]


def _taken(faces: Mapping[str, Any]) -> str:
    return "pictures as they are" if faces["align"] == "never" else "aligned faces"


def _face_origin(trained: Trained) -> Mapping[str, Any] | None:
    faces: Mapping[str, Any] | None = trained.metadata.get(FACE_ORIGIN)
    return faces


def refuse_mixed_faces(contexts: Sequence[TrainingContext]) -> None:
    """Refuse to combine work folders whose faces have different geometries.

    Raises:
        ConfigError: If the geometries differ.
    """
    aligned = [context for context in contexts if context.details.get(FACE_ORIGIN) is not None]
    for context in aligned[1:]:
        first, other = aligned[0].details[FACE_ORIGIN], context.details[FACE_ORIGIN]
        if have_other_geometry(first, other):
            raise ConfigError(
                f"{aligned[0].workdir} has faces of {geometry_words(first)}, but {context.workdir} of "
                f"{geometry_words(other)}, expected the same",
                f"prepare the second with faces: {{{geometry_keys(first)}}} in the recipe",
            )
