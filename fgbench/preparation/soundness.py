"""Check a work folder: one line for every fault of the files in use.

Reads the manifests, the results that they were made of, plans, the ledger and, on request, runs and caches;
writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.preparation import fingerprints, pipeline
from fgbench.preparation.markers import Marker, load_marker, read_plan
from fgbench.preparation.prepare import saved
from fgbench.preparation.stages.publish import claims, verify
from fgbench.remote.copy_folders import copy_at
from fgbench.runs.digests import PREDICTIONS_OF, kept_files, matches_digest, opened_result
from fgbench.runs.ledger.chain import read_ledger
from fgbench.runs.ledger.missing import ledger_faults
from fgbench.workfolders.folder import has_tables_alone
from fgbench.workfolders.layout import INDEX, MANIFESTS, RUNS
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import as_object
from fgbench.workfolders.verification import Runner, Verified


def faults(workdir: Path, *, deep: bool = False, runner: Runner = map) -> list[str]:
    """Return every fault, as ``<path from the work folder>: <what is wrong>``; empty if there is none.

    The manifests are hashed, and those results they were made of whose state differs from the noted one.

    Args:
        workdir: The work folder.
        deep: Whether to hash all results, files of runs and caches, too.
        runner: Hashes files, e.g. in worker processes.

    Raises:
        ManifestError: If there are no manifests, or they are not complete.
        ResourceError: If something may not be read.
    """
    if not (workdir / MANIFESTS / INDEX).exists():
        read_index(workdir)  # raises an error on the missing file
    lines = ledger_faults(workdir, read_ledger(workdir))
    try:
        if not has_tables_alone(workdir):
            saved(workdir)
    except ManifestError as error:
        lines.append(error.message)
    try:
        index = read_index(workdir)
    except ManifestError as error:
        return [_short(workdir, text) for text in (*lines, error.message)]
    lines += [f"{MANIFESTS}/{fault}" for fault in verify(workdir)]
    lines += _faults_of_results(workdir, index.get("origin", {}), deep=deep, runner=runner)
    if deep:
        lines += _faults_of_kept(workdir)
    return [_short(workdir, text) for text in lines]


def require(workdir: Path, index: Mapping[str, Any]) -> None:
    """Check the manifests before a run reads them; files known to be intact are not hashed.

    Args:
        workdir: The work folder.
        index: Content of their index.

    Raises:
        ManifestError: If a file differs from the index.
        ResourceError: If one may not be read.
    """
    verified = Verified(workdir)
    damaged = verified.damaged(claims(index, verified))
    if damaged:
        more = f" and {len(damaged) - 1} more files" if len(damaged) > 1 else ""
        raise ManifestError(
            f"{workdir}/{damaged[0].name}{more} missing, or not what the index says",
            f"fgbench check --repair {workdir}",
        )


def _faults_of_results(
    workdir: Path, origin: Mapping[str, Any], *, deep: bool, runner: Runner
) -> Iterable[str]:
    """Faults of the results and plans that the manifests were made of; missing ones are no fault."""
    verified = Verified(workdir, copy_at(workdir))
    finished: dict[str, dict[int, Marker]] = {}
    wanted = []
    for stage, identities in origin.get("stages", {}).items():
        finished[stage] = {}
        for bucket, fingerprint in identities.items():
            try:
                marker = load_marker(workdir, stage, int(bucket), fingerprint)
            except FileNotFoundError:
                continue
            except ManifestError as error:
                yield error.message
                continue
            finished[stage][int(bucket)] = marker
            wanted += [verified.claim(name, digest) for name, digest in marker.contents(stage).items()]
    if not deep:
        wanted = [claim for claim in wanted if verified.has_changed(claim)]
    for claim in verified.damaged(wanted, runner, all_of=deep):
        yield f"{claim.name}: content differs from its marker"
    yield from _faults_of_plans(workdir, origin, finished)


def _faults_of_plans(
    workdir: Path, origin: Mapping[str, Any], finished: Mapping[str, Mapping[int, Marker]]
) -> Iterable[str]:
    complete = {stage for stage, markers in finished.items() if len(markers) == len(origin["stages"][stage])}
    if not complete:
        return
    config = PrepareConfig.model_validate(origin["recipe"])
    for stage in pipeline.stages(config):
        if stage.plan is None or not finished.get(stage.name) or not complete.issuperset(stage.inputs):
            continue
        buckets = sorted(bucket for bucket, marker in finished[stage.inputs[0]].items() if marker.accepted)
        digests = {bucket: fingerprints.input_digests(stage, bucket, finished) for bucket in buckets}
        path = fingerprints.plan_path(workdir, stage, stage.config(config), digests)
        try:
            read_plan(path, buckets, stage.plan_shape)
        except FileNotFoundError:
            continue
        except ManifestError as error:
            yield error.message


def _faults_of_kept(workdir: Path) -> Iterator[str]:
    """Faults of finished runs and of caches."""
    for name, predictions in PREDICTIONS_OF.items():
        for path in sorted((workdir / RUNS).glob(f"*/*/*/{predictions}")):
            if not path.with_name(name).is_file():
                yield f"{path.parent}: has predictions and no {name}; the command that makes it ends it"
        for path in sorted((workdir / RUNS).glob(f"*/*/*/{name}")):
            try:
                opened_result(path, as_object(path, storage.read_json(path)), again="")
            except ManifestError as error:
                yield error.message
    for path, sha256 in kept_files(workdir):
        if not path.is_file():
            yield f"{path}: missing"
        elif not matches_digest(path, sha256):
            yield f"{path}: content differs from what was written"


def _short(workdir: Path, text: str) -> str:
    return text.replace(f"{workdir}/", "")
