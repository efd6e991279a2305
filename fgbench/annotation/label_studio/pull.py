"""Answers fetched from a server of Label Studio, and imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fgbench.annotation.label_studio.push import find_project, mark_of
from fgbench.annotation.label_studio.server import Server, paged
from fgbench.annotation.project_file import Project
from fgbench.errors import ConfigError
from fgbench.naming import key

PULLED = "pulled.json"
"""The last export of the server, in the folder of the round."""


def fetch_round(
    server: Server, folder: Path, project: Project, accounts: Mapping[str, str]
) -> tuple[Path, dict[str, str]]:
    """Fetch all annotations of a round.

    Args:
        server: The server.
        folder: Folder of the round.
        project: The round.
        accounts: Address or number of an account to the name of its annotator.

    Returns:
        The export, and the number of each account to the name of its annotator, or to its address.

    Raises:
        ConfigError: If the project is not there.
        ResourceError: If the server refuses or cannot be reached.
    """
    there = find_project(server, project)
    if there is None:
        raise ConfigError(
            f"{server.name} has no project with {mark_of(project)} in its description",
            "send it first (fgbench annotate push), or put the text back into the description",
        )
    target = folder / PULLED
    path = f"/api/projects/{server.number_of(there)}/export"
    server.download(path, target, exportType="JSON", download_all_tasks="true")
    names = {key(account): name for account, name in accounts.items()}
    named: dict[str, str] = {}
    for user in paged(server, "/api/users", page_size=100):
        number, address = str(user.get("id")), str(user.get("email") or user.get("username") or "")
        named[number] = names.get(number) or names.get(key(address)) or address
    return target, {**accounts, **named}
