"""InsightFace's network, or its head alone on kept features, as a task of the training loop.

Suffixes of tensors: B samples of a batch, N samples of a list, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fgbench.config import InsightFaceConfig
from fgbench.inputs.batching import Batch, Source
from fgbench.inputs.crops import normalise
from fgbench.inputs.soft_targets import SoftTargets
from fgbench.methods._networks.sample_batches import OverMirroredFaces, class_uar, probabilities_in_order
from fgbench.models.iresnet import FaceHead, IResNetClassifier
from fgbench.training.losses import arcface_logits

GREY = (127.5, 127.5, 127.5)
"""Mean and standard deviation that InsightFace normalises with: (x / 255 - 0.5) / 0.5."""

_TEST_BATCH = 64

See = Callable[[Tensor, Tensor], Tensor]
"""From the source's batch, and which of its rows are mirrored (B,) bool, to the input of the trained part."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSet:
    """N samples.

    Attributes:
        sample_ids: N ids.
        labels: (N,) int64 classes, on the device.
        inputs: Their crops, 3 x 112 x 112 uint8 RGB, or the features of these.
    """

    sample_ids: Sequence[str]
    labels: Tensor
    inputs: Source

    def __len__(self) -> int:
        return len(self.sample_ids)


def see_crops(crops_B3HW: Tensor, mirrored_B: Tensor) -> Tensor:
    """Return crops (B, 3, 112, 112) uint8 RGB as the network's input: mirrored or not, float32 in [-1, 1]."""
    crops = torch.where(mirrored_B[:, None, None, None], crops_B3HW.flip(3), crops_B3HW)
    return normalise(crops, GREY, GREY)


def see_features(kept: Tensor, _mirrored_B: Tensor) -> Tensor:
    """Return kept features as the head's input (B, 512); the source has chosen those of mirrored crops."""
    return kept.flatten(1)


class FaceTask(OverMirroredFaces):
    """Training and validation of a network or its head; see :class:`fgbench.training.task.Task`.

    Args:
        model: The whole network, or its head where the backbone is frozen.
        config: The recipe.
        see: :func:`see_crops` or :func:`see_features`, to match the inputs of the sets.
        train: Samples to train on.
        selection: Samples on which the epoch is chosen, by the mean accuracy of the classes.
        soft: Shares of the votes on the training samples, if the recipe learns from them; its head is then
            ``softmax``.
        seed: Seed of the order and the mirroring.
    """

    def __init__(
        self,
        model: IResNetClassifier | FaceHead,
        config: InsightFaceConfig,
        see: See,
        *,
        train: FaceSet,
        selection: FaceSet,
        soft: SoftTargets | None = None,
        seed: int,
    ) -> None:
        super().__init__(train, config.optimiser, seed, flip=config.flip)
        self.model = model
        self._config = config
        self._see = see
        self._selection = selection
        self._targets = train.labels if soft is None else soft.fine

    def groups(self) -> list[dict[str, Any]]:
        """The backbone at the recipe's rate, and the head at its own."""
        if isinstance(self.model, FaceHead):
            return [{"params": list(self.model.parameters()), "lr": self._config.head_rate}]
        return [
            {"params": list(self.model.backbone.parameters())},
            {"params": list(self.model.head.parameters()), "lr": self._config.head_rate},
        ]

    def loss(self, batch: Batch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy; with the ArcFace head, of cosines with the angular margin."""
        target = self._targets[batch.index]
        features = self._see(batch.images, self._mirrored[batch.index])
        head = self.model
        if isinstance(head, IResNetClassifier):
            features, head = head.backbone(features), head.head
        if head.kind == "arcface":
            logits = arcface_logits(head.cosines(features), target, scale=head.scale, margin=head.margin)
        else:
            logits = head(features)
        return functional.cross_entropy(logits.float(), target), {}

    def score(self) -> dict[str, float]:
        """Mean accuracy of the classes on the selection samples."""
        probabilities = predict_classes(self.model, self._see, self._selection.inputs)
        truth = self._selection.labels.cpu().numpy()
        return {"score": class_uar(truth, probabilities)}


@torch.no_grad()
def predict_classes(model: IResNetClassifier | FaceHead, see: See, inputs: Source) -> npt.NDArray[np.float32]:
    """Probabilities (N, K) of crops that are not mirrored, in the order of the list.

    Args:
        model: In evaluation mode.
        see: :func:`see_crops` or :func:`see_features`.
        inputs: N crops or features.
    """
    head = model.head if isinstance(model, IResNetClassifier) else model

    def logits(images: Tensor) -> Tensor:
        plain = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        result: Tensor = model(see(images, plain))
        return result

    return probabilities_in_order(inputs, logits, batch=_TEST_BATCH, n_classes=head.out_features)
