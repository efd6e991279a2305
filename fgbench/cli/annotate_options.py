"""Options that several commands of ``fgbench annotate`` have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataRoot = Annotated[Path, typer.Option("--data-root", help="Folder of the data set, with videos/.")]
Recipe = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        help="Recipe of prepare that has the classes.",
        show_default="those of the rounds before, else the 33 of the paper",
    ),
]
Update = Annotated[
    bool, typer.Option("--update", help="Replace votes whose answers have changed in the tool.")
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(
        "--annotator",
        metavar="ACCOUNT=NAME",
        help="Whose account in the tool it is; once for each.",
        show_default="the name of the account, or its address up to the @",
    ),
]
ProjectFolder = Annotated[
    Path | None,
    typer.Option("--project", help="Folder of a round that was exported with --out.", show_default="none"),
]
Url = Annotated[str, typer.Option("--url", help="Address of the server, e.g. http://localhost:8080.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="File with the token of your account on the server.",
        show_default="the token in FGBENCH_ANNOTATE_TOKEN",
    ),
]
PushedRound = Annotated[
    int | None,
    typer.Option("--round", min=1, help="Number of the round.", show_default="the latest exported"),
]


def pairs_of(given: list[str] | None, option: str, example: str) -> dict[str, str]:
    """Return what ``A=B`` options say.

    Raises:
        typer.BadParameter: If one is not of that form, or comes twice.
    """
    pairs: dict[str, str] = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not (sign and name.strip() and value.strip()) or name.strip() in pairs:
            raise typer.BadParameter(f"{one!r}, expected each once, as e.g. {example}", param_hint=option)
        pairs[name.strip()] = value.strip()
    return pairs
