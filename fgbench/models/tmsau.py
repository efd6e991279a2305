"""TMSAU-Net: a spatial and a temporal stream whose class scores are fused (paper section IV-B, figure 4).

Suffixes of tensors: B clips, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torch import Tensor, nn

from fgbench.errors import ConfigError
from fgbench.models.streams import StreamOutputs

STREAMS: Final = ("spatial", "temporal")
"""Names of the streams."""


class TmsauNet(nn.Module):
    """The streams of TMSAU-Net, either of which can be left out.

    Args:
        spatial: Stream on frames, e.g. :class:`fgbench.models.nan.SpatialStream`.
        temporal: Stream on motion, e.g. :class:`fgbench.models.streams.SnippetStream` on optical flow.

    Raises:
        ConfigError: If there is no stream.
    """

    def __init__(self, spatial: nn.Module | None, temporal: nn.Module | None) -> None:
        super().__init__()
        if spatial is None and temporal is None:
            raise ConfigError(
                "a clip network without streams", "choose a spatial or a temporal stream, or both"
            )
        self.spatial = spatial
        self.temporal = temporal

    def forward(self, inputs: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, StreamOutputs]:
        """Return the outputs of each stream for clips, by its name; :func:`fuse` fuses them.

        Args:
            inputs: Per stream its steps and the bool mask of existing ones. A stream without inputs is
                left out, as for images, which have no motion.

        Raises:
            ValueError: If there are inputs for a stream that the network does not have, or none at all.
        """
        streams = {name: stream for name, stream in self.named_children() if name in STREAMS}
        if not inputs or not streams.keys() >= inputs.keys():
            raise ValueError(
                f"expected inputs for one or more of the streams {', '.join(streams)}, "
                f"got {', '.join(map(repr, inputs)) or 'none'}"
            )
        return {name: stream(*inputs[name]) for name, stream in streams.items() if name in inputs}

    def of_clip(self, inputs: Mapping[str, Tensor]) -> dict[str, StreamOutputs]:
        """Return the outputs of each stream for one clip, by its name, from its steps without padding."""
        streams = dict(self.named_children())
        return {name: streams[name].of_clip(steps) for name, steps in inputs.items()}


def fuse(probabilities: Mapping[str, Tensor], weight: float) -> Tensor:
    """Fuse the probabilities of the streams: w p_spatial + (1 - w) p_temporal (paper section IV-B).

    Args:
        probabilities: (B, K) of each stream, by its name; a single one is returned unchanged.
        weight: w in [0, 1]; 0.5 in the paper. 1 gives the spatial stream alone, 0 the temporal.

    Returns:
        (B, K).

    Raises:
        ValueError: If the weight is out of range, there is no stream or an unknown one, or shapes differ.
    """
    if not 0.0 <= weight <= 1.0:
        raise ValueError(f"the fusion weight is {weight}, expected 0 to 1")
    if not probabilities or not set(STREAMS) >= probabilities.keys():
        raise ValueError(
            f"expected probabilities of one or more of the streams {', '.join(STREAMS)}, "
            f"got {', '.join(map(repr, probabilities)) or 'none'}"
        )
    if len(probabilities) == 1:
        return next(iter(probabilities.values()))
    spatial, temporal = (probabilities[name] for name in STREAMS)
    if spatial.shape != temporal.shape:
        raise ValueError(
            f"the streams' probabilities have shapes {tuple(spatial.shape)} and {tuple(temporal.shape)}, "
            "expected the same"
        )
    return weight * spatial + (1.0 - weight) * temporal
