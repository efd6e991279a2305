"""Lines of the ledger as readings; further keys are allowed, as newer versions may write them."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Annotated, Literal, NoReturn

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from fgbench.files.hashing import digest_json

MAX_LINE = 1 << 16

_Text = Annotated[str, Field(min_length=1, max_length=5000)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(strict=True))
class Reading:
    """A reading of the test part, a line of the ledger.

    Attributes:
        format: Version of the line.
        number: Number of the reading, from 1.
        time: Time of the line, UTC, ISO 8601 to the second.
        run: ``<experiment>/<fold>/<seed>``; a path from the work folder where the run lies in another.
        kind: ``"classes"`` or ``"action units"``.
        command: The command, or the script.
        parts: Parts that were read: ``["test"]``.
        n: Number of samples.
        samples: Digest of their ids and labels.
        labels: Digest of the classes of all clips that are tested; ``None`` where there are none.
        configuration: Digest of the settings, without names, seed and paths.
        predictions: SHA-256 of the predictions of the run.
        is_late: Whether it was entered afterwards, so that time and command are not those of the reading.
        earlier_runs: In the first line, the number of finished runs at that time, whose readings are unknown.
        fgbench: Version.
        commit: Commit of a source checkout.
        cut_off: Digest of the text between the line before and this one, which is no reading.
        previous: ``hash`` of the line before.
        hash: SHA-256 of the other values.
    """

    format: Literal[1]
    number: Annotated[int, Field(ge=1)]
    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    run: _Text
    kind: Literal["classes", "action units"]
    command: _Text
    parts: Annotated[list[_Text], Field(min_length=1, max_length=10)]
    n: _Count
    samples: _Digest
    labels: _Digest | None
    configuration: _Digest
    predictions: _Digest | None
    is_late: bool
    earlier_runs: _Count
    fgbench: _Text
    commit: _Text | None
    cut_off: _Digest | None
    previous: _Digest
    hash: _Digest


_KEYS = tuple(field.name for field in fields(Reading))


def parsed(raw: bytes) -> Reading | str:
    """Return a line, without its end, as a reading, or why it is none."""
    if len(raw) > MAX_LINE:
        return f"it has {len(raw):,} bytes, expected at most {MAX_LINE:,}"
    try:
        values = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(values, dict):
            return "it is no JSON object"
        digest_json(values)
        return Reading(**{key: values[key] for key in _KEYS if key in values})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))[:200] or 'it'}: {first['msg'][:200]}"
    except RecursionError:
        return "it is nested too deep"
    except UnicodeDecodeError:
        return "it is no text"
    except ValueError as error:
        return str(error).splitlines()[0][:200] if raw else "it is empty"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}, expected a number")
