"""Folders whose names are no UTF-8: what lies in them is written and read like anything else."""

import os
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.text_paths import text_path
from fgbench.workfolders import folder as workfolder

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other file systems hold no such names"
)
SCHEMA = pa.schema([("name", pa.string()), ("value", pa.int32())])
ROWS = [{"name": f"r{place}", "value": place} for place in range(300)]


@pytest.fixture
def odd(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    return folder


def test_tables_are_written_and_read(odd):
    table = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    storage.write_table(odd / "whole.parquet", table)
    streamed = storage.TableWriter(odd / "streamed.parquet", SCHEMA)
    for row in ROWS:
        streamed.add(row)
    streamed.close()
    assert sorted(path.name for path in odd.iterdir()) == ["streamed.parquet", "whole.parquet"]
    assert storage.read_table(odd / "whole.parquet").equals(table)
    assert list(storage.read_rows(odd / "streamed.parquet")) == ROWS


def test_a_discarded_table_leaves_the_old_one(odd):
    storage.write_table(odd / "t.parquet", pa.Table.from_pylist(ROWS, schema=SCHEMA))
    writer = storage.TableWriter(odd / "t.parquet", SCHEMA)
    writer.add(ROWS[0])
    writer.discard()
    assert [path.name for path in odd.iterdir()] == ["t.parquet"]
    assert list(storage.read_rows(odd / "t.parquet")) == ROWS


def test_a_table_takes_the_place_of_a_link_and_leaves_its_target(odd, tmp_path):
    (tmp_path / "theirs").write_bytes(b"theirs")
    (odd / "t.parquet").symlink_to(tmp_path / "theirs")
    storage.write_table(odd / "t.parquet", SCHEMA.empty_table())
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert not (odd / "t.parquet").is_symlink()


def test_missing_and_damaged_tables_are_explained(odd):
    with pytest.raises(ManifestError, match="missing"):
        storage.read_table(odd / "t.parquet")
    (odd / "t.parquet").write_bytes(b"PAR1 nothing of the kind")
    with pytest.raises(ManifestError, match="damaged"):
        storage.read_table(odd / "t.parquet")


def test_a_work_folder_tells_such_a_root(odd, tmp_path):
    recipe = {"name": "mine", "dataset": {"name": "mine"}}
    workfolder.write_origin(tmp_path, recipe, odd)
    assert workfolder.read_origin(tmp_path) == (recipe, odd)
    assert storage.read_json(tmp_path / "prepare.json")["root"].endswith("caf\\xe9")


def test_others_are_told_as_before(tmp_path):
    workfolder.write_origin(tmp_path, {"dataset": {}}, tmp_path / "café")
    assert storage.read_json(tmp_path / "prepare.json") == {
        "recipe": {"dataset": {}},
        "root": str(tmp_path / "café"),
    }


@pytest.mark.parametrize("hexadecimal", ["zz", 7, None])
def test_a_root_that_is_no_path_is_damage(tmp_path, hexadecimal):
    described = {"root": "x", "root_hex": hexadecimal, "recipe": {"dataset": {}}}
    storage.write_json(tmp_path / "prepare.json", described)
    with pytest.raises(ManifestError, match="tells no recipe and root"):
        workfolder.read_origin(tmp_path)


@pytest.mark.parametrize("name", [b"a.txt", b"\xe9.txt"])
def test_a_file_has_another_name_while_it_is_open(odd, name):
    path = odd / os.fsdecode(name)
    path.write_text("here")
    with text_path(path) as other:
        assert other.isascii()
        assert other.endswith(".txt") is (name == b"a.txt")
        assert Path(other).read_text() == "here"
    with text_path(odd.parent) as same:
        assert same == str(odd.parent)
