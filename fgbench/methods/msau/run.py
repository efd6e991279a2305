"""A run of an image model: from the image set of a work folder to weights, predictions and scores.

Writes, beside what `fgbench.runs.results` does, ``weights.safetensors``, ``regions.parquet`` (if the
network zooms), ``branches.parquet``, ``history.json``, ``log/`` and ``README.md`` into the folder of the run;
on a network of the user's also ``prepared_face.png``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.config import TrainImageConfig
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_json
from fgbench.inputs.frozen_maps import open_maps
from fgbench.inputs.image_set import ImageSet
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.soft_targets import targets_of
from fgbench.media.images import encode
from fgbench.methods._networks.chain import chain_of, drawn_start
from fgbench.methods._networks.face_agreement import note_other_faces
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.image_roles import ImageRoles, open_image_roles, open_images
from fgbench.methods._networks.initial_weights import build, start_of, transfer_of
from fgbench.methods._networks.overlap import start_details
from fgbench.methods._networks.run_end import write_trained
from fgbench.methods.action_units.pseudo_labels import pseudo_metadata, pseudo_trained
from fgbench.methods.backbone.opening import note_place
from fgbench.methods.backbone.self_check import PICTURE
from fgbench.methods.msau.backbone_trunk import Backbone, kept_state
from fgbench.methods.msau.outcome import write_branches, write_regions
from fgbench.methods.msau.task import ImageTask, predict
from fgbench.methods.msau.units import UnitLabels, unit_labels
from fgbench.models.map_trunk import MapTrunk
from fgbench.models.msau import MsauNet
from fgbench.models.weights import save_weights
from fgbench.records import PEOPLE, AuRow, UnitSource
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.pseudo_labels import PSEUDO
from fgbench.runs.results import read_result
from fgbench.runs.training_details import TRAINING_CROPS
from fgbench.runs.vote_shares import target_details
from fgbench.runs.weights import Trained
from fgbench.storage import write_bytes
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.training.losses import turns_of
from fgbench.workfolders.layout import WEIGHTS


def run(
    config: TrainImageConfig,
    context: TrainingContext,
    au_weights: Path | None,
    *,
    init: Trained | None = None,
    trunk: Trained | None = None,
    units: Iterable[AuRow] | None = None,
    source: UnitSource = PEOPLE,
    backbone: Backbone | None = None,
) -> list[Path]:
    """Train, choose the epoch on validation images, predict the test images.

    On a label set without upper classes their loss is left out, which the result notes.

    Args:
        config: The recipe.
        context: Context of the run, with its fold.
        au_weights: Weights of an AU network, if the recipe takes a pretrained trunk.
        init: A trained image network to start from instead, without its classifiers; see
            :func:`fine_tuned`.
        trunk: A trained image network whose trunk is taken instead; see
            :func:`fgbench.methods._networks.trunk_choice.on_trunk_of`.
        units: Labels of action units of the data set's frames, for a recipe that trains on them; ``None``
            if it has none, which the result notes.
        source: Origin of these labels.
        backbone: The network of a recipe of ``network.trunk`` backbone; the recipe is that of
            :func:`fgbench.methods._networks.trunk_choice.on_backbone`.

    Returns:
        Folders of the runs: one, or one per number of regions of the recipe.

    Raises:
        ConfigError: If training diverges, an unfinished run or the weights are of another recipe, or
            the network to start from was trained on test clips.
        DatasetError: If a part has no images, a class no training images, or there are no votes to learn
            from.
        ManifestError: If manifests or weights are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    context = context.learning_from(config.losses.target, config.name)
    if config.network.is_on_backbone != (backbone is not None):
        raise ConfigError(
            f"recipe {config.name} has {'a' if backbone is None else 'no'} network of the user's as trunk "
            f"(network.trunk), and {'none' if backbone is None else 'one'} is named",
            "name it with --hf FOLDER or --torch FILE" if backbone is None else "name none",
        )
    start = start_of(config, au_weights, init, trunk)
    start_of_run = None if start is None else start_details(start, context)
    face_notes = [] if start is None else note_other_faces(start, context)
    instead = "--au-weights takes a run on other faces, --trunk another trunk (none: drawn values)"
    if warning := drawn_start(chain_of(start), context.details, instead=instead):
        context.note(f"{config.name} {warning}")
    own = {PSEUDO: {str(context.details["dataset"]): source.pseudo}} if source.pseudo else {}
    pseudo = pseudo_metadata(own, {} if start is None else start.metadata)
    notes = [*face_notes, *pseudo_trained(pseudo)]
    if config.losses.basic and not context.labels.upper:
        losses = config.losses.model_copy(update={"basic": 0.0})
        config = config.model_copy(update={"losses": losses})
        notes.append(f"losses.basic taken as 0: label set {context.labels.name} has no upper classes")
    if backbone is None and start is None and config.network != (whole := config.network.trained_whole()):
        config = config.model_copy(update={"network": whole})
        notes.append(
            "network.freeze, unfreeze_after and unfreeze_rate without effect: the trunk's values are drawn"
        )
    unit_rows = list(units or ()) if config.losses.units else []
    if config.losses.units and not unit_rows:
        notes.append(
            f"losses.units without effect: {context.details['dataset']} has no labels of action units; the "
            "trunk trained on"
        )
    counts = config.region_counts or (config.network.zooms,)
    most = max(counts)
    data: ImageRoles[ImageSet] | None = None
    folders = []
    for zooms in counts:
        single = _with_regions(config, zooms)
        details = {
            **_details(single, context, start, trunk_only=trunk is not None),
            **({} if backbone is None else backbone.details(trains=_trains(single))),
            "start": start_of_run,
            **({"notes": notes} if notes else {}),
        }
        folder = context.finished(single.name, _plain(single, backbone))
        if folder is not None and read_result(folder)["details"].get("trunk") != details["trunk"]:
            context.note(f"{folder} started from other weights: the run is made again")
            folder = None
        if folder is None:
            if data is None:
                # The same data serve all numbers of regions.
                data = open_image_roles(
                    context,
                    lambda samples: open_images(context, samples, resident_mb=config.data.resident_mb),
                    copies=config.data.copies,
                )
            with memory_explained(), context.hold(single.name):
                folder = _run_one(
                    single,
                    context,
                    data,
                    start,
                    unit_rows=unit_rows,
                    pseudo=pseudo,
                    trunk_only=trunk is not None,
                    details=details,
                    most=most,
                    backbone=backbone,
                )
        folders.append(folder)
    return folders


def fine_tuned(config: TrainImageConfig) -> TrainImageConfig:
    """Return the recipe under the name of the experiment that starts from a trained image network."""
    return config.model_copy(update={"name": f"{config.name}-fine-tuned"})


def _with_regions(config: TrainImageConfig, zooms: int) -> TrainImageConfig:
    if not config.region_counts:
        return config
    return config.model_copy(
        update={
            "name": f"{config.name}-{zooms}",
            "region_counts": (),
            "network": config.network.model_copy(update={"zooms": zooms}),
        }
    )


def _plain(config: TrainImageConfig, backbone: Backbone | None) -> dict[str, Any]:
    """Return all settings of a run as plain values."""
    return {**config.model_dump(mode="json"), **({} if backbone is None else backbone.settings())}


def _trains(config: TrainImageConfig) -> bool:
    """Return whether the trunk trains, first or later."""
    return config.frozen != "trunk" or config.network.unfreeze_after is not None


def _details(
    config: TrainImageConfig, context: TrainingContext, start: Trained | None, *, trunk_only: bool
) -> dict[str, Any]:
    transfer = (
        {} if start is None or start.kind != "image" or trunk_only else {"transfer": transfer_of(start)}
    )
    return {
        **context.details,
        "manifest_digest": context.manifest_digest,
        "method": config.method,
        "kind": "image",
        "recipe": config.name,
        "regions": config.network.zooms,
        TRAINING_CROPS: config.data.crops,
        **target_details(config.losses.target),
        **({"turns": [*turns_of(config.losses)]} if config.losses.rank else {}),
        "trunk": None if start is None else start.digest,
        "chain": chain_of(start),
        **transfer,
    }


def _run_one(
    config: TrainImageConfig,
    context: TrainingContext,
    data: ImageRoles[ImageSet],
    start: Trained | None,
    *,
    unit_rows: Sequence[AuRow],
    pseudo: Mapping[str, Any],
    trunk_only: bool,
    details: Mapping[str, Any],
    most: int,
    backbone: Backbone | None,
) -> Path:
    plain = _plain(config, backbone)
    folder = context.folder(config.name)
    if backbone is not None:
        preprocessing = backbone.preprocessing(config.data.resize_px)
    elif start is None:
        preprocessing = Preprocessing.fitted(data.train.images, config.data.resize_px)
    else:  # as the trunk was trained (identical in AU pretraining)
        earlier = Preprocessing.of_metadata(start.metadata, str(start.path))
        preprocessing = Preprocessing(resize_px=config.data.resize_px, mean=earlier.mean, std=earlier.std)
    model = build(
        config,
        start,
        seed=context.seed,
        labels=context.labels,
        trunk_only=trunk_only,
        map_trunk=None if backbone is None else backbone.trunk(),
    )
    model.to(context.device)
    maps = selection_maps = None
    units = None
    if model.units is not None:
        assert start is not None
        names = start.metadata["action_units"]
        units = unit_labels(context.manifests, data.train.sample_ids, unit_rows, names)
    frozen = "none" if start is None and backbone is None else config.frozen
    if frozen == "trunk":
        model.eval()
        maps, selection_maps = open_maps(
            model, config, preprocessing, context, train=data.train, selection=data.selection, most=most
        )
    unit_digests = [] if units is None else [digest_json(units.images.tolist())]
    fit_and_finish(
        ImageTask(
            model,
            config,
            preprocessing,
            train=data.train,
            selection=data.selection,
            maps=maps,
            selection_maps=selection_maps,
            units=None if units is None else units.images,
            soft=targets_of(
                config.losses.target, context.manifests, data.roles.train, context.labels, context.device
            ),
            frozen=frozen,
            seed=context.seed,
            device=context.device,
        ),
        config.optimiser,
        context,
        folder,
        fingerprint=digest_json(
            [plain, context.manifest_digest, context.seed, details["trunk"], *context.identity, *unit_digests]
        ),
        settings=plain,
        finish=lambda history: _finish(
            config,
            context,
            data,
            model,
            preprocessing,
            start,
            units=units,
            pseudo=pseudo,
            history=history,
            details=details,
            backbone=backbone,
        ),
    )
    return folder


def _finish(
    config: TrainImageConfig,
    context: TrainingContext,
    data: ImageRoles[ImageSet],
    model: MsauNet,
    preprocessing: Preprocessing,
    start: Trained | None,
    *,
    units: UnitLabels | None,
    pseudo: Mapping[str, Any],
    history: History,
    details: Mapping[str, Any],
    backbone: Backbone | None,
) -> None:
    """Predict the test images and write the run, its result last."""
    plain = _plain(config, backbone)
    folder = context.folder(config.name)
    predicted = predict(model, preprocessing, data.test.images)
    metadata = {
        "kind": "image",
        "experiment": config.name,
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        **context.labels.described(),
        "basic": list(context.labels.upper) if config.losses.basic else [],
        "network": config.network.built(),
        **preprocessing.plain(),
        **pseudo,
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
        **({} if backbone is None else backbone.metadata(trains=_trains(config))),
    }
    # Outputs for action units serve training alone.
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("units.")}
    if backbone is not None:
        assert isinstance(model.trunk, MapTrunk)
        state = kept_state(state, model.trunk, trains=_trains(config))
        note_place(context.workdir, backbone.network.frozen)
        write_bytes(folder / PICTURE, encode(backbone.checked.picture, "png", 0))
    save_weights(folder / WEIGHTS, state, metadata)
    write_branches(folder, data.test.sample_ids, predicted.branches)
    if config.network.zooms:
        write_regions(folder, data.test.sample_ids, predicted)
    write_trained(
        context,
        data.roles,
        predicted.probabilities,
        config=plain,
        history=history,
        metadata=metadata,
        details={**details, "n_train": len(data.train), "n_selection": len(data.selection)},
        start=start,
        unit_labels=None if units is None else units.frames,
    )
