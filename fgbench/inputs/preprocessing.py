"""Preprocessing of stored faces, the same in training, test and prediction (paper section V-A)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from fgbench.errors import ManifestError
from fgbench.inputs.batching import Source
from fgbench.inputs.crops import enlarge, five_crops, mean_and_std, normalise, without_colour
from fgbench.models.receptive_field import FACE_PX
from fgbench.runs.face_origin import FACE_ORIGIN

_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """Enlarging, cropping and normalisation of faces.

    Attributes:
        resize_px: Side that they are enlarged to before 224 x 224 crops. Not stated in the paper.
        mean: Per channel (red, green, blue), in grey levels, of the training images.
        std: Standard deviation, likewise.
        grey: Whether faces are made grey, as the training faces: outputs for unseen colours are arbitrary.
    """

    resize_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    grey: bool = False

    def centre(self, images_u8: Tensor) -> Tensor:
        """Return normalised centre crops, (B, 3, 224, 224) float32, of RGB images (B, 3, 224, 224) uint8."""
        n = len(images_u8)
        zeros = torch.zeros(n, dtype=torch.int64, device=images_u8.device)
        return self.view(images_u8, zeros, zeros.bool())

    def view(self, images_u8: Tensor, choice_B: Tensor, flip_B: Tensor) -> Tensor:
        """Return normalised crops, see :func:`fgbench.inputs.crops.five_crops`."""
        shown = without_colour(images_u8) if self.grey else images_u8
        crops = five_crops(enlarge(shown, self.resize_px), choice_B, flip_B)
        return normalise(crops, self.mean, self.std)

    def in_face(self, boxes: Tensor) -> Tensor:
        """Convert boxes in px of a centre crop to px of its 224 px face.

        Args:
            boxes: Edges (..., 4): x0, y0, x1, y1.
        """
        margin_px = (self.resize_px - FACE_PX) // 2
        return (boxes + margin_px) * (FACE_PX / self.resize_px)

    def plain(self) -> dict[str, Any]:
        """Return the metadata of weights."""
        values = {"resize_px": self.resize_px, "mean": list(self.mean), "std": list(self.std)}
        return {**values, "grey": True} if self.grey else values

    @classmethod
    def fitted(cls, images: Source, resize_px: int) -> Self:
        """Fit the mean and standard deviation per channel to training images.

        Raises:
            DatasetError: If there are none, or a channel has one value everywhere.
        """
        batches = images.batches(epoch=0, seed=0, batch=_BATCH, shuffle=False)
        mean, std = mean_and_std(batch.images for batch in batches)
        return cls(resize_px=resize_px, mean=mean, std=std)

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any], origin: str) -> Self:
        """Read the metadata of :meth:`plain`.

        Raises:
            ManifestError: If the metadata lack them.
        """
        try:
            return cls(
                resize_px=int(metadata["resize_px"]),
                mean=tuple(metadata["mean"]),
                std=tuple(metadata["std"]),
                grey=bool((metadata.get(FACE_ORIGIN) or {}).get("grey")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ManifestError(
                f"{origin} does not tell how images are prepared for it ({error})",
                "give weights that fgbench wrote",
            ) from error
