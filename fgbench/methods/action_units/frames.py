"""Labelled frames of one work folder or of several together, before their pictures are read.

Reads manifests. Units that a data set does not annotate are not labelled in its frames. Where there are
several, ids begin with the name of the data set, and subjects with that of its adapter: two may show the same
people, as the left and right cameras of one data set do. Subjects of users' own data begin with that of the
data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fgbench.config import TrainAuConfig
from fgbench.errors import ConfigError, DatasetError
from fgbench.inputs.batching import Source
from fgbench.inputs.image_set import open_source
from fgbench.inputs.manifest_pictures import find_frames, joined
from fgbench.methods.action_units.task import LabelledFrames
from fgbench.records import PEOPLE, AuRow, UnitSource, image_id
from fgbench.runs.frames import labels_by_frame, usable_frames
from fgbench.runs.samples import Sample, clip_samples
from fgbench.runs.unit_results import Labels
from fgbench.storage import read_rows
from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitData:
    """A work folder whose data set brings labels of action units.

    Attributes:
        context: Context of the run in this work folder.
        rows: Labels of its frames.
        people: Prefix of its subjects, to tell them from those of other data sets: name of its adapter, whose
            variants (e.g. two cameras) may show the same people; of users' own data that of the data set.
        source: Origin of the labels.
    """

    context: TrainingContext
    rows: Iterable[AuRow]
    people: str
    source: UnitSource = PEOPLE

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return str(self.context.details["dataset"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """N labelled frames.

    Attributes:
        data: The work folders.
        folders: Index in ``data`` of each frame's.
        keys: Clip and number of each in its work folder.
        sample_ids: Ids.
        clip_ids: Ids of their clips.
        subject_ids: Subjects.
        parts: Parts.
        labels: (N, A) int8; 1 present, -1 absent, 0 not labelled.
        left_out: Data set, clip and number of labelled frames whose clips have no role.
    """

    data: Sequence[UnitData]
    folders: Sequence[int]
    keys: Sequence[tuple[str, int]]
    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    subject_ids: Sequence[str | None]
    parts: Sequence[str]
    labels: Labels
    left_out: Sequence[tuple[str, str, int]] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: Sequence[int]) -> Frames:
        """Return the frames at some indices."""
        return Frames(
            data=self.data,
            folders=[self.folders[row] for row in rows],
            keys=[self.keys[row] for row in rows],
            sample_ids=[self.sample_ids[row] for row in rows],
            clip_ids=[self.clip_ids[row] for row in rows],
            subject_ids=[self.subject_ids[row] for row in rows],
            parts=[self.parts[row] for row in rows],
            labels=self.labels[list(rows)],
            left_out=self.left_out,
        )

    def open(self, context: TrainingContext, config: TrainAuConfig) -> LabelledFrames:
        """Open the frames with their pictures, in memory or read as they are needed.

        Raises:
            ManifestError: If one has no picture, or manifests are missing or damaged.
            MediaError: If a picture cannot be decoded or has another size.
        """
        return LabelledFrames(
            sample_ids=self.sample_ids,
            clip_ids=self.clip_ids,
            subject_ids=self.subject_ids,
            labels=self.labels,
            images=open_frames(
                [one.context for one in self.data],
                self.folders,
                self.keys,
                self.sample_ids,
                context=context,
                resident_mb=config.data.resident_mb,
            ),
        )


def open_frames(
    data: Sequence[TrainingContext],
    folders: Sequence[int],
    keys: Sequence[tuple[str, int]],
    names: Sequence[str],
    *,
    context: TrainingContext,
    resident_mb: int,
) -> Source:
    """Open the faces of N frames of several work folders, in memory or read as they are needed.

    Args:
        data: The work folders.
        folders: Index in ``data`` of each frame's.
        keys: Clip and number of each in its work folder.
        names: Ids, for messages.
        context: Gives the device, the number of threads that decode, and the callback for progress.
        resident_mb: MiB that decoded faces may take.

    Raises:
        ManifestError: If one has no picture, or manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    pictures = []
    for number, one in enumerate(data):
        rows = [n for n, folder in enumerate(folders) if folder == number]
        pictures.append((rows, find_frames(one.manifests, [keys[n] for n in rows])))
    return open_source(
        joined(pictures, names),
        device=context.device,
        resident_mb=resident_mb,
        jobs=context.jobs,
        progress=context.progress,
    )


def labelled_frames(config: TrainAuConfig, data: Sequence[UnitData], *, divided: bool) -> Frames:
    """Return the frames that have both a face and labels, every ``frame_step``-th of a clip.

    Args:
        config: The recipe.
        data: The work folders.
        divided: Whether parts are those of the runs' folds, and clips without a role in them are left out.

    Raises:
        ConfigError: If several work folders are of data sets of one name, or divided into folds of their own.
        DatasetError: If no frame of a work folder has both.
        ManifestError: If the manifests are missing or damaged.
    """
    names = [one.dataset for one in data]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"several work folders of one data set ({', '.join(names)}), expected different ones",
            "name each data set once with --workdir",
        )
    folded = [one.dataset for one in data if one.context.division.n_folds]
    if len(data) > 1 and divided and folded:
        raise ConfigError(
            f"{', '.join(folded)} is divided into folds of its own, which others do not have",
            "cross-validate over the subjects of all: --folds 3",
        )
    by_folder = [_of(config, one, divided=divided, is_only=len(data) == 1) for one in data]
    return Frames(
        data=data,
        folders=[number for number, frames in enumerate(by_folder) for _ in frames.keys],
        keys=[key for frames in by_folder for key in frames.keys],
        sample_ids=[name for frames in by_folder for name in frames.sample_ids],
        clip_ids=[name for frames in by_folder for name in frames.clip_ids],
        subject_ids=[name for frames in by_folder for name in frames.subject_ids],
        parts=[part for frames in by_folder for part in frames.parts],
        labels=np.concatenate([frames.labels for frames in by_folder]),
        left_out=[key for frames in by_folder for key in frames.left_out],
    )


def refuse_shared_files(trained: Sequence[Frames], tested: Frames) -> None:
    """Refuse work folders where one tests files that another trains on.

    Equal files in several parts of one work folder are a fault of its division; the audit reports them.

    Args:
        trained: Frames that are trained on, or chosen on.
        tested: Frames of the same work folders.

    Raises:
        ConfigError: If there are such files.
        ManifestError: If manifests are missing or damaged.
    """
    files = [_files(one) for one in tested.data]

    def of(frames: Frames) -> set[tuple[str, int]]:
        entries = {(files[n].get(clip), n) for n, (clip, _) in zip(frames.folders, frames.keys, strict=True)}
        return {(file, number) for file, number in entries if file is not None}

    seen = {entry for frames in trained for entry in of(frames)}
    shared = {
        file
        for file, number in of(tested)
        for other in range(len(files))
        if other != number and (file, other) in seen
    }
    if shared:
        raise ConfigError(
            f"{len(shared)} files that one of {', '.join(one.dataset for one in tested.data)} tests are "
            "trained on in another, expected none",
            "cross-validate over the subjects of all: --folds 3",
        )


def refuse_shared_people(trained: Sequence[Frames], tested: Frames) -> None:
    """Refuse work folders where one tests people that another trains on.

    People in several parts of one work folder are a fault of its division; the audit reports them.

    Args:
        trained: Frames that are trained on, or chosen on.
        tested: Frames of the same work folders.

    Raises:
        ConfigError: If there are such people.
    """
    seen: dict[str, set[int]] = {}
    for frames in trained:
        for number, person in zip(frames.folders, frames.subject_ids, strict=True):
            if person is not None:
                seen.setdefault(person, set()).add(number)
    shared = {
        person
        for number, person in zip(tested.folders, tested.subject_ids, strict=True)
        if person is not None and seen.get(person, set()) - {number}
    }
    if shared:
        raise ConfigError(
            f"{len(shared)} people that one of {', '.join(one.dataset for one in tested.data)} tests are "
            f"trained on in another, e.g. {min(shared)}, expected none",
            "cross-validate over the subjects of all: --folds 3",
        )


def shared_people(trained: Sequence[Frames], tested: Sequence[str | None]) -> list[str] | None:
    """Return the subjects that are tested and also trained or chosen on, sorted.

    Args:
        trained: Frames that are trained on, or chosen on.
        tested: Subjects of the frames that are tested.

    Returns:
        ``None`` where some subjects are not known.
    """
    seen = {person for frames in trained for person in frames.subject_ids}
    people = {*tested}
    if None in seen or None in people:
        return None
    return sorted(person for person in seen & people if person is not None)


def _files(one: UnitData) -> dict[str, str | None]:
    rows = read_rows(one.context.manifests / "clips.parquet", ["clip_id", "sha256"])
    return {row["clip_id"]: row["sha256"] for row in rows}


def _of(config: TrainAuConfig, one: UnitData, *, divided: bool, is_only: bool) -> Frames:
    samples: Sequence[Sample] = clip_samples(one.context.manifests)
    clips = {clip.clip_id: clip for clip in (one.context.divide(samples) if divided else samples)}
    usable = set(usable_frames(one.context.manifests))
    labels_of = labels_by_frame(one.rows, [key for key in usable if key[1] % config.frame_step == 0])
    keys = [key for key in labels_of if key[0] in clips]
    labels = [[labels_of[key].get(unit, 0) for unit in config.action_units] for key in keys]
    if not keys:
        raise DatasetError(
            "no frame has both labels of action units and a usable face"
            + ("" if is_only else f" in {one.context.workdir}"),
            "check the labels' clips and frame numbers, and that the recipe of fgbench prepare keeps video "
            "frames (sample.video)",
        )
    before, people = ("", "") if is_only else (f"{one.dataset}/", f"{one.people}/")
    subjects = [clips[clip].subject_id for clip, _ in keys]
    return Frames(
        data=(one,),
        folders=[0] * len(keys),
        keys=keys,
        sample_ids=[before + image_id(*key) for key in keys],
        clip_ids=[before + clip for clip, _ in keys],
        subject_ids=[None if subject is None else people + subject for subject in subjects],
        parts=[clips[clip].part for clip, _ in keys],
        labels=np.array(labels, np.int8),
        left_out=[(one.dataset, *key) for key in labels_of if key[0] not in clips],
    )
