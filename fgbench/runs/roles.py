"""Roles of the samples of a work folder, and their predictions.

Models are fitted to the training part; settings, epochs and calibration are chosen on the validation part;
the test part is predicted. Copies train, but are neither chosen on nor scored. A method that chooses in
another way may fit to the validation part too, in which case the copies of its samples train as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.runs.protocol import Protocol
from fgbench.runs.results import SINGLE_FOLD, Predictions
from fgbench.runs.samples import Sample

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Samples by what they are for, each in the order of its ids.

    Attributes:
        train: Those that the machine is fitted to, copies included.
        selection: Those on which settings are chosen and probabilities calibrated.
        predicted: Those of the test part that can be predicted.
        test: All that are scored.
        selection_copies: Augmented copies of those of ``selection``, for machines that are fitted to these.
    """

    train: Sequence[Sample]
    selection: Sequence[Sample]
    predicted: Sequence[Sample]
    test: Sequence[Sample]
    selection_copies: Sequence[Sample] = ()

    def with_lost(self, lost: Sequence[Sample]) -> Self:
        """The same with test samples that could not be read, which get no prediction and count as wrong."""
        return replace(self, test=sorted([*self.test, *lost], key=lambda sample: sample.sample_id))


def assign_roles(
    samples: Sequence[Sample],
    *,
    protocol_name: str,
    known: Collection[str] | None = None,
    fold: str = SINGLE_FOLD,
) -> Roles:
    """Roles of the samples of a work folder, or of a fold, by their parts.

    Args:
        samples: All of them, with the parts of the fold; see ``RunPlace.divide``.
        protocol_name: For messages.
        fold: Name of the fold, for messages.
        known: Ids of those that have features; ``None`` if all have.

    Raises:
        ConfigError: If there are no training or test samples.
    """
    usable = [s for s in samples if known is None or s.sample_id in known]
    test = [s for s in samples if s.part == "test" and not s.is_copy]
    roles = Roles(
        train=[s for s in usable if s.part == "train"],
        selection=[s for s in usable if s.part == "val" and not s.is_copy],
        predicted=[s for s in usable if s.part == "test" and not s.is_copy],
        test=test,
        selection_copies=[s for s in usable if s.part == "val" and s.is_copy],
    )
    Protocol(
        name=protocol_name,
        fold=fold,
        train=frozenset(s.sample_id for s in roles.train),
        selection=frozenset(s.sample_id for s in (*roles.selection, *roles.selection_copies)),
        test=frozenset(s.sample_id for s in test),
    )
    return roles


def predictions_of(
    roles: Roles, decisions: Matrix, probabilities: Matrix, labels: Sequence[str]
) -> Predictions:
    """Predictions of all test samples; those without features get none.

    The class is that of the largest decision value. It is the most probable one too, but where validation
    told nothing and the calibration makes all classes equal, the probabilities would always name the first.

    Args:
        roles: The samples.
        decisions: (predicted, C).
        probabilities: (predicted, C).
        labels: C names.

    Raises:
        ManifestError: If a decision value or a probability is not finite: a damaged or failed machine.
    """
    finite: npt.NDArray[np.bool_] = np.isfinite(decisions + probabilities).all(axis=1)
    if not finite.all():
        bad = [sample.sample_id for sample, good in zip(roles.predicted, finite, strict=True) if not good]
        raise ManifestError(
            f"predictions of {len(bad)} of {len(finite)} samples are not finite, e.g. of {bad[0]!r}",
            "train again with --force; if it stays so, lower optimiser.learning_rate in the recipe",
        )
    place = {sample.sample_id: row for row, sample in enumerate(roles.predicted)}
    full = np.full((len(roles.test), len(labels)), np.nan, np.float32)
    predicted: list[str | None] = []
    for row, sample in enumerate(roles.test):
        found = place.get(sample.sample_id)
        if found is not None:
            full[row] = probabilities[found]
        predicted.append(None if found is None else labels[int(np.argmax(decisions[found]))])
    return Predictions(
        classes=tuple(labels),
        sample_ids=tuple(s.sample_id for s in roles.test),
        clip_ids=tuple(s.clip_id for s in roles.test),
        subject_ids=tuple(s.subject_id for s in roles.test),
        source_ids=tuple(s.source_id for s in roles.test),
        labels=tuple(s.label for s in roles.test),
        predicted=tuple(predicted),
        probabilities=full,
    )
