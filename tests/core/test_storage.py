"""Atomic files, streamed tables, locks."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError

SCHEMA = pa.schema([("name", pa.string()), ("value", pa.int32())])


def test_table_writer_streams_in_groups_and_keeps_the_order(tmp_path):
    writer = storage.TableWriter(tmp_path / "sub" / "t.parquet", SCHEMA)
    rows = [{"name": f"r{index}", "value": index} for index in range(1000)]
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


def test_a_folder_that_goes_away_meanwhile_is_told(tmp_path):
    def write() -> None:
        with storage.written(tmp_path / "reports" / "page.html") as temporary:
            temporary.parent.rmdir()
            temporary.write_text("x")

    with pytest.raises(ResourceError, match=r"page\.html: its folder takes no new files, or is gone"):
        write()


def test_a_file_that_is_missing_elsewhere_is_no_failure_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError, match="source"), storage.written(tmp_path / "copy"):
        (tmp_path / "source").read_bytes()
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
@pytest.mark.parametrize("name", ["x.html", "reports/x.html"])
def test_proc_takes_no_new_files(name):
    with pytest.raises(ResourceError, match="takes no new files"):
        storage.write_text(Path("/proc") / name, "x")
    with pytest.raises(ResourceError, match="takes no new files"), storage.exclusive(Path("/proc") / name):
        pass


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


def test_the_target_of_a_lock_that_is_a_link_is_left(tmp_path):
    mine = tmp_path / "thesis.tex"
    mine.write_text("mine")
    work = tmp_path / "work"
    work.mkdir()
    (work / ".lock").symlink_to(mine)
    with pytest.raises(ResourceError, match=r"\.lock"), storage.exclusive(work):
        pass
    assert mine.read_text() == "mine"


def test_a_lock_is_not_emptied(tmp_path):
    (tmp_path / ".lock").write_text("mine")
    with storage.exclusive(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == "mine"


@pytest.mark.parametrize("write", ["text", "table", "rows", "link"])
def test_a_link_is_replaced_and_its_target_left(tmp_path, write):
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.write_text("mine")
    link.symlink_to(mine)
    table = pa.table({"name": ["a"], "value": [1]}, schema=SCHEMA)
    if write == "text":
        storage.write_text(link, "new")
    elif write == "table":
        storage.write_table(link, table)
    elif write == "rows":
        writer = storage.TableWriter(link, SCHEMA)
        writer.add_table(table)
        writer.close()
    else:
        storage.link(mine, link)
    assert mine.read_text() == "mine"
    assert not link.is_symlink()


def test_listed_files_are_deleted_and_nothing_else(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a").write_text("mine")
    folder = tmp_path / "manifests"
    (folder / "images").mkdir(parents=True)
    for name in ("a", "images/b", "kept"):
        (folder / name).write_text("x")
    (folder / "linked").symlink_to(mine / "a")
    assert storage.remove_listed(folder, ["a", "images/b", "linked", "images", "absent"]) == 3
    assert sorted(path.name for path in folder.iterdir()) == ["images", "kept"]
    assert (mine / "a").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["../mine", "/etc/hostname", "images/../../mine", "..", "", ".", "out/a", "a\0b"]
)
def test_a_listed_name_that_leads_out_is_refused_before_anything_is_deleted(tmp_path, name):
    folder = tmp_path / "manifests"
    folder.mkdir()
    (tmp_path / "mine").write_text("mine")
    (folder / "a").write_text("x")
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(ManifestError, match=r"expected|link"):
        storage.remove_listed(folder, ["a", name])
    assert (folder / "a").exists()
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "NaN",
        '{"a": Infinity}',
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
        b'"\xe9"',
        r'{"name": "\ud800"}',
        b"\xff\xfe{\x00}\x00",
    ],
    ids=str,
)
def test_what_is_no_json_is_refused(tmp_path, content):
    path = tmp_path / "index.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ManifestError, match=r"index\.json is not valid JSON"):
        storage.read_json(path)


def test_a_folder_a_pipe_and_a_huge_file_are_no_json(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(storage.MAX_JSON_BYTES + 1)
    for name, reported in (("folder", "regular"), ("pipe", "regular"), ("huge", "MB")):
        with pytest.raises(ManifestError, match=reported):
            storage.read_json(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        storage.read_json(tmp_path / "absent")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_what_may_not_be_read_is_explained(tmp_path, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "index.json"
    path.write_text("{}")
    storage.write_table(tmp_path / "t.parquet", pa.table({"a": [1]}))
    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    monkeypatch.setattr(pq, "ParquetFile", refuse)
    with pytest.raises(ResourceError, match=f"cannot read .*: {os.strerror(number)}"):
        storage.read_json(path)
    with pytest.raises(ResourceError, match=f"cannot read .*: {os.strerror(number)}"):
        list(storage.read_rows(tmp_path / "t.parquet"))


@pytest.mark.parametrize("number", [errno.EFBIG, errno.EMFILE, errno.EIO, errno.EISDIR, errno.ENOLCK])
def test_failures_of_writing_are_explained_and_leave_nothing(tmp_path, monkeypatch, number):
    def fail(self, data):
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(ResourceError, match=f"cannot write .*: {os.strerror(number)}"):
        storage.write_text(tmp_path / "a.md", "text")
    assert list(tmp_path.iterdir()) == []


def test_short_memory_is_explained(tmp_path):
    with pytest.raises(ResourceError, match="out of memory"), storage.written(tmp_path / "a"):
        raise MemoryError
    with pytest.raises(ResourceError, match="out of memory"), storage.readable(tmp_path / "a"):
        raise MemoryError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_limit_of_file_size_is_explained_and_leaves_nothing(tmp_path):
    code = (
        "import resource, sys\nfrom pathlib import Path\nimport pyarrow as pa\nfrom fgbench import storage\n"
        "from fgbench.errors import ResourceError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "folder, table = Path(sys.argv[1]), pa.table({'a': list(range(5000))})\n"
        "def rows():\n"
        "    writer = storage.TableWriter(folder / 'b', table.schema)\n"
        "    writer.add_table(table)\n"
        "    writer.close()\n"
        "for write in (lambda: storage.write_text(folder / 'a', 'x' * 5000),\n"
        "              lambda: storage.write_table(folder / 'a', table)):\n"
        "    try:\n        write()\n    except ResourceError as error: print(error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("File too large") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_every_bit_of_a_damaged_table_gives_its_rows_or_one_clear_error(tmp_path):
    path = tmp_path / "t.parquet"
    rows = pa.table({"name": [f"r{index}" for index in range(40)], "value": list(range(40))}, schema=SCHEMA)
    storage.write_table(path, rows)
    whole = path.read_bytes()
    refused = 0
    for index in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[index] ^= 0x55
        path.write_bytes(damaged)
        try:
            list(storage.read_rows(path, ["name", "value"]))
        except (ManifestError, ResourceError):
            refused += 1
    assert refused > len(whole) // 6


def test_a_column_that_is_not_there_is_named(tmp_path):
    storage.write_table(tmp_path / "t.parquet", pa.table({"a": [1]}))
    with pytest.raises(ManifestError, match="lacks the columns b"):
        list(storage.read_rows(tmp_path / "t.parquet", ["a", "b"]))


def test_a_pair_of_surrogates_is_a_character(tmp_path):
    (tmp_path / "a.json").write_text(r'"\ud83d\ude00"')
    assert storage.read_json(tmp_path / "a.json") == "\N{GRINNING FACE}"


def test_a_flipped_bit_of_a_page_is_found_when_it_is_read(tmp_path):
    path = tmp_path / "t.parquet"
    table = pa.table({"name": ["wild", "calm"] * 40, "value": pa.array(range(80), pa.int32())}, schema=SCHEMA)
    storage.write_table(path, table)
    whole = path.read_bytes()
    offset = pq.read_metadata(path).row_group(0).column(1).data_page_offset
    data = bytearray(whole)
    data[offset + 60] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(ManifestError, match=r"is damaged: .*(?s:.*)check --repair"):
        list(storage.read_rows(path))


def test_a_table_without_rows_has_a_schema_and_no_row_group(tmp_path):
    storage.write_table(tmp_path / "t.parquet", SCHEMA.empty_table())
    storage.TableWriter(tmp_path / "u.parquet", SCHEMA).close()
    for name in ("t.parquet", "u.parquet"):
        assert pq.read_schema(tmp_path / name).equals(SCHEMA)
        assert pq.read_metadata(tmp_path / name).num_row_groups == 0
        assert list(storage.read_rows(tmp_path / name)) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="clones are made on Linux alone")
def test_a_clone_is_a_file_of_its_own(tmp_path, monkeypatch):
    import fcntl

    def clone(target, request, source):
        assert request == 0x40049409
        os.write(target, os.read(source, 100))

    monkeypatch.setattr(fcntl, "ioctl", clone)
    (tmp_path / "a").write_text("x")
    storage.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "x"
    assert not (tmp_path / "b").samefile(tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(("n_rows", "is_threaded"), [(300, False), (5000, True)])
def test_short_tables_are_read_without_threads(tmp_path, monkeypatch, n_rows, is_threaded):
    storage.write_table(tmp_path / "t.parquet", pa.table({"number": range(n_rows)}))
    asked = []
    for name in ("read", "iter_batches"):
        way = getattr(pq.ParquetFile, name)
        monkeypatch.setattr(
            pq.ParquetFile,
            name,
            lambda self, *, _way=way, **options: (
                asked.append(options["use_threads"]) or _way(self, **options)
            ),
        )
    numbers = list(range(n_rows))
    assert storage.read_table(tmp_path / "t.parquet").column("number").to_pylist() == numbers
    assert [row["number"] for row in storage.read_rows(tmp_path / "t.parquet")] == numbers
    assert asked == [is_threaded] * 2
