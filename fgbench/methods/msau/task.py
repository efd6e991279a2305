"""MSAU-Net and its ablations as a task of the training loop (paper section IV-A)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.config import TrainImageConfig
from fgbench.config.training import Frozen
from fgbench.inputs.batching import Batch, Batches, Source
from fgbench.inputs.crops import draw_views, split_views, view_table
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.soft_targets import SoftTargets
from fgbench.methods._networks.sample_batches import OverSamples, class_uar
from fgbench.models.msau import MsauNet
from fgbench.models.zoom import boxes, most_cells, strongest_cells
from fgbench.runs.unit_results import Labels
from fgbench.training.losses import RANK, SOFTMAX, image_loss, margin_met, masked_au_loss, turns_of
from fgbench.training.optimisation import LATER

SHOWN_REGIONS = 3
"""Fewest regions that are kept per test image of a network that zooms (Figure 6), where its map has cells for
as many."""

_TEST_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Predictions of N images, on the CPU.

    Attributes:
        branches: (N, S, K) float32 probabilities by scale.
        basic: (N, M) float32 probabilities by the outputs for the upper classes, the mean over scales; M is
            0 without such outputs.
        boxes: (N, n, 4) float32 regions, strongest first: edges in px of the 224 px face; n is 0 without
            zoom.
        cells: (N, n, 2) int64 rows and columns of the regions' cells.
        strength: (N, n) float32 activations of the cells.
    """

    branches: npt.NDArray[np.float32]
    basic: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    cells: npt.NDArray[np.int64]
    strength: npt.NDArray[np.float32]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """(N, K): the mean over scales."""
        mean: npt.NDArray[np.float32] = self.branches.mean(axis=1)
        return mean


class ImageTask(OverSamples):
    """Training and validation of an image model; see :class:`fgbench.training.task.Task`.

    Args:
        model: The network; parts of its trunk to be frozen at first are frozen already.
        config: The recipe.
        preprocessing: From pictures to the network's input.
        train: Samples to train on.
        selection: Samples on which the epoch is chosen, by the mean accuracy of the classes.
        frozen: Part of the trunk that is frozen at first, or always without ``network.unfreeze_after``.
        maps: Last maps of the training samples, instead of their pictures while the trunk is frozen;
            ``None`` computes them.
        selection_maps: Last maps of the selection samples (N, R, C, h, w), if the trunk is frozen at first.
        units: Labels (N, A) int8 of action units of the training samples (1 present, -1 absent, 0 not
            labelled), if the recipe trains on them too.
        soft: Shares of the votes on the training samples, if the recipe learns from them.
        seed: Seed of the order and the crops.
        device: Device of the network.
    """

    def __init__(
        self,
        model: MsauNet,
        config: TrainImageConfig,
        preprocessing: Preprocessing,
        *,
        train: ImageSet,
        selection: ImageSet,
        maps: Source | None,
        selection_maps: Tensor | None,
        units: Labels | None = None,
        soft: SoftTargets | None = None,
        frozen: Frozen = "none",
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(train, config.optimiser, seed)
        self.model = model
        self._config = config
        self._preprocessing = preprocessing
        self._train = train
        self._selection = selection
        self._maps = maps
        self._selection_maps = selection_maps
        self._frozen = frozen
        self._units = None if units is None else torch.from_numpy(units).to(device)
        self._soft = soft
        self._device = device
        self._views = view_table(config.data.crops, flip=config.data.flip)
        self._epoch = -1
        self._choice = self._flip = torch.empty(0)

    def groups(self) -> list[dict[str, Any]]:
        """All parameters that train, at one rate; then a trunk that has its own rate, or trains later."""
        network = self._config.network
        if network.unfreeze_after is None and network.unfreeze_rate == 1.0:
            return [{"params": [value for value in self.model.parameters() if value.requires_grad]}]
        trunk = list(self.model.trunk.parameters())
        own = {id(value) for value in trunk}
        rate = self._config.optimiser.learning_rate * network.unfreeze_rate
        return [
            {"params": [value for value in self.model.parameters() if id(value) not in own]},
            {"params": trunk, "lr": rate, LATER: network.unfreeze_after is not None},
        ]

    def turns(self) -> list[list[dict[str, Any]]]:
        """Groups of each turn: the ranking loss may leave out the coarse scale (``losses.stop_gradient``)."""
        return [self._groups_of(turn) for turn in turns_of(self._config.losses)]

    def _groups_of(self, turn: str) -> list[dict[str, Any]]:
        if turn != RANK or not self._config.losses.stop_gradient:
            return self.groups()
        kept = {id(value) for value in self.model.scales[0].parameters()}
        return [
            {**group, "params": [value for value in group["params"] if id(value) not in kept]}
            for group in self.groups()
        ]

    def begin(self, epoch: int) -> None:
        """Freeze the part of the trunk that the recipe names, or let it train after its epochs."""
        if self._config.network.unfreeze_after is None:
            return
        thawed = self._has_thawed(epoch)
        self.model.freeze("none" if thawed else self._frozen)
        if thawed:
            self._maps = self._selection_maps = None  # computed by the frozen trunk

    def _has_thawed(self, epoch: int) -> bool:
        after = self._config.network.unfreeze_after
        return after is not None and epoch // len(turns_of(self._config.losses)) >= after

    def is_sparing(self, epoch: int) -> bool:
        """Return whether some classifiers get no gradients: those of the upper classes in a turn of the
        ranking loss, and those of a level without weight in any."""
        losses, turns = self._config.losses, turns_of(self._config.losses)
        turn = turns[epoch % len(turns)]
        trains_fine = (turn != RANK and losses.fine > 0) or (turn != SOFTMAX and losses.rank > 0)
        trains_basic = turn != RANK and losses.basic > 0
        has_basic = any(scale.basic is not None for scale in self.model.scales)
        return not trains_fine or (has_basic and not trains_basic)

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Training samples in the order of an epoch, as pictures or as maps."""
        if epoch != self._epoch:
            drawn = draw_views(len(self._train), len(self._views), seed=self._seed, epoch=epoch)
            self._choice, self._flip = split_views(self._views, drawn.to(self._device))
            self._epoch = epoch
        return self.shuffled(self._maps or self._train.images, epoch=epoch, rank=rank, world=world)

    def loss(self, batch: Batch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Weighted sum of the softmax losses of both levels of classes and the ranking loss; in every step
        also of the multi-label loss over action units, if the recipe weighs it.

        With the ranking loss, ``"margin_met"`` is the share of samples whose ranking loss is 0.
        """
        if self._maps is None:
            choice, flip = self._choice[batch.index], self._flip[batch.index]
            maps = self.model.see(self._preprocessing.view(batch.images, choice, flip)).maps
        else:
            maps = batch.images
        outputs = self.model.classify(maps)
        fine, basic = self._train.labels[batch.index], self._train.basic[batch.index]
        losses = self._config.losses
        soft = None if self._soft is None else self._soft.of(batch.index)
        total, parts = image_loss(outputs, fine, basic, losses, epoch=epoch, soft=soft)
        if losses.rank:
            parts["margin_met"] = margin_met(outputs.fine.softmax(2), fine, margin=losses.margin)
        if outputs.units is not None and self._units is not None:
            units = masked_au_loss(outputs.units, self._units[batch.index])
            total = total + losses.units * units
            parts["units"] = units.detach()
        return total, parts

    def score(self) -> dict[str, float]:
        """Mean accuracy of the classes on the selection samples: of the network, and of each scale alone.

        With the ranking loss also ``"margin_met"``, the share of samples whose ranking loss is 0.
        """
        truth = self._selection.labels.cpu().numpy()
        branches = np.concatenate(list(self._selection_branches()))
        scores = {"score": class_uar(truth, branches.mean(axis=1))}
        for scale in range(branches.shape[1]):
            scores[f"scale{scale + 1}"] = class_uar(truth, branches[:, scale])
        if self._config.losses.rank:
            labels = torch.from_numpy(truth)
            met = margin_met(torch.from_numpy(branches), labels, margin=self._config.losses.margin)
            scores["margin_met"] = float(met)
        return scores

    def _selection_branches(self) -> Iterator[npt.NDArray[np.float32]]:
        if self._selection_maps is None:
            yield predict(self.model, self._preprocessing, self._selection.images).branches
            return
        for maps in self._selection_maps.split(_TEST_BATCH):
            yield self.model.classify(maps.float()).branch_probabilities().cpu().numpy()


@torch.no_grad()
def predict(model: MsauNet, preprocessing: Preprocessing, images: Source) -> Predicted:
    """Predict centre crops, in the order of the list; the network has to be in evaluation mode."""
    parts: list[tuple[npt.NDArray[np.int64], Predicted]] = []
    for batch in images.batches(epoch=0, seed=0, batch=_TEST_BATCH, shuffle=False):
        parts.append((batch.index.cpu().numpy(), look(model, preprocessing, batch.images)))
    order = np.argsort(np.concatenate([index for index, _ in parts]))
    return Predicted(
        **{
            name: np.concatenate([getattr(part, name) for _, part in parts])[order]
            for name in ("branches", "basic", "boxes", "cells", "strength")
        }
    )


@torch.no_grad()
def look(model: MsauNet, preprocessing: Preprocessing, faces_B3HW: Tensor) -> Predicted:
    """Predict centre crops of faces, uint8 RGB (B, 3, 224, 224)."""
    seen = model.see(preprocessing.centre(faces_B3HW))
    outputs = model.classify(seen.maps)
    side, radius = model.trunk.cells, model.config.suppress_radius
    shown = max(SHOWN_REGIONS, model.config.zooms) if model.config.zooms else 0
    n = min(shown, most_cells(side, side, radius=radius))
    cells, strength, regions = seen.cells, seen.strength, seen.boxes
    if n > model.config.zooms:
        cells, strength = strongest_cells(seen.maps[:, 0], n, radius)
        regions = boxes(cells, model.trunk.geometry, model.config.zoom_side_px)
    return Predicted(
        branches=outputs.branch_probabilities().cpu().numpy(),
        basic=outputs.basic_probabilities().cpu().numpy(),
        boxes=preprocessing.in_face(regions.float()).cpu().numpy(),
        cells=cells.cpu().numpy(),
        strength=strength.float().cpu().numpy(),
    )
