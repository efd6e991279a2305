"""Classification of faces by any module as a task of the training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from fgbench.config import ImageNetworkConfig
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.crops import draw_views, split_views, view_table
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.soft_targets import SoftTargets
from fgbench.methods._networks.sample_batches import OverSamples, class_uar

_TEST_BATCH = 64


class ClassTask(OverSamples):
    """Training and validation of a classifier of faces; see :class:`fgbench.training.task.Task`.

    Args:
        model: Normalised faces (B, 3, 224, 224) to logits (B, K).
        config: The recipe.
        preprocessing: From pictures to the network's input.
        train: Samples to train on.
        selection: Samples on which the epoch is chosen, by the mean accuracy of the classes.
        soft: Shares of the votes on the training samples, if the recipe learns from them.
        seed: Seed of the order and the crops.
        device: Device of the network.
    """

    def __init__(
        self,
        model: nn.Module,
        config: ImageNetworkConfig,
        preprocessing: Preprocessing,
        *,
        train: ImageSet,
        selection: ImageSet,
        soft: SoftTargets | None = None,
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(train, config.optimiser, seed)
        self.model = model
        self._config = config
        self._preprocessing = preprocessing
        self._train = train
        self._selection = selection
        self._targets = train.labels if soft is None else soft.fine
        self._device = device
        self._views = view_table(config.data.crops, flip=config.data.flip)
        self._epoch = -1
        self._choice = self._flip = torch.empty(0)

    def groups(self) -> list[dict[str, Any]]:
        """All parameters that train, at one rate."""
        return [{"params": [value for value in self.model.parameters() if value.requires_grad]}]

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Training samples in the order of an epoch."""
        if epoch != self._epoch:
            drawn = draw_views(len(self._train), len(self._views), seed=self._seed, epoch=epoch)
            self._choice, self._flip = split_views(self._views, drawn.to(self._device))
            self._epoch = epoch
        return self.shuffled(self._train.images, epoch=epoch, rank=rank, world=world)

    def loss(self, batch: Batch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy."""
        faces = self._preprocessing.view(batch.images, self._choice[batch.index], self._flip[batch.index])
        return functional.cross_entropy(self.model(faces).float(), self._targets[batch.index]), {}

    def score(self) -> dict[str, float]:
        """Mean accuracy of the classes on the selection samples."""
        probabilities = predict_faces(self.model, self._preprocessing, self._selection.images)
        truth = self._selection.labels.cpu().numpy()
        return {"score": class_uar(truth, probabilities)}


@torch.no_grad()
def predict_faces(model: nn.Module, preprocessing: Preprocessing, images: Source) -> npt.NDArray[np.float32]:
    """Probabilities (N, K) of centre crops of at least one face, in the order of the list.

    Args:
        model: In evaluation mode.
        preprocessing: From pictures to its input.
        images: N faces, 3 x 224 x 224 uint8 RGB.
    """
    probabilities, rows = [], []
    for batch in images.batches(epoch=0, seed=0, batch=_TEST_BATCH, shuffle=False):
        probabilities.append(model(preprocessing.centre(batch.images)).float().softmax(1).cpu().numpy())
        rows.append(batch.index.cpu().numpy())
    ordered: npt.NDArray[np.float32] = np.concatenate(probabilities)[np.argsort(np.concatenate(rows))]
    return ordered
