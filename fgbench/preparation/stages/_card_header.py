"""YAML header of data cards, as the Hub and ``datasets.load_dataset`` read it: every table a named config.

Tables and parts without rows are left out: ``datasets`` cannot load them, and refuses the others with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbench.records import SPLITS

WHOLE = "full"
"""Split of tables that are not divided into parts."""

_DEFAULT = "clips"


def card_header(name: str, configs: Mapping[str, Mapping[str, str]], *, synthetic: bool) -> list[str]:
    """Return the lines of the header, with those that enclose it.

    Args:
        name: Name of the data set.
        configs: Table to split to path or pattern of its files; those without splits are left out.
        synthetic: Whether the data are drawn.
    """
    import yaml

    tags = ["facial-expression-recognition", "fgbench", *(["synthetic"] if synthetic else [])]
    header: dict[str, Any] = {
        "pretty_name": name + (" (synthetic)" if synthetic else ""),
        "license": "other",
        "tags": tags,
    }
    described = [
        {
            "config_name": table,
            "data_files": [{"split": split, "path": path} for split, path in files.items()],
            **({"default": True} if table == _DEFAULT else {}),
        }
        for table, files in configs.items()
        if files
    ]
    if described:
        header["configs"] = described
    text: str = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)
    return ["---", *text.splitlines(), "---", ""]


def manifest_configs(rows: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Return the configs of the manifests of a work folder.

    Args:
        rows: Number of rows by name of file, e.g. ``images/test-00001.parquet``,
            ``features/lbp/00003.parquet``.
    """
    filled = sorted(name for name, count in rows.items() if count and name.endswith(".parquet"))
    configs = {name.removesuffix(".parquet"): {WHOLE: name} for name in filled if "/" not in name}
    for folder in sorted({name.rpartition("/")[0] for name in filled if "/" in name}):
        names = [name for name in filled if name.startswith(f"{folder}/")]
        parts = [part for part in SPLITS if any(name.startswith(f"{folder}/{part}-") for name in names)]
        configs[folder.rpartition("/")[2]] = {part: f"{folder}/{part}-*.parquet" for part in parts} or {
            WHOLE: f"{folder}/*.parquet"
        }
    return configs
