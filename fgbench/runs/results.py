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
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.callbacks import ignore
from fgbench.errors import ConfigError, ManifestError
from fgbench.evaluation import metrics
from fgbench.evaluation.clusters import cluster_names
from fgbench.files.hashing import digest_file, digest_json
from fgbench.naming import is_reserved
from fgbench.provenance import provenance
from fgbench.runs.confusion_csv import confusion_csv
from fgbench.runs.digests import CODEBOOKS, Card, check_files, check_texts, write_result
from fgbench.runs.digests import CONFIG as CONFIG
from fgbench.runs.lost_clips import rejected_samples
from fgbench.runs.result_schema import FORMAT, ClassResult, check_shape, read_result_file
from fgbench.runs.settings import is_giving_way, refuse_other_settings
from fgbench.workfolders.layout import MANIFESTS, RUNS

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS = "predictions.parquet"
RESULT = "result.json"
CONFUSION = "confusion.csv"

_LONGEST = 200  # of 255 that a folder's name may have, beside what is put to it: -on-<data set>, a dot
SINGLE_FOLD = "0"
"""Name of the fold where there is only one: the parts of the manifests."""

DIGEST_KIND = "columns"
"""Content that ``manifest_digest`` covers: the columns that methods read; absent in earlier versions."""

_AGAIN = "run the experiment again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predictions for all test samples, in columns of length N.

    Attributes:
        classes: C names of the classes, in the order of the probabilities.
        sample_ids: Unique ids (of images or clips).
        clip_ids: Clip of each sample.
        subject_ids: Subject shown; ``None`` if unknown.
        source_ids: Film, recording or other source of the clip; ``None`` if unknown, or for all of them.
        labels: True class.
        predicted: Predicted class; ``None`` where there is none (for example no face), which counts as wrong.
        probabilities: (N, C) float32; rows of samples without prediction are not read.
    """

    classes: tuple[str, ...]
    sample_ids: Sequence[str]
    clip_ids: Sequence[str]
    subject_ids: Sequence[str | None]
    labels: Sequence[str]
    predicted: Sequence[str | None]
    probabilities: npt.NDArray[np.float32]
    source_ids: Sequence[str | None] = ()

    def __post_init__(self) -> None:
        if not len(self.source_ids):
            object.__setattr__(self, "source_ids", (None,) * len(self.sample_ids))

    def confusion(self) -> metrics.Counts:
        """(C, C + 1) confusion matrix, see :func:`fgbench.evaluation.metrics.confusion_matrix`."""
        truth, predicted = self.numbers()
        return metrics.confusion_matrix(truth, predicted, n_classes=len(self.classes))

    def numbers(self) -> tuple[metrics.Counts, metrics.Counts]:
        """True and predicted classes, (N,) int64 indices into ``classes``; ``metrics.MISSING`` for none."""
        number: dict[str | None, int] = {label: index for index, label in enumerate(self.classes)}
        number[None] = metrics.MISSING
        truth = np.array([number[label] for label in self.labels], np.int64)
        return truth, np.array([number[label] for label in self.predicted], np.int64)

    def clusters(self) -> tuple[str, ...]:
        """Cluster of each sample, see :func:`fgbench.evaluation.clusters.cluster_names`."""
        return cluster_names(subject_ids=self.subject_ids, source_ids=self.source_ids, clip_ids=self.clip_ids)


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


def predictions_schema(classes: Sequence[str]) -> pa.Schema:
    """Arrow schema of the predictions; its metadata (``classes``, JSON) has the names of the classes."""
    import pyarrow as pa

    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("clip_id", pa.string()),
            ("subject_id", pa.string()),
            ("source_id", pa.string()),
            ("label", pa.string()),
            ("predicted", pa.string()),
            ("probabilities", pa.list_(pa.float32(), len(classes))),
        ],
        metadata={"classes": json.dumps(list(classes))},
    )


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
    table = _table(predictions)
    with storage.explained(folder):
        (folder / RESULT).unlink(missing_ok=True)
    plain = _plain(config)
    storage.write_text(folder / CONFIG, yaml.safe_dump(plain, sort_keys=True, allow_unicode=True))
    storage.write_table(folder / PREDICTIONS, table)
    storage.write_text(folder / CONFUSION, confusion_csv(predictions.confusion(), predictions.classes))
    result = {
        "format": FORMAT,
        "experiment": experiment,
        "fold": fold,
        "seed": seed,
        "classes": list(predictions.classes),
        "metrics": metrics.scores(predictions.confusion(), predictions.classes).to_json(),
        "rejected_test": rejected_samples(root / MANIFESTS, predictions.clip_ids),
        "tuned_on_test": bool(plain.get("tuned_on_test", False)),
        "config_digest": digest_json(plain),
        "predictions_sha256": digest_file(folder / PREDICTIONS),
        "manifest_digest": manifest_digest,
        "digest_kind": DIGEST_KIND,
        "device": device,
        "details": dict(details),
        **{key: value for key, value in provenance().items() if key != "packages"},
        "versions": provenance()["packages"],
    }
    check_shape(result, ClassResult)
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
        check_files(folder, result, again=_AGAIN)
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
        return read_result_file(folder / RESULT, ClassResult, hint=_AGAIN)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(f"{folder} has no {RESULT}: the run is not finished", _AGAIN) from error


def read_predictions(folder: Path) -> Predictions:
    """Read the predictions of a run.

    Raises:
        ManifestError: If they are not there or damaged.
    """
    import pyarrow as pa

    path = folder / PREDICTIONS
    with storage.parquet_explained(path, _AGAIN):
        table = storage.read_table(path, hint=_AGAIN)
        classes = tuple(json.loads(table.schema.metadata[b"classes"]))
        if "source_id" not in table.column_names:  # of a version that did not keep sources
            unknown_source = pa.nulls(table.num_rows, pa.string())
            table = table.add_column(3, "source_id", unknown_source)
        if not table.schema.equals(predictions_schema(classes)):
            raise ManifestError(f"{path} has columns {table.column_names}, not those of predictions", _AGAIN)
        columns = {
            name: table.column(name).to_pylist() for name in table.column_names if name != "probabilities"
        }
        probabilities = np.full((table.num_rows, len(classes)), np.nan, np.float32)
        for row, values in enumerate(table.column("probabilities").to_pylist()):
            if values is not None:
                probabilities[row] = values
        unknown = (set(columns["label"]) | set(columns["predicted"])) - {*classes, None}
        if unknown or None in columns["label"]:
            raise ManifestError(f"{path} has labels that are none of its classes", _AGAIN)
    return Predictions(
        classes=classes,
        sample_ids=columns["sample_id"],
        clip_ids=columns["clip_id"],
        subject_ids=columns["subject_id"],
        source_ids=columns["source_id"],
        labels=columns["label"],
        predicted=columns["predicted"],
        probabilities=probabilities,
    )


def recompute(folder: Path) -> metrics.Scores:
    """Scores of a run from its predictions alone.

    Raises:
        ManifestError: If the predictions are not there or damaged.
    """
    predictions = read_predictions(folder)
    return metrics.scores(predictions.confusion(), predictions.classes)


def verify(folder: Path) -> Predictions:
    """Check a finished run: its predictions, which are returned, are unchanged and give its scores.

    Its settings, curves, confusions and model card are checked to be unchanged, too.

    Raises:
        ManifestError: If a check fails.
    """
    result = read_result(folder)
    check_texts(folder, result, again=_AGAIN)
    try:
        with storage.readable(folder / PREDICTIONS):
            digest = digest_file(folder / PREDICTIONS)
    except FileNotFoundError as error:
        raise ManifestError(f"{folder} has lost its {PREDICTIONS}", _AGAIN) from error
    except OSError as error:
        raise ManifestError(f"cannot read {folder / PREDICTIONS}: {error.strerror}", _AGAIN) from error
    if digest != result["predictions_sha256"]:
        raise ManifestError(f"{folder / PREDICTIONS} is not the file that {RESULT} tells of", _AGAIN)
    predictions = read_predictions(folder)
    if metrics.scores(predictions.confusion(), predictions.classes).to_json() != result["metrics"]:
        raise ManifestError(f"scores in {folder / RESULT} are not those of its predictions", _AGAIN)
    return predictions


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them, e.g. with lists instead of tuples."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(config), allow_nan=False))
    return plain


def _table(predictions: Predictions) -> pa.Table:
    import pyarrow as pa

    n, classes = len(predictions.sample_ids), predictions.classes
    columns = {
        "sample_id": predictions.sample_ids,
        "clip_id": predictions.clip_ids,
        "subject_id": predictions.subject_ids,
        "source_id": predictions.source_ids,
        "label": predictions.labels,
        "predicted": predictions.predicted,
    }
    lengths = {name: len(values) for name, values in columns.items()}
    if set(lengths.values()) != {n} or predictions.probabilities.shape != (n, len(classes)):
        raise ValueError(
            f"columns of {lengths}, probabilities of {predictions.probabilities.shape}, expected one length"
        )
    if len(set(predictions.sample_ids)) != n or len(set(classes)) != len(classes):
        raise ValueError("sample ids or classes that occur twice, expected unique ones")
    unknown = (set(predictions.labels) | set(predictions.predicted)) - {*classes, None}
    if unknown or None in predictions.labels:
        raise ValueError(f"labels {sorted(map(str, unknown))[:3]} or a missing one, expected the classes")
    rows: list[list[float] | None] = []
    for label, values in zip(predictions.predicted, predictions.probabilities, strict=True):
        if label is None:
            rows.append(None)
            continue
        if not (np.isfinite(values).all() and values.min() >= 0.0 and abs(values.sum() - 1.0) < 1e-3):
            raise ValueError(f"probabilities that add up to {values.sum()}, expected 1 and none below 0")
        rows.append(values.tolist())
    schema = predictions_schema(classes)
    return pa.table({**columns, "probabilities": rows}, schema=schema)
