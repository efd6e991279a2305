"""A frozen network with its classifier of clips as one ONNX file: the pieces of a clip in, classes out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fgbench.config.video_backbones import PiecesConfig
from fgbench.inputs.manifest_pictures import FACE_PX
from fgbench.methods.backbone.exported import parts_of
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.protocol import Floats
from fgbench.methods.protocol.graph import FACES, Graph, Pictures, origin_of
from fgbench.methods.video_backbone.classifiers import ClipClassifier
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained

WINDOWS = "windows"
"""Name of the input of networks of videos."""


def clip_graph(
    network: Prepared,
    pieces: PiecesConfig,
    classifier: ClipClassifier,
    labels: LabelSet,
    trained: Trained,
    *,
    window: int,
) -> Graph:
    """Return the graph for one clip.

    Input, uint8 RGB: ``faces`` (n, 3, 224, 224), frames of the clip, aligned; of a network of videos
    ``windows`` (n, frames, 3, 224, 224). n is free. Outputs: ``probabilities`` (1, K),
    ``basic_probabilities`` (1, M): sums over the classes, ``spatial_probabilities`` (1, K), the same as the
    first; with attention its weights, ``attention`` (1, 2, n).

    Args:
        network: The network, with its input.
        pieces: Pieces of a clip.
        classifier: Its classifier.
        labels: Its classes.
        trained: Weights of the run.
        window: Frames that the network takes at once; 0: a network of pictures.

    Raises:
        ConfigError: If an ONNX file takes a fixed number of pictures.
    """
    shape = (3, FACE_PX, FACE_PX)
    name, row = (WINDOWS, (window, *shape)) if window else (FACES, shape)
    after = _After(classifier.module(), labels)
    module, core = parts_of(network, after, shape=row, name=trained.name)

    @torch.no_grad()
    def predict(pictures: Pictures) -> Sequence[Floats]:
        features = [
            network.frozen.runs.features(network.inputs(torch.from_numpy(pictures[name][at : at + 1])))
            for at in range(len(pictures[name]))
        ]
        return [value.numpy() for value in after(torch.cat(features))]

    outputs = ["probabilities", "basic_probabilities", "spatial_probabilities"]
    if classifier.attention is not None:
        outputs.append("attention")
    inputs = {"rows": name, "most": pieces.most, "shape": list(row), "stride": pieces.stride}
    return Graph(
        module=module.eval(),
        core=core,
        inputs={name: row},
        rows={name: name},
        outputs=outputs,
        metadata={
            **origin_of(trained, f"uint8 {name} of one clip, evenly spread over it; see inputs"),
            "classes": json.dumps(list(labels.labels)),
            "basic": json.dumps(list(labels.upper)),
            "basic_source": "sums over classes",
            "backbone": json.dumps({"name": network.frozen.name, "sha256": network.frozen.digest}),
            "inputs": json.dumps({name: inputs}),
        },
        predict=predict,
    )


class _After(nn.Module):
    """Module from the features of a clip's pieces (n, D) to the outputs."""

    def __init__(self, classifier: nn.Module, labels: LabelSet) -> None:
        super().__init__()
        self.classifier = classifier.eval()
        self.register_buffer("upper", torch.from_numpy(labels.upper_matrix()))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of :func:`clip_graph`."""
        fine, *weights = self.classifier(features)
        return fine, fine @ self.upper, fine, *weights
