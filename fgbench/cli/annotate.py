"""``fgbench annotate``: rounds of annotation for tools, and their answers as votes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import annotate_frames, annotate_server
from fgbench.cli.annotate_options import Accounts, DataRoot, ProjectFolder, Recipe, Update, pairs_of
from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import print_json, progress_bars, say_all, wrong_use
from fgbench.cli.data_folders import work_folders_here
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import Changes, Json
from fgbench.cli.workdirs import add_command
from fgbench.workfolders import default_folders

app = typer.Typer(
    cls=CommandList,
    help="Have people annotate clips with Label Studio or other tools, and take their answers as votes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("export")
def export(
    data_root: DataRoot = default_folders.DEMO_ROOT,
    tool: Annotated[str, typer.Option("--tool", help="Annotation tool: label-studio.")] = "label-studio",
    round_: Annotated[
        int, typer.Option("--round", min=1, help="1 for all clips; then those that are voted on again.")
    ] = 1,
    annotators: Annotated[
        str | None,
        typer.Option(
            "--annotators",
            metavar="NAMES|FILE",
            help="Names with commas between them, or a file with a name on each line.",
            show_default="those of the round before",
        ),
    ] = None,
    per_clip: Annotated[
        int | None,
        typer.Option("--annotators-per-clip", min=1, help="Votes on each clip.", show_default="5"),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            "--gold",
            help="Table of clips with known answers (clip,label), shown to all.",
            show_default="gold.csv of the data set",
        ),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--as", help="clips, or strips: frames of each clip on one picture.", show_default="clips"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write.", show_default="annotation/round-N of the data set"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of shares and order.")] = 0,
    recipe: Recipe = None,
    changes: Changes = None,
    workdir: Annotated[
        Path | None,
        typer.Option(
            "--workdir",
            help="Work folder of the votes before, for a later round.",
            show_default="./fgbench-data/<folder>/work",
            callback=work_folders_here,
        ),
    ] = None,
    hide_names: Annotated[
        bool | None,
        typer.Option(
            "--hide-names/--show-names",
            help="Show annotators neutral names in the place of those of the clips.",
            show_default="as in the round before, in the first their own",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a round of other input that has no votes yet.")
    ] = False,
    json: Json = False,
) -> None:
    """Deal the clips to annotators, and write them as a project of an annotation tool.

    Label Studio: tasks.json, labelling.xml, project.json and a README.md for whoever runs it; fgbench
    annotate push sends them to a server. A round that is there already stays as it is.
    """
    from fgbench.api.annotation import export_tasks
    from fgbench.api.next_commands import after_export

    with (
        progress_bars(quiet=json) as progress,
        wrong_use(show="--as"),
    ):
        exported = export_tasks(
            data_root,
            tool=tool,
            round=round_,
            annotators=annotators,
            annotators_per_clip=per_clip,
            gold=gold,
            show=show,
            out=out,
            seed=seed,
            recipe=recipe,
            settings=changes,
            workdir=workdir,
            hide_names=hide_names,
            force=force,
            progress=progress,
        )
    if json:
        print_json(exported.to_json())
        return
    say_all(exported.lines())
    say_next(["annotate"], lambda: after_export(data_root, round_, out))


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Exports of the tool.")],
    data_root: DataRoot = default_folders.DEMO_ROOT,
    tool: Annotated[
        str | None,
        typer.Option(
            "--tool",
            help="Tool that wrote the files: label-studio, csv, elan, praat; selection: selected frames.",
            show_default="by their suffix",
        ),
    ] = None,
    round_: Annotated[
        int | None,
        typer.Option(
            "--round",
            min=1,
            help="Round of answers whose file names none.",
            show_default="the latest exported",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="COLUMN=NAME",
            help="Name of a column in CSV tables, e.g. clip=filename; once for each.",
            show_default="as in votes.csv",
        ),
    ] = None,
    accounts: Accounts = None,
    project: ProjectFolder = None,
    recipe: Recipe = None,
    changes: Changes = None,
    update: Update = False,
    label_tier: Annotated[
        str, typer.Option("--label-tier", help="ELAN, Praat: tiers of labels; NAME or NAME@ANNOTATOR.")
    ] = "label",
    key_frame_tier: Annotated[
        str, typer.Option("--key-frame-tier", help="ELAN, Praat: tiers of key frames, likewise.")
    ] = "key_frame",
    confidence_tier: Annotated[
        str, typer.Option("--confidence-tier", help="ELAN, Praat: tiers of confidences, 0 to 1, likewise.")
    ] = "confidence",
    media: Annotated[
        Path | None,
        typer.Option(
            "--media",
            help="ELAN, Praat: folder of recordings outside the data set.",
            show_default="that of each file",
        ),
    ] = None,
    cut: Annotated[
        bool,
        typer.Option("--cut", help="ELAN, Praat: write parts of recordings as clips, folders of PNG."),
    ] = False,
    json: Json = False,
) -> None:
    """Take the answers of annotators into votes.csv of the data set.

    Answers that are no votes are listed with their reasons, here and in rejects.csv of the round. Answers
    that were imported before add nothing; those that have changed are named, and replace the votes with
    --update alone. Intervals of ELAN and Praat become clips; those of one person alone go to annotations.csv.
    """
    from fgbench.api.annotation import import_votes
    from fgbench.api.next_commands import after_answers

    if tool == "selection":
        if round_ or columns or accounts or project or recipe or changes or update:
            raise typer.BadParameter(
                "of selected frames there are no rounds, columns, accounts, projects, recipes or updates: "
                "expected tables and --data-root alone",
                param_hint="--tool",
            )
        annotate_frames.take_selection(files, None, data_root, json=json)
        return
    with wrong_use(columns="--column", annotators="--annotator"):
        imported = import_votes(
            files,
            data_root,
            tool=tool,
            round=round_,
            columns=pairs_of(columns, "--column", "clip=filename"),
            annotators=pairs_of(accounts, "--annotator", "3=anna"),
            project=project,
            recipe=recipe,
            settings=changes,
            update=update,
            label_tier=label_tier,
            key_frame_tier=key_frame_tier,
            confidence_tier=confidence_tier,
            media=media,
            cut=cut,
        )
    if json:
        print_json(imported.to_json())
        return
    say_all(imported.lines())
    if imported.has_table:
        say_next(
            ["annotate"],
            lambda: after_answers(data_root, getattr(imported, "rounds", ()), project, recipe, changes),
        )


app.command("push")(annotate_server.push)
app.command("pull")(annotate_server.pull)
add_command(app, "frames")(annotate_frames.frames)
