"""``fgbench export``: a trained network as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli.console import note, say
from fgbench.cli.evaluate import TrainedRun, needs_torch
from fgbench.cli.options import NamedIn
from fgbench.cli.runs import named_weights
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from torch import Tensor

    from fgbench.runs.weights import Trained

_COMPARED = 16  # number of test faces that an export is compared on
_CARD = "README.md"


def export(
    run: TrainedRun,
    onnx: Annotated[Path | None, typer.Option("--onnx", help="ONNX file to write.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Safetensors file to write, with its model card beside it (.md)."),
    ] = None,
    workdir: NamedIn = default_folders.DEMO_WORKDIR,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare the ONNX file with the network.")
    ] = True,
) -> None:
    """Write a trained network as ONNX, faces in and probabilities out, or as weights with a model card."""
    if onnx is None and weights is None:
        raise typer.BadParameter("name a file to write, or one with --weights", param_hint="--onnx")
    for option, path in (("--onnx", onnx), ("--weights", weights)):
        if path is not None and path.is_dir():
            raise typer.BadParameter(f"{path} is a folder, expected the name of a file", param_hint=option)
    needs_torch()
    from fgbench.runs.weights import read_trained
    from fgbench.workfolders.output_folders import check_named_file

    for path, kind in ((onnx, "ONNX file"), (weights, "file of weights")):
        if path is not None:
            check_named_file(path, kind)
    trained = read_trained(named_weights(run, workdir))
    if weights is not None:
        _copy_weights(trained, weights)
    if onnx is not None:
        _write_onnx(trained, onnx, check=check)


def _copy_weights(trained: Trained, path: Path) -> None:
    from fgbench import storage
    from fgbench.errors import ConfigError

    if path.suffix != ".safetensors":
        raise typer.BadParameter(f"{path}, expected a name with .safetensors", param_hint="--weights")
    card, copy = trained.path.parent / _CARD, path.with_suffix(".md")
    if card.is_file() and copy.exists() and "\n- Kind: " not in copy.read_text("utf-8", errors="replace"):
        raise ConfigError(
            f"{copy} is there and no model card, which would be written there", "name the weights otherwise"
        )
    storage.write_bytes(path, trained.path.read_bytes())
    say(f"weights: {path}")
    if not card.is_file():
        note(f"{trained.path} has no model card beside it: none was written")
        return
    storage.write_bytes(copy, card.read_bytes())
    say(f"model card: {copy}")


def _write_onnx(trained: Trained, path: Path, *, check: bool) -> None:
    import torch

    from fgbench.inference.onnx_export import export_onnx, require_packages
    from fgbench.methods.protocol.graph import FACES, REGIONS
    from fgbench.methods.protocol.kinds import open_trained

    require_packages()
    network = open_trained(trained, torch.device("cpu"))
    graph = network.graph()
    faces = _test_faces(trained) if check and FACES in graph.inputs else None
    deviation = export_onnx(network, path, check=check, faces=faces)
    if deviation is not None:
        kind = "random and test" if faces is not None else "random"
        regions = f", {deviation.regions_px:.1e} px of regions" if REGIONS in graph.outputs else ""
        say(
            f"largest difference on {deviation.n} {kind} {deviation.rows}: {deviation.probabilities:.1e} of "
            f"probabilities{regions}"
        )
    for name, shape in graph.inputs.items():
        say(f"input {name}: uint8 (n, {', '.join(map(str, shape))})")
    say(f"outputs: {', '.join(graph.outputs)}")
    say(f"onnx: {path} ({path.stat().st_size / 1e6:.1f} MB)")


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
    test = [s.sample_id for s in image_samples(manifests) if s.part == "test" and s.sample_id in ids]
    return load_images(manifests, test[:: max(1, len(test) // _COMPARED)][:_COMPARED]) if test else None
