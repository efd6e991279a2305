"""Settings that a recipe leaves open for the data: their name, and how parts or folds are grouped.

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

SUBJECTS_IF_KNOWN = "found"
"""``group_by`` of recipes that keep subjects apart where the data set names them."""

_NAMELESS = "clips"


def settled(
    config: PrepareConfig, entries: Sequence[ClipEntry], root: Path
) -> tuple[PrepareConfig, list[str]]:
    """Return the recipe for a data set, with its open settings decided.

    - ``dataset.name``: if empty, the name of the folder.
    - ``split.group_by: found``: kept where subjects are known and at least as many as the parts; else clips
      are divided one by one. ``audit.apart`` follows; for folds it is the value of ``protocol.group_by``.
    - ``protocol.group_by: found``: subjects where all clips name theirs, else clips. It matters only for
      folds and where training subjects are held out.
    - With a ``k-fold`` protocol all clips go to one part: parts would only decide which clips get copies.

    Args:
        config: The recipe.
        entries: Entries that it takes from the data set.
        root: Folder of the data set.

    Returns:
        The recipe, and one line for people for each decision that differs from it.

    Raises:
        DatasetError: If folds are to keep subjects apart, and only some clips name theirs.
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
    if split.group_by == SUBJECTS_IF_KNOWN:
        group_by, warnings = _of_parts(config, usable)
        split = split.model_copy(update={"group_by": group_by})
        notes += warnings
    is_folded, by_protocol = config.protocol.kind == "k-fold", _of_protocol(config, usable)
    apart = by_protocol if is_folded else config.audit.apart
    if apart == SUBJECTS_IF_KNOWN:
        apart = "subject_id" if split.group_by == SUBJECTS_IF_KNOWN else "clip_id"
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
    """Name of a data set after its folder; ``own-<name>`` if a packed recipe has that name."""
    name = printable_name(tidy(shown(root.resolve().name))) or _NAMELESS
    return f"own-{name}" if name.lower().replace("_", "-") in recipe_names() else name


def _of_parts(config: PrepareConfig, usable: Sequence[ClipEntry]) -> tuple[str, list[str]]:
    """Column by which parts are divided, and a warning if there are too few subjects."""
    free = [entry for entry in usable if not (config.split.use_official and entry.split)]
    n_people = len({entry.subject_id for entry in usable} - {None})
    n_parts = sum(getattr(config.split, part) > 0 for part in SPLITS)
    if not n_people or not free:
        return "clip_id", []
    if n_people < n_parts:
        warning = (
            f"warning: {n_people} {'person is' if n_people == 1 else 'persons are'} too few for {n_parts} "
            "parts: clips are divided one by one, and scores say nothing of persons who were not trained on"
        )
        return "clip_id", [warning]
    return SUBJECTS_IF_KNOWN, []


def _of_protocol(config: PrepareConfig, usable: Sequence[ClipEntry]) -> str:
    protocol = config.protocol
    if protocol.group_by != SUBJECTS_IF_KNOWN:
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
