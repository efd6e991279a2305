"""Inputs of the streams of a clip network: kept features of frames, faces, or optical flow.

Each kind of stream has an input that reads the stored pieces of some clips (:meth:`StreamInput.take`) and
converts them to the network's input (:meth:`StreamInput.see`): mirrored, cropped, normalised.

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
from fgbench.inputs.map_views import KeptMaps

Taken = tuple[Tensor, Tensor]
"""Stored pieces of clips, and a mask (B, T) bool of the pieces that exist, on the device."""

ZERO_CODE = 127.5
"""Byte value of a displacement of 0; see :mod:`fgbench.features.optical_flow`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipViews:
    """Augmentation of the clips of a batch in an epoch.

    Attributes:
        crop: (B,) int64 crop of each, see :func:`fgbench.inputs.crops.five_crops`.
        mirrored: (B,) bool: whether it is mirrored left to right.
        distorted: (B, 12) distortions of its frames, see :func:`fgbench.inputs.distortion.distort`; flow
            is not distorted; ``None`` for none.
    """

    crop: Tensor
    mirrored: Tensor
    distorted: Tensor | None = None

    @classmethod
    def plain(cls, n: int, device: torch.device) -> ClipViews:
        """Return centre crops of ``n`` clips, none mirrored."""
        zeros = torch.zeros(n, dtype=torch.int64, device=device)
        return cls(crop=zeros, mirrored=zeros.bool())


class StreamInput(Protocol):
    """Input of one stream for N clips."""

    def take(self, clips: Ints, *, epoch: int | None, views: ClipViews) -> Taken:
        """Read the stored pieces of clips.

        Args:
            clips: (B,) their indices.
            epoch: Number of the epoch, for drawing pieces; ``None`` takes the test pieces.
            views: Augmentation of all N clips in this epoch, on the CPU.
        """

    def see(self, stored: Tensor, views: ClipViews) -> Tensor:
        """Convert stored pieces to the network's input, float32."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescribedFrames:
    """Features of frames by a frozen image model, for the spatial stream ``attention``.

    All frames of a clip are seen in the clip's view.

    Attributes:
        kept: Features of the frames of all clips, in all views.
        views: Crops that frames are described in, mirrored or not.
        pieces: Frames of each clip.
        most: Most frames of a clip that are taken in training; ``None`` takes all.
        seed: Seed of the drawn frames.
    """

    kept: KeptMaps
    views: Sequence[View]
    pieces: Pieces
    most: int | None
    seed: int

    def take(self, clips: Ints, *, epoch: int | None, views: ClipViews) -> Taken:
        """(B, T, F) float32 and (B, T); see :class:`StreamInput`."""
        counts = self.pieces.counts()
        count = max(1, int(counts[clips].max(initial=1)))
        jitter: Jitter | None = None
        if epoch is not None and self.most is not None and self.most < count:
            count = self.most
            jitter = draw_jitter(len(counts), count, seed=self.seed, name="attention", epoch=epoch)
        rows_BTK, mask = pick(self.pieces, clips, count, jitter)
        features = self.kept.rows(
            torch.from_numpy(rows_BTK[..., 0]), self._views_of(clips, views)[:, None].expand(-1, count)
        )
        mask_BT = torch.from_numpy(mask).to(features.device)
        return features.masked_fill(~mask_BT[..., None], 0.0), mask_BT

    def _views_of(self, clips: Ints, views: ClipViews) -> Tensor:
        """Return the index of the view of each clip, (B,) int64."""
        number = {view: index for index, view in enumerate(self.views)}
        rows = torch.from_numpy(clips)
        seen = zip(views.crop[rows].tolist(), views.mirrored[rows].tolist(), strict=True)
        return torch.tensor([number[view] for view in seen], dtype=torch.int64)

    def see(self, stored: Tensor, views: ClipViews) -> Tensor:
        """Return it unchanged: :meth:`take` chose the view."""
        return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Scale of stored bytes: ``(byte - mean) / std`` per channel.

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
        name: Name of the stream, for drawing pieces.
        kind: Kind of the rows.
        rows: Rows of all clips.
        pieces: Pieces of each clip.
        train_count: Pieces of a clip in training, at random positions of equal parts.
        test_count: Pieces of a clip in test, evenly spread.
        enlarge_to_px: Side that they are enlarged to before crops of their original size are taken.
        scale: Scale of the bytes.
        layout: ``"frames"`` gives (B, T, C, S, S) of single rows; ``"stacks"`` (B, T, K C, S, S), the rows of
            a piece one after the other; ``"windows"`` (B, T, C, K, S, S).
        seed: Seed of the drawn pieces.
        grey: Whether pictures are made grey, as the training pictures; flow has no colour.
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

    def take(self, clips: Ints, *, epoch: int | None, views: ClipViews) -> Taken:
        """(B, T, K, C, S, S) uint8 and (B, T); see :class:`StreamInput`. Missing pieces are 0."""
        counts = self.pieces.counts()
        wanted = self.test_count if epoch is None else self.train_count
        count = max(1, min(wanted, int(counts[clips].max(initial=1))))
        jitter = None
        if epoch is not None:
            jitter = draw_jitter(len(counts), wanted, seed=self.seed, name=self.name, epoch=epoch)[:, :count]
        rows_BTK, mask = pick(self.pieces, clips, count, jitter)
        rows = self.rows.take(rows_BTK[mask].ravel())
        stored = rows.new_zeros((*mask.shape, self.pieces.length, *rows.shape[1:]))
        mask_BT = torch.from_numpy(mask).to(rows.device)
        stored[mask_BT] = rows.unflatten(0, (-1, self.pieces.length))
        return stored, mask_BT

    def see(self, stored: Tensor, views: ClipViews) -> Tensor:
        """See :func:`see_pictures`."""
        return see_pictures(
            stored,
            views,
            self.kind,
            enlarge_to_px=self.enlarge_to_px,
            scale=self.scale,
            layout=self.layout,
            grey=self.grey and self.kind == "rgb",
        )


def see_pictures(
    stored: Tensor,
    views: ClipViews,
    kind: Kind,
    *,
    enlarge_to_px: int,
    scale: Scale,
    layout: str,
    grey: bool = False,
) -> Tensor:
    """Convert pieces (B, T, K, C, S, S) uint8 to a network's input: enlarged, cropped, mirrored, distorted,
    normalised; flow is not distorted, and its horizontal part changes its sign in a mirrored clip.

    Args:
        stored: The pieces.
        views: Augmentation of their clips.
        kind: Kind of their rows.
        enlarge_to_px: As in :class:`PictureInput`.
        scale: Likewise.
        layout: Likewise.
        grey: Whether pictures are made grey.
    """
    sizes = stored.shape
    each = sizes[1] * sizes[2]
    px = sizes[-1]
    pictures = without_colour(stored.flatten(0, 2)) if grey else stored.flatten(0, 2)
    pictures = enlarge(pictures, max(px, enlarge_to_px))
    mirrored = views.mirrored.repeat_interleave(each)
    pictures = five_crops(pictures, views.crop.repeat_interleave(each), mirrored, px)
    if kind == "flow":
        u, v = pictures.unbind(1)
        u = torch.where(mirrored[:, None, None], 2 * ZERO_CODE - u, u)
        pictures = torch.stack((u, v), 1)
    elif views.distorted is not None:
        pictures = distort(pictures, views.distorted.repeat_interleave(each, 0))
    normalised = normalise(pictures, scale.mean, scale.std).unflatten(0, sizes[:3])
    if layout == "windows":
        return normalised.transpose(2, 3)
    return normalised.flatten(2, 3)


def fit_pictures(rows: FrameRows, *, most: int = 2048) -> Scale:
    """Compute mean and standard deviation of each colour, over at most ``most`` evenly spread frames.

    Raises:
        DatasetError: If there are none, or a channel has one value everywhere.
    """
    from fgbench.inputs.crops import mean_and_std

    mean, std = mean_and_std(rows.take(part) for part in _spread(len(rows), most))
    return Scale(mean=mean, std=std)


def fit_flow(rows: FrameRows, *, most: int = 2048) -> Scale:
    """Fit the scale of the flow: root mean square of u and of v about 0, over at most ``most`` fields.

    The mean is the byte of no movement, so that mirroring only changes a sign.
    """
    squares, n = np.zeros(2), 0
    for part in _spread(len(rows), most):
        values = rows.take(part).double() - ZERO_CODE
        squares += values.square().sum((0, 2, 3)).cpu().numpy()
        n += values.numel() // 2
    rms = np.sqrt(squares / max(n, 1))
    # Without any movement the divisor is 1.
    return Scale(mean=(ZERO_CODE,) * 2, std=tuple(float(value) if value > 0 else 1.0 for value in rms))


def _spread(n: int, most: int) -> list[Ints]:
    """Return at most ``most`` evenly spread numbers below ``n``, in parts that fit in memory."""
    count = min(n, most)
    chosen = np.arange(count, dtype=np.int64) * n // max(count, 1)
    return [chosen[start : start + 64] for start in range(0, count, 64)]
