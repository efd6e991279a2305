"""Training of a network with its head as a task of the training loop.

Suffixes of tensors: B samples of a batch, N samples of a list, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fgbench.config import FinetuneConfig
from fgbench.inputs.batching import Batch, Source
from fgbench.inputs.image_set import class_targets
from fgbench.inputs.resident import Resident
from fgbench.methods._networks.image_roles import open_images
from fgbench.methods._networks.sample_batches import OverMirroredFaces, class_uar, probabilities_in_order
from fgbench.methods.backbone.crop_source import crop_source
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.finetuning.network import Tuned
from fgbench.methods.insightface.task import FaceSet
from fgbench.runs.samples import Sample
from fgbench.training.context import TrainingContext


def open_faces(
    context: TrainingContext, samples: Sequence[Sample], *, crop: str, resident_mb: int
) -> FaceSet:
    """Open samples with their crops, uint8 RGB: stored faces in memory or streamed, others in memory.

    Args:
        context: Context of the run.
        samples: The samples, none twice.
        crop: As of the recipe.
        resident_mb: Memory for stored faces, MiB.

    Raises:
        ManifestError: If a sample has no picture, or the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    ids = [sample.sample_id for sample in samples]
    labels = class_targets([sample.label for sample in samples], context.labels)[0].to(context.device)
    if crop != "stored":
        return FaceSet(sample_ids=ids, labels=labels, inputs=_resident(context, ids, crop=crop))
    faces = open_images(context, samples, resident_mb=resident_mb)
    return FaceSet(sample_ids=ids, labels=labels, inputs=faces.images)


def _resident(context: TrainingContext, ids: Sequence[str], *, crop: str) -> Source:
    crops = torch.empty(0, dtype=torch.uint8)
    source = crop_source(context.manifests, ids, crop=crop, jobs=context.jobs)
    done = 0
    for batch in source.batches(epoch=0, seed=0, batch=64, shuffle=False):
        if not done:
            crops = torch.empty((len(ids), *batch.images.shape[1:]), dtype=torch.uint8)
        crops[batch.index] = batch.images
        done += len(batch)
        context.progress("decode", done, len(ids))
    return Resident(crops.to(context.device))


def class_weights(labels_N: Tensor, n_classes: int) -> Tensor:
    """Return weights (K,) float32 with which classes weigh alike: N / (K x images of the class).

    That of a class without images is 0.

    Args:
        labels_N: Classes of the training images, int64.
        n_classes: K.
    """
    counts_K = torch.bincount(labels_N, minlength=n_classes).double()
    weights_K = len(labels_N) / (n_classes * counts_K.clamp(min=1.0))
    return torch.where(counts_K > 0, weights_K, 0.0).float()


class FinetuneTask(OverMirroredFaces):
    """Training and validation; see :class:`fgbench.training.task.Task`.

    Args:
        model: The network with its head.
        config: Section of the recipe.
        prepared: The network's input.
        train: Samples to train on.
        selection: Samples on which the epoch is chosen, by the mean accuracy of the classes.
        seed: Seed of the order and the mirroring.
    """

    def __init__(
        self,
        model: Tuned,
        config: FinetuneConfig,
        prepared: Prepared,
        *,
        train: FaceSet,
        selection: FaceSet,
        seed: int,
    ) -> None:
        super().__init__(train, config.optimiser, seed, flip=config.flip)
        self.model = model
        self._config, self._prepared = config, prepared
        self._selection = selection
        n_classes = model.head.out_features
        balanced = config.class_weights == "balanced"
        weights = class_weights(train.labels.cpu(), n_classes) if balanced else torch.ones(n_classes)
        self._weights = weights.to(train.labels.device)

    def groups(self) -> list[dict[str, Any]]:
        """The part of the network that trains at the recipe's rate, and the head at its own."""
        network, head = self.model.parts()
        return [{"params": network}, {"params": head, "lr": self._config.head_rate}]

    def loss(self, batch: Batch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross entropy, each sample times the weight of its class."""
        target_B = self._train.labels[batch.index]
        mirrored_B = self._mirrored[batch.index][:, None, None, None]
        crops = torch.where(mirrored_B, batch.images.flip(3), batch.images)
        each_B = functional.cross_entropy(
            self.model(self._prepared.inputs(crops)), target_B, reduction="none"
        )
        return (self._weights[target_B] * each_B).mean(), {}

    def score(self) -> dict[str, float]:
        """Mean accuracy of the classes on the selection samples."""
        probabilities = probabilities_in_order(
            self._selection.inputs,
            lambda images: self.model(self._prepared.inputs(images)),
            batch=self._prepared.batch,
            n_classes=self.model.head.out_features,
        )
        return {"score": class_uar(self._selection.labels.cpu().numpy(), probabilities)}
