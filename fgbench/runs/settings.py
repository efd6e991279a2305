"""Settings of finished runs, read and compared with those of a run that would replace them.

Reads ``config.yaml`` in the folder of a run; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.naming import first_few
from fgbench.runs.digests import CONFIG, check_texts
from fgbench.storage import readable

CHECKPOINT = "checkpoint.pt"
"""Name of the checkpoint in the folder of a run; a finished run has none."""

ADDED = {"losses.target": "hard"}
"""Keys that recipes of earlier versions lack, with the values by which those runs were made."""

_AGAIN = "run the experiment again"
_ABSENT = "absent"
_LONGEST = 40


def read_settings(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run.

    Args:
        folder: Its folder.
        result: Its result, of classes or of action units.

    Raises:
        ManifestError: If they are missing or damaged.
    """
    import yaml

    path = folder / CONFIG
    check_texts(folder, result, again=_AGAIN)
    try:
        with readable(path):
            settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ManifestError(f"{path} is missing", _AGAIN) from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ManifestError(f"{path} is damaged: it is no YAML", _AGAIN) from error
    if not isinstance(settings, dict):
        raise ManifestError(f"{path} is damaged: it holds no settings", _AGAIN)
    return settings


def refuse_other_settings(
    folder: Path, result: Mapping[str, Any], settings: Mapping[str, Any], *, command: str = "the command"
) -> None:
    """Refuse to replace a finished run that was made with other settings.

    A run of an earlier version, which lacks a key that came later, has its value of :data:`ADDED`.

    Args:
        folder: Folder of the finished run.
        result: Its result, of classes or of action units.
        settings: Settings of the run that would replace it, as JSON has them.
        command: Command that takes ``--force``.

    Raises:
        ConfigError: If they differ; the message names the keys.
        ManifestError: If the settings of the finished run are missing or damaged.
    """
    there, here = _flat(read_settings(folder, result)), _flat(settings)
    there = {key: value for key, value in ADDED.items() if key in here} | there
    different = [
        f"{key} ({_shown(there, key)} there, {_shown(here, key)} here)"
        for key in sorted(there.keys() | here.keys())
        if there.get(key, _ABSENT) != here.get(key, _ABSENT)
    ]
    if different:
        raise ConfigError(
            f"{folder} is finished, with other settings: {first_few(different)}; nothing was changed",
            "give it another name to keep both (--set name=NAME, or name: in the recipe), or "
            f"{command} --force to replace the finished run",
        )


def is_giving_way(folder: Path) -> bool:
    """Whether a run that is to replace a finished one (``--force``) was begun and can be continued."""
    return (folder / CHECKPOINT).exists()


def _flat(settings: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Settings by dotted keys, e.g. ``optimiser.epochs``; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{above}{key}."))
        else:
            flat[f"{above}{key}"] = value
    return flat


def _shown(settings: Mapping[str, Any], key: str) -> str:
    text = str(settings[key]) if key in settings else _ABSENT
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
