"""Clips of a work folder opened for the streams of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fgbench.config import TrainClipConfig
from fgbench.inputs.clip_frames import FrameRows, open_rows
from fgbench.inputs.clip_set import ClipSet
from fgbench.inputs.crops import CENTRE, view_table
from fgbench.inputs.frame_choice import Ints, pieces_of
from fgbench.methods.msau.opened import ImageNetwork
from fgbench.methods.tmsau.frame_features import keep_frames
from fgbench.methods.tmsau.inputs import (
    DescribedFrames,
    PictureInput,
    Scale,
    StreamInput,
    fit_flow,
    fit_pictures,
)
from fgbench.methods.tmsau.network import StreamPictures, stream_pictures
from fgbench.methods.tmsau.published_scales import published_scale
from fgbench.preparation.sampling import uniform
from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenClips:
    """Clips with the inputs of the streams.

    Attributes:
        clips: The clips.
        inputs: By name of the stream.
        described: Numbers of the frames of each clip that the stream ``attention`` takes.
    """

    clips: ClipSet
    inputs: Mapping[str, StreamInput]
    described: Sequence[Ints]

    def __len__(self) -> int:
        return len(self.clips)


def open_clips(
    config: TrainClipConfig,
    context: TrainingContext,
    clips: ClipSet,
    image: ImageNetwork | None,
    scales: Mapping[str, Scale] | None,
    *,
    trained_on: bool,
    published: bool = False,
    grey: bool = False,
) -> tuple[OpenClips, Mapping[str, Scale]]:
    """Open clips for the streams of a recipe.

    Args:
        config: The recipe.
        context: Context of the run.
        clips: The clips.
        image: The image model, where the recipe has one.
        scales: Scale of bytes by stream of pictures; ``None`` fits them to these clips.
        trained_on: Whether frames are described in all training views; else in the plain view alone.
        published: Whether convolutional networks start from published weights: scales that are not given
            are those of the weights, see :mod:`fgbench.methods.tmsau.published_scales`.
        grey: Whether streams of pictures take grey pictures; the image model has its own ``grey``.

    Raises:
        DatasetError: If scales are to be fitted and there is nothing to fit them to.
        ManifestError: If the manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
    """
    inputs: dict[str, StreamInput] = {}
    fitted: dict[str, Scale] = dict(scales or {})
    described: Sequence[Ints] = []
    held: dict[tuple[str, int, bool], FrameRows] = {}
    for stream in config.streams:
        wanted = stream_pictures(config, stream)
        if wanted is None:
            assert image is not None
            views = view_table(config.data.crops, flip=config.data.flip) if trained_on else (CENTRE,)
            described = [numbers[uniform(len(numbers), config.attention.frames)] for numbers in clips.frames]
            inputs[stream] = DescribedFrames(
                kept=keep_frames(
                    image,
                    _named(clips, described),
                    config.attention.features,
                    context,
                    views=views,
                    resident_mb=config.data.resident_mb,
                ),
                pieces=pieces_of(described, length=1, across_gaps=True),
                views=views,
                most=config.attention.train_frames,
                seed=context.seed,
            )
            continue
        near_key = trained_on and wanted.near_key
        numbers = clips.pairs if wanted.kind == "flow" else clips.near if near_key else clips.frames
        key = (wanted.kind, wanted.side_px, near_key)
        if key not in held:
            held[key] = open_rows(
                context.manifests,
                _named(clips, numbers),
                wanted.kind,
                side_px=wanted.side_px,
                device=context.device,
                resident_mb=config.data.resident_mb,
                jobs=context.jobs,
                progress=context.progress,
            )
        if stream not in fitted:
            kind = str(config.spatial if stream == "spatial" else config.temporal)
            if published:
                fitted[stream] = published_scale(kind, held[key])
            else:
                fitted[stream] = (fit_flow if wanted.kind == "flow" else fit_pictures)(held[key])
        inputs[stream] = _pictures(
            config, stream, wanted, held[key], numbers, fitted[stream], context.seed, grey
        )
    return OpenClips(clips=clips, inputs=inputs, described=described), fitted


def _pictures(
    config: TrainClipConfig,
    stream: str,
    wanted: StreamPictures,
    rows: FrameRows,
    numbers: Sequence[Ints],
    scale: Scale,
    seed: int,
    grey: bool,
) -> PictureInput:
    return PictureInput(
        name=stream,
        kind=wanted.kind,
        rows=rows,
        pieces=pieces_of(numbers, length=wanted.length, stride=wanted.stride, across_gaps=wanted.across_gaps),
        train_count=wanted.train_count,
        test_count=wanted.test_count,
        enlarge_to_px=round(wanted.side_px * config.data.enlarge),
        scale=scale,
        layout=wanted.layout,
        seed=seed,
        grey=grey,
    )


def _named(clips: ClipSet, numbers: Sequence[Ints]) -> list[tuple[str, int]]:
    """Return clip and number of each frame, clip after clip."""
    return [
        (sample.clip_id, int(number))
        for sample, frames in zip(clips.samples, numbers, strict=True)
        for number in np.asarray(frames)
    ]
