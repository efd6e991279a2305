"""Late votes: few votes of a later round, on a clip that an earlier round had settled.

A clip that a round settles is not voted on again (paper section III). Fewer votes of a later round on it than
:attr:`fgbench.preparation.voting.Rules.min_votes` are those of somebody who was late, or took the wrong task:
they count for nothing. As many or more are a vote of their own, which counts in the place of the earlier one.
Not stated in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from fgbench.preparation.answers import is_not_usable
from fgbench.preparation.settling import Choice
from fgbench.preparation.voting import Rules, settle
from fgbench.records import Vote


def late_rounds(
    votes: Sequence[Vote], rules: Rules, choose: Callable[[Sequence[Vote]], Choice]
) -> frozenset[int]:
    """Rounds of a clip whose votes are late.

    Args:
        votes: Votes of all rounds; one per annotator and round.
        rules: When votes agree.
        choose: Returns the choice of the recipe's rule by the votes of one round.
    """
    rounds = {vote.round for vote in votes}
    if len(rounds) < 2:  # nearly all clips
        return frozenset()
    late: set[int] = set()
    before: list[Vote] = []
    for number in sorted(rounds):
        cast = [vote for vote in votes if vote.round == number]
        if before and len(cast) < rules.min_votes and _is_decided(before, rules, choose):
            late.add(number)
        else:
            before = cast
    return frozenset(late)


def _is_decided(cast: Sequence[Vote], rules: Rules, choose: Callable[[Sequence[Vote]], Choice]) -> bool:
    return is_not_usable(cast) or settle(cast, rules, choose(cast)).status == "settled"


def without_rounds(votes: Sequence[Vote], rounds: Collection[int]) -> list[Vote]:
    """Votes of other rounds than these, in their order."""
    return [vote for vote in votes if vote.round not in rounds]


def may_be_late(votes: Sequence[Vote], rules: Rules) -> bool:
    """Whether a later round of a clip has so few votes that they are late if an earlier one settled it."""
    rounds = [vote.round for vote in votes]
    return any(rounds.count(number) < rules.min_votes for number in {*rounds} - {min(rounds, default=0)})


def late_in(table: Any) -> dict[str, int]:
    """Clip to its number of late votes, of the clips that have any.

    Args:
        table: Columns ``clip_id`` and ``settled`` of ``votes.parquet`` (a table of pyarrow): late votes have
            no settled label there, and the others on their clip have one.
    """
    import pyarrow.compute as pc

    is_settled = pc.is_valid(table["settled"])
    on_settled = pc.is_in(table["clip_id"], pc.unique(table["clip_id"].filter(is_settled)))
    late = table["clip_id"].filter(pc.and_(on_settled, pc.invert(is_settled)))
    return {one["values"]: one["counts"] for one in late.value_counts().to_pylist()}
