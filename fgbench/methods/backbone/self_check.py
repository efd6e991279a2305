"""Check of what a frozen network is given, before features are computed; the user reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fgbench.errors import ConfigError, ManifestError
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.taken import Taken

PICTURE = "prepared_face.png"
"""Name of the picture of a prepared face in the folder of a run."""

_MOST = 300.0
"""Largest number of an input that is plausible: grey levels go up to 255."""

_LEAST_RANGE = 0.25
"""Least range from black to white; published networks take 1 and more."""

_LARGEST_SMALL = 20.0
"""Ranges above this are of grey levels, which are not divided."""

_CONSTANT = 1e-5
"""Differences of features of different faces, as parts of the largest, below which they are the same."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """Result of a check of a network's input.

    Attributes:
        lines: Sentences for the user.
        picture: A prepared face as the network sees it, (S, S, 3) uint8: its first channel shown as red.
        n_features: Length of its features.
    """

    lines: Sequence[str]
    picture: npt.NDArray[np.uint8]
    n_features: int


def check_range(taken: Taken, *, name: str) -> None:
    """Refuse a normalisation that no network is trained with.

    Raises:
        ConfigError: If black is above 0, white below 0, or their range is next to nothing or far above grey
            levels.
    """
    black, white = taken.extremes()
    span = white - black
    is_plausible = (
        black <= 1e-6
        and white > 0
        and max(-black, white) <= _MOST
        and span >= _LEAST_RANGE
        and (span <= _LARGEST_SMALL or span >= 200.0)
    )
    if not is_plausible:
        raise ConfigError(
            f"{name} would be given numbers from {black:.4g} (black) to {white:.4g} (white) by "
            f"{taken.words()}; expected about -1 to 1, 0 to 1, -2 to 3, or 0 to 255",
            "state scale, mean and std in one unit (input in the recipe): mean and std in grey levels with "
            "scale 1, or in parts of 1 with scale 0.003921569",
        )


@torch.no_grad()
def check_input(frozen: Frozen, taken: Taken, crops_B3SS: Tensor) -> Checked:
    """Compute features of some faces, and refuse input or features that cannot be right.

    Args:
        frozen: The network.
        taken: Its input.
        crops_B3SS: Crops of different faces, uint8 RGB.

    Raises:
        ConfigError: If the normalisation is absurd, or features do not depend on the face.
        ManifestError: If features are not finite, or the network cannot be computed.
    """
    check_range(taken, name=frozen.name)
    prepared = taken.prepare(crops_B3SS)
    features = frozen.runs.features(prepared)
    if not bool(features.isfinite().all()):
        raise ManifestError(
            f"{frozen.name} gives numbers that are not finite for faces as {taken.words()}",
            "check its input (section input of the recipe), or take another file of it",
        )
    differ = len(crops_B3SS) > 1 and bool((crops_B3SS[1:] != crops_B3SS[:1]).any())
    spread = float((features - features[:1]).abs().max())
    if differ and spread <= _CONSTANT * max(float(features.abs().max()), 1e-12):
        raise ConfigError(
            f"{frozen.name} gives the same features for {len(crops_B3SS)} different faces as {taken.words()}",
            "check its input (section input of the recipe) and its output: --set output=NAME",
        )
    low, high = float(prepared.min()), float(prepared.max())
    lines = [
        f"{frozen.name} takes {tuple(prepared.shape[1:])} float32 from crops {taken.crop!r}: {taken.words()}",
        f"{len(crops_B3SS)} faces were prepared: numbers from {low:.4g} to {high:.4g}, channels in the order "
        f"{taken.colours.upper()}; {features.shape[1]} features of {frozen.reads}; a face as the network "
        f"sees it is {PICTURE} of the run (its first channel is shown as red)",
    ]
    return Checked(
        lines=lines, picture=shown(prepared.flatten(0, -4)[0], taken), n_features=int(features.shape[1])
    )


def shown(prepared_3SS: Tensor, taken: Taken) -> npt.NDArray[np.uint8]:
    """Return a prepared face as a picture (S, S, 3) uint8, its channels in the network's order."""
    mean, std = (torch.tensor(part)[:, None, None] for part in (taken.mean, taken.std))
    levels = (prepared_3SS.cpu() * std + mean) / taken.scale
    picture: npt.NDArray[np.uint8] = levels.round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return picture
