"""Roles of the samples of a work folder, and their predictions.

Models are fitted to the training part; settings, epochs and calibration are chosen on the validation part;
the test part is predicted. Copies are trained on, but neither chosen on nor scored. A method that chooses in
another way may be fitted to the validation part too, in which case the copies of its samples are trained on
as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from fgbench.errors import ManifestError
from fgbench.runs.predictions import Predictions
from fgbench.runs.protocol import Protocol
from fgbench.runs.results import SINGLE_FOLD
from fgbench.runs.samples import Sample

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Samples by role, each in the order of its ids.

    Attributes:
        train: Samples that the model is fitted to, copies included.
        selection: Samples on which settings are chosen and probabilities calibrated.
        predicted: Samples of the test part that can be predicted.
        test: All samples that are scored.
        selection_copies: Augmented copies of those of ``selection``, for models that are fitted to these.
    """

    train: Sequence[Sample]
    selection: Sequence[Sample]
    predicted: Sequence[Sample]
    test: Sequence[Sample]
    selection_copies: Sequence[Sample] = ()

    def with_lost(self, lost: Sequence[Sample]) -> Self:
        """Roles with further test samples that could not be read, which count as wrong without prediction."""
        return replace(self, test=sorted([*self.test, *lost], key=lambda sample: sample.sample_id))


def assign_roles(
    samples: Sequence[Sample],
    *,
    protocol_name: str,
    with_features: Collection[str] | None = None,
    fold: str = SINGLE_FOLD,
) -> Roles:
    """Roles of the samples of a work folder, or of a fold, by their parts.

    Args:
        samples: All samples, with the parts of the fold; see ``RunContext.divide``.
        protocol_name: Name for messages.
        fold: Name of the fold, for messages.
        with_features: Ids of samples that have features; ``None`` if all have.

    Raises:
        ConfigError: If there are no training or test samples.
    """
    usable = [s for s in samples if with_features is None or s.sample_id in with_features]
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

    The class is that of the largest decision value. It is also the most probable one, except where validation
    carries no information and calibration makes all classes equal: the probabilities would then always name
    the first.

    Args:
        roles: The samples.
        decisions: (predicted, C).
        probabilities: (predicted, C).
        labels: C names.

    Raises:
        ManifestError: If a decision value or a probability is not finite: the model is damaged or has failed.
    """
    finite: npt.NDArray[np.bool_] = np.isfinite(decisions + probabilities).all(axis=1)
    if not finite.all():
        bad = [sample.sample_id for sample, good in zip(roles.predicted, finite, strict=True) if not good]
        raise ManifestError(
            f"predictions of {len(bad)} of {len(finite)} samples are not finite, e.g. of {bad[0]!r}",
            "train again with --force; if it stays so, lower optimiser.learning_rate in the recipe",
        )
    row_of = {sample.sample_id: row for row, sample in enumerate(roles.predicted)}
    full = np.full((len(roles.test), len(labels)), np.nan, np.float32)
    predicted: list[str | None] = []
    for row, sample in enumerate(roles.test):
        source = row_of.get(sample.sample_id)
        if source is not None:
            full[row] = probabilities[source]
        predicted.append(None if source is None else labels[int(np.argmax(decisions[source]))])
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
