"""Trainings of networks: the recipe that is meant, what a run starts from, and the run itself.

Each function reads and checks all that can be without data, and returns a :class:`Training` that is ready to
be run. :meth:`fgbench.Work.train` runs any method by its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from fgbench.api.method_list import TEMPORAL, VARIANTS
from fgbench.api.progress import log
from fgbench.errors import ArgumentError

if TYPE_CHECKING:
    from fgbench.methods.steps.contexts import Runs as Runs
    from fgbench.runs.weights import Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A training, or a baseline, that is to be run.

    Attributes:
        workdirs: Work folders that it reads; runs lie in the first.
        device: Name of the device; ``None``: a GPU if there is one.
        on_device: Whether it needs one.
    """

    workdirs: tuple[Path, ...]
    device: str | None
    on_device: bool
    _run: Callable[[Runs], list[Path]]

    def find_device(self) -> None:
        """Look for the device before anything is begun.

        Raises:
            ConfigError: If its name is not valid.
            DependencyError: If torch is not installed.
            ResourceError: If there is no such device.
        """
        from fgbench.methods.steps.contexts import find_device

        if self.on_device:
            find_device(self.device)

    def run(self, **runs: Unpack[Runs]) -> list[Path]:
        """Train in every fold and for every seed, what it is made of first; return the folders of the runs.

        A run that is there already is left as it is; one that was interrupted is continued.

        Args:
            runs: See :class:`fgbench.methods.steps.contexts.Runs`; the device is that of the training,
                ``jobs`` are one per core if not given, and sentences go to the log.

        Raises:
            DatasetError: If a class has no training sample.
            ManifestError: If the manifests are missing or damaged.
            ResourceError: If memory or disk are full.
        """
        from fgbench.cores import n_cores

        how: Runs = {"jobs": n_cores(), "device": self.device, "note": log, **runs}
        return self._run(how)


def units(
    workdirs: Sequence[Path],
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    folds: int = 0,
    device: str | None = None,
) -> Training:
    """Return the training of a detector of action units.

    Args:
        workdirs: Work folders; one network is trained on all, and lies in the first.
        recipe: Packed recipe or file; ``None``: the paper's; where the CPU computes, and on the embedded data
            set, the small one.
        changes: Settings to change, see :func:`fgbench.config.with_changes`.
        folds: Groups of subjects to cross-validate over; 0 takes the work folder's own protocol.
        device: Name of the device; ``None``: a GPU if there is one.

    Raises:
        ConfigError: If the recipe or a change is not valid.
    """
    from fgbench.config import TrainAuConfig, load_training, with_changes

    workdir, *further = workdirs
    config = load_training(recipe or default_recipe("au", workdir, device), TrainAuConfig)
    config = with_changes(config, changes)

    def run(how: Runs) -> list[Path]:
        from fgbench.methods.steps.units import train_units

        seeds = train_units(config, workdir, further=further, folds=folds, **how)
        return [folder for of_seed in seeds for folder in of_seed]

    return Training(workdirs=tuple(workdirs), device=device, on_device=True, _run=run)


def msau(
    workdir: Path,
    *,
    variant: str = "msau",
    recipe: str | None = None,
    changes: Sequence[str] = (),
    au_weights: Path | None = None,
    init: str | None = None,
    trunk: str | None = None,
    hf: str | None = None,
    torch: Path | None = None,
    arch: str | None = None,
    licence: str | None = None,
    device: str | None = None,
) -> Training:
    """Return the training of MSAU-Net, or of one of its ablations, on the image set.

    Args:
        workdir: Work folder.
        variant: One of :data:`VARIANTS`.
        recipe: This and what follows: as of :func:`units`.
        au_weights: Run of action units, or its weights; ``None``: those of the work folder, trained first if
            absent.
        init: Trained network of images to start from, all but its classifiers; with its own settings unless a
            recipe is named.
        trunk: Trained network of images whose trunk is taken in the place of that of action units, or
            ``"none"`` for drawn values.
        hf: Network of the user's whose last map takes the place of the paper's trunk, for a recipe of
            ``network.trunk`` backbone: a folder with config.json and safetensors.
        torch: Such a network: a file of weights alone.
        arch: Name of the network of ``torch``.
        licence: Licence of the network, for the model card.

    Raises:
        ArgumentError: If there is no such variant, ``trunk`` is named beside another start, or a network is
            named and the recipe has none, or the other way round.
        ConfigError: If the recipe or a change is not valid.
        DependencyError: If torch is not installed.
        ManifestError: If there are no such weights, or they are damaged.
    """
    from fgbench.config import TrainImageConfig, load_training, with_changes

    if variant not in VARIANTS:
        raise ArgumentError(f"{variant!r}, expected one of {', '.join(VARIANTS)}", argument="variant")
    start = None
    if init is not None:
        start, settings = _start(init, workdir, recipe)
    else:
        settings = recipe or default_recipe(variant, workdir, device)
    if trunk is not None and (init is not None or au_weights is not None):
        raise ArgumentError(
            "given beside another start, init or au_weights; expected one of them", argument="trunk"
        )
    config = with_changes(load_training(settings, TrainImageConfig), changes)
    _check_network(config.network.is_on_backbone, hf=hf, torch=torch, arch=arch, licence=licence)
    if config.network.is_on_backbone:
        others = {"trunk": trunk, "init": init, "au_weights": au_weights}
        for name in (name for name, value in others.items() if value is not None):
            raise ArgumentError(
                f"given, but the trunk of recipe {config.name} is the network of --hf or --torch",
                "leave one of them out",
                argument=name,
            )

    def run(how: Runs) -> list[Path]:
        network = None
        if config.network.is_on_backbone:
            from fgbench.api.needed_packages import require_torch

            require_torch()
            from fgbench.methods.backbone.asked import Asked

            network = Asked(onnx=None, hf=hf, torch=torch, arch=arch, download=False, licence=licence)
        from fgbench.methods.steps.images import train_images

        folders = train_images(
            config, workdir, au_weights=au_weights, init=start, trunk=trunk, network=network, **how
        )
        # Runs of several numbers of regions are experiments of their own.
        return sorted(folders, key=lambda folder: folder.parent.parent.name)

    return Training(workdirs=(workdir,), device=device, on_device=True, _run=run)


def tmsau(
    workdir: Path,
    *,
    temporal: str = "",
    recipe: str | None = None,
    changes: Sequence[str] = (),
    image_run: str | None = None,
    weights: Path | None = None,
    device: str | None = None,
) -> Training:
    """Return the training of TMSAU-Net on clips.

    Args:
        workdir: Work folder.
        temporal: Temporal stream, one of :data:`TEMPORAL`; empty: the recipe's, else flow.
        recipe: This and what follows: as of :func:`units`.
        image_run: Run of MSAU-Net that describes the frames, or its weights; ``None``: the recipe's of the
            work folder, trained first if absent.
        weights: Weights that convolutional streams start from; ``None``: drawn values.

    Raises:
        ArgumentError: If there is no such stream, or the recipe has another one.
        ConfigError: If the recipe or a change is not valid.
    """
    from fgbench.config import TrainClipConfig, load_training, with_changes

    if temporal and temporal not in TEMPORAL:
        raise ArgumentError(f"{temporal!r}, expected one of {', '.join(TEMPORAL)}", argument="temporal")
    name = "tmsau" if temporal in ("", "flow") else f"tmsau-{temporal}"
    config = load_training(recipe or default_recipe(name, workdir, device), TrainClipConfig)
    config = with_changes(config, changes)
    if temporal and config.temporal != temporal:
        raise ArgumentError(
            f"{temporal!r}, but recipe {config.name} has {config.temporal!r}", argument="temporal"
        )

    def run(how: Runs) -> list[Path]:
        from fgbench.methods.steps.clips import train_clips

        return train_clips(config, workdir, image_run=image_run, weights=weights, **how)

    return Training(workdirs=(workdir,), device=device, on_device=True, _run=run)


def default_recipe(
    name: str, workdir: str | os.PathLike[str], device: str | None, *, small: str | None = None
) -> str:
    """Return the recipe of a network where none is named, and log which it is: the small one for the embedded
    data set, and on the CPU, where the paper's takes days.

    Args:
        name: Name of the paper's recipe.
        workdir: Work folder.
        device: Name of the device, as the user gave it.
        small: Name of the small recipe; ``None``: that of the paper's, with ``-small``.
    """
    from fgbench.methods.steps.recipe_choice import recipe_for
    from fgbench.workfolders.default_folders import DEMO_WORKDIR

    recipe, why = recipe_for(name, device, is_embedded=Path(workdir) == DEMO_WORKDIR, small=small)
    if why:
        log(why)
    return recipe


def _check_network(
    is_wanted: bool, *, hf: str | None, torch: Path | None, arch: str | None, licence: str | None
) -> None:
    """Refuse options of the user's network that do not go with the recipe or each other.

    Raises:
        ArgumentError: If they do not.
    """
    given = {"hf": hf, "torch": torch, "arch": arch, "licence": licence}
    if not is_wanted:
        for name in (name for name, value in given.items() if value is not None):
            raise ArgumentError(
                "given, but the recipe has the paper's trunk",
                "add --set network.trunk=backbone, or take --recipe msau-backbone-small",
                argument=name,
            )
        return
    if (hf is None) == (torch is None):
        raise ArgumentError(
            f"{'none' if hf is None else 'both it and torch are'} given, and network.trunk is backbone: "
            "expected one network, a folder or a file of torch",
            "name it: --hf FOLDER, or --torch FILE --arch NAME",
            argument="hf",
        )
    if (arch is None) != (torch is None):
        raise ArgumentError(
            "none given, and a file of torch holds weights alone" if arch is None else "given without torch",
            "name file and network: --torch FILE --arch resnet50",
            argument="arch",
        )


def _start(init: str, workdir: Path, recipe: str | None) -> tuple[Trained, str]:
    """Trained network to start from, and the settings to train with: by default those of its run."""
    from fgbench.api.needed_packages import require_torch
    from fgbench.api.weights import named_weights

    require_torch()
    from fgbench.errors import ConfigError
    from fgbench.runs.digests import check_texts
    from fgbench.runs.results import CONFIG, read_result
    from fgbench.runs.weights import read_trained

    trained = read_trained(named_weights(init, workdir))
    if trained.kind == "image" and trained.metadata.get("backbone"):
        raise ConfigError(
            f"{trained.name} is on a network of the user's, from which no other run can start",
            "train on that network anew: --set network.trunk=backbone --hf FOLDER",
        )
    if recipe is not None:
        return trained, recipe
    if trained.run is None:
        raise ConfigError(f"{trained.path} lies in no run that tells its settings", "name a recipe")
    check_texts(trained.run, read_result(trained.run), again="run the experiment again")
    return trained, str(trained.run / CONFIG)
