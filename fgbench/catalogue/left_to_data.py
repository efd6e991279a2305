"""What a recipe leaves to the data: their name, and whom parts and folds keep apart.

Looks at the entries that an adapter lists; opens no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.config import PrepareConfig, recipe_names
from fgbench.errors import DatasetError
from fgbench.naming import shown, tidy
from fgbench.printable import printable_name
from fgbench.records import SPLITS, ClipEntry

KNOWN_PERSONS = "found"
"""``group_by`` of recipes that keep persons apart where the data set tells them."""

_NAMELESS = "clips"


def settled(
    config: PrepareConfig, entries: Sequence[ClipEntry], root: Path
) -> tuple[PrepareConfig, list[str]]:
    """The recipe for a data set, with what it left open decided.

    - ``dataset.name``: where it is empty, the name of the folder.
    - ``split.group_by: found``: stays where persons are told, and are at least as many as the parts; else
      clips are divided one by one. ``audit.apart`` follows; of folds it is what ``protocol.group_by`` says.
    - ``protocol.group_by: found``: persons where all clips tell theirs, else clips. It matters only for folds
      and where training persons are held out.
    - Of a ``k-fold`` protocol all clips go to one part: parts would only decide which clips get copies.

    Args:
        config: The recipe.
        entries: What it takes from the data set.
        root: Folder of the data set.

    Returns:
        The recipe, and what was decided otherwise than it says, one line each, for people.

    Raises:
        DatasetError: If folds are to keep persons apart, and only some clips tell theirs.
    """
    usable = [entry for entry in entries if entry.problem is None]
    split, notes = config.split, []
    if config.protocol.kind == "k-fold":
        parts = {part: getattr(split, part) for part in SPLITS}
        has_official = split.use_official and any(entry.split for entry in usable)
        if has_official or sum(weight > 0 for weight in parts.values()) > 1 or not split.train:
            one = {"train": 1.0, "val": 0.0, "test": 0.0}
            split = split.model_copy(update={**one, "use_official": False, "group_by": "clip_id"})
            notes.append(
                f"parts: none, the protocol has {config.protocol.folds} folds: all clips are in train, and "
                "the folds say which of them are tested"
            )
    if split.group_by == KNOWN_PERSONS:
        group_by, told = _of_parts(config, usable)
        split = split.model_copy(update={"group_by": group_by})
        notes += told
    is_folded, by_protocol = config.protocol.kind == "k-fold", _of_protocol(config, usable)
    apart = by_protocol if is_folded else config.audit.apart
    if apart == KNOWN_PERSONS:
        apart = "subject_id" if split.group_by == KNOWN_PERSONS else "clip_id"
    name = config.dataset.name or name_of(root)
    return config.model_copy(
        update={
            "dataset": config.dataset.model_copy(update={"name": name}),
            "split": split,
            "audit": config.audit.model_copy(update={"apart": apart, "folds": is_folded}),
            "protocol": config.protocol.model_copy(update={"group_by": by_protocol}),
        }
    ), notes


def name_of(root: Path) -> str:
    """Name of a data set after its folder; ``own-<name>`` where a packed recipe's data set is called so."""
    name = printable_name(tidy(shown(root.resolve().name))) or _NAMELESS
    return f"own-{name}" if name.lower().replace("_", "-") in recipe_names() else name


def _of_parts(config: PrepareConfig, usable: Sequence[ClipEntry]) -> tuple[str, list[str]]:
    """By what parts are divided, and a line if persons are told but too few."""
    free = [entry for entry in usable if not (config.split.use_official and entry.split)]
    n_persons = len({entry.subject_id for entry in usable} - {None})
    n_parts = sum(getattr(config.split, part) > 0 for part in SPLITS)
    if not n_persons or not free:
        return "clip_id", []
    if n_persons < n_parts:
        told = (
            f"warning: {n_persons} {'person is' if n_persons == 1 else 'persons are'} too few for {n_parts} "
            "parts: clips are divided one by one, and scores say nothing of persons who were not trained on"
        )
        return "clip_id", [told]
    return KNOWN_PERSONS, []


def _of_protocol(config: PrepareConfig, usable: Sequence[ClipEntry]) -> str:
    protocol = config.protocol
    if protocol.group_by != KNOWN_PERSONS:
        return protocol.group_by
    n_unknown = sum(entry.subject_id is None for entry in usable)
    if n_unknown == len(usable) or (protocol.kind == "parts" and (protocol.selection or n_unknown)):
        return "clip_id"
    if n_unknown:
        raise DatasetError(
            f"{n_unknown} of {len(usable)} clips do not tell their person, and folds keep persons apart",
            "name the subject of every clip, or set protocol: {group_by: clip_id} in the recipe",
        )
    return "subject_id"
