"""MSAU-Net on a convolutional network of the user's: its last map in the place of the paper's trunk.

Zoom and MAC are the paper's; that they are put on another network is not stated in the paper. A run keeps
heads and, if it trains, what was trained of the network; the network's files stay where the user has them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fgbench.config import BackboneConfig, BackboneTrunkConfig, TrainImageConfig
from fgbench.errors import ManifestError
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods.backbone.asked import Asked, open_asked
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.kept_features import Prepared, check_network
from fgbench.methods.backbone.last_map import with_last_map
from fgbench.methods.backbone.opening import reopen
from fgbench.methods.backbone.self_check import Checked
from fgbench.methods.backbone.taken import Preparation, Taken, read_taken, taken_of
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.methods.backbone.trained_head import read_network
from fgbench.methods.backbone.written import about_network
from fgbench.methods.finetuning.course import course_of
from fgbench.models.map_trunk import MapTrunk
from fgbench.naming import first_few
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.training_details import CELLS, given_details
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

STATE = "trunk."
"""Beginning of the names of the trunk's tensors in an image model."""

_SECTION = "network.trunk.input"

_ENTRY, _TRAINS = "backbone", "trunk_trains"
"""Entries of metadata: the network, as of :class:`fgbench.methods.backbone.trained_head.NetworkAbout`, and
whether what was trained of it is among the tensors."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backbone:
    """A network of the user's whose last map image models are put on.

    Attributes:
        network: The network, with its input; its features are its last map. It is never changed: trunks are
            copies.
        channels: Channels C of its last map.
        cells: Rows, and columns, of that.
        checked: What it was given, and how a face looks so.
        name: Name for runs and tables.
        licence: Its licence, as the user states it.
    """

    network: Prepared
    channels: int
    cells: int
    checked: Checked
    name: str
    licence: str | None

    def trunk(self) -> MapTrunk:
        """Return a trunk of its own for one image model."""
        return _trunk(self.network.frozen, self.network.taken, channels=self.channels, cells=self.cells)

    def preprocessing(self, resize_px: int) -> Preprocessing:
        """Return the preprocessing of faces, which leaves their grey levels to the trunk."""
        return Preprocessing(resize_px=resize_px, mean=(0.0,) * 3, std=(1.0,) * 3)

    def settings(self) -> dict[str, Any]:
        """Return what identifies a run on it, beside the recipe."""
        frozen = self.network.frozen
        return {
            _ENTRY: {
                "sha256": frozen.digest,
                "reads": frozen.reads,
                "arch": frozen.arch,
                "input": self.network.taken.plain(),
                "licence": self.licence,
            }
        }

    def metadata(self, *, trains: bool) -> dict[str, Any]:
        """Return entries of the metadata of weights.

        Args:
            trains: Whether it was trained, first or later.
        """
        return {
            _ENTRY: self._about(),
            "input": self.network.taken.plain(),
            "licence": self.licence,
            "initial_weights": self.network.frozen.digest,
            _TRAINS: trains,
        }

    def details(self, *, trains: bool) -> dict[str, Any]:
        """Return details of a result; arguments as of :meth:`metadata`."""
        about = {**self._about(), "input": self.network.taken.words(), "licence": self.licence}
        return {
            **given_details(self.network.frozen.path, self.network.frozen.digest),
            CELLS: self.cells,
            _ENTRY: {**about, "trunk": "trained" if trains else "frozen"},
        }

    def _about(self) -> dict[str, Any]:
        return about_network(self.network, {"pooling": "auto"}, wide_margin=0.0)


def open_backbone(asked: Asked, config: TrainImageConfig, context: TrainingContext) -> Backbone:
    """Open the network that the user names, and check what it is given on some faces; both are noted.

    Args:
        asked: Options of the user.
        config: A recipe of ``network.trunk`` backbone.
        context: Context of the run.

    Raises:
        ConfigError: If it has no last map, or its input is not stated or absurd.
        DatasetError: If there are no faces.
        FgbenchError: As of :func:`fgbench.methods.backbone.asked.open_asked`.
    """
    section = config.network.trunk
    assert isinstance(section, BackboneTrunkConfig)
    settings = BackboneConfig(name=config.name, input=section.input, architecture=section.architecture)
    frozen = open_asked(asked, settings, context)
    taken = taken_of(section.input, frozen.stated, name=frozen.name, section=_SECTION)
    mapped, channels, cells = with_last_map(frozen, taken)
    is_grey = bool((context.details.get(FACE_ORIGIN) or {}).get("grey"))
    prepared = Prepared(frozen=mapped, taken=taken, batch=settings.batch, grey=is_grey)
    checked = check_network(prepared, context)
    for line in checked.lines:
        context.note(line)
    return Backbone(
        network=prepared,
        channels=channels,
        cells=cells,
        checked=checked,
        name=slug(frozen.name),
        licence=asked.licence,
    )


def reopened_trunk(trained: Trained, device: torch.device) -> tuple[MapTrunk, dict[str, Tensor]]:
    """Return the trunk of a trained image model, and the tensors of the whole model.

    Args:
        trained: Weights of a run on a backbone.
        device: Device of the trunk.

    Raises:
        FgbenchError: If the user's file or folder cannot be opened.
        ManifestError: If the user's file or folder is not there or is another, or the weights lack what was
            trained of it.
    """
    origin = str(trained.path)
    about, given = read_network(trained.metadata, origin=origin)
    taken = read_taken(given.model_dump())
    frozen, channels, cells = with_last_map(reopen(trained, about.model_dump(), device), taken)
    trunk = _trunk(frozen, taken, channels=channels, cells=cells)
    is_trained = trained.metadata.get(_TRAINS) is True
    wanted = {f"{STATE}{name}" for name in trunk.trained_state()} if is_trained else set()
    there = {name for name in trained.state if name.startswith(STATE)}
    if wanted != there:
        raise ManifestError(
            f"the weights of {origin} do not fit {about.file}: of its tensors "
            f"{first_few(sorted(wanted ^ there), 3)} are missing or too many",
            "give weights that fgbench wrote, or train the network anew",
        )
    own = {f"{STATE}{name}": value for name, value in trunk.state_dict().items()}
    return trunk, {**own, **trained.state}


def kept_state(state: Mapping[str, Tensor], trunk: MapTrunk, *, trains: bool) -> dict[str, Tensor]:
    """Return the tensors of an image model that its run keeps: of a trunk that never trains none.

    Args:
        state: All tensors of the model.
        trunk: Its trunk.
        trains: Whether that was trained.
    """
    trained = {f"{STATE}{name}" for name in trunk.trained_state()} if trains else set()
    return {name: value for name, value in state.items() if not name.startswith(STATE) or name in trained}


def _trunk(frozen: Frozen, taken: Taken, *, channels: int, cells: int) -> MapTrunk:
    assert isinstance(frozen.runs, TorchRuns)
    network, device = copy.deepcopy(frozen.runs.module), frozen.runs.device
    prepare = Preparation(taken).to(device)
    face = torch.zeros(1, 3, taken.size_px, taken.size_px, device=device)
    return MapTrunk(
        prepare,
        network,
        channels=channels,
        cells=cells,
        used=course_of(network, face).used,
        identity={"reads": frozen.reads, "input": taken.plain()},
    )
