"""Outputs of networks of torch: features of pictures, and classes.

Shapes: B pictures, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TorchRuns:
    """Computes outputs of a network of torch; see :class:`fgbench.methods.backbone.frozen.Runs`.

    Attributes:
        module: From prepared pictures to features.
        classifier: To logits of its own classes, where it has any.
        name: Its name, for messages.
        device: Its device.
        n_classes: Number of its own classes, where it has any.
    """

    module: nn.Module
    classifier: nn.Module | None
    name: str
    device: torch.device
    n_classes: int | None = None

    @torch.no_grad()
    def features(self, prepared_B3SS: Tensor) -> Tensor:
        """Return features (B, D) float32 on the CPU.

        Raises:
            ConfigError: If it does not take pictures of this size.
        """
        with _sizes_explained(self.name, prepared_B3SS):
            features: Tensor = self.module(prepared_B3SS.to(self.device)).cpu()
        return features

    @torch.no_grad()
    def scores(self, prepared_B3SS: Tensor) -> Tensor:
        """Return probabilities (B, K) of its own classes on the CPU.

        Raises:
            ConfigError: If it has none, or does not take pictures of this size.
        """
        if self.classifier is None:
            raise ConfigError(
                f"{self.name} has no classes of its own, expected a classifier, or a network of "
                "pictures and texts",
                "leave --zero-shot out",
            )
        with _sizes_explained(self.name, prepared_B3SS):
            logits: Tensor = self.classifier(prepared_B3SS.to(self.device))
        return logits.float().softmax(1).cpu()


@contextmanager
def _sizes_explained(name: str, prepared: Tensor) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ConfigError(
            f"{name} does not take pictures of {tuple(prepared.shape[1:])}: {first_line(error)}",
            "state the size that it takes: --set input.size_px=224; of a trunk (train msau) --set "
            "network.trunk.input.size_px=224",
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of an error of torch or transformers, or its type."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
