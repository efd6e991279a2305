"""Tiny networks of torch of random values."""

from __future__ import annotations

import torch
from torch import nn

from fgbench.models.resnet import ResNet


def tiny_resnet(seed=0):
    """A ResNet-18 of a sixteenth of the channels, whose normalisation has seen something."""
    torch.manual_seed(seed)
    model = ResNet(18, width=0.0625).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
    return model
