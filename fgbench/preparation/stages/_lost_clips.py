"""Class, part and subject of clips that could not be used, as the data set lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fgbench.config import PrepareConfig
from fgbench.preparation.late_votes import late_rounds, without_rounds
from fgbench.preparation.settling import Choice
from fgbench.preparation.settling.paper import RULE as PAPERS_RULE
from fgbench.preparation.stages._votes import spelled
from fgbench.preparation.stages.consensus import rules_of
from fgbench.preparation.voting import duplicate_voter, settle
from fgbench.records import ClipEntry, Vote
from fgbench.taxonomy import UNLABELLED, Ontology, UnknownLabelError


def listed_columns(
    clip_id: str, entry: ClipEntry | None, parts: Mapping[str, str], config: PrepareConfig, labels: Ontology
) -> dict[str, Any]:
    """Columns of a reject from the data set's list; ``None`` where the data set has no value.

    Args:
        clip_id: The clip.
        entry: Entry of the data set; ``None`` if there is none.
        parts: Clip to part, of clips that were divided.
        config: The recipe.
        labels: The label set, with its spelling of the classes.
    """
    official = entry.split if entry is not None and config.split.use_official else None
    return {
        "label": None if entry is None else _label(entry, config, labels),
        "split": parts.get(clip_id, official),
        "subject_id": None if entry is None else entry.subject_id,
        "source_id": None if entry is None else entry.source_id,
        "key_frame": None if entry is None else entry.key_frame,
    }


def _label(entry: ClipEntry, config: PrepareConfig, labels: Ontology) -> str | None:
    """The class, where the data set or the votes settle it."""
    if labels.name == UNLABELLED:
        return None
    label = entry.label
    if entry.votes:
        if duplicate_voter(entry.votes) is not None:
            return None
        rules = rules_of(config.consensus, None)  # the frame rate matters to no label
        votes = spelled(entry.votes, labels)
        choose = partial(_paper_choice, rules.min_votes)
        return settle(without_rounds(votes, late_rounds(votes, rules, choose)), rules).label
    try:
        return None if label is None else labels.find(label)
    except UnknownLabelError:
        return None


def _paper_choice(min_votes: int, cast: Sequence[Vote]) -> Choice:
    assert PAPERS_RULE.choose is not None
    return PAPERS_RULE.choose(cast, min_votes)
