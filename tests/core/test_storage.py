"""Atomic files, streamed tables, locks."""

import errno
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError

SCHEMA = pa.schema([("name", pa.string()), ("value", pa.int32())])


def test_table_writer_streams_in_groups_and_keeps_the_order(tmp_path):
    writer = storage.TableWriter(tmp_path / "sub" / "t.parquet", SCHEMA)
    rows = [{"name": f"r{place}", "value": place} for place in range(1000)]
    for row in rows:
        writer.add(row)
    assert not (tmp_path / "sub" / "t.parquet").exists()
    writer.close()
    assert list(storage.read_rows(tmp_path / "sub" / "t.parquet")) == rows
    assert pq.ParquetFile(tmp_path / "sub" / "t.parquet").num_row_groups == 4
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["t.parquet"]


def test_discarded_table_leaves_nothing(tmp_path):
    writer = storage.TableWriter(tmp_path / "t.parquet", SCHEMA)
    writer.add({"name": "a", "value": 1})
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_missing_and_damaged_tables_are_explained(tmp_path):
    with pytest.raises(ManifestError, match="missing"):
        list(storage.read_rows(tmp_path / "t.parquet"))
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nothing of the kind")
    with pytest.raises(ManifestError, match="damaged"):
        list(storage.read_rows(tmp_path / "t.parquet"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_file_system_failures_become_one_clear_error(tmp_path, number):
    with pytest.raises(ResourceError, match="cannot write"), storage.explained(tmp_path):
        raise OSError(number, os.strerror(number))


def test_write_into_a_file_as_folder_is_explained(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises((ResourceError, FileExistsError), match="a"):
        storage.write_text(tmp_path / "a" / "b" / "c", "x")


def test_linking_a_file_to_itself_leaves_no_temporary(tmp_path):
    (tmp_path / "a").write_text("x")
    storage.link(tmp_path / "a", tmp_path / "b")
    storage.link(tmp_path / "a", tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_link_falls_back_to_a_copy(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EXDEV, "other device")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("x")
    storage.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "x"
    assert not (tmp_path / "b").samefile(tmp_path / "a")


def test_a_folder_is_held_by_one_process(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom fgbench.errors import ResourceError\n"
        "from fgbench.storage import exclusive\n"
        "try:\n    with exclusive(Path(sys.argv[1])): print('held')\nexcept ResourceError: print('refused')\n"
    )

    def other():
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with storage.exclusive(tmp_path):
        assert other() == "refused"
    assert other() == "held"


def test_temporaries_of_killed_processes_are_removed(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / f"t.parquet{storage.TEMPORARY}123").write_text("")
    (tmp_path / "x" / "t.parquet").write_text("")
    assert storage.remove_temporaries(tmp_path) == 1
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["t.parquet"]
