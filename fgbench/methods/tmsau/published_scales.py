"""Scales of the input with which published weights of convolutional networks were trained.

A network that starts from them takes its frames on that scale, not on that of the training set. The paper
does not state a scale.

- GoogLeNet: (x - 1/2) / (1/2) of colours from 0 to 1. torchvision's ``transform_input``, which its weights
  are read with, converts ImageNet's mean and deviation to this.
- VGG16: ImageNet's mean and deviation, as of all other networks of torchvision.
- C3D: grey levels less the mean of Sports-1M, not divided. Ports of C3D have 90, 98 and 102 for blue, green
  and red. The original reads blue first; the tensors of a file do not show their order and are taken as they
  are.
- Optical flow, whose first layer is the mean over the colours: flow keeps its own middle, that of no
  movement, and its own deviation becomes that of ImageNet's pictures on the scale of GoogLeNet. (Temporal
  segment networks divide its bytes as they do colours. That fits flow that fills the bytes; that of faces
  would come out many times too small.)
"""

from __future__ import annotations

from typing import Final

from fgbench.inputs.clip_frames import FrameRows
from fgbench.methods.tmsau.inputs import Scale, fit_flow

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)
_WHITE: Final = 255.0

GOOGLENET: Final = Scale(mean=(_WHITE / 2,) * 3, std=(_WHITE / 2,) * 3)
"""Scale of torchvision's GoogLeNet."""

VGG16: Final = Scale(
    mean=tuple(value * _WHITE for value in _IMAGENET_MEAN),
    std=tuple(value * _WHITE for value in _IMAGENET_STD),
)
"""Scale of torchvision's VGG16, with and without batch normalisation."""

C3D: Final = Scale(mean=(102.0, 98.0, 90.0), std=(1.0, 1.0, 1.0))
"""Scale of C3D on Sports-1M."""

_PICTURES: Final = {"rgb": GOOGLENET, "vgg-lstm": VGG16, "c3d-lstm": C3D}

_FLOW_STD: Final = sum(_IMAGENET_STD) / len(_IMAGENET_STD) * _WHITE / GOOGLENET.std[0]
"""Standard deviation of GoogLeNet's pictures on its scale."""


def published_scale(kind: str, rows: FrameRows) -> Scale:
    """Return the scale of a stream whose network starts from published weights.

    Args:
        kind: ``"rgb"``, ``"flow"``, ``"vgg-lstm"`` or ``"c3d-lstm"``, as recipes name streams.
        rows: Training rows of the stream; used for flow alone.
    """
    if kind != "flow":
        return _PICTURES[kind]
    own = fit_flow(rows)
    return Scale(mean=own.mean, std=tuple(value / _FLOW_STD for value in own.std))
