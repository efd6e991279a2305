"""``fgbench annotate push`` and ``pull``: a round of annotation on a server of Label Studio."""

from __future__ import annotations

from typing import Any, Protocol

from fgbench.cli.annotate_options import (
    Accounts,
    DataRoot,
    ProjectFolder,
    PushedRound,
    TokenFile,
    Update,
    Url,
    pairs_of,
)
from fgbench.cli.console import print_json, progress_bars, say_all, wrong_use
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import Json
from fgbench.workfolders import default_folders


class Imported(Protocol):
    """An import, as it is printed."""

    @property
    def has_table(self) -> bool:
        """Whether there is a table that ``prepare`` can read."""

    def lines(self) -> list[str]:
        """Return lines of text."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""


def push(
    url: Url,
    data_root: DataRoot = default_folders.DEMO_ROOT,
    round_: PushedRound = None,
    token_file: TokenFile = None,
    project: ProjectFolder = None,
    json: Json = False,
) -> None:
    """Send a round to a server of Label Studio: configuration, media and tasks.

    What is there already is not sent again; an interrupted push continues when the command is run again.
    """
    from fgbench.api.annotation_server import push_tasks
    from fgbench.api.next_commands import after_push

    with progress_bars(quiet=json) as progress, wrong_use():
        pushed = push_tasks(
            data_root, url, round=round_, project=project, token_file=token_file, progress=progress
        )
    if json:
        print_json(pushed.to_json())
        return
    say_all(pushed.lines())
    say_next(["annotate"], lambda: after_push(data_root, url, round_, project, token_file))


def pull(
    url: Url,
    data_root: DataRoot = default_folders.DEMO_ROOT,
    round_: PushedRound = None,
    token_file: TokenFile = None,
    accounts: Accounts = None,
    project: ProjectFolder = None,
    update: Update = False,
    json: Json = False,
) -> None:
    """Fetch the answers to a round from a server of Label Studio, and take them as import does.

    Of a --project of frames, what the expert selected becomes selection.csv of the data set.
    """
    from fgbench.api.annotation_server import holds_frames, pull_selection, pull_votes
    from fgbench.api.next_commands import after_answers, after_push

    pulled: Imported
    with wrong_use(annotators="--annotator"):
        people = pairs_of(accounts, "--annotator", "me@lab.org=anna")
        if project is not None and holds_frames(project):
            pulled = pull_selection(
                data_root, url, project, token_file=token_file, annotators=people, replace=update
            )
        else:
            pulled = pull_votes(
                data_root,
                url,
                round=round_,
                project=project,
                token_file=token_file,
                annotators=people,
                update=update,
            )
    if json:
        print_json(pulled.to_json())
        return
    say_all(pulled.lines())
    if pulled.has_table:
        rounds = getattr(pulled, "rounds", ())
        say_next(["annotate"], lambda: after_answers(data_root, rounds, project, None, None))
    else:
        say_next(["annotate"], lambda: after_push(data_root, url, round_, project, token_file))
