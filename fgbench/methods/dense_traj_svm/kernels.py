"""Multi-channel chi-square kernels of clips, channel by channel: between all clips, or to some landmarks.

Exact kernels keep the distances of every channel between all training clips. Approximated ones keep one
matrix for all channels, of clips to landmarks, and histograms of a few hundred clips at a time: memory grows
as the number of clips does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fgbench.features.bag_of_words import Codebook, bag_of_words
from fgbench.methods.dense_traj_svm.bags import clip_descriptors, clip_histograms
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample
from fgbench.svm.choice import Candidate
from fgbench.svm.kernels import chi2_distances, combined_kernel, mean_distance
from fgbench.svm.nystroem import inverse_root, map_rows

Matrix = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_CLIPS = 512
"""Clips whose histograms are in memory together, for an approximated kernel."""

PARAMETERS: Mapping[str, float | str] = {"kernel": "chi2"}
"""Name of the kernel in results."""


class ClipKernels(Protocol):
    """Kernel between clips, made of channels that are added one after the other."""

    def add(self, channel: str, codebook: Codebook) -> float:
        """Add a channel; return the mean distance of training clips that it is divided by."""

    def candidate(self) -> Candidate:
        """Return the kernel of training and of validation clips, for a machine to fit."""

    def predicted(self) -> Matrix:
        """Return the kernel of the clips of the test part."""


class ExactKernels:
    """Gram matrices of the kernel.

    Args:
        tables: Folder of the tables of trajectories.
        roles: The clips.
        jobs: Threads; results do not depend on them.
    """

    def __init__(self, tables: Path, roles: Roles, *, jobs: int | None) -> None:
        self._tables, self._roles, self._jobs = tables, roles, jobs
        self._train: dict[str, Matrix] = {}
        self._selection: dict[str, Matrix] = {}
        self._predicted: dict[str, Matrix] = {}
        self._scales: dict[str, float] = {}

    def add(self, channel: str, codebook: Codebook) -> float:
        """See :class:`ClipKernels`."""
        histograms = channel_histograms(self._tables, channel, self._roles, codebook)
        train = histograms["train"]
        self._train[channel] = chi2_distances(train, jobs=self._jobs)
        self._selection[channel] = chi2_distances(histograms["selection"], train, jobs=self._jobs)
        self._predicted[channel] = chi2_distances(histograms["test"], train, jobs=self._jobs)
        self._scales[channel] = mean_distance(self._train[channel])
        return self._scales[channel]

    def candidate(self) -> Candidate:
        """See :class:`ClipKernels`."""
        return Candidate(
            PARAMETERS,
            lambda: combined_kernel(self._train, self._scales),
            lambda: combined_kernel(self._selection, self._scales),
        )

    def predicted(self) -> Matrix:
        """See :class:`ClipKernels`."""
        return combined_kernel(self._predicted, self._scales)


class NystroemKernels:
    """Features whose products approximate the kernel, from landmarks; see :mod:`fgbench.svm.nystroem`.

    The mean distance of a channel is taken between the landmarks.

    Args:
        tables: Folder of the tables of trajectories.
        roles: The clips.
        landmarks: Indices of training clips, at least 2.
        jobs: Threads; results do not depend on them.
    """

    def __init__(self, tables: Path, roles: Roles, landmarks: Indices, *, jobs: int | None) -> None:
        self._tables, self._landmarks, self._jobs = tables, landmarks, jobs
        self._chosen = [roles.train[index] for index in landmarks]
        self._parts = {"train": roles.train, "selection": roles.selection, "test": roles.predicted}
        self._exponents = {
            part: np.zeros((len(clips), len(landmarks)), np.float32) for part, clips in self._parts.items()
        }
        self._root: Matrix | None = None

    def add(self, channel: str, codebook: Codebook) -> float:
        """See :class:`ClipKernels`."""
        landmark_ids = {sample.clip_id for sample in self._chosen}
        landmark_histograms = {
            clip: bag_of_words(values, codebook)
            for clip, values in clip_descriptors(self._tables, channel)
            if clip in landmark_ids
        }
        landmarks = _rows(self._chosen, landmark_histograms, len(codebook.words))
        scale = mean_distance(chi2_distances(landmarks, jobs=self._jobs))
        position_of = {
            sample.clip_id: (part, row)
            for part, clips in self._parts.items()
            for row, sample in enumerate(clips)
        }
        for clips, histograms in self._blocks(channel, codebook, set(position_of)):
            distances = chi2_distances(histograms, landmarks, jobs=self._jobs)
            for clip, row in zip(clips, distances, strict=True):
                part, index = position_of[clip]
                self._exponents[part][index] -= row / np.float32(scale)
        return scale

    def candidate(self) -> Candidate:
        """See :class:`ClipKernels`."""
        return Candidate(PARAMETERS, lambda: self._features("train"), lambda: self._features("selection"))

    def predicted(self) -> Matrix:
        """See :class:`ClipKernels`."""
        return self._features("test")

    def _blocks(
        self, channel: str, codebook: Codebook, wanted: set[str]
    ) -> Iterator[tuple[list[str], Matrix]]:
        """Iterate over blocks of ids with their histograms; clips without trajectories come last."""
        rest = set(wanted)
        clips: list[str] = []
        rows: list[Matrix] = []
        n_words = len(codebook.words)
        for clip, values in clip_descriptors(self._tables, channel):
            if clip not in rest:
                continue
            rest.remove(clip)
            clips.append(clip)
            rows.append(_row(bag_of_words(values, codebook), n_words))
            if len(clips) == _CLIPS:
                yield clips, np.stack(rows)
                clips, rows = [], []
        if clips:
            yield clips, np.stack(rows)
        if rest:
            yield sorted(rest), np.repeat(_row(None, n_words)[None], len(rest), axis=0)

    def _features(self, part: str) -> Matrix:
        exponents = self._exponents[part]
        if self._root is None:
            self._root = inverse_root(np.exp(self._exponents["train"][self._landmarks]))
        return map_rows(len(exponents), lambda rows: np.exp(exponents[rows]), self._root, jobs=self._jobs)


def channel_histograms(tables: Path, channel: str, roles: Roles, codebook: Codebook) -> dict[str, Matrix]:
    """Compute histograms of all clips in one channel; the last word is that of clips without trajectories.

    An empty histogram would be 1/2 away from all others, nearer than clips that share few words.

    Args:
        tables: Folder of the tables of trajectories.
        channel: Key of :data:`fgbench.records.TRAJECTORY_CHANNELS`.
        roles: The clips.
        codebook: The words.

    Returns:
        ``"train"``, ``"selection"`` and ``"test"`` to (clips, words + 1) float32, whose rows sum to 1.
    """
    by_clip = clip_histograms(tables, channel, codebook)
    parts = {"train": roles.train, "selection": roles.selection, "test": roles.predicted}
    return {part: _rows(clips, by_clip, len(codebook.words)) for part, clips in parts.items()}


def _rows(clips: Sequence[Sample], by_clip: Mapping[str, Matrix], n_words: int) -> Matrix:
    rows = np.empty((len(clips), n_words + 1), np.float32)
    for row, clip in enumerate(clips):
        rows[row] = _row(by_clip.get(clip.clip_id), n_words)
    return rows


def _row(histogram: Matrix | None, n_words: int) -> Matrix:
    row = np.zeros(n_words + 1, np.float32)
    if histogram is None:
        row[n_words] = 1.0
    else:
        row[:n_words] = histogram
    return row
