"""Schema of a line of the ledger; further keys are allowed, as newer versions may write them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Text = Annotated[str, Field(min_length=1, max_length=5000)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0)]


class Line(BaseModel):
    """A line of the ledger, see :class:`fgbench.runs.ledger.chain.Reading`."""

    model_config = ConfigDict(extra="allow", strict=True)

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
