"""Most votes that a model is fitted to."""

from __future__ import annotations

from fgbench.errors import ConfigError
from fgbench.naming import counted
from fgbench.preparation.settling._rule import LatestVotes


def check_size(rule: str, votes: LatestVotes, largest: int) -> None:
    """Do nothing where a model can be fitted within its time and memory.

    Args:
        rule: Name of the rule.
        votes: The votes.
        largest: Most votes times labels.

    Raises:
        ConfigError: If there are more.
    """
    n_votes, n_labels = len(votes.clip), len(votes.labels)
    if n_votes * n_labels > largest:
        raise ConfigError(
            f"consensus.rule {rule} is fitted to at most {largest:,} votes times labels, here are "
            f"{counted(n_votes, 'vote')} of {counted(votes.n_annotators, 'annotator')} for "
            f"{counted(n_labels, 'label')}",
            "choose paper or majority, which take any number"
            + ("" if rule == "dawid-skene" else ", or dawid-skene, which takes more than others"),
        )
