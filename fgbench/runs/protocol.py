"""Samples that train, select and test; selection on test samples is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from fgbench.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Roles of the samples of one fold, checked on construction.

    Attributes:
        name: Name for tables and messages, e.g. ``"official"`` or ``"subject-10-fold"``.
        fold: Name of the fold.
        train: Ids of the samples that models are fitted to.
        selection: Ids of the samples on which settings, checkpoints and calibration are chosen. They may be
            training samples (then the caller cross-validates); empty where nothing is chosen.
        test: Ids of all samples that are scored; one without prediction counts as wrong.

    Raises:
        ConfigError: If a sample is both in test and in training or selection, or training or test is empty.
    """

    name: str
    fold: str = "0"
    train: frozenset[str]
    selection: frozenset[str]
    test: frozenset[str]

    def __post_init__(self) -> None:
        for role in ("train", "test"):
            if not getattr(self, role):
                raise ConfigError(
                    f"protocol {self.name}, fold {self.fold}: no {role} samples, expected some",
                    "check the recipe's division into parts",
                )
        self._refuse(self.train, "trains on")
        self._refuse(self.selection, "selects on")

    def check_selection(self, sample_ids: Iterable[str]) -> None:
        """Refuse selection on samples outside the selection set; to be called wherever something is chosen.

        Raises:
            ConfigError: If a sample is in test, or in neither selection nor training.
        """
        ids = frozenset(sample_ids)
        self._refuse(ids, "selects on")
        if unknown := ids - self.selection - self.train:
            raise ConfigError(
                f"protocol {self.name} selects on {len(unknown)} samples outside its selection and training "
                f"sets, e.g. {min(unknown)!r}",
                "choose on the selection set of the protocol",
            )

    def _refuse(self, ids: frozenset[str], doing: str) -> None:
        if shared := ids & self.test:
            raise ConfigError(
                f"protocol {self.name}, fold {self.fold} {doing} {len(shared)} test samples, "
                f"e.g. {min(shared)!r}; expected none",
                "scores would be too good: use the validation part, or cross-validation on training samples",
            )


def refuse_shared_parts(
    name: str, *, train: Collection[str], selection: Collection[str], test: Collection[str]
) -> None:
    """Refuse a part that is tested and also trained or chosen on.

    Args:
        name: Name of the protocol, for the message.
        train: Parts to train on.
        selection: Parts to choose on.
        test: Parts to score.

    Raises:
        ConfigError: If a part is both.
    """
    for role, parts in (("train", train), ("selection", selection)):
        if shared := sorted(set(parts) & set(test)):
            raise ConfigError(
                f"protocol {name}: part {shared[0]!r} is both {role} and test, expected different parts",
                "choose settings on the part 'val', or by cross-validation on 'train'",
            )
