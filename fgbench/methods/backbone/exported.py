"""A frozen network with its head as one ONNX file: crop in, probabilities out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError
from fgbench.inputs.crops import without_colour
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels
from fgbench.methods.backbone.head import Head, HeadModule
from fgbench.methods.backbone.hf_folder import HfRuns
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.insightface.crops import CROP_PX, TEMPLATE
from fgbench.methods.protocol import FacePredictions, Floats
from fgbench.methods.protocol.graph import FACES, STORED_FACES, Graph, Pictures, origin_of
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained

CROPS = "crops"
"""Name of the input where crops are cut from the picture."""

OUTPUTS = ("probabilities", "basic_probabilities")
"""Names of the outputs."""


def graph_of(
    network: Prepared,
    head: Head,
    labels: LabelSet,
    trained: Trained,
    probabilities: Callable[[Sequence[Pixels]], Floats],
) -> Graph:
    """Return the graph of a network of torch with its head.

    Input ``faces`` (N, 3, 224, 224) or ``crops`` (N, 3, 112, 112), uint8 RGB; N is free. Outputs:
    ``probabilities`` (N, K), ``basic_probabilities`` (N, M): sums over the classes. Resizing and
    normalisation are part of the graph.

    Args:
        network: The network, with its input.
        head: Its classifier.
        labels: Its classes.
        trained: Weights of the run.
        probabilities: Computes probabilities of crops by the network itself.

    Raises:
        ConfigError: If the network is an ONNX file already, or takes faces of a margin of its own.
    """
    runs = network.frozen.runs
    if not isinstance(runs, HfRuns):
        raise ConfigError(
            f"{trained.name} is a head on {network.frozen.path.name}, an ONNX file already, or on its own classes; "
            "expected a network of torch",
            "give both to whom it may concern: the ONNX file, and the head (fgbench export RUN --weights FILE)",
        )
    crop = network.taken.crop
    if crop == "wide":
        raise ConfigError(
            f"{trained.name} takes faces with a margin, which the exported file could not cut",
            "export a head of crop stored or arcface",
        )
    name, side = (FACES, FACE_PX) if crop == "stored" else (CROPS, CROP_PX)

    def predict(pictures: Pictures) -> Sequence[Floats]:
        rows = pictures[name].transpose(0, 2, 3, 1)
        predictions = FacePredictions.of_classes(probabilities(list(rows)), labels)
        return predictions.fine, predictions.basic

    takes = STORED_FACES if crop == "stored" else "uint8 RGB crops (N, 3, 112, 112), aligned by five points"
    return Graph(
        module=_Whole(network, runs.module, head, labels).eval(),
        inputs={name: (3, side, side)},
        rows={name: name},
        outputs=OUTPUTS,
        metadata={
            **origin_of(trained, takes),
            "classes": json.dumps(list(labels.labels)),
            "basic": json.dumps(list(labels.upper)),
            "basic_source": "sums over classes",
            "backbone": json.dumps({"name": network.frozen.name, "sha256": network.frozen.digest}),
            **({"points": json.dumps(TEMPLATE)} if crop == "arcface" else {}),
        },
        predict=predict,
    )


class _Whole(nn.Module):
    """Module from crops (N, 3, S, S) uint8 to probabilities of both levels."""

    def __init__(self, network: Prepared, features: nn.Module, head: Head, labels: LabelSet) -> None:
        super().__init__()
        self.taken, self.is_grey = network.taken, network.grey
        self.features = features
        self.head = HeadModule(head)
        self.register_buffer("upper", torch.from_numpy(labels.upper_matrix()))
        mean, std = (
            torch.tensor(part, dtype=torch.float64)[:, None, None]
            for part in (network.taken.mean, network.taken.std)
        )
        self.register_buffer("factor", (network.taken.scale / std).float())
        self.register_buffer("shift", (-mean / std).float())

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities of the classes and of the upper classes."""
        shown = without_colour(crops) if self.is_grey else crops
        fine = self.head(self.features(self.taken.levels(shown) * self.factor + self.shift))
        return fine, fine @ self.upper
