"""Results on disk: predictions, scores, and their provenance.

Layout of a run::

    runs/<experiment>/<fold>/<seed>/config.yaml           settings
    runs/<experiment>/<fold>/<seed>/predictions.parquet   one row per test sample, with probabilities
    runs/<experiment>/<fold>/<seed>/confusion.csv         how often each class was taken for which
    runs/<experiment>/<fold>/<seed>/result.json           scores, provenance, digests; written last

A run without ``result.json`` is not finished. All scores can be computed again from the predictions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.callbacks import ignore
from fgbench.errors import ConfigError, ManifestError
from fgbench.evaluation import metrics
from fgbench.files.hashing import digest_file, digest_json
from fgbench.naming import is_reserved
from fgbench.provenance import provenance
from fgbench.runs.confusion_csv import confusion_csv
from fgbench.runs.digests import CODEBOOKS, Card, check_files, check_texts, write_result
from fgbench.runs.digests import CONFIG as CONFIG
from fgbench.runs.ledger.entries import CLASSES, IN_LEDGER, Evaluated, earlier, note_reading
from fgbench.runs.lost_clips import rejected_samples
from fgbench.runs.predictions import AGAIN, PREDICTIONS, Predictions, read_predictions, table_of
from fgbench.runs.result_schema import FORMAT, ClassResult, check_shape, read_result_file
from fgbench.runs.settings import is_giving_way, refuse_other_settings
from fgbench.workfolders.layout import MANIFESTS, RUNS

RESULT = "result.json"
CONFUSION = "confusion.csv"

_LONGEST = 200  # of 255 that a folder's name may have, beside what is put to it: -on-<data set>, a dot
SINGLE_FOLD = "0"
"""Name of the fold where there is only one: the parts of the manifests."""

DIGEST_KIND = "columns"
"""Content that ``manifest_digest`` covers: the columns that methods read; absent in earlier versions."""


def run_folder(root: Path, *, experiment: str, fold: str, seed: int) -> Path:
    """Folder of a run below the work folder ``root``.

    Raises:
        ConfigError: If a name cannot be that of a folder.
    """
    for name in (experiment, fold):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ConfigError(
                f"name {name!r} of an experiment or fold, expected letters, digits, '.', '_' and '-'",
                "choose another name",
            )
        if is_reserved(name):
            raise ConfigError(
                f"name {name!r} of an experiment or fold, expected none that ends with a dot, "
                "and none that Windows keeps to itself, as con or nul",
                "choose another name",
            )
        if len(name) > _LONGEST:
            raise ConfigError(
                f"name {name[:20]}... of an experiment or fold has {len(name)} letters, expected at most "
                f"{_LONGEST}",
                "choose a shorter name",
            )
    return root / RUNS / experiment / fold / str(seed)


def write_run(
    root: Path,
    predictions: Predictions,
    *,
    experiment: str,
    fold: str,
    seed: int,
    config: Mapping[str, Any],
    manifest_digest: str,
    device: str,
    details: Mapping[str, Any],
    card: Card | None = None,
) -> Path:
    """Write a run; an earlier run of the same name counts as unfinished from the first moment to the last.

    That the test part was read is put into the ledger of the work folder before the result is there.

    Args:
        root: Work folder.
        predictions: Predictions of every test sample.
        experiment: Name of the experiment.
        fold: Name of the fold.
        seed: Seed of the run.
        config: All settings, as plain values.
        manifest_digest: Digest of the manifests that the samples come from.
        device: Device of the computation, e.g. ``"cpu"``.
        details: Plain values to keep: at least ``dataset``, its name, and ``synthetic``, whether it is drawn;
            also e.g. the candidates of a selection.
        card: Makes the model card, ``README.md``, from the content of the result.

    Returns:
        The folder of the run.

    Raises:
        ConfigError: If a name cannot be that of a folder.
        ValueError: If predictions are inconsistent, or details lack something.
        ResourceError: If the folder cannot be written.
    """
    import yaml

    folder = run_folder(root, experiment=experiment, fold=fold, seed=seed)
    table = table_of(predictions)
    earlier_runs = earlier(root)
    with storage.explained(folder):
        (folder / RESULT).unlink(missing_ok=True)
    plain = _plain(config)
    storage.write_text(folder / CONFIG, yaml.safe_dump(plain, sort_keys=True, allow_unicode=True))
    storage.write_table(folder / PREDICTIONS, table)
    storage.write_text(folder / CONFUSION, confusion_csv(predictions.confusion(), predictions.classes))
    origin = provenance()
    result = {
        "format": FORMAT,
        "experiment": experiment,
        "fold": fold,
        "seed": seed,
        "classes": list(predictions.classes),
        "metrics": metrics.scores(predictions.confusion(), predictions.classes).to_json(),
        "rejected_test": rejected_samples(
            root / MANIFESTS,
            predictions.clip_ids,
            unpredicted=[
                clip_id
                for clip_id, predicted in zip(predictions.clip_ids, predictions.predicted, strict=True)
                if predicted is None
            ],
        ),
        "tuned_on_test": bool(plain.get("tuned_on_test", False)),
        "config_digest": digest_json(plain),
        "predictions_sha256": digest_file(folder / PREDICTIONS),
        "manifest_digest": manifest_digest,
        "digest_kind": DIGEST_KIND,
        IN_LEDGER: True,
        "device": device,
        "details": dict(details),
        **{key: value for key, value in origin.items() if key != "packages"},
        "versions": origin["packages"],
    }
    check_shape(result, ClassResult)
    read = Evaluated(
        folder=folder,
        kind=CLASSES,
        config=plain,
        details=details,
        samples=zip(predictions.sample_ids, predictions.labels, strict=True),
        predictions=str(result["predictions_sha256"]),
    )
    note_reading(read, earlier_runs=earlier_runs)
    write_result(folder / RESULT, result, card=card)
    return folder


def finished_run(
    root: Path,
    *,
    experiment: str,
    fold: str,
    seed: int,
    config: Mapping[str, Any],
    manifest_digest: str,
    earlier_digests: Collection[str] = (),
    note: Callable[[str], None] = ignore,
) -> Path | None:
    """Folder of a finished run; ``None`` if it is missing, damaged, or of other manifests.

    A run is also damaged if its weights, or other files with digests in its result, have changed.

    Args:
        root: Work folder.
        experiment: Name of the experiment.
        fold: Name of the fold.
        seed: Seed of the run.
        config: All settings, as given to :func:`write_run`.
        manifest_digest: Digest of the manifests.
        earlier_digests: Digests that earlier versions of fgbench kept of these manifests.
        note: Called with the reason why a finished run cannot be used.

    Raises:
        ConfigError: If a name cannot be that of a folder, or the run was made with other settings.
    """
    folder = run_folder(root, experiment=experiment, fold=fold, seed=seed)
    try:
        result = read_result(folder)
    except ManifestError as error:
        if (folder / RESULT).exists():
            note(f"{error.message}: the run is made again")
        return None
    plain = _plain(config)
    try:
        if result["config_digest"] != digest_json(plain):
            if is_giving_way(folder):
                return None
            refuse_other_settings(folder, result, plain)
        if result.get("manifest_digest") not in {manifest_digest, *earlier_digests}:
            note(f"{folder} is of other manifests: the run is made again")
            return None
        verify(folder)
        check_files(folder, result, again=AGAIN)
    except ManifestError as error:
        note(f"{error.message}: the run is made again")
        return None
    return folder


def discard_run(root: Path, *, experiment: str, fold: str, seed: int) -> None:
    """Delete a run and the files kept in its folder to make it, the result first; other files stay.

    Args:
        root: Work folder.
        experiment: Name of the experiment.
        fold: Name of the fold.
        seed: Seed of the run.

    Raises:
        ConfigError: If a name cannot be that of a folder.
        ResourceError: If the folder may not be written.
    """
    folder = run_folder(root, experiment=experiment, fold=fold, seed=seed)
    kept = sorted(path.name for path in folder.glob(CODEBOOKS))
    storage.remove_listed(folder, [RESULT, PREDICTIONS, CONFIG, CONFUSION, *kept])
    with suppress(OSError):  # other files stay
        folder.rmdir()


def read_result(folder: Path) -> dict[str, Any]:
    """Read the ``result.json`` of a run.

    Raises:
        ManifestError: If the run is not finished, damaged, or of a newer format.
        ResourceError: If it may not be read.
    """
    try:
        return read_result_file(folder / RESULT, ClassResult, hint=AGAIN)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(f"{folder} has no {RESULT}: the run is not finished", AGAIN) from error


def verify(folder: Path) -> Predictions:
    """Check a finished run: its predictions, which are returned, are unchanged and give its scores.

    Its settings, curves, confusions and model card are checked to be unchanged, too.

    Raises:
        ManifestError: If a check fails.
    """
    result = read_result(folder)
    check_texts(folder, result, again=AGAIN)
    try:
        with storage.readable(folder / PREDICTIONS):
            digest = digest_file(folder / PREDICTIONS)
    except FileNotFoundError as error:
        raise ManifestError(f"{folder} has lost its {PREDICTIONS}", AGAIN) from error
    except OSError as error:
        raise ManifestError(f"cannot read {folder / PREDICTIONS}: {error.strerror}", AGAIN) from error
    if digest != result["predictions_sha256"]:
        raise ManifestError(f"{folder / PREDICTIONS} is not the file that {RESULT} tells of", AGAIN)
    predictions = read_predictions(folder)
    if metrics.scores(predictions.confusion(), predictions.classes).to_json() != result["metrics"]:
        raise ManifestError(f"scores in {folder / RESULT} are not those of its predictions", AGAIN)
    return predictions


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them, e.g. with lists instead of tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(config), allow_nan=False))
    return plain
