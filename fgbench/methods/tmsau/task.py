"""A clip network as a task of the training loop (paper section IV-B).

Suffixes of tensors: B clips of a batch, S streams, K fine classes, M upper classes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.config import TrainClipConfig
from fgbench.inputs.batching import Slices, epoch_order
from fgbench.inputs.distortion import draw_distortions
from fgbench.inputs.soft_targets import SoftTargets
from fgbench.methods._networks.sample_batches import class_uar
from fgbench.methods.tmsau.data import OpenClips
from fgbench.methods.tmsau.inputs import ClipViews, Taken
from fgbench.models.streams import StreamOutputs
from fgbench.models.tmsau import TmsauNet, fuse
from fgbench.training.losses import softmax_losses
from fgbench.training.randomness import generator

TEST_BATCH = 8
"""Clips that are predicted together."""

_AHEAD = 2
_FIVE = 5
_BACKBONE = ".backbone."  # part of the names of parameters of convolutional networks


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """A batch of clips.

    Attributes:
        index: (B,) int64 their indices, on the CPU.
        stored: By stream: their stored pieces.
    """

    index: Tensor
    stored: Mapping[str, Taken]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatches:
    """The batches of an epoch, fetched while the network computes on earlier ones.

    Attributes:
        clips: The clips.
        slices: Their indices, in batches.
        epoch: Number of the epoch; ``None`` takes the test pieces.
        views: Augmentation of all N clips, on the CPU.
    """

    clips: OpenClips
    slices: Slices
    epoch: int | None
    views: ClipViews

    def __len__(self) -> int:
        return len(self.slices)

    def __iter__(self) -> Iterator[ClipBatch]:
        with ThreadPoolExecutor(1, thread_name_prefix="clips") as reader:
            ahead: deque[Future[ClipBatch]] = deque()
            try:
                for index in self.slices:
                    ahead.append(reader.submit(self._fetch, index))
                    if len(ahead) > _AHEAD:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()

    def _fetch(self, index: Tensor) -> ClipBatch:
        numbers = index.numpy()
        stored = {
            name: stream.take(numbers, epoch=self.epoch, views=self.views)
            for name, stream in self.clips.inputs.items()
        }
        return ClipBatch(index, stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedClips:
    """Predictions of N clips, on the CPU.

    Attributes:
        streams: By stream: (N, K) float32 probabilities.
        basic: By stream: (N, M) float32 probabilities by the outputs for the upper classes; M is 0 without.
        attention: Weights of both blocks of each clip's frames, (2, n) float32 each; empty without attention.
    """

    streams: Mapping[str, npt.NDArray[np.float32]]
    basic: Mapping[str, npt.NDArray[np.float32]]
    attention: Sequence[npt.NDArray[np.float32]]

    def fused(self, weight: float) -> npt.NDArray[np.float32]:
        """Fused (N, K) probabilities of the streams."""
        return _fused(self.streams, weight)

    def fused_basic(self, weight: float) -> npt.NDArray[np.float32]:
        """Fused (N, M) probabilities of the upper classes by the streams."""
        return _fused(self.basic, weight)


class ClipTask:
    """Training and validation of a clip network; see :class:`fgbench.training.task.Task`.

    Args:
        model: The network.
        config: The recipe.
        train: Clips to train on.
        selection: Clips on which the epoch is chosen, by the mean accuracy of the classes.
        soft: Shares of the votes on the training clips, if the recipe learns from them.
        seed: Seed of the order and of all draws.
        device: Device of the network.
    """

    def __init__(
        self,
        model: TmsauNet,
        config: TrainClipConfig,
        *,
        train: OpenClips,
        selection: OpenClips,
        soft: SoftTargets | None = None,
        seed: int,
        device: torch.device,
    ) -> None:
        self.model = model
        self._config = config
        self._train = train
        self._selection = selection
        self._soft = soft
        self._seed = seed
        self._device = device
        self._epoch = -1
        self._crop = self._mirrored = torch.empty(0)
        self._distorted: Tensor | None = None

    def groups(self) -> list[dict[str, Any]]:
        """Backbones at the recipe's rate, all other parameters at the rate of the heads."""
        rate = self._config.optimiser.learning_rate
        backbones = [value for name, value in self.model.named_parameters() if _BACKBONE in name]
        heads = [value for name, value in self.model.named_parameters() if _BACKBONE not in name]
        return [{"params": backbones}, {"params": heads, "lr": rate * self._config.head_factor}]

    def is_sparing(self, epoch: int) -> bool:
        """Return whether the classifiers of the fine classes, which always exist, have no loss."""
        return not self._config.losses.fine

    def batches(self, *, epoch: int, rank: int, world: int) -> ClipBatches:
        """Training clips in the order of an epoch."""
        n, data = len(self._train), self._config.data
        if epoch != self._epoch:
            random = generator(self._seed, "clips", epoch)
            mirrored = torch.rand(n, generator=random) < 0.5
            crop = torch.randint(_FIVE, (n,), generator=random)
            self._mirrored = mirrored & data.flip
            self._crop = crop * (data.crops == "five")
            self._distorted = draw_distortions(n, data.distort, seed=self._seed, epoch=epoch)
            self._epoch = epoch
        order = epoch_order(n, seed=self._seed, epoch=epoch, shuffle=True)
        slices = Slices(order, self._config.optimiser.batch, rank, world)
        return ClipBatches(self._train, slices, epoch, ClipViews(crop=self._crop, mirrored=self._mirrored))

    def rows(self, batch: ClipBatch) -> int:
        """Clips of a batch."""
        return len(batch)

    def loss(self, batch: ClipBatch, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Softmax losses of both levels of classes, of each stream or of their fusion."""
        views = ClipViews(
            crop=self._crop[batch.index].to(self._device, non_blocking=True),
            mirrored=self._mirrored[batch.index].to(self._device, non_blocking=True),
            distorted=(
                None
                if self._distorted is None
                else self._distorted[batch.index].to(self._device, non_blocking=True)
            ),
        )
        outputs = self.model(_seen(self._train, batch, views))
        rows = batch.index.to(self._train.clips.labels.device)
        fine, basic = self._train.clips.labels[rows], self._train.clips.basic[rows]
        soft = None if self._soft is None else self._soft.of(rows)
        return clip_loss(outputs, fine, basic, self._config, soft=soft)

    def ids(self, batch: ClipBatch) -> Sequence[str]:
        """Ids of the clips of a batch."""
        return [self._train.clips.samples[row].sample_id for row in batch.index.tolist()]

    def score(self) -> dict[str, float]:
        """Return the score of the epoch, and the mean class accuracy of the fusion and each stream."""
        predicted = predict_clips(self.model, self._selection)
        truth = self._selection.clips.labels.cpu().numpy()
        fused = predicted.fused(self._config.fusion_weight)
        scores = {"uar": class_uar(truth, fused), "probability": _true_probability(truth, fused)}
        scores["score"] = scores[self._config.choose_by]
        if len(predicted.streams) > 1:
            scores |= {name: class_uar(truth, values) for name, values in predicted.streams.items()}
        return scores


def clip_loss(
    outputs: Mapping[str, StreamOutputs],
    fine_B: Tensor,
    basic_B: Tensor,
    config: TrainClipConfig,
    *,
    soft: SoftTargets | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of a clip network (paper section IV-B: softmax losses with the weights of MSAU-Net).

    Args:
        outputs: Outputs of each stream.
        fine_B: int64 fine classes.
        basic_B: int64 upper classes; ignored if their weight is 0.
        config: The recipe: weights, and whether the losses are of the streams or of their fusion.
        soft: Shares of the votes, in place of the classes; ``None``: the classes.

    Returns:
        The total to minimise, and its parts before weighting, detached.
    """
    targets = (fine_B, basic_B) if soft is None else (soft.fine, soft.basic)
    weighed = {"fine": (config.losses.fine, targets[0]), "basic": (config.losses.basic, targets[1])}
    terms: dict[str, tuple[float, Tensor]] = {}
    for level, (weight, target_B) in weighed.items():
        logits = {
            name: values for name, out in outputs.items() if (values := getattr(out, level)) is not None
        }
        if not weight or not logits:
            continue
        if config.losses.on == "fused" and len(logits) > 1:
            chances = {name: values.float().softmax(1) for name, values in logits.items()}
            fused = fuse(chances, config.fusion_weight)
            # The floor keeps the gradient finite where all streams give another class probability 1.
            logs = fused.clamp_min(1e-12).log()
            loss = (
                -logs.gather(1, target_B[:, None]).mean()
                if soft is None
                else -(target_B * logs).sum(1).mean()
            )
        else:
            loss = softmax_losses(torch.stack(list(logits.values()), 1), target_B)
        terms[level] = weight, loss
    total = torch.stack([weight * loss for weight, loss in terms.values()]).sum()
    return total, {name: loss.detach() for name, (_, loss) in terms.items()}


@torch.no_grad()
def predict_clips(model: TmsauNet, clips: OpenClips) -> PredictedClips:
    """Predict clips as in test, in order; the network has to be in evaluation mode."""
    n = len(clips)
    slices = Slices(epoch_order(n, seed=0, epoch=0, shuffle=False), TEST_BATCH)
    parts: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in clips.inputs}
    basic: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in clips.inputs}
    attention: list[npt.NDArray[np.float32]] = []
    device = clips.clips.labels.device
    for batch in ClipBatches(clips, slices, None, ClipViews.plain(n, torch.device("cpu"))):
        outputs = model(_seen(clips, batch, ClipViews.plain(len(batch), device)))
        for name, of_stream in outputs.items():
            parts[name].append(of_stream.probabilities().cpu().numpy())
            basic[name].append(of_stream.basic_probabilities().cpu().numpy())
            if of_stream.weights is not None:
                weights, mask = of_stream.weights.float().cpu().numpy(), batch.stored[name][1].cpu().numpy()
                attention += [row[:, exists] for row, exists in zip(weights, mask, strict=True)]
    return PredictedClips(
        streams={name: np.concatenate(of_stream) for name, of_stream in parts.items()},
        basic={name: np.concatenate(of_stream) for name, of_stream in basic.items()},
        attention=attention,
    )


def _seen(clips: OpenClips, batch: ClipBatch, views: ClipViews) -> dict[str, Taken]:
    return {
        name: (clips.inputs[name].see(stored, views), mask) for name, (stored, mask) in batch.stored.items()
    }


def _fused(streams: Mapping[str, npt.NDArray[np.float32]], weight: float) -> npt.NDArray[np.float32]:
    fused: npt.NDArray[np.float32] = fuse(
        {name: torch.from_numpy(values) for name, values in streams.items()}, weight
    ).numpy()
    return fused


def _true_probability(truth: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32]) -> float:
    """Return the mean over classes of the mean probability of the true class; NaN without samples."""
    true = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    means = [true[truth == number].mean() for number in np.unique(truth)]
    return float(np.mean(means)) if means else float("nan")
