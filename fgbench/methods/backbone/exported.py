"""A frozen network with its head as one ONNX file: crop in, probabilities out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels
from fgbench.methods.backbone.head import Head, HeadModule
from fgbench.methods.backbone.kept_features import Prepared, in_grey
from fgbench.methods.backbone.onnx_file import OnnxRuns, pooled_output
from fgbench.methods.backbone.opening import SCORES, bare_runs
from fgbench.methods.backbone.taken import Preparation
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.methods.insightface.crops import CROP_PX, TEMPLATE
from fgbench.methods.protocol import FacePredictions, Floats
from fgbench.methods.protocol.graph import FACES, STORED_FACES, Core, Graph, Pictures, origin_of
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
    """Return the graph of a frozen network with its head.

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
        ConfigError: If it takes faces of a margin of its own, or an ONNX file a fixed number of pictures.
    """
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
    module, core = parts_of(network, _After(head, labels), shape=(3, side, side), name=trained.name)
    return Graph(
        module=module.eval(),
        core=core,
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


def parts_of(
    network: Prepared, after: nn.Module, *, shape: tuple[int, ...], name: str
) -> tuple[nn.Module, Core | None]:
    """Return the module of a network of torch; or what comes before an ONNX file, and the rest.

    Args:
        network: The network, with its input.
        after: From its features (N, D) to the outputs.
        shape: Shape of a row of the input, uint8: (3, S, S), of videos with frames before.
        name: Name of the trained network, for messages.

    Raises:
        ConfigError: If an ONNX file takes a fixed number of pictures.
    """
    frozen = network.frozen
    runs, is_scores = bare_runs(frozen), frozen.reads == SCORES
    if isinstance(runs, TorchRuns):
        features: nn.Module = runs.module
        if is_scores:
            assert runs.classifier is not None, "its classes were scored"
            features = _Scores(runs.classifier)
        return nn.Sequential(_Before(network, layout="first", numbers="float32"), features, after), None
    assert isinstance(runs, OnnxRuns), "all others are of torch"
    taken = runs.taken
    if taken.rows is not None:
        raise ConfigError(
            f"{name} is a head on {frozen.path.name}, which takes {taken.rows} pictures at once, expected "
            "any number",
            "export that network itself with a free number of pictures",
        )
    before = _Before(network, layout=taken.layout, numbers=taken.numbers)
    drawn = torch.randint(0, 256, (3, *shape), generator=torch.Generator().manual_seed(0))
    output = str(runs.outputs.classes) if is_scores else runs.outputs.features
    example = runs.computed(output, network.inputs(drawn.byte()))
    is_logits = is_scores and not torch.equal(
        runs.scores(network.inputs(drawn.byte())), example.float().flatten(1)
    )
    core = Core(
        model=runs.model,
        taken=taken.name,
        given=output,
        example=example,
        after=nn.Sequential(_Pooled(is_logits=is_logits), after).eval(),
    )
    return before, core


class _Before(nn.Module):
    """Module from crops (N, 3, S, S) uint8 to what the network takes."""

    def __init__(self, network: Prepared, *, layout: str, numbers: str) -> None:
        super().__init__()
        self.prepare, self.is_grey = Preparation(network.taken), network.grey
        self.layout, self.numbers = layout, numbers

    def forward(self, crops: Tensor) -> Tensor:
        """Return prepared pictures."""
        shown = in_grey(crops) if self.is_grey else crops
        prepared: Tensor = self.prepare(shown)
        if self.layout == "last":
            prepared = prepared.permute(0, 2, 3, 1)
        if self.numbers == "uint8":
            return prepared.round().clamp(0, 255).to(torch.uint8)
        return prepared.half() if self.numbers == "float16" else prepared


class _Scores(nn.Module):
    """Probabilities of a classifier's own classes."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, prepared: Tensor) -> Tensor:
        """Return probabilities (N, K)."""
        probabilities: Tensor = self.classifier(prepared).float().softmax(1)
        return probabilities


class _Pooled(nn.Module):
    """Features of an output of an ONNX file, as :class:`OnnxRuns` makes them."""

    def __init__(self, *, is_logits: bool) -> None:
        super().__init__()
        self.is_logits = is_logits

    def forward(self, values: Tensor) -> Tensor:
        """Return features (N, D), or probabilities."""
        pooled = pooled_output(values.float())
        return pooled.softmax(1) if self.is_logits else pooled


class _After(nn.Module):
    """Module from features (N, D) to probabilities of both levels."""

    def __init__(self, head: Head, labels: LabelSet) -> None:
        super().__init__()
        self.head = HeadModule(head)
        self.register_buffer("upper", torch.from_numpy(labels.upper_matrix()))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return probabilities of the classes and of the upper classes."""
        fine = self.head(features)
        return fine, fine @ self.upper
