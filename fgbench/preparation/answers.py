"""Answers of annotators: votes for classes, for labels that are no class, and reserved answers.

Reserved answers are ``unsure`` and ``not_usable`` (:func:`fgbench.taxonomy.reserved_answer`): they are cast,
and count for no class. A clip that more than half of its latest round call not usable is rejected, and not
voted on again. Not stated in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.records import Vote
from fgbench.taxonomy import NOT_USABLE, UNSURE

NO_CLASS = ""
"""Label of a vote for an unknown class: it is cast, and counts for none."""

_FOR_NO_CLASS = (NO_CLASS, UNSURE, NOT_USABLE)


def latest(votes: Sequence[Vote]) -> list[Vote]:
    """The votes of the latest round, in their order; none if there are none."""
    rounds = {vote.round for vote in votes}
    if len(rounds) < 2:  # nearly all clips
        return list(votes)
    last = max(rounds)
    return [vote for vote in votes if vote.round == last]


def is_for_class(vote: Vote) -> bool:
    """Whether a vote, with its label as the label set spells it, is for a class."""
    return vote.label not in _FOR_NO_CLASS


def is_class(label: str) -> bool:
    """Whether the label of a vote, as the label set spells it, is a class."""
    return label not in _FOR_NO_CLASS


def is_not_usable(votes: Sequence[Vote]) -> bool:
    """Whether more than half of those who voted in the latest round call the clip not usable."""
    cast = latest(votes)
    return 2 * sum(vote.label == NOT_USABLE for vote in cast) > len(cast)
