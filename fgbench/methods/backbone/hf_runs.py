"""Outputs of networks of ``transformers``: features of pictures, classes, features of sentences.

Shapes: B pictures, T tokens, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError, ManifestError
from fgbench.methods.backbone.frozen import Frozen

DENSE_POOLER = "pooler.dense"
"""Layers of pretraining on sentences of pixels: missing in most files, and then random."""


class Features(nn.Module):
    """Module from prepared pictures (B, 3, S, S) to features (B, D).

    Args:
        model: Network of transformers.
        pooling: As of the recipe.
        compares: Whether it is one of pictures and texts.
    """

    def __init__(self, model: nn.Module, pooling: str, *, compares: bool) -> None:
        super().__init__()
        self.model = model
        names = [name for name, _ in model.named_parameters()]
        self._pooling, self._compares = pooling, compares
        self._has_class_token = any(name.endswith(("cls_token", "class_embedding")) for name in names)
        self._has_pooler = not any(DENSE_POOLER in name for name in names)

    def forward(self, prepared_B3SS: Tensor) -> Tensor:
        """Return features (B, D) float32."""
        if self._compares:
            found = self.model.get_image_features(pixel_values=prepared_B3SS)
            return _pooled(found).float().flatten(1)
        output = self.model(pixel_values=prepared_B3SS)
        hidden = output.last_hidden_state
        pooler = getattr(output, "pooler_output", None)
        if hidden.ndim == 4:
            return (hidden.mean(dim=(2, 3)) if pooler is None else pooler).float().flatten(1)
        if self._pooling == "mean" or (not self._has_class_token and pooler is None):
            return hidden.mean(dim=1).float()
        if self._pooling == "auto" and pooler is not None and self._has_pooler:
            return pooler.float().flatten(1)
        return (hidden[:, 0] if self._has_class_token else hidden.mean(dim=1)).float()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HfRuns:
    """Computes outputs of a network of transformers; see :class:`fgbench.methods.backbone.frozen.Runs`.

    Attributes:
        module: Its features.
        classifier: The whole network where it has classes.
        folder: Its folder.
        device: Its device.
    """

    module: Features
    classifier: nn.Module | None
    folder: Path
    device: torch.device

    @torch.no_grad()
    def features(self, prepared_B3SS: Tensor) -> Tensor:
        """Return features (B, D) float32 on the CPU.

        Raises:
            ConfigError: If it does not take pictures of this size.
        """
        with _sizes_explained(self.folder.name, prepared_B3SS):
            return self.module(prepared_B3SS.to(self.device)).cpu()

    @torch.no_grad()
    def scores(self, prepared_B3SS: Tensor) -> Tensor:
        """Return probabilities (B, K) of its own classes on the CPU.

        Raises:
            ConfigError: If it has none, or does not take pictures of this size.
        """
        if self.classifier is None:
            raise ConfigError(
                f"{self.folder.name} has no classes of its own, expected a classifier, or a network of "
                "pictures and texts",
                "leave --zero-shot out",
            )
        with _sizes_explained(self.folder.name, prepared_B3SS):
            logits = self.classifier(pixel_values=prepared_B3SS.to(self.device)).logits
        return logits.float().softmax(1).cpu()


def text_features(frozen: Frozen, prompts: Sequence[Sequence[str]]) -> tuple[Tensor, float]:
    """Return features of classes by their prompts, (K, D) float32 of length 1, and the scale of products.

    Features of a class are the mean of those of its prompts, each of length 1.

    Args:
        frozen: A network of pictures and texts.
        prompts: Prompts of each of K classes.

    Raises:
        ManifestError: If the folder lacks a tokenizer.
    """
    from transformers import AutoTokenizer

    assert isinstance(frozen.runs, HfRuns)
    model = frozen.runs.module.model
    try:
        tokenizer = AutoTokenizer.from_pretrained(frozen.path, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise ManifestError(
            f"{frozen.path} has no tokenizer that transformers can read: {first_line(error)}",
            "download tokenizer.json and the files beside it",
        ) from error
    most = getattr(model.config.text_config, "max_position_embeddings", 64)
    features = []
    for texts in prompts:
        tokens = tokenizer(
            list(texts),
            padding="max_length" if "siglip" in model.config.model_type else True,
            truncation=True,
            max_length=most,
            return_tensors="pt",
        )
        kept = {key: value.to(frozen.runs.device) for key, value in tokens.items() if key != "token_type_ids"}
        with torch.no_grad():
            of_texts = _pooled(model.get_text_features(**kept)).float().cpu()
        mean = nn.functional.normalize(of_texts, dim=1).mean(0)
        features.append(nn.functional.normalize(mean, dim=0))
    scale = getattr(model, "logit_scale", None)
    return torch.stack(features), 100.0 if scale is None else float(scale.detach().exp())


def _pooled(found: Any) -> Tensor:
    """Return features where transformers gives them alone or within an output."""
    pooled: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return pooled


@contextmanager
def _sizes_explained(name: str, prepared: Tensor) -> Iterator[None]:
    try:
        yield
    except (ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ConfigError(
            f"{name} does not take pictures of {tuple(prepared.shape[1:])}: {first_line(error)}",
            "state the size that it takes: --set input.size_px=224",
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of an error of transformers, or its type."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
