"""Runs with nothing to do: what they do not load, and which rows they do not look at."""

import subprocess
import sys

import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.preparation.stages._equal_files import COLUMNS, _repeated
from fgbench.preparation.stages._votes import with_votes

VOTE = {"annotator": "a", "label": "joy", "confidence": 1.0, "key_frame": None, "round": 1}


@pytest.mark.slow
def test_stages_load_no_compiler():
    code = (
        "import sys; from fgbench.config import load_prepare; from fgbench.preparation import pipeline;"
        "pipeline.stages(load_prepare('default')); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_tables_without_votes_are_passed_over(tmp_path):
    votes = records.schema("ingest").field("votes")
    paths = []
    for number, cells in enumerate(([[], []], [[], [VOTE]], [])):
        rows = pa.Table.from_pylist([{"votes": cell} for cell in cells], schema=pa.schema([votes]))
        storage.write_table(tmp_path / f"{number}.parquet", rows)
        paths.append(tmp_path / f"{number}.parquet")
    assert with_votes(paths) == [paths[1]]


def test_files_of_their_own_content_are_passed_over(tmp_path):
    rows = [dict.fromkeys(COLUMNS, text) | {"sha256": text[0]} for text in ("a1", "b1", "a2")]
    storage.write_table(tmp_path / "clips.parquet", pa.Table.from_pylist(rows))
    assert [row["path"] for row in _repeated(tmp_path / "clips.parquet")] == ["a1", "a2"]
