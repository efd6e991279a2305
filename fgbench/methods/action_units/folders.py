"""The data sets that a run of action units was scored on, and their work folders.

Reads the result of the run. It gives the folders relative to that of the run, so that work folders may be
moved together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.runs.unit_results import RESULT, read_au_result
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext
from fgbench.workfolders.layout import INDEX, MANIFESTS, WEIGHTS

_INDEX = Path(MANIFESTS) / INDEX


def dataset_details(contexts: Sequence[TrainingContext]) -> dict[str, Any]:
    """Return the details of a result on the data sets of several work folders; the run lies in the first."""
    here = contexts[0].workdir.resolve()
    names = [str(context.details["dataset"]) for context in contexts]
    return {
        "dataset": " and ".join(names),
        "synthetic": any(context.details["synthetic"] for context in contexts),
        "datasets": {name: context.manifest_digest for name, context in zip(names, contexts, strict=True)},
        "workdirs": {
            name: Path(os.path.relpath(context.workdir.resolve(), here)).as_posix()
            for name, context in zip(names, contexts, strict=True)
        },
    }


def own_result(trained: Trained) -> dict[str, Any] | None:
    """Return the result of the run of action units whose folder holds the weights; ``None`` without one.

    Raises:
        ManifestError: If it is damaged.
    """
    folder = trained.path.parent
    is_run = trained.path.name == WEIGHTS and (folder / RESULT).is_file()
    return read_au_result(folder) if is_run else None


def scored_on(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the data sets that a run was scored on: name to the digest of the manifests."""
    details = result["details"]
    return dict(details.get("datasets") or {details["dataset"]: details["manifest_digest"]})


def further_folders(trained: Trained, named: Sequence[TrainingContext]) -> list[Path] | None:
    """Return the work folders that a run was scored on, without those that a user names.

    Args:
        trained: Weights of action units.
        named: Work folders, at least one.

    Returns:
        ``None`` if the only one that is named holds other data than the run was scored on.

    Raises:
        ConfigError: If some are of its data and others are not, several are of other data, or the manifests
            of one that it was scored on have changed.
        ManifestError: If the run is damaged, or a work folder that it was scored on is not where it was.
    """
    result = own_result(trained)
    own = {} if result is None else scored_on(result)
    folders = {} if result is None else _folders_of(trained, result)
    scored = [context for context in named if context.is_digest_of(own.get(_name(context)))]
    others = [context for context in named if context not in scored]
    for context in others:
        if any(context.workdir.resolve() == folder for folder in folders.values()):
            raise _changed(trained, context)
    if scored and others:
        raise ConfigError(
            f"{trained.name} was scored on {' and '.join(own)}, expected no other data beside them, got "
            f"{', '.join(str(context.workdir) for context in others)}",
            "evaluate it on other data by themselves",
        )
    if len(others) > 1:
        raise ConfigError(
            f"{len(others)} work folders of data that {trained.name} was not scored on, expected one",
            "evaluate it on one after the other",
        )
    if others:
        return None
    missing = [name for name in own if name not in {_name(context) for context in scored}]
    return [_existing_folder(trained, name, folders.get(name)) for name in missing]


def by_dataset(
    trained: Trained, own: Mapping[str, str], contexts: Sequence[TrainingContext]
) -> list[TrainingContext]:
    """Sort work folders in the order of the data sets that a run was scored on.

    Args:
        trained: Weights of the run.
        own: Its data sets, as :func:`scored_on` returns them.
        contexts: One work folder of each.

    Raises:
        ConfigError: If one is of another data set, or its manifests are not those that the run was scored on.
    """
    by_name = {_name(context): context for context in contexts}
    if len(by_name) < len(contexts) or set(by_name) != set(own):
        got = ", ".join(_name(context) for context in contexts)
        raise ConfigError(
            f"{trained.name} was scored on {', '.join(own)}, expected a work folder of each, got {got}",
            "name each work folder once with --workdir",
        )
    for name, digest in own.items():
        if not by_name[name].is_digest_of(digest):
            raise _changed(trained, by_name[name])
    return [by_name[name] for name in own]


def _name(context: TrainingContext) -> str:
    return str(context.details["dataset"])


def _folders_of(trained: Trained, result: Mapping[str, Any]) -> dict[str, Path]:
    """Return the work folders of the data sets of a run; empty if they are not known."""
    if trained.workdir is None:
        return {}
    here = trained.workdir.resolve()
    details = result["details"]
    relative = details.get("workdirs") or ({} if details.get("datasets") else {details["dataset"]: "."})
    return {name: Path(os.path.normpath(here / folder)) for name, folder in relative.items()}


def _existing_folder(trained: Trained, name: str, folder: Path | None) -> Path:
    hint = "name the work folders of all its data sets, each with --workdir"
    if folder is None:
        raise ManifestError(
            f"{trained.name} was scored on {name} too, and where its work folder lies is not known", hint
        )
    if not (folder / _INDEX).is_file():
        raise ManifestError(
            f"{trained.name} was scored on {name} too, whose work folder was {folder}; it has no manifests",
            hint,
        )
    return folder


def _changed(trained: Trained, context: TrainingContext) -> ConfigError:
    return ConfigError(
        f"{trained.name} was scored on other manifests of {_name(context)} than {context.workdir} has now",
        "prepare it as it was, or run fgbench train au again",
    )
