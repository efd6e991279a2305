"""``fgbench export``: a trained network as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import say_all, wrong_use
from fgbench.cli.evaluate import TrainedRun
from fgbench.cli.options import NamedIn
from fgbench.workfolders import default_folders


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
    from fgbench.api.exporting import check_targets, export_onnx, export_weights, find_trained

    with wrong_use():
        check_targets(onnx=onnx, weights=weights)
        trained = find_trained(run, workdir)
        if weights is not None:
            say_all(export_weights(trained, weights).lines())
        if onnx is not None:
            say_all(export_onnx(trained, onnx, check=check).lines())
