"""Exchange with the Hugging Face Hub: ``fgbench push`` to it, ``fgbench pull`` from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import print_json, progress_bars, say_all
from fgbench.cli.options import Json

Repo = Annotated[str, typer.Argument(help="Repository, OWNER/NAME.")]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint", help="Address of the server.", show_default="HF_ENDPOINT, else https://huggingface.co"
    ),
]


def push(
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder that publish has written, work folder, folder of a run, or exported weights."
        ),
    ],
    repo: Repo,
    with_pixels: Annotated[
        bool, typer.Option("--with-pixels", help="Send pictures of real faces too. Have the right to it.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository for everybody to see.")
    ] = False,
    endpoint: Endpoint = None,
    json: Json = False,
) -> None:
    """Send a data set or a network to a repository of the Hub, made private if there is none, in one commit.

    The token is HF_TOKEN, or that of hf auth login. Of a work folder the manifests are sent, with aligned
    faces: real ones only with --with-pixels, drawn ones always.
    """
    from fgbench.api.hub import push as pushed

    sent = pushed(path, repo, with_pixels=with_pixels, public=public, endpoint=endpoint)
    print_json(sent.to_json()) if json else say_all(sent.lines())


def pull(
    repo: Repo,
    out: Annotated[
        Path | None,
        typer.Argument(help="Folder to write, new or empty.", show_default="name of the repository"),
    ] = None,
    revision: Annotated[
        str | None, typer.Option("--revision", help="Commit, tag or branch.", show_default="the newest")
    ] = None,
    endpoint: Endpoint = None,
    json: Json = False,
) -> None:
    """Get what fgbench push has sent; every file is compared with the digests of its index first.

    A publication is then rebuilt from the clips (fgbench rebuild), manifests are tables for status, check,
    audit, score, reports and training, a network is used by fgbench predict.
    """
    from fgbench.api.hub import pull as pulled

    with progress_bars(quiet=json) as progress:
        got = pulled(repo, out, revision=revision, endpoint=endpoint, progress=progress)
    print_json(got.to_json()) if json else say_all(got.lines())
