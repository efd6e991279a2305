"""A run of ``fgbench train au``: from labelled frames of a work folder to a trunk, its scores and its card.

Writes, beside what `fgbench.evaluation.action_units` does, ``weights.safetensors``, ``history.json``,
``log/`` and ``README.md`` into the folder of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from fgbench.config import TrainAuConfig
from fgbench.errors import DatasetError, ManifestError
from fgbench.evaluation.action_units import RESULT, AuPredictions, Labels, read_au_result, write_au_run
from fgbench.evaluation.kept_digests import check_files
from fgbench.evaluation.place import Note
from fgbench.evaluation.protocol import Protocol
from fgbench.evaluation.results import unheard
from fgbench.evaluation.samples import clip_samples
from fgbench.evaluation.splits import subject_folds
from fgbench.hashing import digest_json
from fgbench.models.drml import AuNet, Embedding, Trunk
from fgbench.models.initialisation import initialise
from fgbench.models.weights import save_weights
from fgbench.records import image_id
from fgbench.training.au_labels import AuRow
from fgbench.training.au_task import AuTask, LabelledFrames, predict_units
from fgbench.training.cards import model_card
from fgbench.training.device import describe, memory_explained
from fgbench.training.history import History
from fgbench.training.image_set import open_source
from fgbench.training.loop import CHECKPOINT, fit
from fgbench.training.place import Place
from fgbench.training.preprocessing import Preprocessing
from fgbench.training.processes import join_processes
from fgbench.training.randomness import generator
from fgbench.training.stored import find_frames, usable_frames

WEIGHTS = "weights.safetensors"
_SELECTION_FOLDS = 4  # in cross-validation, a quarter of the training subjects chooses the epoch; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frames:
    """Labelled frames, before their pictures are read; places are rows of the columns."""

    keys: Sequence[tuple[str, int]]
    subject_ids: Sequence[str | None]
    parts: Sequence[str]
    labels: Labels

    @property
    def sample_ids(self) -> list[str]:
        return [image_id(*key) for key in self.keys]

    def take(self, places: Sequence[int]) -> _Frames:
        return _Frames(
            keys=[self.keys[place] for place in places],
            subject_ids=[self.subject_ids[place] for place in places],
            parts=[self.parts[place] for place in places],
            labels=self.labels[list(places)],
        )

    def open(self, place: Place, config: TrainAuConfig) -> LabelledFrames:
        return LabelledFrames(
            sample_ids=self.sample_ids,
            clip_ids=[clip for clip, _ in self.keys],
            subject_ids=self.subject_ids,
            labels=self.labels,
            images=open_source(
                find_frames(place.manifests, self.keys),
                device=place.device,
                resident_mb=config.data.resident_mb,
                jobs=place.jobs,
                progress=place.progress,
            ),
        )


def run(config: TrainAuConfig, place: Place, rows: Iterable[AuRow], *, folds: int = 0) -> list[Path]:
    """Train, and score on subjects (or parts) that were not trained on.

    Args:
        config: The recipe.
        place: Where.
        rows: Labels of the data set's frames.
        folds: Number of groups of subjects to cross-validate over; 0 takes the place's fold of the work
            folder, so that no test person of it is trained on.

    Returns:
        Folders of the runs, one per fold.

    Raises:
        DatasetError: If no frame has labels and a face, or the subjects are not known or too few.
        ConfigError: If training diverges or an unfinished run is that of another recipe.
        ManifestError: If the manifests are missing or damaged.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    frames = _labelled(config, place, rows, divided=not folds)
    found = []
    for name, roles in _divide(frames, folds, place.fold).items():
        protocol = Protocol(
            name="action units",
            fold=name,
            train=_ids(frames, roles["train"]),
            selection=_ids(frames, roles["val"]),
            test=_ids(frames, roles["test"]),
        )
        if not protocol.selection:
            raise DatasetError(
                "there are no labelled frames to choose the epoch on",
                "give the part 'val' a weight in the recipe, or cross-validate with --folds",
            )
        taken = {role: frames.take(at) for role, at in roles.items()}
        with memory_explained():
            found.append(_run_fold(config, place, protocol, taken))
    return found


def find_weights(path: Path) -> Path | None:
    """Weights of a finished run of action units; ``None`` if there is no such run.

    Args:
        path: The run's folder, or a file of weights.
    """
    if path.is_file():
        return path
    return path / WEIGHTS if (path / RESULT).is_file() and (path / WEIGHTS).is_file() else None


def _ids(frames: _Frames, places: Sequence[int]) -> frozenset[str]:
    return frozenset(image_id(*frames.keys[place]) for place in places)


def _labelled(config: TrainAuConfig, place: Place, rows: Iterable[AuRow], *, divided: bool) -> _Frames:
    """Frames that have both a face and labels, every ``frame_step``-th of a clip.

    With ``divided``, parts are those of the place's fold, and clips without a role in it are left out.
    """
    samples = clip_samples(place.manifests)
    clips = {clip.clip_id: clip for clip in (place.divide(samples) if divided else samples)}
    usable = set(usable_frames(place.manifests))
    keys, labels = [], []
    for row in sorted(rows, key=lambda row: (row.clip_id, row.frame_index)):
        key = (row.clip_id, row.frame_index)
        if row.frame_index % config.frame_step == 0 and key in usable and row.clip_id in clips:
            keys.append(key)
            labels.append([row.labels.get(unit, 0) for unit in config.action_units])
    if not keys:
        raise DatasetError(
            "no frame has both labels of action units and a usable face",
            "check the labels' clips and frame numbers, and that the recipe of fgbench prepare keeps video "
            "frames (sample.video)",
        )
    return _Frames(
        keys=keys,
        subject_ids=[clips[clip].subject_id for clip, _ in keys],
        parts=[clips[clip].part for clip, _ in keys],
        labels=np.array(labels, np.int8),
    )


def _divide(frames: _Frames, folds: int, single: str) -> dict[str, dict[str, list[int]]]:
    """Fold to role to places; without folds, those of the parts under one name."""
    everyone = range(len(frames.keys))
    if not folds:
        return {
            single: {
                part: [n for n in everyone if frames.parts[n] == part] for part in ("train", "val", "test")
            }
        }
    fold_of = subject_folds(frames.subject_ids, folds)
    found = {}
    for fold in range(folds):
        rest = [n for n in everyone if fold_of[n] != fold]
        inner = subject_folds([frames.subject_ids[n] for n in rest], _SELECTION_FOLDS)
        found[f"{fold + 1}of{folds}"] = {
            "train": [n for n, group in zip(rest, inner, strict=True) if group],
            "val": [n for n, group in zip(rest, inner, strict=True) if not group],
            "test": [n for n in everyone if fold_of[n] == fold],
        }
    return found


def _run_fold(config: TrainAuConfig, place: Place, protocol: Protocol, roles: Mapping[str, _Frames]) -> Path:
    plain = config.model_dump(mode="json")
    identity = {
        "config": plain,
        "manifests": place.manifest_digest,
        "seed": place.seed,
        "fold": protocol.fold,
        "labels": {
            role: digest_json([part.sample_ids, part.labels.tolist()]) for role, part in roles.items()
        },
    }
    fingerprint = digest_json(identity)
    folder = place.folder(config.name, protocol.fold)
    if not place.force and is_finished(folder, fingerprint, note=place.note):
        return folder
    with place.hold(config.name, protocol.fold):
        _make(config, place, protocol, roles, fingerprint=fingerprint)
    return folder


def _make(
    config: TrainAuConfig,
    place: Place,
    protocol: Protocol,
    roles: Mapping[str, _Frames],
    *,
    fingerprint: str,
) -> None:
    """Train on a fold and write its run."""
    opened = {role: part.open(place, config) for role, part in roles.items()}
    preprocessing = Preprocessing.fitted(opened["train"].images, config.data.resize_px)
    model = build(config, seed=place.seed)
    task = AuTask(
        model,
        config,
        preprocessing,
        train=opened["train"],
        selection=opened["val"],
        seed=place.seed,
        device=place.device,
    )
    protocol.check_selection(opened["val"].sample_ids)
    history = fit(
        task,
        config.optimiser,
        seed=place.seed,
        device=place.device,
        folder=place.folder(config.name, protocol.fold),
        fingerprint=fingerprint,
        resume=place.resume and not place.force,
        progress=place.progress,
    )
    processes = join_processes(place.device)
    if processes.main:
        _finish(
            config,
            place,
            protocol,
            opened["test"],
            model.eval(),
            preprocessing,
            history=history,
            fingerprint=fingerprint,
        )
    processes.wait()


def _finish(
    config: TrainAuConfig,
    place: Place,
    protocol: Protocol,
    test: LabelledFrames,
    model: AuNet,
    preprocessing: Preprocessing,
    *,
    history: History,
    fingerprint: str,
) -> None:
    """Predict the test frames and write the run, its result last."""
    folder = place.folder(config.name, protocol.fold)
    predictions = AuPredictions(
        units=config.action_units,
        sample_ids=test.sample_ids,
        clip_ids=test.clip_ids,
        subject_ids=test.subject_ids,
        labels=test.labels,
        probabilities=predict_units(model, preprocessing, test),
    )
    metadata = {
        "kind": "au",
        "experiment": config.name,
        "fold": protocol.fold,
        "seed": place.seed,
        "action_units": list(config.action_units),
        "trunk": config.trunk.model_dump(mode="json"),
        "fc_hidden": config.fc_hidden,
        "embedding": config.embedding,
        **preprocessing.plain(),
    }
    save_weights(folder / WEIGHTS, model.state_dict(), metadata)
    details = {
        **place.details,
        "recipe": config.name,
        "fingerprint": fingerprint,
        "manifest_digest": place.manifest_digest,
        "fold": protocol.fold,
        "seed": place.seed,
        "best_epoch": history.best_epoch,
        "best_score": history.best_score,
        "n_train": len(protocol.train),
        "n_selection": len(protocol.selection),
    }
    plain = config.model_dump(mode="json")
    write_au_run(
        folder,
        predictions,
        config=plain,
        device=describe(place.device),
        details=details,
        card=partial(model_card, metadata),
    )
    (folder / CHECKPOINT).unlink(missing_ok=True)


def build(config: TrainAuConfig, *, seed: int) -> AuNet:
    """The network of a recipe with its first values."""
    trunk = Trunk(config.trunk)
    embedding = Embedding(
        trunk.channels, fc_hidden=config.fc_hidden, embedding=config.embedding, dropout=config.dropout
    )
    model = AuNet(trunk, embedding, n_action_units=len(config.action_units))
    initialise(model, generator(seed, "weights"))
    return model.to(memory_format=torch.channels_last)  # convolutions take half the time on a CPU


def is_finished(folder: Path, fingerprint: str, *, note: Note = unheard) -> bool:
    """Whether a run is there with its weights, undamaged, and is that of this recipe, data and seed.

    Args:
        folder: Its folder.
        fingerprint: Of recipe, data and seed.
        note: Told why a finished run cannot be taken as it is.
    """
    try:
        result = read_au_result(folder)
    except ManifestError as error:
        if (folder / RESULT).exists():
            note(f"{error.message}: the run is made again")
        return False
    if result["details"].get("fingerprint") != fingerprint or not (folder / WEIGHTS).is_file():
        return False
    try:
        check_files(folder, result, again="run fgbench train au again")
    except ManifestError as error:
        note(f"{error.message}: the run is made again")
        return False
    return True
