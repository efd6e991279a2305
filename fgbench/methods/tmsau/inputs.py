"""What the streams of a network of clips take, from kept descriptions of frames, faces, or optical flow.

Each kind of stream has an input that gives, for some clips, what is stored (:meth:`StreamInput.take`) and
turns it into what the network sees (:meth:`StreamInput.see`): mirrored, cropped, normalised.

Suffixes of tensors: B clips of a batch, T pieces of a clip (frames, snippets, windows), K rows of a piece,
C channels, S side in px, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from fgbench.inputs.clip_frames import FrameRows, Kind
from fgbench.inputs.crops import View, enlarge, five_crops, normalise, without_colour
from fgbench.inputs.distortion import distort
from fgbench.inputs.frame_choice import Ints, Jitter, Pieces, draw_jitter, pick
from fgbench.inputs.kept_tensors import KeptMaps

Taken = tuple[Tensor, Tensor]
"""What is stored of the pieces of clips, and which pieces are there (B, T) bool, on the device."""

ZERO_CODE = 127.5
"""Byte that would stand for a displacement of 0; see :mod:`fgbench.features.optical_flow`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """How the clips of a batch are looked at in an epoch.

    Attributes:
        crop: (B,) int64 crop of each, see :func:`fgbench.inputs.crops.five_crops`.
        mirrored: (B,) bool: whether it is mirrored left to right.
        distorted: (B, 12) how its frames are changed, see :func:`fgbench.inputs.distortion.distort`; flow
            is not; ``None`` changes nothing.
    """

    crop: Tensor
    mirrored: Tensor
    distorted: Tensor | None = None

    @classmethod
    def plain(cls, n: int, device: torch.device) -> Looks:
        """Centre crops of ``n`` clips, none mirrored."""
        nought = torch.zeros(n, dtype=torch.int64, device=device)
        return cls(crop=nought, mirrored=nought.bool())


class StreamInput(Protocol):
    """What one stream takes of N clips."""

    def take(self, clips: Ints, *, epoch: int | None, looks: Looks) -> Taken:
        """What is stored of clips.

        Args:
            clips: (B,) their numbers.
            epoch: Number of the epoch, which decides what is drawn; ``None`` takes what is tested on.
            looks: How all N clips are looked at in this epoch, on the CPU.
        """

    def see(self, stored: Tensor, looks: Looks) -> Tensor:
        """What the network takes, float32, of what was stored."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescribedFrames:
    """Descriptions of frames by a frozen image model, for the spatial stream ``attention``.

    All frames of a clip are seen in the clip's view.

    Attributes:
        kept: Of the frames of all clips, in all views.
        views: Crops that frames are described in, mirrored or not.
        pieces: Frames of each clip.
        most: Most frames of a clip that are taken in training; ``None`` takes all.
        seed: Of what is drawn.
    """

    kept: KeptMaps
    views: Sequence[View]
    pieces: Pieces
    most: int | None
    seed: int

    def take(self, clips: Ints, *, epoch: int | None, looks: Looks) -> Taken:
        """(B, T, F) float32 and (B, T); see :class:`StreamInput`."""
        counts = self.pieces.counts()
        count = max(1, int(counts[clips].max(initial=1)))
        jitter: Jitter | None = None
        if epoch is not None and self.most is not None and self.most < count:
            count = self.most
            jitter = draw_jitter(len(counts), count, seed=self.seed, name="attention", epoch=epoch)
        rows_BTK, mask = pick(self.pieces, clips, count, jitter)
        found = self.kept.rows(
            torch.from_numpy(rows_BTK[..., 0]), self._views_of(clips, looks)[:, None].expand(-1, count)
        )
        mask_BT = torch.from_numpy(mask).to(found.device)
        return found.masked_fill(~mask_BT[..., None], 0.0), mask_BT

    def _views_of(self, clips: Ints, looks: Looks) -> Tensor:
        """Number of the view of each clip, (B,) int64."""
        number = {view: place for place, view in enumerate(self.views)}
        at = torch.from_numpy(clips)
        seen = zip(looks.crop[at].tolist(), looks.mirrored[at].tolist(), strict=True)
        return torch.tensor([number[view] for view in seen], dtype=torch.int64)

    def see(self, stored: Tensor, looks: Looks) -> Tensor:
        """As it is: the view was chosen when it was taken."""
        return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How stored bytes become numbers: ``(byte - mean) / std`` per channel.

    Attributes:
        mean: Per channel, in grey levels (of flow: in its bytes).
        std: Likewise.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureInput:
    """Frames or flow, in pieces.

    Attributes:
        name: Of the stream, for what is drawn.
        kind: What the rows are.
        rows: Of all clips.
        pieces: Of each clip.
        train_count: Pieces of a clip in training, at random places of equal parts.
        test_count: Pieces of a clip in test, evenly spread.
        enlarge_to_px: Side that they are enlarged to before crops of their own size are taken.
        scale: From bytes to numbers.
        layout: ``"frames"`` gives (B, T, C, S, S) of single rows; ``"stacks"`` (B, T, K C, S, S), the rows of
            a piece one after the other; ``"windows"`` (B, T, C, K, S, S).
        seed: Of what is drawn.
        grey: Whether pictures are shown without colour, as those that were trained on; flow has none.
    """

    name: str
    kind: Kind
    rows: FrameRows
    pieces: Pieces
    train_count: int
    test_count: int
    enlarge_to_px: int
    scale: Scale
    layout: str
    seed: int
    grey: bool = False

    def take(self, clips: Ints, *, epoch: int | None, looks: Looks) -> Taken:
        """(B, T, K, C, S, S) uint8 and (B, T); see :class:`StreamInput`. What is not there is 0."""
        counts = self.pieces.counts()
        wanted = self.test_count if epoch is None else self.train_count
        count = max(1, min(wanted, int(counts[clips].max(initial=1))))
        jitter = None
        if epoch is not None:
            jitter = draw_jitter(len(counts), wanted, seed=self.seed, name=self.name, epoch=epoch)[:, :count]
        rows_BTK, mask = pick(self.pieces, clips, count, jitter)
        found = self.rows.take(rows_BTK[mask].ravel())
        stored = found.new_zeros((*mask.shape, self.pieces.length, *found.shape[1:]))
        mask_BT = torch.from_numpy(mask).to(found.device)
        stored[mask_BT] = found.unflatten(0, (-1, self.pieces.length))
        return stored, mask_BT

    def see(self, stored: Tensor, looks: Looks) -> Tensor:
        """See :func:`see_pictures`."""
        return see_pictures(
            stored,
            looks,
            self.kind,
            enlarge_to_px=self.enlarge_to_px,
            scale=self.scale,
            layout=self.layout,
            grey=self.grey and self.kind == "rgb",
        )


def see_pictures(
    stored: Tensor,
    looks: Looks,
    kind: Kind,
    *,
    enlarge_to_px: int,
    scale: Scale,
    layout: str,
    grey: bool = False,
) -> Tensor:
    """What a network sees of pieces (B, T, K, C, S, S) uint8: enlarged, cropped, mirrored, distorted,
    normalised; flow is not distorted, and its horizontal part changes its sign in a mirrored clip.

    Args:
        stored: The pieces.
        looks: How their clips are looked at.
        kind: What their rows are.
        enlarge_to_px: As those of :class:`PictureInput`.
        scale: Likewise.
        layout: Likewise.
        grey: Whether pictures are shown without colour.
    """
    sizes = stored.shape
    each = sizes[1] * sizes[2]
    px = sizes[-1]
    pictures = without_colour(stored.flatten(0, 2)) if grey else stored.flatten(0, 2)
    pictures = enlarge(pictures, max(px, enlarge_to_px))
    mirrored = looks.mirrored.repeat_interleave(each)
    pictures = five_crops(pictures, looks.crop.repeat_interleave(each), mirrored, px)
    if kind == "flow":
        u, v = pictures.unbind(1)
        u = torch.where(mirrored[:, None, None], 2 * ZERO_CODE - u, u)
        pictures = torch.stack((u, v), 1)
    elif looks.distorted is not None:
        pictures = distort(pictures, looks.distorted.repeat_interleave(each, 0))
    found = normalise(pictures, scale.mean, scale.std).unflatten(0, sizes[:3])
    if layout == "windows":
        return found.transpose(2, 3)
    return found.flatten(2, 3)


def fit_pictures(rows: FrameRows, *, most: int = 2048) -> Scale:
    """Mean and standard deviation of each colour, over at most so many evenly spread frames.

    Raises:
        DatasetError: If there are none, or a channel has one value everywhere.
    """
    from fgbench.inputs.crops import mean_and_std

    mean, std = mean_and_std(rows.take(part) for part in _spread(len(rows), most))
    return Scale(mean=mean, std=std)


def fit_flow(rows: FrameRows, *, most: int = 2048) -> Scale:
    """Scale of the flow: root mean square of u and of v about no movement, over at most so many fields.

    The mean is that of no movement, so that mirroring changes a sign and nothing else.
    """
    squares, n = np.zeros(2), 0
    for part in _spread(len(rows), most):
        values = rows.take(part).double() - ZERO_CODE
        squares += values.square().sum((0, 2, 3)).cpu().numpy()
        n += values.numel() // 2
    rms = np.sqrt(squares / max(n, 1))
    # All fields still (or none at all) leave nothing to divide by.
    return Scale(mean=(ZERO_CODE,) * 2, std=tuple(float(value) if value > 0 else 1.0 for value in rms))


def _spread(n: int, most: int) -> list[Ints]:
    """At most so many evenly spread numbers below ``n``, in parts that fit in memory."""
    count = min(n, most)
    chosen = np.arange(count, dtype=np.int64) * n // max(count, 1)
    return [chosen[start : start + 64] for start in range(0, count, 64)]
