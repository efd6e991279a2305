"""The command ``fgbench``: assembles the groups of commands."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fgbench import __version__
from fgbench.cli import (
    audit,
    baseline,
    check_plugin,
    compare,
    datasets,
    demo,
    diff,
    doctor,
    evaluate,
    export,
    features,
    labels,
    next_steps,
    predict,
    prepare,
    publish,
    rebuild,
    recipes,
    report,
    score,
    status,
    synth,
    train,
)
from fgbench.cli.console import errors_explained, note, sentences_printed
from fgbench.cli.process_limits import check_address_space
from fgbench.cli.workdirs import add_command


class _Commands(TyperGroup):
    """All commands; errors of fgbench, and an interrupt, become messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        with errors_explained():
            check_address_space()
            with next_steps.nothing_typed(), sentences_printed():
                try:
                    return super().invoke(ctx)
                finally:
                    from fgbench.api.method_list import left_out

                    for sentence in left_out():
                        note(f"left out: {sentence}")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        resolved = super().resolve_command(ctx, args)
        next_steps.remember(resolved[0])
        return resolved


app = typer.Typer(
    name="fgbench",
    cls=_Commands,
    help="Data sets and benchmarks for fine-grained facial expression recognition.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
add_command(app, "demo")(demo.demo)
add_command(app, "synth")(synth.synth)
add_command(app, "prepare")(prepare.prepare)
add_command(app, "status")(status.status)
add_command(app, "check", metavar="WORKDIR|DATASET")(status.check)
add_command(app, "check-plugin")(check_plugin.check_plugin)
add_command(app, "datasets")(datasets.datasets)
add_command(app, "recipes")(recipes.recipes)
add_command(app, "labels")(labels.labels)
add_command(app, "audit")(audit.audit)
app.add_typer(baseline.app, name="baseline")
app.add_typer(train.app, name="train")
add_command(app, "evaluate")(evaluate.evaluate)
add_command(app, "score")(score.score)
add_command(app, "predict")(predict.predict)
add_command(app, "export")(export.export)
app.add_typer(features.app, name="features")
add_command(app, "report")(report.report)
add_command(app, "compare")(compare.compare)
add_command(app, "leaderboard")(compare.leaderboard)
app.command("publish")(publish.publish)
app.command("rebuild")(rebuild.rebuild)
app.command("diff")(diff.diff)
add_command(app, "doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fgbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Data sets and benchmarks for fine-grained facial expression recognition."""


def main() -> None:
    """Entry point of the console script."""
    # No Python started by this process or a library imports from the current directory, which holds data.
    os.environ["PYTHONSAFEPATH"] = "1"
    app()
