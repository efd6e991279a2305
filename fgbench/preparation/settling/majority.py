"""Rule ``majority``: the label with most votes, if no other has as many (not stated in the paper).

It asks for no number of votes: one vote settles the label of a clip that has no other. The plain baseline of
the literature on crowdsourced labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fgbench.preparation.answers import is_for_class
from fgbench.preparation.settling._rule import Choice, Rule
from fgbench.records import Vote


def _choose(cast: Sequence[Vote], min_votes: int) -> Choice:
    tally = Counter(vote.label for vote in cast if is_for_class(vote))
    count = max(tally.values(), default=0)
    best = sorted(label for label, n_votes in tally.items() if n_votes == count)
    if len(best) == 1:
        return Choice(best[0])
    if not best:
        return Choice(None, f"none of {len(cast)} votes is for a class")
    return Choice(None, f"a tie of {', '.join(best)}, {count} of {len(cast)} votes each")


RULE = Rule(version=1, about="with more votes than any other", choose=_choose)
