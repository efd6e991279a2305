"""Schemas of the JSON files of a run, checked on every read: anybody may have written them.

Further keys are allowed, as newer and older versions write them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.runs.digests import opened_result

FORMAT = 1
"""Version of the layout of runs; raised when readers must distinguish older runs."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0.0, le=1.0 + 1e-9)]  # means may round upwards
Count = Annotated[int, Field(ge=0)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Protocol(_Shape):
    label: str | None = None
    folds: list[str] = []
    digest: str | None = None
    select_on: str | None = None


class _Summed(_Shape):
    uar: Score | None
    war: Score | None = None


class _Transfer(_Shape):
    kind: Literal["zero-shot", "fine-tuned"]
    dataset: str
    run: str | None = None
    method: str | None = None
    rule: str | None = None
    dropped: dict[str, Count] | None = None
    summed: _Summed | None = None

    @model_validator(mode="after")
    def _zero_shot_has_its_rule(self) -> _Transfer:
        if self.kind == "zero-shot" and None in (self.rule, self.dropped, self.summed):
            raise ValueError("zero-shot without rule, dropped or summed")
        return self


class _Start(_Shape):
    run: str
    kind: str
    is_of_this_folder: bool
    clips_trained_on: Count | None


class _Weights(_Shape):
    run: str
    dataset: str
    synthetic: bool | None = None


class _Link(_Shape):
    part: str
    run: str
    seed: Count | None
    sha256: str
    dataset: str | None = None
    synthetic: bool | None = None


class _Outside(_Shape):
    file: str
    format: str
    sha256: str


class _Details(_Shape):
    dataset: str
    synthetic: bool
    scheme: str | None = None
    manifest_digest: str | None = None
    method: str | None = None
    kind: str | None = None
    recipe: str | None = None
    regions: Count | None = None
    cells: Count | None = None
    trunk: str | None = None
    streams: list[str] = []
    fusion_weight: Score | None = None
    losses_on: str | None = None
    turns: list[str] = []
    image_model: str | None = None
    chain: list[_Link] = []
    weights: str | _Weights | None = None
    clips_trained_on: Count | None = None
    start: _Start | None = None
    protocol: _Protocol | None = None
    notes: list[Annotated[str, Field(min_length=1)]] = []
    pseudo_labels: dict[str, str] = {}
    transfer: _Transfer | None = None
    outside: _Outside | None = None


class _ClassScores(_Shape):
    label: str
    n: Count
    recall: Score | None
    precision: Score | None
    f1: Score | None


class _Scores(_Shape):
    n: Count
    n_missing: Count
    n_classes: Count
    uar: Score | None
    war: Score | None
    macro_f1: Score | None
    classes: list[_ClassScores]


class _AnyResult(_Shape):
    """Common entries of results of all kinds."""

    config_digest: str
    predictions_sha256: str
    in_ledger: bool = False
    device: str
    fgbench: str
    commit: str | None
    versions: dict[str, str]


class ClassResult(_AnyResult):
    """``result.json``: a run that classifies."""

    experiment: str
    fold: str
    seed: Count
    classes: Annotated[list[str], Field(min_length=1)]
    metrics: _Scores
    rejected_test: dict[str, Count] = {}
    tuned_on_test: bool = False
    manifest_digest: str | None = None
    digest_kind: str | None = None
    details: _Details


class _UnitScore(_Shape):
    name: str
    n_positive: Count
    n_negative: Count
    precision: Score | None
    recall: Score | None
    f1: Score | None
    f1_always: Score | None


class _UnitDetails(_Details):
    recipe: str
    manifest_digest: str
    datasets: dict[str, str] = {}
    workdirs: dict[str, str] = {}


class UnitResult(_AnyResult):
    """``au_result.json``: a run that detects action units."""

    units: list[_UnitScore]
    mean_f1: Score | None
    n: Count
    digest_kind: str | None = None
    details: _UnitDetails


class _Epoch(_Shape):
    epoch: Count
    losses: dict[str, Number]
    score: dict[str, Number | None]
    learning_rate: Number
    seconds: Number


class TrainingHistory(_Shape):
    """``history.json``: the epochs of a training."""

    epochs: list[_Epoch]
    best_epoch: int | None
    keep: str = "best"
    turns: Annotated[int, Field(ge=1)] = 1


def read_shaped(path: Path, shape: type[BaseModel], *, hint: str) -> dict[str, Any]:
    """Read a JSON file of a run and check its schema.

    Args:
        path: The file.
        shape: One of the models of this module.
        hint: Advice where the file is damaged.

    Returns:
        Content of the file, unchanged.

    Raises:
        ManifestError: If it is no JSON or has another shape; the message names the first fault.
        ResourceError: If it may not be read.
        FileNotFoundError: If it is not there.
    """
    return _shaped(path, _read(path, hint), shape, hint)


def read_result_file(path: Path, shape: type[BaseModel], *, hint: str) -> dict[str, Any]:
    """Read a result, which states its format and contains the digest of its content, and check its schema.

    Raises:
        ManifestError: As :func:`read_shaped`, or if the format differs or the digest does not match.
    """
    content = _read(path, hint)
    if isinstance(content, Mapping) and isinstance(stated := content.get("format"), int) and stated != FORMAT:
        raise ManifestError(f"{path} has format {stated}, expected {FORMAT}", "update fgbench")
    return opened_result(path, _shaped(path, content, shape, hint), again=hint)


def check_shape(content: Mapping[str, Any], shape: type[BaseModel]) -> None:
    """Check content before it is written, so that it can be read again.

    Raises:
        ValueError: If it has another shape.
    """
    fault = _fault(json.loads(json.dumps(content)), shape)
    if fault is not None:
        raise ValueError(fault)


def _read(path: Path, hint: str) -> Any:
    try:
        return storage.read_json(path)
    except ManifestError as error:
        raise ManifestError(error.message, hint) from error


def _shaped(path: Path, content: Any, shape: type[BaseModel], hint: str) -> dict[str, Any]:
    fault = _fault(content, shape)
    if fault is not None:
        raise ManifestError(f"{path} is damaged: {fault}", hint)
    assert isinstance(content, dict)
    return content


def _fault(content: Any, shape: type[BaseModel]) -> str | None:
    """First fault; ``None`` if there is none. The content is not repeated: it may be of any size."""
    if not isinstance(content, dict):
        return f"it holds a {type(content).__name__}, expected an object with keys"
    try:
        shape.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))[:200]}: {first['msg'][:200]}"
    except RecursionError:
        return "it is nested too deep"
    return None
