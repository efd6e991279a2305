"""Samples that ``lbp-svm`` fits to, or chooses its settings on, with their folds.

``part``: machines are fitted to the training samples and judged by the selection samples. ``inner-cv``: the
groups (subjects, mostly) of both are dealt into folds, each of which judges the machines that are fitted to
the others. Copies are only fitted to; those of a group that is held out are left out with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fgbench.config import LbpSvmConfig
from fgbench.errors import ConfigError
from fgbench.runs.division import Division
from fgbench.runs.folds import deal, group_of
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample
from fgbench.svm.choice import Fold, Rows

INNER_CV = "inner-cv"
"""Choice by cross-validation within the training and selection samples."""

PART = "part"
"""Choice on the selection samples."""

LEAST_GROUPS = 3
"""Fewest groups that are cross-validated over."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Samples for choosing and fitting a machine.

    Attributes:
        pool: Samples that machines may be fitted to or judged by; never test samples.
        folds: Divisions of the pool that settings are chosen by.
        scaled_by: Samples that gammas and landmarks come from.
        final: Samples that the machine which predicts is fitted to.
        n_final: Their number.
        refits: Whether this machine differs from those that settings were chosen by.
        selection: :data:`PART` or :data:`INNER_CV`.
    """

    pool: Sequence[Sample]
    folds: Sequence[Fold]
    scaled_by: Rows
    final: Rows
    n_final: int
    refits: bool
    selection: str

    @property
    def most_fitted(self) -> int:
        """Most samples that a machine is fitted to."""
        return max(self.n_final, *(self._size(fold.fitted) for fold in self.folds))

    @property
    def most_held_out(self) -> int:
        """Most samples that judge a machine."""
        return max(self._size(fold.held_out) for fold in self.folds)

    def _size(self, rows: Rows) -> int:
        return len(range(*rows.indices(len(self.pool)))) if isinstance(rows, slice) else len(rows)


def plan_choice(config: LbpSvmConfig, roles: Roles, division: Division) -> Plan:
    """Plan the choice of a recipe under a protocol.

    Args:
        config: The recipe.
        roles: The samples.
        division: The protocol.

    Raises:
        ConfigError: If there are too few groups to cross-validate over.
        DatasetError: If the group of a clip is not known.
    """
    n, m = len(roles.train), len(roles.selection)
    is_folded = division.n_folds > 0
    if config.selection == "part" or (config.selection == "auto" and not is_folded):
        together = [*roles.train, *roles.selection]
        pool = [*together, *roles.selection_copies] if config.refit else together
        final = slice(0, len(pool) if config.refit else n)
        return Plan(
            pool=pool,
            folds=[Fold(slice(0, n), slice(n, n + m))],
            scaled_by=slice(0, n),
            final=final,
            n_final=final.stop,
            refits=config.refit,
            selection=PART,
        )
    pool = [*roles.train, *roles.selection, *roles.selection_copies]
    everything = slice(0, len(pool))
    return Plan(
        pool=pool,
        folds=inner_folds(pool, division.group_by, config.inner_folds),
        scaled_by=everything,
        final=everything,
        n_final=len(pool),
        refits=True,
        selection=INNER_CV,
    )


def inner_folds(pool: Sequence[Sample], group_by: str, n_folds: int) -> list[Fold]:
    """Divide a pool into folds that keep groups together, dealt as the folds of protocols are.

    Args:
        pool: The samples.
        group_by: Column of the groups.
        n_folds: Number of folds, at least 3; fewer are made of fewer groups.

    Raises:
        ConfigError: If there are fewer than 3 groups.
        DatasetError: If the group of a clip is not known.
    """
    groups = [group_of(sample, group_by) for sample in pool]
    count = min(n_folds, len(set(groups)))
    if count < LEAST_GROUPS:
        raise ConfigError(
            f"{count} training groups by {group_by}, expected at least {LEAST_GROUPS} to cross-validate over",
            "set selection: part in the recipe",
        )
    fold_of = deal(groups, count)
    fold_p = np.array([fold_of[group] for group in groups])
    is_original = np.array([not sample.is_copy for sample in pool])
    folds = []
    for name in sorted(set(fold_of.values()), key=int):
        held_out = np.flatnonzero((fold_p == name) & is_original)
        folds.append(Fold(np.flatnonzero(fold_p != name), held_out))
    return folds
