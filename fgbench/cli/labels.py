"""``fgbench labels``: the label sets, and the classes of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import print_json, say, say_all
from fgbench.cli.options import Json
from fgbench.cli.workdirs import one_of, workdir_option


def labels(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[SET|WORKDIR]",
            help="Show this label set alone, a class a line; or the classes of this work folder.",
            show_default="all",
            autocompletion=completion.label_set,
        ),
    ] = None,
    workdir: Annotated[
        Path | None,
        workdir_option("Show the classes of this work folder.", "none"),
    ] = None,
    json: Json = False,
) -> None:
    """List the classes: the 33 with their upper classes, the other label sets, or those of a work folder."""
    from fgbench.api.labels import class_counts, label_set, label_set_names, label_sets

    if name is not None and name not in label_set_names() and Path(name).is_dir():
        (workdir,) = one_of([Path(name)], [] if workdir is None else [workdir])
        name = None
    if workdir is not None:
        if name is not None:
            raise typer.BadParameter("a work folder has one label set; name none", param_hint="[SET]")
        counts = class_counts(workdir)
        print_json(counts.to_json()) if json else say_all(counts.lines())
    elif name is not None:
        chosen = label_set(name)
        print_json(chosen.to_json()) if json else say_all(chosen.lines(full=True))
    elif json:
        print_json([one.to_json() for one in label_sets()])
    else:
        for one in label_sets():
            say_all(one.lines())
        say("one of them with its other spellings: fgbench labels SET")
