"""A run of an image model: from the image set of a work folder to weights, predictions and scores.

Writes, beside what `fgbench.evaluation.results` does, ``weights.safetensors``, ``regions.parquet`` (if the
network zooms), ``branches.parquet``, ``history.json``, ``log/`` and ``README.md`` into the folder of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fgbench import storage
from fgbench.config import TrainImageConfig
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.evaluation.results import SINGLE_FOLD, finished_run, read_result, write_run
from fgbench.evaluation.roles import SCHEME, Roles, assign_roles, predictions_of
from fgbench.evaluation.samples import Sample, image_samples
from fgbench.hashing import digest_file, digest_json
from fgbench.models.initialisation import initialise
from fgbench.models.msau import MsauNet
from fgbench.models.weights import load_into, load_weights, save_weights
from fgbench.taxonomy import basics, ontology
from fgbench.training.cards import model_card
from fgbench.training.device import describe, memory_explained
from fgbench.training.history import History
from fgbench.training.image_set import ImageSet, open_image_set
from fgbench.training.image_task import ImageTask, predict
from fgbench.training.loop import CHECKPOINT, fit
from fgbench.training.map_cache import open_maps
from fgbench.training.outcome import write_branches, write_regions
from fgbench.training.place import Place
from fgbench.training.preprocessing import Preprocessing
from fgbench.training.processes import join_processes
from fgbench.training.randomness import generator
from fgbench.training.stored import image_ids

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Trunk:
    """A trunk that was pretrained on action units.

    Attributes:
        state: Weights of the AU network.
        metadata: Their metadata.
        digest: Digest of the file.
        origin: For messages.
    """

    state: Mapping[str, Tensor]
    metadata: Mapping[str, Any]
    digest: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Data:
    """Samples of a work folder with their pictures, by role."""

    roles: Roles
    train: ImageSet
    selection: ImageSet
    test: ImageSet


def run(config: TrainImageConfig, place: Place, au_weights: Path | None) -> list[Path]:
    """Train, choose the epoch on validation images, predict the test images.

    Args:
        config: The recipe.
        place: Where.
        au_weights: Weights of an AU network, if the recipe takes a pretrained trunk.

    Returns:
        Folders of the runs: one, or one per number of regions of the recipe.

    Raises:
        ConfigError: If training diverges, or an unfinished run or the weights are those of another recipe.
        DatasetError: If a part has no images.
        ManifestError: If manifests or weights are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
    """
    trunk = None if au_weights is None else _read_trunk(au_weights, config)
    if (trunk is None) != (config.au_recipe is None):
        raise ConfigError(
            f"recipe {config.name} {'needs' if config.au_recipe else 'takes no'} weights of action units",
            "give them with --au-weights" if config.au_recipe else "leave out --au-weights",
        )
    counts = config.region_counts or (config.network.zooms,)
    most = max(counts)
    data: _Data | None = None
    folders = []
    for zooms in counts:
        single = _with_regions(config, zooms)
        details = _details(single, place, trunk)
        folder = finished_run(
            place.workdir,
            experiment=single.name,
            fold=SINGLE_FOLD,
            seed=place.seed,
            config=single.model_dump(mode="json"),
            manifest_digest=place.manifest_digest,
        )
        if place.force or folder is None or read_result(folder)["details"].get("trunk") != details["trunk"]:
            data = data or _open(single, place)
            with memory_explained():
                folder = _run_one(single, place, data, trunk, details=details, most=most)
        folders.append(folder)
    return folders


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


def _details(config: TrainImageConfig, place: Place, trunk: _Trunk | None) -> dict[str, Any]:
    return {
        **place.details,
        "manifest_digest": place.manifest_digest,
        "method": config.method,
        "kind": "image",
        "recipe": config.name,
        "regions": config.network.zooms,
        "trunk": None if trunk is None else trunk.digest,
    }


def _read_trunk(path: Path, config: TrainImageConfig) -> _Trunk:
    state, metadata = load_weights(path)
    if metadata.get("kind") != "au":
        raise ManifestError(
            f"{path} is of kind {metadata.get('kind')!r}, expected weights of action units ('au')",
            "give a run of fgbench train au",
        )
    wanted = config.network.trunk.model_dump(mode="json")
    if metadata["trunk"] != wanted:
        different = sorted(key for key in wanted if metadata["trunk"].get(key) != wanted[key])
        raise ConfigError(
            f"{path} has another trunk than recipe {config.name}: {', '.join(different)} differ",
            f"train it with fgbench train au --recipe {config.au_recipe}",
        )
    return _Trunk(state=state, metadata=metadata, digest=digest_file(path), origin=str(path))


def _open(config: TrainImageConfig, place: Place) -> _Data:
    known = image_ids(place.manifests)
    samples = [s for s in image_samples(place.manifests) if config.data.copies or not s.is_copy]
    roles = assign_roles(samples, protocol_name="images", known=known)
    if not roles.selection:
        raise DatasetError(
            "there are no images to choose the epoch on", "give the part 'val' a weight in the recipe"
        )

    def opened(found: Sequence[Sample]) -> ImageSet:
        return open_image_set(
            place.manifests,
            found,
            device=place.device,
            resident_mb=config.data.resident_mb,
            jobs=place.jobs,
            progress=place.progress,
        )

    return _Data(
        roles=roles,
        train=opened(roles.train),
        selection=opened(roles.selection),
        test=opened(roles.predicted),
    )


def build(config: TrainImageConfig, trunk: _Trunk | None, *, seed: int) -> MsauNet:
    """The network of a recipe with its first values: drawn, and where it is pretrained, the AU network's."""
    model = MsauNet(config.network, n_basic=len(basics()) if config.losses.basic else 0)
    initialise(model, generator(seed, "weights"))
    model.to(memory_format=torch.channels_last)  # convolutions take half the time on a CPU
    if trunk is None:
        return model
    load_into(model.trunk, _below(trunk.state, "trunk."), origin=trunk.origin)
    embedding = _below(trunk.state, "embedding.")
    for scale in model.scales:
        shapes = {name: tuple(value.shape) for name, value in scale.embedding.state_dict().items()}
        if shapes == {name: tuple(value.shape) for name, value in embedding.items()}:
            load_into(scale.embedding, embedding, origin=trunk.origin)
    model.freeze_trunk()
    return model


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _run_one(
    config: TrainImageConfig,
    place: Place,
    data: _Data,
    trunk: _Trunk | None,
    *,
    details: Mapping[str, Any],
    most: int,
) -> Path:
    plain = config.model_dump(mode="json")
    folder = place.folder(config.name)
    if trunk is None:
        preprocessing = Preprocessing.fitted(data.train.images, config.data.resize_px)
    else:  # what the trunk was trained with (identical in AU pretraining)
        known = Preprocessing.of_metadata(trunk.metadata, trunk.origin)
        preprocessing = Preprocessing(resize_px=config.data.resize_px, mean=known.mean, std=known.std)
    model = build(config, trunk, seed=place.seed).to(place.device)
    maps = selection_maps = None
    if trunk is not None:
        model.eval()
        maps, selection_maps = open_maps(
            model, config, preprocessing, place, train=data.train, selection=data.selection, most=most
        )
    history = fit(
        ImageTask(
            model,
            config,
            preprocessing,
            train=data.train,
            selection=data.selection,
            maps=maps,
            selection_maps=selection_maps,
            seed=place.seed,
            device=place.device,
        ),
        config.optimiser,
        seed=place.seed,
        device=place.device,
        folder=folder,
        fingerprint=digest_json([plain, place.manifest_digest, place.seed, details["trunk"]]),
        resume=place.resume and not place.force,
        progress=place.progress,
    )
    processes = join_processes(place.device)
    if processes.main:
        _finish(config, place, data, model.eval(), preprocessing, history=history, details=details)
    processes.wait()
    return folder


def _finish(
    config: TrainImageConfig,
    place: Place,
    data: _Data,
    model: MsauNet,
    preprocessing: Preprocessing,
    *,
    history: History,
    details: Mapping[str, Any],
) -> None:
    """Predict the test images and write the run, its result last."""
    plain = config.model_dump(mode="json")
    folder = place.folder(config.name)
    predicted = predict(model, preprocessing, data.test.images)
    labels = ontology(SCHEME).labels
    metadata = {
        "kind": "image",
        "experiment": config.name,
        "seed": place.seed,
        "classes": list(labels),
        "basic": list(basics()) if config.losses.basic else [],
        "network": config.network.model_dump(mode="json"),
        **preprocessing.plain(),
    }
    save_weights(folder / WEIGHTS, model.state_dict(), metadata)
    write_branches(folder, data.test.sample_ids, predicted.branches)
    if config.network.zooms:
        write_regions(folder, data.test.sample_ids, predicted)
    write_run(
        place.workdir,
        predictions_of(data.roles, predicted.probabilities, predicted.probabilities, labels),
        experiment=config.name,
        fold=SINGLE_FOLD,
        seed=place.seed,
        config=plain,
        manifest_digest=place.manifest_digest,
        device=describe(place.device),
        details={
            **details,
            "best_epoch": history.best_epoch,
            "best_score": history.best_score,
            "n_epochs": len(history.epochs),
            "n_train": len(data.train),
            "n_selection": len(data.selection),
        },
    )
    storage.write_text(folder / "README.md", model_card(metadata, read_result(folder)))
    (folder / CHECKPOINT).unlink(missing_ok=True)
