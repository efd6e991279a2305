"""Networks of ``transformers`` as modules: features of pictures, classes, features of sentences.

Shapes: B pictures, T tokens, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fgbench.errors import ManifestError
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.torch_runs import TorchRuns, first_line

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


class Logits(nn.Module):
    """Module from prepared pictures (B, 3, S, S) to logits (B, K) of a classifier of transformers.

    Args:
        classifier: The classifier.
    """

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, prepared_B3SS: Tensor) -> Tensor:
        """Return logits (B, K) float32."""
        logits: Tensor = self.classifier(pixel_values=prepared_B3SS).logits.float()
        return logits


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

    assert isinstance(frozen.runs, TorchRuns)
    assert isinstance(frozen.runs.module, Features)
    model: Any = frozen.runs.module.model
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
