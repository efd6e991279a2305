"""The command ``fgbench``: assembles the groups of commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from fgbench import __version__, provenance
from fgbench.cli import (
    annotate,
    audit,
    baseline,
    check_plugin,
    compare,
    datasets,
    demo,
    diff,
    doctor,
    evaluate,
    export_commands,
    features,
    hub,
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
    verbosity,
)
from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import errors_explained, note, sentences_printed
from fgbench.cli.process_limits import check_address_space
from fgbench.cli.workdirs import add_command


class _Commands(CommandList):
    """All commands; errors of fgbench, and an interrupt, become messages and exit codes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, verbosity.options_first(args))

    def invoke(self, ctx: Any) -> Any:
        with errors_explained():
            check_address_space()
            with next_steps.nothing_typed(), provenance.no_command(), sentences_printed():
                try:
                    return super().invoke(ctx)
                finally:
                    from fgbench.api.method_list import left_out

                    for sentence in left_out():
                        note(f"left out: {sentence}")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        resolved = super().resolve_command(ctx, args)
        provenance.remember_command(args)
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
app.add_typer(annotate.app, name="annotate")
add_command(app, "audit")(audit.audit)
app.add_typer(baseline.app, name="baseline")
app.add_typer(train.app, name="train")
add_command(app, "evaluate")(evaluate.evaluate)
add_command(app, "score")(score.score)
add_command(app, "predict")(predict.predict)
app.add_typer(export_commands.app, name="export")
app.add_typer(features.app, name="features")
add_command(app, "report")(report.report)
add_command(app, "compare")(compare.compare)
add_command(app, "leaderboard")(compare.leaderboard)
app.command("publish")(publish.publish)
app.command("rebuild")(rebuild.rebuild)
app.command("diff")(diff.diff)
app.command("push")(hub.push)
app.command("pull")(hub.pull)
add_command(app, "doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fgbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print results and errors alone.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print details too, with times.")] = False,
    log_file: Annotated[
        Path | None,
        typer.Option("--log-file", help="Add all that is told to a file, with times.", show_default="none"),
    ] = None,
) -> None:
    """Data sets and benchmarks for fine-grained facial expression recognition."""
    if quiet and verbose:
        raise typer.BadParameter(
            "expected one of --quiet and --verbose: leave one out", param_hint="--verbose"
        )
    ctx.with_resource(verbosity.logged(quiet=quiet, verbose=verbose, log_file=log_file))


def main() -> None:
    """Entry point of the console script."""
    # No Python started by this process or a library imports from the current directory, which holds data.
    os.environ["PYTHONSAFEPATH"] = "1"
    app()
