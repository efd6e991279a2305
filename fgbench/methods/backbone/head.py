"""A fitted classifier on the features of a frozen network: its tensors, and what they compute.

Suffixes: N samples, D features, K classes, S support samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

Decides = Literal["linear", "rbf", "knn"]
Becomes = Literal["softmax", "sigmoid", "shares"]

PREFIX = "head."
"""Beginning of the names of its tensors in weights."""

_ROWS = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """A fitted classifier.

    Attributes:
        scaling: ``"none"``, ``"length"`` or ``"standard"``.
        decides: How decision values are made: of products with weights, of an RBF kernel to support samples,
            or of votes of the nearest.
        becomes: How decision values become probabilities; ``shares``: divided by their sum.
        tensors: ``mean`` and ``scale`` (D) of ``standard``; ``weights`` (D, K) and ``offsets`` (K) of
            ``linear``; ``support`` (S, D), ``weights`` (S, K), ``offsets`` of ``rbf``; ``support`` and
            ``weights`` (S, K), what each neighbour counts for its class, of ``knn``.
        numbers: ``gamma`` of ``rbf``, ``neighbours`` of ``knn``, ``slope`` and ``offset`` of ``sigmoid``.
    """

    scaling: str
    decides: Decides
    becomes: Becomes
    tensors: Mapping[str, Tensor]
    numbers: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Return what is no tensor, as plain values."""
        return {
            "scaling": self.scaling,
            "decides": self.decides,
            "becomes": self.becomes,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def read(cls, plain: Mapping[str, Any], state: Mapping[str, Tensor]) -> Self:
        """Return the head of :meth:`plain` and the tensors of weights."""
        tensors = {
            name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)
        }
        return cls(**plain, tensors=tensors)

    @torch.inference_mode()
    def decisions(self, features_ND: Tensor) -> Tensor:
        """Return decision values (N, K) float32; the largest is that of the class."""
        module = HeadModule(self)
        parts = [module.decide(features_ND[at : at + _ROWS]) for at in range(0, len(features_ND), _ROWS)]
        return torch.cat(parts) if parts else module.decide(features_ND)

    @torch.inference_mode()
    def probabilities(self, features_ND: Tensor) -> Tensor:
        """Return probabilities (N, K) float32."""
        return HeadModule(self).normalised(self.decisions(features_ND))


class HeadModule(nn.Module):
    """A head as a module: features (N, D) float32 to probabilities (N, K).

    Args:
        head: The head.
    """

    def __init__(self, head: Head) -> None:
        super().__init__()
        self._scaling, self._decides, self._becomes = head.scaling, head.decides, head.becomes
        self._numbers = dict(head.numbers)
        for name, value in head.tensors.items():
            self.register_buffer(name, value.float())

    def forward(self, features_ND: Tensor) -> Tensor:
        """Return probabilities (N, K)."""
        return self.normalised(self.decide(features_ND))

    def decide(self, features_ND: Tensor) -> Tensor:
        """Return decision values (N, K)."""
        z_ND = self.scaled(features_ND)
        if self._decides == "linear":
            return z_ND @ self.weights + self.offsets
        distances_NS = (
            (z_ND * z_ND).sum(1, keepdim=True)
            - 2.0 * (z_ND @ self.support.T)
            + (self.support * self.support).sum(1)
        ).clamp(min=0.0)
        if self._decides == "rbf":
            return torch.exp(-self._numbers["gamma"] * distances_NS) @ self.weights + self.offsets
        count = min(int(self._numbers["neighbours"]), self.support.shape[0])
        nearest_NC = torch.topk(distances_NS, count, dim=1, largest=False).indices
        return self.weights[nearest_NC].sum(1)

    def normalised(self, decisions_NK: Tensor) -> Tensor:
        """Return probabilities (N, K) of decision values."""
        if self._becomes == "softmax":
            return decisions_NK.softmax(1)
        if self._becomes == "shares":
            return decisions_NK / decisions_NK.sum(1, keepdim=True).clamp(min=1e-12)
        # As of fgbench.svm.calibration: log of the sigmoid, normalised as a softmax.
        logits_NK = self._numbers["slope"] * decisions_NK + self._numbers["offset"]
        return torch.nn.functional.logsigmoid(logits_NK).softmax(1)

    def scaled(self, features_ND: Tensor) -> Tensor:
        """Return scaled features (N, D)."""
        if self._scaling == "standard":
            return (features_ND - self.mean) * self.scale
        if self._scaling == "length":
            return features_ND / features_ND.norm(dim=1, keepdim=True).clamp(min=1e-12)
        return features_ND
