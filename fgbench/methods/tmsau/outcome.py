"""Tables of each stream's predictions of clips, and of the attention, beside their fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fgbench.methods.tmsau.data import OpenClips
from fgbench.methods.tmsau.task import PredictedClips
from fgbench.runs.attention import ClipAttention, write_attention
from fgbench.runs.streams import StreamScores, write_streams

Outcome = Mapping[str, tuple[OpenClips, PredictedClips]]
"""Clips by part (``"val"``, ``"test"``) with their predictions."""


def write_clip_outcome(folder: Path, parts: Outcome, classes: Sequence[str]) -> None:
    """Write ``streams.parquet``, and ``attention.parquet`` where the network attends.

    Args:
        folder: Folder of the run.
        parts: Clips by part.
        classes: Names of the classes, in the order of the probabilities.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    write_streams(folder, stream_scores(parts, classes))
    attended = (
        [
            ClipAttention(
                sample_id=sample.sample_id,
                part=part,
                frames=frames.astype(np.int32),
                first=weights[0],
                second=weights[1],
            )
            for part, (opened, predicted) in parts.items()
            for sample, frames, weights in zip(
                opened.clips.samples, opened.described, predicted.attention, strict=True
            )
        ]
        if all(predicted.attention for _, predicted in parts.values())
        else []
    )
    if attended:
        write_attention(folder, attended)


def stream_scores(parts: Outcome, classes: Sequence[str]) -> dict[str, StreamScores]:
    """Return the probabilities of each stream for the clips of all parts."""
    names = next(iter(parts.values()))[1].streams
    samples = [(part, sample) for part, (opened, _) in parts.items() for sample in opened.clips.samples]
    return {
        name: StreamScores(
            classes=tuple(classes),
            sample_ids=[sample.sample_id for _, sample in samples],
            parts=[part for part, _ in samples],
            labels=[sample.label for _, sample in samples],
            subject_ids=[sample.subject_id for _, sample in samples],
            probabilities=np.concatenate([predicted.streams[name] for _, predicted in parts.values()]),
        )
        for name in names
    }
