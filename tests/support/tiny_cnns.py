"""Tiny convolutional networks of random values in folders of Hugging Face's layout."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.tiny_backbones import write_processor

SIZES = {
    "resnet": {
        "embedding_size": 8,
        "hidden_sizes": [8, 8, 12, 16],
        "depths": [1, 1, 1, 1],
        "layer_type": "basic",
    },
    "convnext": {"hidden_sizes": [4, 6, 8, 12], "depths": [1, 1, 1, 1]},
    "mobilenet_v2": {"depth_multiplier": 0.1, "min_depth": 4, "expand_ratio": 1.0},
}
"""Sizes by model type."""


def write_cnn(folder, kind="resnet", *, classes=0, seed=0, side=64, **processor):
    """A folder with a network, a classifier with ``classes``; return the network.

    Statistics of its batch normalisations are random, so that training mode is not evaluation mode.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

    torch.manual_seed(seed)
    config = AutoConfig.for_model(kind, **SIZES[kind], **({"num_labels": classes} if classes else {}))
    opener = AutoModelForImageClassification if classes else AutoModel
    model = opener.from_config(config).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(std=0.2)
            layer.running_var.uniform_(0.5, 2.0)
    model.save_pretrained(folder)
    write_processor(folder, side=side, **processor)
    return model
