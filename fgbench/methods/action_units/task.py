"""Detection of action units as a task of the training loop (paper section IV-A, equation 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fgbench.config import TrainAuConfig
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.crops import draw_views, split_views, view_table
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods._networks.sample_batches import OverSamples
from fgbench.methods.action_units.labels import balanced_mask
from fgbench.runs.unit_results import Labels, Probabilities, mean_f1, unit_scores
from fgbench.training.losses import masked_au_loss

_TEST_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledFrames:
    """Faces with labels of action units.

    Attributes:
        sample_ids: N ids.
        clip_ids: Clip of each.
        subject_ids: Subject of each.
        labels: (N, A) int8; 1 present, -1 absent, 0 not labelled.
        images: Their pictures, 3 x 224 x 224 uint8 RGB.
    """

    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    subject_ids: Sequence[str | None]
    labels: Labels
    images: Source


class AuTask(OverSamples):
    """Training and validation of a detector of units; see :class:`fgbench.training.task.Task`.

    Args:
        model: Faces (B, 3, 224, 224) to logits (B, A).
        config: The recipe.
        preprocessing: From pictures to the network's input.
        train: Frames to train on.
        selection: Frames on which the epoch is chosen, by the mean F1.
        seed: Seed of the order, the crops and the masks.
        device: Device of the network.
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainAuConfig,
        preprocessing: Preprocessing,
        *,
        train: LabelledFrames,
        selection: LabelledFrames,
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(train, config.optimiser, seed)
        self.model = model
        self._config = config
        self._preprocessing = preprocessing
        self._train = train
        self._selection = selection
        self._device = device
        self._views = view_table(config.data.crops, flip=config.data.flip)
        self._epoch = -1
        self._choice = self._flip = self._masked = torch.empty(0)

    def groups(self) -> list[dict[str, Any]]:
        """All parameters, at one rate."""
        return [{"params": list(self.model.parameters())}]

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Training frames in the order of an epoch."""
        if epoch != self._epoch:
            masked = balanced_mask(
                self._train.labels, self._config.negatives_per_positive, seed=self._seed, epoch=epoch
            )
            drawn = draw_views(len(masked), len(self._views), seed=self._seed, epoch=epoch)
            self._masked = torch.from_numpy(masked).to(self._device)
            self._choice, self._flip = split_views(self._views, drawn.to(self._device))
            self._epoch = epoch
        return self.shuffled(self._train.images, epoch=epoch, rank=rank, world=world)

    def loss(self, batch: Batch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Masked cross entropy, summed over units."""
        faces = self._preprocessing.view(batch.images, self._choice[batch.index], self._flip[batch.index])
        logits = self.model(faces)
        return masked_au_loss(logits, self._masked[batch.index]), {}

    def score(self) -> dict[str, float]:
        """Mean F1 on the selection frames, and the number of units that it is over."""
        probabilities = unit_probabilities(
            self.model,
            self._preprocessing,
            self._selection.images,
            n_units=len(self._config.action_units),
        )
        scores = unit_scores(self._selection.labels, probabilities, self._config.action_units)
        mean = mean_f1(scores)
        defined = sum(score.f1 is not None for score in scores)
        return {"score": float("nan") if mean is None else mean, "units": float(defined)}


@torch.no_grad()
def unit_probabilities(
    model: nn.Module, preprocessing: Preprocessing, images: Source, *, n_units: int
) -> Probabilities:
    """Probabilities (N, A) float32 of centre crops of faces, in the order of the list.

    Args:
        model: In evaluation mode.
        preprocessing: From faces to its input.
        images: N faces, 3 x 224 x 224 uint8 RGB.
        n_units: Number of units, A.
    """
    parts = [np.empty((0, n_units), np.float32)]
    rows = [np.empty(0, np.int64)]
    for batch in images.batches(epoch=0, seed=0, batch=_TEST_BATCH, shuffle=False):
        parts.append(model(preprocessing.centre(batch.images)).float().sigmoid().cpu().numpy())
        rows.append(batch.index.cpu().numpy())
    ordered: Probabilities = np.concatenate(parts)[np.argsort(np.concatenate(rows))]
    return ordered
