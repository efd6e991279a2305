"""Clip networks as ONNX: one clip, its frames or pieces of flow in, probabilities out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fgbench.config import TrainClipConfig
from fgbench.inputs.crops import enlarge, without_colour
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.protocol import Floats
from fgbench.methods.protocol.graph import FACES, Graph, Normalised, Pictures, Prepared, origin_of
from fgbench.methods.tmsau.frame_features import describe_seen
from fgbench.methods.tmsau.inputs import ClipViews, Scale, see_pictures
from fgbench.methods.tmsau.network import StreamPictures, stream_pictures
from fgbench.models.msau import MsauNet
from fgbench.models.receptive_field import FACE_PX
from fgbench.models.tmsau import TmsauNet, fuse
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained

_CPU = torch.device("cpu")


def clip_graph(
    model: TmsauNet,
    config: TrainClipConfig,
    scales: Mapping[str, Scale],
    image: tuple[MsauNet, Preprocessing] | None,
    labels: LabelSet,
    trained: Trained,
    *,
    grey: bool = False,
) -> Graph:
    """Return the graph of a clip network for one clip.

    Inputs, one per stream, uint8; n is free, and may differ between them:

    - ``faces`` (n, 3, 224, 224), of the stream ``attention``: frames of the clip, aligned;
    - ``spatial_frames`` or ``temporal_frames`` (n, 3, S, S), of ``rgb`` and ``vgg-lstm``: faces reduced to
      S px;
    - ``temporal_flow`` (n, 2 L, S, S), of ``flow``: u and v of L pairs of frames in a row, as bytes of the
      stage ``optical_flow``;
    - ``temporal_windows`` (n, 16, 3, S, S), of ``c3d-lstm``: windows of 16 frames.

    The metadata's ``inputs`` give the number of pieces that a clip is tested on, evenly spread over it.

    Outputs: ``probabilities`` (1, K) of the streams together; ``basic_probabilities`` (1, M; M is 0 without
    upper classes); per stream ``spatial_probabilities`` and ``temporal_probabilities`` (1, K); with the
    stream ``attention`` the weights of its frames in both blocks, ``attention`` (1, 2, n).

    Args:
        model: On the CPU.
        config: Its recipe.
        scales: Scale of bytes by stream of pictures.
        image: The image model that describes frames, and its preprocessing; ``None`` without.
        labels: The classes.
        trained: Its weights.
        grey: Whether streams of pictures take grey pictures.
    """
    named: dict[str, tuple[str, StreamPictures | None]] = {}
    for stream in config.streams:
        wanted = stream_pictures(config, stream)
        named[_name(stream, wanted)] = stream, wanted
    outputs = [
        "probabilities",
        "basic_probabilities",
        *(f"{stream}_probabilities" for stream in config.streams),
    ]
    if config.spatial == "attention":
        outputs.append("attention")
    module = _OneClip(model, config, scales, image, labels, grey=grey).eval()

    @torch.inference_mode()
    def predict(pictures: Pictures) -> Sequence[Floats]:
        inputs = {}
        for name, (stream, wanted) in named.items():
            rows = torch.from_numpy(pictures[name])
            if wanted is None:
                assert image is not None
                describer, preprocessing = image
                steps = (
                    describe_seen(describer, preprocessing.centre(rows), config.attention.features)
                    .half()
                    .float()
                )
            else:
                steps = see_pictures(
                    _pieces(rows, wanted)[None],
                    ClipViews.plain(1, _CPU),
                    wanted.kind,
                    enlarge_to_px=round(wanted.side_px * config.data.enlarge),
                    scale=scales[stream],
                    layout=wanted.layout,
                    grey=grey and wanted.kind == "rgb",
                )[0]
            inputs[stream] = steps[None], torch.ones((1, rows.shape[0]), dtype=torch.bool)
        outputs_of_clip = module.combined(model(inputs))
        return [value.numpy() for value in outputs_of_clip]

    return Graph(
        module=module,
        inputs={name: _shape(wanted) for name, (_, wanted) in named.items()},
        rows={name: _rows(wanted) for name, (_, wanted) in named.items()},
        outputs=outputs,
        metadata={
            **origin_of(trained, "uint8 rows of one clip, evenly spread over it; see inputs"),
            "classes": json.dumps(list(labels.labels)),
            "basic": json.dumps(list(labels.upper)),
            "basic_source": "own outputs" if config.losses.basic else "sums over classes",
            "fusion_weight": json.dumps(config.fusion_weight),
            "inputs": json.dumps(
                {name: _input_metadata(config, wanted) for name, (_, wanted) in named.items()}
            ),
        },
        predict=predict,
    )


class _OneClip(nn.Module):
    """Module from the stored rows of a clip to the outputs of its streams."""

    def __init__(
        self,
        model: TmsauNet,
        config: TrainClipConfig,
        scales: Mapping[str, Scale],
        image: tuple[MsauNet, Preprocessing] | None,
        labels: LabelSet,
        *,
        grey: bool,
    ) -> None:
        super().__init__()
        self.model = model
        self._streams = config.streams
        self._weight = config.fusion_weight
        self.prepared = nn.ModuleList()
        for stream in config.streams:
            wanted = stream_pictures(config, stream)
            if wanted is None:
                assert image is not None
                self.prepared.append(_Described(*image, config.attention.features))
            else:
                to_px = round(wanted.side_px * config.data.enlarge)
                is_grey = grey and wanted.kind == "rgb"
                self.prepared.append(_Seen(wanted, scales[stream], enlarge_to_px=to_px, grey=is_grey))
        self.register_buffer("upper", torch.from_numpy(labels.upper_matrix()))

    def forward(self, first: Tensor, second: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the outputs of :func:`clip_graph` for the input of one stream, or of both in order."""
        rows = [first] if second is None else [first, second]
        inputs = {
            stream: prepared(stored)
            for stream, prepared, stored in zip(self._streams, self.prepared, rows, strict=True)
        }
        return self.combined(self.model.of_clip(inputs))

    def combined(self, by_stream: Mapping[str, Any]) -> tuple[Tensor, ...]:
        """Return the outputs of :func:`clip_graph` from those of the streams for one clip."""
        fine = {stream: by_stream[stream].probabilities() for stream in self._streams}
        upper = {stream: by_stream[stream].basic_probabilities() for stream in self._streams}
        fused = fuse(fine, self._weight)
        has_own = all(by_stream[stream].basic is not None for stream in self._streams)
        basic = fuse(upper, self._weight) if has_own else fused @ self.upper
        weights = [
            by_stream[stream].weights for stream in self._streams if by_stream[stream].weights is not None
        ]
        return fused, basic, *fine.values(), *weights


class _Described(nn.Module):
    """Features of stored faces by the image model, rounded as they are kept (float16)."""

    def __init__(self, model: MsauNet, preprocessing: Preprocessing, features: Any) -> None:
        super().__init__()
        self.model = model
        self.prepared = Prepared(preprocessing)
        self._features = features

    def forward(self, faces_N3HW: Tensor) -> Tensor:
        """(N, F) float32."""
        return describe_seen(self.model, self.prepared(faces_N3HW), self._features).half().float()


class _Seen(nn.Module):
    """Input of a stream of pictures: pieces enlarged, cropped at the centre, normalised."""

    def __init__(self, wanted: StreamPictures, scale: Scale, *, enlarge_to_px: int, grey: bool) -> None:
        super().__init__()
        self._wanted = wanted
        self._grey = grey
        self._side_px = wanted.side_px
        self._to_px = max(wanted.side_px, enlarge_to_px)
        self.normalised = Normalised(scale.mean, scale.std)

    def forward(self, rows: Tensor) -> Tensor:
        """Compute :func:`see_pictures` for the plain centre crop."""
        pieces = _pieces(rows, self._wanted)
        n_channels, n_rows = pieces.shape[2], pieces.shape[1]
        margin_px = (self._to_px - self._side_px) // 2
        inside = slice(margin_px, margin_px + self._side_px)
        stored = without_colour(pieces.flatten(0, 1)) if self._grey else pieces.flatten(0, 1)
        pictures = enlarge(stored, self._to_px)[:, :, inside, inside]
        normalised = self.normalised(pictures).reshape(
            rows.shape[0], n_rows, n_channels, self._side_px, self._side_px
        )
        if self._wanted.layout == "windows":
            return normalised.transpose(1, 2)
        return normalised.flatten(1, 2)


def _pieces(rows: Tensor, wanted: StreamPictures) -> Tensor:
    """Return pieces (n, K, C, S, S) of the rows of an input."""
    side_px = wanted.side_px
    return rows.reshape(rows.shape[0], wanted.length, 2 if wanted.kind == "flow" else 3, side_px, side_px)


def _name(stream: str, wanted: StreamPictures | None) -> str:
    return FACES if wanted is None else f"{stream}_{_rows(wanted)}"


def _rows(wanted: StreamPictures | None) -> str:
    """Return the name of the rows of an input."""
    if wanted is None:
        return FACES
    return {"stacks": "flow", "windows": "windows"}.get(wanted.layout, "frames")


def _shape(wanted: StreamPictures | None) -> tuple[int, ...]:
    """Return the shape of a row of an input."""
    if wanted is None:
        return 3, FACE_PX, FACE_PX
    side = (wanted.side_px, wanted.side_px)
    if wanted.layout == "windows":
        return wanted.length, 3, *side
    return wanted.length * (2 if wanted.kind == "flow" else 3), *side


def _input_metadata(config: TrainClipConfig, wanted: StreamPictures | None) -> Mapping[str, Any]:
    """Return the number and layout of the rows that a clip is tested on."""
    if wanted is None:
        return {"rows": FACES, "most": config.attention.frames, "shape": list(_shape(None))}
    return {
        "rows": _rows(wanted),
        "most": wanted.test_count,
        "shape": list(_shape(wanted)),
        "frames_each": wanted.length,
        "stride": wanted.stride,
    }
