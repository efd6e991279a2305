"""``network.export_onnx`` and ``network.export_weights``: trained networks as files for other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.arguments import name_of, name_or_none, path_or_none
from fgbench.api.progress import Shown, bars, log, shown_as
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from torch import Tensor

    from fgbench.inference.onnx_export import Deviation
    from fgbench.publication.face_tables.export import FaceTables
    from fgbench.runs.weights import Trained

_COMPARED = 16  # number of test faces that an export is compared on
_CARD = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedWeights(NotebookLines):
    """A copy of weights.

    Attributes:
        path: The file.
        card: The model card beside it; ``None`` where the run has none.
    """

    path: Path
    card: Path | None

    def lines(self) -> list[str]:
        """Return lines of text."""
        return [f"weights: {self.path}", *([] if self.card is None else [f"model card: {self.card}"])]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedOnnx(NotebookLines):
    """A network as ONNX.

    Attributes:
        path: The file.
        inputs: Input to shape of one of its rows, uint8; rows come first.
        outputs: Names of the outputs.
        deviation: Largest differences from the network; ``None`` if they were not compared.
        has_faces: Whether it was compared on test faces, too.
    """

    path: Path
    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    deviation: Deviation | None
    has_faces: bool

    def lines(self) -> list[str]:
        """Return lines of text."""
        from fgbench.methods.protocol.graph import REGIONS

        lines = []
        if self.deviation is not None:
            kind = "random and test" if self.has_faces else "random"
            pixels = self.deviation.regions_px
            regions = f", {pixels:.1e} px of regions" if REGIONS in self.outputs else ""
            lines.append(
                f"largest difference on {self.deviation.n} {kind} {self.deviation.rows}: "
                f"{self.deviation.probabilities:.1e} of probabilities{regions}"
            )
        lines += [
            f"input {name}: uint8 (n, {', '.join(map(str, shape))})" for name, shape in self.inputs.items()
        ]
        size = f"{self.path.stat().st_size / 1e6:.1f} MB"
        return [*lines, f"outputs: {', '.join(self.outputs)}", f"onnx: {self.path} ({size})"]


def check_targets(*, onnx: Path | None, weights: Path | None) -> None:
    """Refuse files that cannot be written to.

    Raises:
        ArgumentError: If none is named, or one is a folder.
        ConfigError: If another file of the user's is there.
        DependencyError: If torch is not installed.
    """
    from fgbench.api.needed_packages import require_torch
    from fgbench.errors import ArgumentError
    from fgbench.workfolders.output_folders import check_named_file

    if onnx is None and weights is None:
        raise ArgumentError("name a file to write, or one with --weights", argument="onnx")
    for argument, path in (("onnx", onnx), ("weights", weights)):
        if path is not None and path.is_dir():
            raise ArgumentError(f"{path} is a folder, expected the name of a file", argument=argument)
    require_torch()
    for path, kind in ((onnx, "ONNX file"), (weights, "file of weights")):
        if path is not None:
            check_named_file(path, kind)


def find_trained(run: str | os.PathLike[str], workdir: str | os.PathLike[str]) -> Trained:
    """Return the weights of a run; arguments as of :func:`fgbench.load`.

    Raises:
        ConfigError: If several runs are meant.
        ManifestError: If there are no such weights, or they are damaged.
    """
    from fgbench.api.weights import named_weights
    from fgbench.runs.weights import read_trained

    return read_trained(named_weights(run, workdir))


def export_weights(trained: Trained, path: Path) -> ExportedWeights:
    """Copy weights and their model card; arguments and errors as of
    :meth:`fgbench.Network.export_weights`."""
    from fgbench import storage
    from fgbench.errors import ArgumentError, ConfigError

    check_targets(onnx=None, weights=path)
    if path.suffix != ".safetensors":
        raise ArgumentError(f"{path}, expected a name with .safetensors", argument="weights")
    card, copy = trained.path.parent / _CARD, path.with_suffix(".md")
    if card.is_file() and copy.exists() and "\n- Kind: " not in copy.read_text("utf-8", errors="replace"):
        raise ConfigError(
            f"{copy} is there and no model card, which would be written there", "name the weights otherwise"
        )
    storage.write_bytes(path, trained.path.read_bytes())
    if not card.is_file():
        log(f"{trained.path} has no model card beside it: none was written")
        return ExportedWeights(path=path, card=None)
    storage.write_bytes(copy, card.read_bytes())
    return ExportedWeights(path=path, card=copy)


def export_onnx(trained: Trained, path: Path, *, check: bool = True) -> ExportedOnnx:
    """Write a network as ONNX; arguments and errors as of :meth:`fgbench.Network.export_onnx`."""
    check_targets(onnx=path, weights=None)
    import torch

    from fgbench.inference.onnx_export import export_onnx as written
    from fgbench.inference.onnx_export import require_packages
    from fgbench.methods.protocol.graph import FACES
    from fgbench.methods.protocol.kinds import open_trained

    require_packages()
    network = open_trained(trained, torch.device("cpu"))
    graph = network.graph()
    faces = _test_faces(trained) if check and FACES in graph.inputs else None
    return ExportedOnnx(
        deviation=written(network, path, check=check, faces=faces),
        path=path,
        inputs={name: tuple(shape) for name, shape in graph.inputs.items()},
        outputs=tuple(graph.outputs),
        has_faces=faces is not None,
    )


def _test_faces(trained: Trained) -> Tensor | None:
    """Some test faces of the work folder of a network; ``None`` if it is in none."""
    from fgbench.inputs.image_set import load_images
    from fgbench.inputs.manifest_pictures import image_ids
    from fgbench.runs.samples import image_samples
    from fgbench.workfolders.layout import MANIFESTS
    from fgbench.workfolders.manifest_index import is_published

    if trained.workdir is None or not is_published(trained.workdir):
        return None
    manifests = trained.workdir / MANIFESTS
    ids = image_ids(manifests)
    test: Sequence[str] = [
        s.sample_id for s in image_samples(manifests) if s.part == "test" and s.sample_id in ids
    ]
    return load_images(manifests, test[:: max(1, len(test) // _COMPARED)][:_COMPARED]) if test else None


def export_faces(
    workdir: Path,
    layout: str,
    out: str | os.PathLike[str] | None = None,
    *,
    units: str | None = None,
    progress: Shown = None,
) -> FaceTables:
    """Write the faces of a work folder as tables of another program; arguments and errors as of
    :meth:`fgbench.Work.export_faces`."""
    from fgbench.publication.face_tables.export import export_faces as write_tables

    layout = name_of("layout", layout, example="'openface'")
    target = path_or_none("out", out, example="out='faces'")
    units = name_or_none("units", units, example="units='au-small'")
    with bars(shown_as(progress)) as update:
        return write_tables(
            workdir,
            workdir.parent / f"faces-{layout}" if target is None else target,
            layout,
            units=units,
            progress=update,
            note=log,
        )
