"""Fingerprints of results: digests of all that a result depends on, and the names made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import plugins
from fgbench.config import Section
from fgbench.files.hashing import digest_json
from fgbench.preparation.markers import Marker
from fgbench.preparation.pipeline import ORDER, Stage


def is_result(name: str) -> bool:
    """Return whether a file of a stage's folder has the name of a result, a marker or an item in work."""
    return re.fullmatch(r"\d{5,}-[0-9a-f]{20}\.(?:[a-z0-9_]+\.parquet|json|in-hand)", name) is not None


def fingerprint(
    stage: Stage,
    section: Section,
    inputs: Mapping[str, Mapping[str, str]],
    *,
    source: str = "",
    plan: Any = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """Identity of a stage's result for a bucket (SHA-256, hex).

    Args:
        stage: The stage.
        section: Its section of the recipe.
        inputs: Stage name to digests of its outputs for this bucket.
        source: Digest of the adapter's list, for the first stage; of the listed classes, for one that
            reads them.
        plan: The stage's plan for this bucket.
        files: Digests of further files.
    """
    return digest_json(
        {
            "stage": stage.name,
            "version": stage.version,
            "section": section.model_dump(mode="json"),
            "inputs": {name: dict(digests) for name, digests in inputs.items()},
            "source": source,
            "plan": plan,
            "files": dict(files or {}),
            **({} if stage.variant is None else {"variant": stage.variant(section)}),
            # A stage of the same name and version of another package is another stage.
            **(
                {}
                if stage.name in ORDER
                else {"package": plugins.package_of("stages", stage.name).split()[:1]}
            ),
        }
    )


def plan_path(
    workdir: Path, stage: Stage, section: Section, digests: Mapping[int, Mapping[str, Mapping[str, str]]]
) -> Path:
    """File of the stage's plan for all buckets.

    Args:
        workdir: The work folder.
        stage: A stage with a plan.
        section: Its section of the recipe.
        digests: Bucket to the result of :func:`input_digests`, for all buckets that the stage works on.
    """
    whole = {str(bucket): {"all": digest_json(by_stage)} for bucket, by_stage in digests.items()}
    identity = fingerprint(stage, section, whole)
    return workdir / "plans" / f"{stage.name}-{identity[:20]}.json"


def input_digests(
    stage: Stage, bucket: int, finished: Mapping[str, Mapping[int, Marker]]
) -> dict[str, dict[str, str]]:
    """Stage name to digests of its outputs, of the existing inputs of a bucket."""
    return {name: finished[name][bucket].digests() for name in stage.inputs if bucket in finished[name]}
