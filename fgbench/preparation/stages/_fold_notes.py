"""Points of the folds of a data set that need attention: too few groups, classes that a fold cannot train."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fgbench.config.prepare import ProtocolConfig
from fgbench.naming import counted, first_few
from fgbench.runs.folds import deal

_LEAST = 3
"""Groups of a class that a fold needs: to train, to choose and to test on."""


def fold_notes(
    protocol: ProtocolConfig,
    clips: Sequence[Mapping[str, Any]],
    usable: Collection[str],
    classes: Sequence[str],
) -> list[str]:
    """Return lines on classes that cannot be trained on in some fold, and on too few groups for the folds.

    Args:
        protocol: Protocol of k folds.
        clips: Rows with ``clip_id``, ``subject_id``, ``label``.
        usable: Ids of those with a sample.
        classes: Classes of the data set.
    """
    column = protocol.group_by
    if column not in ("clip_id", "subject_id"):
        return []
    what = "persons" if column == "subject_id" else "clips"
    groups: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip["clip_id"] in usable and clip["label"] is not None:
            groups[clip["label"]].add(clip[column])
    lines = []
    everybody = {clip[column] for clip in clips} - {None}
    if len(everybody) < protocol.folds:
        people = counted(len(everybody), what.removesuffix("s"))
        lines.append(f"{people} for {protocol.folds} folds, expected at least as many")
    rare = [f"{name} ({len(groups[name])})" for name in classes if len(groups[name]) < _LEAST]
    if rare:
        lines.append(
            f"classes of fewer than {_LEAST} {what}, which some fold cannot train, choose and test on: "
            f"{first_few(rare)}"
        )
    if len(everybody) >= protocol.folds and all(clip[column] is not None for clip in clips):
        lines += _untrained(protocol, everybody, {name: groups[name] for name in classes}, what)
    return lines


def _untrained(
    protocol: ProtocolConfig, everybody: set[str], groups: Mapping[str, set[str]], what: str
) -> list[str]:
    """Classes of enough groups that the folds, as they will be dealt, leave without one to train on."""
    if protocol.fold_file is not None or protocol.fold_selection != "next":
        return []
    n_folds = protocol.folds
    fold_of = {group: int(fold) for group, fold in deal(everybody, n_folds).items()}
    lacking = {}
    for name, members in groups.items():
        folds = {fold_of[group] for group in members}
        if len(members) >= _LEAST:
            lacking[name] = [fold for fold in range(1, n_folds + 1) if folds <= {fold, fold % n_folds + 1}]
    faults = [f"{name} (fold {', '.join(map(str, missing))})" for name, missing in lacking.items() if missing]
    if not faults:
        return []
    return [
        f"classes without {what} to train on in a fold, which methods refuse: {first_few(faults)}; "
        "more folds (protocol.folds) leave more to train on"
    ]
