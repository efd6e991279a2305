"""A run of ``fgbench train au``: from labelled frames of work folders to a trunk, its scores and its card.

Writes, beside what `fgbench.runs.unit_results` does, ``weights.safetensors``, ``trained_on.parquet``,
``trained_units.parquet``, ``history.json``, ``log/`` and ``README.md`` into the folder of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fgbench.callbacks import Note, ignore
from fgbench.config import TrainAuConfig
from fgbench.errors import DatasetError, ManifestError
from fgbench.files.hashing import digest_json
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods._networks.carried_units import write_labelled_frames
from fgbench.methods._networks.face_agreement import refuse_mixed_faces
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.model_card import model_card
from fgbench.methods._networks.trained_clips import write_trained_frames
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods.action_units.folders import dataset_details
from fgbench.methods.action_units.frames import (
    Frames,
    UnitData,
    labelled_frames,
    refuse_shared_files,
    refuse_shared_people,
    shared_people,
)
from fgbench.methods.action_units.pseudo_labels import (
    pseudo_data,
    pseudo_metadata,
    pseudo_tested,
    pseudo_trained,
)
from fgbench.methods.action_units.task import AuTask, LabelledFrames, unit_probabilities
from fgbench.models.drml import AuNet, Embedding, Trunk
from fgbench.models.initialisation import initialise
from fgbench.models.weights import save_weights
from fgbench.records import PEOPLE, AuRow, UnitSource
from fgbench.runs.digests import check_files
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.protocol import Protocol
from fgbench.runs.pseudo_labels import PSEUDO
from fgbench.runs.settings import is_giving_way, refuse_other_settings
from fgbench.runs.subject_folds import subject_folds
from fgbench.runs.training_details import TRAINING_CROPS
from fgbench.runs.unit_results import PEOPLE_TRAINED_ON, RESULT, AuPredictions, read_au_result, write_au_run
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe, memory_explained
from fgbench.training.history import History
from fgbench.training.loop import CHECKPOINT
from fgbench.training.randomness import generator
from fgbench.workfolders.layout import WEIGHTS

_SELECTION_FOLDS = 4  # in cross-validation, a quarter of the training subjects chooses the epoch; ours


def run(
    config: TrainAuConfig,
    context: TrainingContext,
    rows: Iterable[AuRow],
    *,
    folds: int = 0,
    people: str = "",
    source: UnitSource = PEOPLE,
    others: Sequence[UnitData] = (),
) -> list[Path]:
    """Train, and score on subjects (or parts) that were not trained on.

    With further work folders, one network is trained on the frames of all (paper section IV-A: "on BP4D and
    DISFA"); its run lies in the first work folder, as an experiment that bears their names.

    Args:
        config: The recipe.
        context: Context of the run.
        rows: Labels of the data set's frames.
        folds: Number of groups of subjects to cross-validate over; 0 takes the run's fold of the work
            folder, so that no test person of it is trained on.
        people: Prefix of the subjects, see :class:`UnitData`.
        source: Origin of the labels.
        others: Further work folders.

    Returns:
        Folders of the runs, one per fold.

    Raises:
        DatasetError: If no frame has labels and a face, or the subjects are not known or too few.
        ConfigError: If training diverges, an unfinished run is that of another recipe, or the work folders
            cannot be taken together.
        ManifestError: If the manifests are missing or damaged.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    data = (UnitData(context=context, rows=rows, people=people, source=source), *others)
    frames = labelled_frames(config, data, divided=not folds)
    if others:
        refuse_mixed_faces([one.context for one in data])
        names = [slug(one.dataset) for one in data]
        config = config.model_copy(update={"name": "-".join([config.name, *names])})
        context = replace(
            context,
            manifest_digest=digest_json([one.context.manifest_digest for one in data]),
            details={**context.details, **dataset_details([one.context for one in data])},
        )
    if detectors := pseudo_data(data):
        notes = [*pseudo_trained({PSEUDO: detectors}), *pseudo_tested(detectors)]
        context = replace(context, details={**context.details, PSEUDO: detectors, "notes": notes})
    run_folders = []
    for name, roles in _divide(frames, folds, context.fold).items():
        taken = {role: frames.take(rows_of_role) for role, rows_of_role in roles.items()}
        refuse_shared_files([taken["train"], taken["val"]], taken["test"])
        refuse_shared_people([taken["train"], taken["val"]], taken["test"])
        protocol = Protocol(
            name="action units",
            fold=name,
            train=frozenset(taken["train"].sample_ids),
            selection=frozenset(taken["val"].sample_ids),
            test=frozenset(taken["test"].sample_ids),
        )
        if not protocol.selection:
            raise DatasetError(
                "there are no labelled frames to choose the epoch on",
                "give the part 'val' a weight in the recipe, or cross-validate with --folds",
            )
        with memory_explained():
            run_folders.append(_run_fold(config, context, protocol, taken))
    return run_folders


def find_weights(path: Path) -> Path | None:
    """Return the weights of a finished run of action units; ``None`` if there is no such run.

    Args:
        path: The run's folder, or a file of weights.
    """
    if path.is_file():
        return path
    return path / WEIGHTS if (path / RESULT).is_file() and (path / WEIGHTS).is_file() else None


def _divide(frames: Frames, folds: int, single: str) -> dict[str, dict[str, list[int]]]:
    """Return fold to role to indices; without folds, those of the parts under one name."""
    everyone = range(len(frames))
    if not folds:
        return {
            single: {
                part: [n for n in everyone if frames.parts[n] == part] for part in ("train", "val", "test")
            }
        }
    fold_of = subject_folds(frames.subject_ids, folds)
    folds_by_name = {}
    for fold in range(folds):
        rest = [n for n in everyone if fold_of[n] != fold]
        inner = subject_folds([frames.subject_ids[n] for n in rest], _SELECTION_FOLDS)
        folds_by_name[f"{fold + 1}of{folds}"] = {
            "train": [n for n, group in zip(rest, inner, strict=True) if group],
            "val": [n for n, group in zip(rest, inner, strict=True) if not group],
            "test": [n for n in everyone if fold_of[n] == fold],
        }
    return folds_by_name


def _run_fold(
    config: TrainAuConfig, context: TrainingContext, protocol: Protocol, roles: Mapping[str, Frames]
) -> Path:
    plain = config.model_dump(mode="json")
    identity = {
        "config": plain,
        "manifests": context.manifest_digest,
        "seed": context.seed,
        "fold": protocol.fold,
        "labels": {
            role: digest_json([list(part.sample_ids), part.labels.tolist()]) for role, part in roles.items()
        },
    }
    if PSEUDO in context.details:
        identity[PSEUDO] = context.details[PSEUDO]
    fingerprint = digest_json(identity)
    folder = context.folder(config.name, protocol.fold)
    if not context.force and is_finished(folder, fingerprint, plain, note=context.note):
        return folder
    with context.hold(config.name, protocol.fold):
        _make(config, context, protocol, roles, fingerprint=fingerprint)
    return folder


def _make(
    config: TrainAuConfig,
    context: TrainingContext,
    protocol: Protocol,
    roles: Mapping[str, Frames],
    *,
    fingerprint: str,
) -> None:
    """Train on a fold and write its run."""
    opened = {role: part.open(context, config) for role, part in roles.items()}
    preprocessing = Preprocessing.fitted(opened["train"].images, config.data.resize_px)
    model = build(config, seed=context.seed)
    task = AuTask(
        model,
        config,
        preprocessing,
        train=opened["train"],
        selection=opened["val"],
        seed=context.seed,
        device=context.device,
    )
    protocol.check_selection(opened["val"].sample_ids)
    fit_and_finish(
        task,
        config.optimiser,
        context,
        context.folder(config.name, protocol.fold),
        fingerprint=fingerprint,
        settings=config.model_dump(mode="json"),
        finish=lambda history: _finish(
            config,
            context,
            protocol,
            opened["test"],
            [roles["train"], roles["val"]],
            roles["test"],
            model,
            preprocessing,
            history=history,
            fingerprint=fingerprint,
        ),
        measure="mean F1",
    )


def _finish(
    config: TrainAuConfig,
    context: TrainingContext,
    protocol: Protocol,
    test: LabelledFrames,
    trained_on: Sequence[Frames],
    tested: Frames,
    model: AuNet,
    preprocessing: Preprocessing,
    *,
    history: History,
    fingerprint: str,
) -> None:
    """Predict the test frames and write the run, its result last."""
    folder = context.folder(config.name, protocol.fold)
    predictions = AuPredictions(
        units=config.action_units,
        sample_ids=test.sample_ids,
        clip_ids=test.clip_ids,
        subject_ids=test.subject_ids,
        labels=test.labels,
        probabilities=unit_probabilities(model, preprocessing, test.images, n_units=len(config.action_units)),
    )
    metadata = {
        "kind": "au",
        "experiment": config.name,
        "fold": protocol.fold,
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        "action_units": list(config.action_units),
        "trunk": config.trunk.model_dump(mode="json"),
        "fc_hidden": config.fc_hidden,
        "embedding": config.embedding,
        **preprocessing.plain(),
        **pseudo_metadata(context.details),
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
    }
    save_weights(folder / WEIGHTS, model.state_dict(), metadata)
    write_trained_frames(folder, trained_on)
    write_labelled_frames(folder, trained_on, tested, units=config.action_units, frame_step=config.frame_step)
    details = {
        **context.details,
        "recipe": config.name,
        TRAINING_CROPS: config.data.crops,
        "fingerprint": fingerprint,
        "manifest_digest": context.manifest_digest,
        "fold": protocol.fold,
        "seed": context.seed,
        "best_epoch": history.best_epoch,
        "best_score": history.best_score,
        "n_train": len(protocol.train),
        "n_selection": len(protocol.selection),
        PEOPLE_TRAINED_ON: shared_people(trained_on, test.subject_ids),
    }
    plain = config.model_dump(mode="json")
    write_au_run(
        folder,
        predictions,
        config=plain,
        device=describe(context.device),
        details=details,
        card=partial(model_card, metadata),
    )
    (folder / CHECKPOINT).unlink(missing_ok=True)


def build(config: TrainAuConfig, *, seed: int) -> AuNet:
    """Build the network of a recipe with its initial values."""
    trunk = Trunk(config.trunk)
    embedding = Embedding(
        trunk.channels, fc_hidden=config.fc_hidden, embedding=config.embedding, dropout=config.dropout
    )
    model = AuNet(trunk, embedding, n_action_units=len(config.action_units))
    initialise(model, generator(seed, "weights"))
    return model.to(memory_format=torch.channels_last)  # convolutions take half the time on a CPU


def is_finished(folder: Path, fingerprint: str, settings: Mapping[str, Any], *, note: Note = ignore) -> bool:
    """Return whether a run exists with its weights, undamaged, and is of this recipe, data and seed.

    Args:
        folder: Its folder.
        fingerprint: Digest of recipe, data and seed.
        settings: The recipe as plain values.
        note: Called with the reason why a finished run cannot be reused.

    Raises:
        ConfigError: If it was made with other settings.
    """
    try:
        result = read_au_result(folder)
    except ManifestError as error:
        if (folder / RESULT).exists():
            note(f"{error.message}: the run is made again")
        return False
    try:
        if result["config_digest"] != digest_json(settings):
            if is_giving_way(folder):
                return False
            refuse_other_settings(folder, result, settings, command=f"fgbench train au ({settings['name']})")
        if result["details"].get("fingerprint") != fingerprint or not (folder / WEIGHTS).is_file():
            note(f"{folder} is of other data, or has lost its weights: the run is made again")
            return False
        check_files(folder, result, again="run fgbench train au again")
    except ManifestError as error:
        note(f"{error.message}: the run is made again")
        return False
    return True
