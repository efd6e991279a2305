"""Tables of the predictions of clips beside those of a run: the stream, and the attention to pieces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fgbench.methods.video_backbone.classifiers import SPATIAL, PredictedClips
from fgbench.runs.attention import ClipAttention, write_attention
from fgbench.runs.streams import StreamScores, write_streams


def write_outcome(folder: Path, parts: Mapping[str, PredictedClips], classes: tuple[str, ...]) -> None:
    """Write ``streams.parquet``, and ``attention.parquet`` where pieces are attended to.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    samples = [(part, sample) for part, predicted in parts.items() for sample in predicted.samples]
    scores = StreamScores(
        classes=classes,
        sample_ids=[sample.sample_id for _, sample in samples],
        parts=[part for part, _ in samples],
        labels=[sample.label for _, sample in samples],
        subject_ids=[sample.subject_id for _, sample in samples],
        probabilities=np.concatenate([predicted.probabilities for predicted in parts.values()]),
    )
    write_streams(folder, {SPATIAL: scores})
    attended = [
        ClipAttention(
            sample_id=sample.sample_id, part=part, frames=frames, first=weights[0], second=weights[1]
        )
        for part, predicted in parts.items()
        for sample, frames, weights in zip(
            predicted.samples if predicted.attention else (),
            predicted.frames,
            predicted.attention,
            strict=True,
        )
    ]
    if attended:
        write_attention(folder, attended)
