"""Rules that choose the label of a clip from its votes, by name (``consensus.rule`` of a recipe).

The module ``<name>.py`` of this package holds the rule ``<name>`` as ``RULE``; there is nothing to register.
A rule has a version of its own, which is part of the fingerprint of the stage ``consensus`` where a recipe
chooses it: a change of one rule leaves results of the others alone. Key frames are settled in the same way
for all (:mod:`fgbench.preparation.voting`).
"""

from __future__ import annotations

import importlib

from fgbench.config import ConsensusConfig
from fgbench.preparation.settling._rule import Choice as Choice
from fgbench.preparation.settling._rule import LatestVotes as LatestVotes
from fgbench.preparation.settling._rule import Rule as Rule


def load(name: str) -> Rule:
    """The rule of a name.

    Args:
        name: Name that :func:`fgbench.config.settling_rules.rule_names` lists.
    """
    rule: Rule = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").RULE
    return rule


def require(name: str) -> None:
    """Do nothing where a rule can be computed.

    Args:
        name: Name of the rule.

    Raises:
        DependencyError: If the rule needs a package that is not installed.
    """
    if load(name).needs_crowd_kit:
        from fgbench.preparation.settling._crowd_kit import require_library

        require_library(name)


def identity(config: ConsensusConfig) -> str:
    """Name and version of the rule that a recipe chooses, for fingerprints.

    Args:
        config: Section ``consensus`` of the recipe.
    """
    return f"{config.rule} {load(config.rule).version}"
