"""``fgbench.push_tasks``, ``pull_votes`` and ``pull_selection``: annotation on a server of Label Studio."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.annotation.imported_votes import ImportedVotes as ImportedVotes
from fgbench.annotation.pushed_tasks import PushedTasks as PushedTasks
from fgbench.api.arguments import name_of, names_to_names, path_of, path_or_none, switch, whole
from fgbench.api.progress import LOGGER, Shown, bars, shown_as

if TYPE_CHECKING:
    from fgbench.annotation.label_studio.server import Server
    from fgbench.annotation.project_file import Project
    from fgbench.annotation.selection.selection_table import ImportedSelection


def push_tasks(
    data: str | os.PathLike[str],
    url: str,
    *,
    round: int | None = None,  # noqa: A002
    project: str | os.PathLike[str] | None = None,
    token_file: str | os.PathLike[str] | None = None,
    progress: Shown = None,
) -> PushedTasks:
    """Send a round that was exported to a server of Label Studio: configuration, media and tasks.

    What is there already is not sent again; an interrupted push continues.

    Args:
        data: Root of the data set.
        url: Address of the server.
        round: Number of the round; ``None``: the latest that was exported.
        project: Folder of a round that was exported outside the data set.
        token_file: File with the token of an account; ``None``: the environment variable
            ``FGBENCH_ANNOTATE_TOKEN``.
        progress: Whether a bar is shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Raises:
        ConfigError: If an argument is none, or there is no token.
        DatasetError: If there is no round, or a clip has changed since the export.
        DependencyError: If ``httpx`` is not installed.
        ResourceError: If the server refuses or cannot be reached; what is sent stays.
    """
    from fgbench.annotation.label_studio.push import push_round

    root, folder, of_round = _round(data, round, project)
    with _server(url, token_file) as server, bars(shown_as(progress)) as update:
        pushed = push_round(server, folder, of_round, root, update)
        return PushedTasks(
            url=f"{server.name}/projects/{pushed.number}",
            round=of_round.round,
            n_tasks=pushed.n_tasks,
            n_sent=pushed.n_sent,
            n_uploaded=pushed.n_uploaded,
        )


def pull_votes(
    data: str | os.PathLike[str],
    url: str,
    *,
    round: int | None = None,  # noqa: A002
    project: str | os.PathLike[str] | None = None,
    token_file: str | os.PathLike[str] | None = None,
    annotators: Mapping[str, str] | None = None,
    update: bool = False,
) -> ImportedVotes:
    """Fetch the answers to a round from a server of Label Studio, and import them as ``import_votes`` does.

    Args:
        data: Root of the data set.
        url: Address of the server.
        round: Number of the round; ``None``: the latest that was exported.
        project: Folder of a round that was exported outside the data set.
        token_file: File with the token of an account; ``None``: the environment variable
            ``FGBENCH_ANNOTATE_TOKEN``.
        annotators: Address of an account to the name of its annotator.
        update: Whether answers that have changed replace their votes.

    Raises:
        ConfigError: If an argument is none, there is no token, or the round was not pushed.
        DatasetError: If there is no round, or two names of annotators may be one person; nothing is changed.
        DependencyError: If ``httpx`` is not installed.
        ResourceError: If the server refuses or cannot be reached, or a file cannot be written.
    """
    from fgbench.annotation.class_list import ClassList
    from fgbench.annotation.importing import ImportPlan, import_answers
    from fgbench.annotation.label_studio.pull import fetch_round
    from fgbench.annotation.tools import LABEL_STUDIO
    from fgbench.errors import DatasetError

    root, folder, of_round = _round(data, round, project)
    of_accounts = names_to_names("annotators", annotators, example="annotators={'me@lab.org': 'anna'}")
    is_update = switch("update", update)
    if of_round.show == "frames":
        raise DatasetError(
            f"{folder} holds frames that an expert selects, expected a round of votes",
            "fetch them with fgbench.pull_selection",
        )
    with _server(url, token_file) as server:
        export, accounts = fetch_round(server, folder, of_round, of_accounts)
    plan = ImportPlan(
        root=root,
        files=(export,),
        tool=LABEL_STUDIO,
        round=None,
        project=folder,
        classes=ClassList(scheme=of_round.scheme, classes=of_round.classes),
        columns={},
        accounts=accounts,
        update=is_update,
    )
    return import_answers(plan)


def pull_selection(
    data: str | os.PathLike[str],
    url: str,
    project: str | os.PathLike[str],
    *,
    token_file: str | os.PathLike[str] | None = None,
    annotators: Mapping[str, str] | None = None,
    replace: bool = False,
) -> ImportedSelection:
    """Fetch what an expert selected or confirmed on a server of Label Studio, and put it beside the videos as
    ``selection.csv``.

    Args:
        data: Root of the data set.
        url: Address of the server.
        project: Folder of tasks that :func:`fgbench.export_frame_tasks` wrote.
        token_file: File with the token of an account; ``None``: the environment variable
            ``FGBENCH_ANNOTATE_TOKEN``.
        annotators: Address of an account to the name of the expert.
        replace: Whether a selection is replaced that has other frames, or was inspected.

    Raises:
        ConfigError: If an argument is none, there is no token, the tasks were not pushed, or a selection
            would lose frames.
        DatasetError: If there are no such tasks, or some are not answered yet; nothing is written.
        DependencyError: If ``httpx`` is not installed.
        ResourceError: If the server refuses or cannot be reached, or a file cannot be written.
    """
    from fgbench.annotation.label_studio.pull import fetch_round
    from fgbench.annotation.selection.frame_answers import import_answers
    from fgbench.errors import DatasetError

    root, folder, of_frames = _round(data, None, project)
    of_accounts = names_to_names("annotators", annotators, example="annotators={'me@lab.org': 'ada'}")
    is_replaced = switch("replace", replace)
    if of_frames.show != "frames":
        raise DatasetError(
            f"{folder} holds a round of votes, expected frames that an expert selects",
            "fetch them with fgbench.pull_votes",
        )
    with _server(url, token_file) as server:
        export, accounts = fetch_round(server, folder, of_frames, of_accounts)
    return import_answers(export, folder, of_frames, root, accounts=accounts, replace=is_replaced)


def holds_frames(project: str | os.PathLike[str]) -> bool:
    """Return whether a folder holds tasks of frames, which an expert selects, and no round of votes.

    Raises:
        ManifestError: If its ``project.json`` is damaged.
    """
    from fgbench.annotation.project_file import read_project

    found = read_project(path_of("project", project, example="project='round-1'"))
    return found is not None and found.show == "frames"


def _round(data: object, number: object, project: object) -> tuple[Path, Path, Project]:
    """Root of a data set, folder of a round, and the round.

    Raises:
        ConfigError: If an argument is none.
        DatasetError: If there is no such round.
    """
    from fgbench.annotation.project_file import read_project, rounds_of
    from fgbench.errors import DatasetError

    root = path_of("data", data, example="'my-clips'")
    folder = path_or_none("project", project, example="project='round-1'")
    wanted = None if number is None else whole("round", number, least=1)
    if folder is None:
        rounds = rounds_of(root)
        wanted = max(rounds, default=1) if wanted is None else wanted
        folder = rounds.get(wanted)
    found = None if folder is None else read_project(folder)
    if folder is None or found is None or wanted not in (None, found.round):
        where = f"{root} has no round {wanted}" if folder is None else f"{folder} holds no such round"
        raise DatasetError(where, "export it first: fgbench annotate export")
    return root, folder, found


def _server(url: object, token_file: object) -> Server:
    """A server, with the token of a file or the environment.

    Raises:
        ConfigError: If the address is none, or there is no token.
        DependencyError: If ``httpx`` is not installed.
    """
    from fgbench.annotation.label_studio.access import is_open_to_others, read_token, server_url
    from fgbench.annotation.label_studio.server import Server

    address = server_url(name_of("url", url, example="url='http://localhost:8080'"))
    token = read_token(path_or_none("token_file", token_file, example="token_file='token.txt'"))
    server = Server(address, token)
    if is_open_to_others(address):
        LOGGER.warning(
            "%s is reached without TLS: others on the way can read the token and the clips", server.name
        )
    return server
