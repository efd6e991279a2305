"""Pictures that a frozen network takes: size, order of colours and normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fgbench.config import BackboneInputConfig
from fgbench.errors import ConfigError

_NEEDED = ("size_px", "colours", "scale", "mean", "std")
_WHITE = 255.0
_STATED_BY_RECIPES = (
    "take a recipe that states it: --recipe backbone-arcface (InsightFace and others) or backbone-imagenet; "
    "or state it: --set input.colours=rgb --set input.scale=0.003921569 and so on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Input of a network: ``(level * scale - mean) / std`` of crops of ``size_px``.

    Attributes:
        crop: Crop of the face, as of :class:`fgbench.config.BackboneInputConfig`.
        size_px: Side of the input.
        interpolation: How crops of another side are resized.
        colours: Order of the channels.
        scale: Factor of the grey levels.
        mean: Of each channel, in the order of ``colours``.
        std: Of each channel.
    """

    crop: str
    size_px: int
    interpolation: Literal["bilinear", "bicubic"]
    colours: Literal["rgb", "bgr"]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def plain(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self)
        return {**values, "mean": list(self.mean), "std": list(self.std)}

    def prepare(self, crops_B3SS: Tensor) -> Tensor:
        """Return the input of a network, float32 (..., 3, size, size), channels in its own order.

        Args:
            crops_B3SS: RGB, 0 to 255, (..., 3, S, S).
        """
        levels = self.levels(crops_B3SS)
        factor, shift = self.normalisation()
        return levels * factor.to(levels.device) + shift.to(levels.device)

    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Return the factor and the shift of levels 0 to 255, each float32 (channels, 1, 1)."""
        mean, std = (
            torch.tensor(part, dtype=torch.float64, device="cpu")[:, None, None]
            for part in (self.mean, self.std)
        )
        return (self.scale / std).float(), (-mean / std).float()

    def levels(self, crops_B3SS: Tensor) -> Tensor:
        """Return resized crops in the order of colours, float32 (..., 3, size, size), 0 to 255."""
        if crops_B3SS.ndim > 4:
            flat = self.levels(crops_B3SS.flatten(0, -4))
            return flat.reshape(*crops_B3SS.shape[:-3], *flat.shape[1:])
        levels = crops_B3SS.float()
        if levels.shape[-1] != self.size_px:
            side = (self.size_px, self.size_px)
            levels = functional.interpolate(
                levels, side, mode=self.interpolation, align_corners=False, antialias=True
            ).clamp(0.0, _WHITE)
        if self.colours == "bgr":
            levels = levels.flip(1)
        return levels

    def extremes(self) -> tuple[float, float]:
        """Return the smallest number that black becomes, and the largest of white."""
        pairs = list(zip(self.mean, self.std, strict=True))
        return min(-mean / std for mean, std in pairs), max(
            (_WHITE * self.scale - mean) / std for mean, std in pairs
        )

    def words(self) -> str:
        """Return the input in words."""
        return (
            f"{self.size_px} x {self.size_px}, colours {self.colours.upper()}, "
            f"(level x {self.scale:.6g} - {_numbers(self.mean)}) / {_numbers(self.std)}"
        )


class Preparation(nn.Module):
    """:meth:`Taken.prepare` as a module whose numbers are buffers, as graphs and devices want them.

    Args:
        taken: The input.
    """

    def __init__(self, taken: Taken) -> None:
        super().__init__()
        self._taken = taken
        factor, shift = taken.normalisation()
        self.register_buffer("factor", factor, persistent=False)
        self.register_buffer("shift", shift, persistent=False)

    def forward(self, crops_B3SS: Tensor) -> Tensor:
        """Return the input of a network, float32 (..., 3, size, size), of crops, RGB, 0 to 255."""
        return self._taken.levels(crops_B3SS) * self.factor + self.shift


def taken_of(
    config: BackboneInputConfig, stated: Mapping[str, Any], *, name: str, section: str = "input"
) -> Taken:
    """Return the input of a network from the recipe and, where that says nothing, the network's files.

    Args:
        config: Section of the recipe.
        stated: What the network's own files state, by keys of the section.
        name: Name of the network, for messages.
        section: Place of the section in the recipe, for messages.

    Raises:
        ConfigError: If neither states something, or the recipe states another size than the network is for.
    """
    own = {key: value for key, value in config.model_dump().items() if value is not None}
    fixed = stated.get("fixed_px")
    if fixed is not None and own.get("size_px", fixed) != fixed:
        raise ConfigError(
            f"{section}.size_px is {own['size_px']}, but {name} takes pictures of {fixed} x {fixed} px alone",
            "leave size_px out",
        )
    given = {"interpolation": "bilinear", **{k: v for k, v in stated.items() if v is not None}, **own}
    if fixed is not None:
        given["size_px"] = fixed
    if missing := [key for key in _NEEDED if key not in given]:
        raise ConfigError(
            f"{name} does not tell its input ({', '.join(missing)}), expected it in its files or the recipe",
            _STATED_BY_RECIPES if section == "input" else _imagenet_in(section),
        )
    return Taken(
        crop=config.crop,
        size_px=int(given["size_px"]),
        interpolation=given["interpolation"],
        colours=given["colours"],
        scale=float(given["scale"]),
        mean=_three(given["mean"]),
        std=_three(given["std"]),
    )


def _imagenet_in(section: str) -> str:
    """Return advice on a section that no packed recipe states."""
    numbers = {"scale": "0.003921569", "mean": "[0.485,0.456,0.406]", "std": "[0.229,0.224,0.225]"}
    changes = " ".join(f"--set {section}.{key}={value}" for key, value in numbers.items())
    return f"state it, of networks of ImageNet: {changes}"


def read_taken(values: Mapping[str, Any]) -> Taken:
    """Return the input that :meth:`Taken.plain` describes."""
    return Taken(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def _three(values: Sequence[float]) -> tuple[float, ...]:
    numbers = tuple(map(float, values))
    return numbers * 3 if len(numbers) == 1 else numbers


def _numbers(values: Sequence[float]) -> str:
    shown = [f"{value:.6g}" for value in values]
    return shown[0] if len({*shown}) == 1 else f"({', '.join(shown)})"
