"""State and history of a training: plain values, without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from fgbench.config import OptimiserConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A finished epoch.

    Attributes:
        epoch: Its number, from 0.
        losses: Mean over the training samples of ``"loss"`` (the total), of its parts, and of
            ``"gradient_norm"`` before clipping.
        score: Measures of the task on the selection samples, ``None`` if not defined; empty after an epoch
            that was not scored.
        learning_rate: Learning rate of the first group of parameters in the last step.
        seconds: Time of its training steps, without that of the score.
        images_per_s: Training samples per second in that time, over all processes.
    """

    epoch: int
    losses: dict[str, float]
    score: dict[str, float | None]
    learning_rate: float
    seconds: float
    images_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A finished training.

    Attributes:
        epochs: Its epochs in order.
        best_epoch: Number of the epoch whose weights were kept.
        best_score: Score of that epoch on the selection samples; ``None`` before the first.
        keep: ``"best"`` if that was the one with the best score, ``"last"`` if it was the last by the recipe.
        turns: Epochs of a round, as the recipe counts them; see :class:`Standing`.
        stopped_early: Whether it stopped before the last epoch of the recipe, without a better score.
    """

    epochs: tuple[Epoch, ...]
    best_epoch: int
    best_score: float | None
    keep: str
    turns: int
    stopped_early: bool

    def plain(self) -> dict[str, Any]:
        """Return the history as JSON values."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Standing:
    """State of a training between two steps; changed by the loop, kept in checkpoints.

    Attributes:
        epoch: Epoch of the next step, from 0.
        step: Number of the next step in it, from 0.
        steps_done: Steps since the start.
        sums: Sums over this epoch's samples, for the means in :attr:`Epoch.losses`.
        rows: Samples of this epoch so far.
        seconds: Training time of this epoch so far.
        best_epoch: Number of the epoch to keep so far, -1 before the first.
        best_score: Its score.
        epochs: Finished epochs.
        turns: Epochs of a round, which the recipe counts: 1, or the number of losses that take turns.
    """

    epoch: int = 0
    step: int = 0
    steps_done: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0
    best_epoch: int = -1
    best_score: float = -math.inf
    epochs: list[Epoch] = field(default_factory=list)
    turns: int = 1

    @property
    def round(self) -> int:
        """Number of the round that :attr:`epoch` belongs to, from 0."""
        return self.epoch // self.turns

    def out_of_patience(self, config: OptimiserConfig) -> bool:
        """Return whether the last ``patience`` rounds brought no better score."""
        return self.epoch - 1 - self.best_epoch >= config.patience * self.turns

    def finished(self, config: OptimiserConfig) -> bool:
        """Return whether no epoch follows."""
        return self.epoch >= config.epochs * self.turns or self.out_of_patience(config)

    def is_scored(self, config: OptimiserConfig) -> bool:
        """Return whether this epoch is scored at its end."""
        number = self.epoch + 1
        is_due = number % (config.score_epochs * self.turns) == 0
        return is_due or number == config.epochs * self.turns

    def add(self, values: Mapping[str, float], rows: int) -> None:
        """Add the means of a step over its ``rows`` samples."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * rows
        self.rows += rows

    def close_epoch(
        self, score: Mapping[str, float], config: OptimiserConfig, *, learning_rate: float
    ) -> Epoch:
        """Convert the sums to a finished epoch and go to the start of the next.

        It becomes the best epoch if ``score["score"]`` is higher than before, or the last one is to be kept;
        not without a score (``score`` is empty).
        """
        ended = Epoch(
            epoch=self.epoch,
            losses={name: value / self.rows for name, value in self.sums.items()},
            score={name: value if math.isfinite(value) else None for name, value in score.items()},
            learning_rate=learning_rate,
            seconds=self.seconds,
            images_per_s=self.rows / max(self.seconds, 1e-9),
        )
        if score and (config.keep == "last" or score["score"] > self.best_score):
            self.best_epoch, self.best_score = self.epoch, score["score"]
        self.epochs.append(ended)
        self.epoch, self.step = self.epoch + 1, 0
        self.sums, self.rows, self.seconds = {}, 0, 0.0
        return ended

    def history(self, config: OptimiserConfig) -> History:
        """Return the history so far."""
        return History(
            epochs=tuple(self.epochs),
            best_epoch=self.best_epoch,
            best_score=self.best_score if math.isfinite(self.best_score) else None,
            keep=config.keep,
            turns=self.turns,
            stopped_early=self.epoch < config.epochs * self.turns and self.out_of_patience(config),
        )

    def plain(self) -> dict[str, Any]:
        """Return plain values, as a checkpoint keeps them."""
        return asdict(self)

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`plain`.

        Raises:
            TypeError: If a key is missing or unknown.
        """
        return cls(**{**values, "epochs": [Epoch(**epoch) for epoch in values["epochs"]]})
