"""Tables of a data set without its work folder: manifests as ``fgbench pull`` writes them.

They hold the recipe that they were made by; neither the clips nor results of stages, so nothing is computed.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from fgbench.config import PrepareConfig
from fgbench.config.older_recipes import in_current_form
from fgbench.errors import ManifestError
from fgbench.preparation.report import RunReport
from fgbench.workfolders.folder import PULL_AGAIN
from fgbench.workfolders.layout import INDEX, MANIFESTS
from fgbench.workfolders.manifest_index import read_index


def recipe_of_manifests(workdir: Path) -> PrepareConfig:
    """Return the recipe that manifests were made by, from their index.

    Raises:
        ManifestError: If the index is damaged, or its recipe not valid.
        ResourceError: If it may not be read.
    """
    try:
        recipe = read_index(workdir).get("origin", {}).get("recipe", {})
        return PrepareConfig.model_validate(in_current_form(recipe))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise ManifestError(
            f"the recipe in {workdir / MANIFESTS / INDEX} is not valid ({where}: {first['msg']})", PULL_AGAIN
        ) from error


def report_of_manifests(workdir: Path, config: PrepareConfig) -> RunReport:
    """Return a report without stages: what the tables count.

    Raises:
        ManifestError: If there are no manifests.
    """
    counts = read_index(workdir)["counts"]
    return RunReport(
        recipe=config.name,
        root="",
        workdir=str(workdir),
        clips=sum(of_part["clips"] for of_part in counts.values()),
        stages=(),
        published=True,
        counts=counts,
    )
