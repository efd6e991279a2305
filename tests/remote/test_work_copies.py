"""Copies of work folders, without a server: what is sent and deleted, and what never is."""

import json
import os
import shutil
import time
from contextlib import contextmanager
from hashlib import sha256

import pytest

from fgbench.errors import ManifestError, ResourceError
from fgbench.remote import leases
from fgbench.remote.bringing import belongs
from fgbench.remote.copy_folders import copy_at, work_copy
from fgbench.remote.filesystems import Opened
from fgbench.remote.stand_ins import is_stand_in
from fgbench.workfolders.folder import MARKER, mark
from fgbench.workfolders.sealed_json import write_sealed

memory = pytest.importorskip("fsspec.implementations.memory", reason="fsspec is not installed")
local = pytest.importorskip("fsspec.implementations.local", reason="fsspec is not installed")

URL = "s3://bucket/work"
TABLE, MARK = "stages/faces/00000-a.rows.parquet", "stages/faces/00000-a.json"


@pytest.fixture(params=["objects", "files"])
def storage_folder(request, tmp_path, monkeypatch):
    """A folder of objects, or of files that are renamed."""
    monkeypatch.setattr("fgbench.remote.filesystems.WAITS_S", (0.0,))
    if request.param == "objects":
        files = memory.MemoryFileSystem()
        files.store.clear()
        files.pseudo_dirs[:] = [""]
        opened = Opened(files, "/bucket/work")
    else:
        opened = Opened(local.LocalFileSystem(), str(tmp_path / "storage" / "work"), renames=True)
    monkeypatch.setattr("fgbench.remote.copy_folders.opened", lambda url: opened)
    return opened


def objects(source):
    try:
        return {
            name.removeprefix(source.base)[1:]: source.filesystem.cat_file(name) for name in source.find()
        }
    except FileNotFoundError:
        return {}


def write(copy, content=b"faces"):
    """Write a finished bucket and manifests of one table."""
    mark(copy.workdir)
    for name in (TABLE, "manifests/images/train-00000.parquet"):
        (copy.workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.workdir / name).write_bytes(content)
    output = {"file": TABLE.rpartition("/")[2], "sha256": sha256(content).hexdigest()}
    write_sealed(copy.workdir / MARK, {"outputs": {"rows": output}})
    write_sealed(copy.workdir / "manifests" / "index.json", {"files": {"images/train-00000.parquet": {}}})


@pytest.fixture
def made(storage_folder, tmp_path):
    """A work folder in the storage, as another machine made it."""
    copy = work_copy(URL, tmp_path / "one")
    with copy.held():
        write(copy)
        copy.finish()
    return objects(storage_folder)


def light(name):
    return not name.endswith(".parquet")


def test_a_copy_that_was_copied_sends_no_stand_in(made, storage_folder, tmp_path):
    """As ``cp -r`` leaves it: the same files, of other times."""
    work_copy(URL, tmp_path / "two").pull(light)
    shutil.copytree(tmp_path / "two", tmp_path / "three")
    for path in (tmp_path / "three").rglob("*.*"):
        os.utime(path, ns=(1, 1))
    copy = work_copy(URL, tmp_path / "three")
    assert is_stand_in(copy.workdir / TABLE)
    with copy.held():
        copy.pull(light)
        copy.finish()
    assert objects(storage_folder) == made
    copy.fetch([TABLE])
    assert (copy.workdir / TABLE).read_bytes() == b"faces"


@pytest.mark.parametrize("record", [None, b"{", b'{"files": {}}', b'{"files": []}'])
def test_without_its_record_a_copy_keeps_and_sends_no_stand_in_of_what_is_gone(
    made, storage_folder, tmp_path, record
):
    copy = work_copy(URL, tmp_path / "two")
    copy.pull(light)
    path = copy.places.folder / "synced.json"
    path.unlink() if record is None else path.write_bytes(record)
    storage_folder.remove(TABLE)
    again = work_copy(URL, tmp_path / "two")
    assert again.is_away(TABLE)
    with again.held():
        again.pull(light)
        assert not (again.workdir / TABLE).exists()
        again.finish()
    assert objects(storage_folder) == {name: data for name, data in made.items() if name != TABLE}


def test_a_stand_in_that_nothing_is_known_of_is_no_more_once_it_is_to_be_read(made, tmp_path):
    copy = work_copy(URL, tmp_path / "two")
    copy.pull(light)
    copy.record.forget(TABLE)
    copy.fetch([TABLE])
    assert not (copy.workdir / TABLE).exists()


@pytest.mark.parametrize("way", ["manifests/../../../../mine", "/absolute", "runs/mine", "../../../mine"])
def test_a_hostile_record_deletes_nothing_of_others(made, storage_folder, tmp_path, way):
    copy = work_copy(URL, tmp_path / "two")
    copy.pull(light)
    mine = tmp_path / "mine" if way == "/absolute" else copy.workdir / way
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(b"mine")
    mine.chmod(0o444)
    path = copy.places.folder / "synced.json"
    files = json.loads(path.read_text())["files"]
    path.write_text(json.dumps({"files": {**files, str(mine) if way == "/absolute" else way: [4, 1, 1]}}))
    storage_folder.filesystem.pipe_file(f"{storage_folder.base.rpartition('/')[0]}/mine", b"theirs")
    again = work_copy(URL, tmp_path / "two")
    with again.held():
        again.pull(light)
        again.remove([way])
        again.finish()
    assert mine.read_bytes() == b"mine"
    assert storage_folder.filesystem.cat_file(f"{storage_folder.base.rpartition('/')[0]}/mine") == b"theirs"


def test_a_left_result_of_another_content_than_its_marker_says_is_not_sent(storage_folder, tmp_path):
    copy = work_copy(URL, tmp_path / "one")
    write(copy)
    (copy.workdir / TABLE).write_bytes(b"fakes")
    with copy.held():
        copy.finish()
    assert not {TABLE, MARK} & objects(storage_folder).keys()
    (copy.workdir / TABLE).write_bytes(b"faces")
    with copy.held():
        copy.finish()
    assert {TABLE, MARK} <= objects(storage_folder).keys()


def theirs(**changes):
    return {**leases.this_process(), "host": "other", "machine": "0" * 8, "lease": "theirs", **changes}


def test_who_has_lost_the_lease_deletes_no_index_and_no_result_of_the_other(made, storage_folder, tmp_path):
    copy = work_copy(URL, tmp_path / "two")
    with copy.held():
        copy.pull(light)
        write(copy, b"other")
        copy.send_results()
        sent = objects(storage_folder)
        storage_folder.write(".lease.json", json.dumps(theirs()).encode())
        with pytest.raises(ResourceError, match="not held by this process any more"):
            copy.finish()
        with pytest.raises(ResourceError, match="not held by this process any more"):
            copy.remove([TABLE])
    there = objects(storage_folder)
    assert json.loads(there.pop(".lease.json"))["lease"] == "theirs"
    assert there == {name: data for name, data in sent.items() if name != ".lease.json"}


def test_after_a_silence_the_storage_is_asked_before_anything_is_written(
    made, storage_folder, tmp_path, monkeypatch
):
    copy = work_copy(URL, tmp_path / "two")
    with copy.held():
        copy.pull(light)
        storage_folder.write(".lease.json", json.dumps(theirs()).encode())
        now = time.time()
        monkeypatch.setattr("fgbench.remote.leases.time.time", lambda: now + 3600.0)
        (copy.workdir / MARKER).write_bytes(b"{}")
        with pytest.raises(ResourceError, match="not held by this process any more"):
            copy.begin()
    assert objects(storage_folder)[MARKER] == made[MARKER]


def test_a_lease_that_was_left_is_broken_by_one_and_never_a_newer_one(storage_folder):
    left, newer = theirs(lease="left"), theirs(lease="newer")
    storage_folder.write(".lease.json", json.dumps(newer).encode())
    assert not leases._break(storage_folder, URL, left)
    assert objects(storage_folder) == {".lease.json": json.dumps(newer).encode()}
    assert leases._break(storage_folder, URL, newer)
    assert objects(storage_folder) == {}


def test_no_lease_is_written_after_it_was_given_back(storage_folder, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_S", 0.0)
    write_object = Opened.write

    def slowly(self, path, content):
        time.sleep(0.2)
        write_object(self, path, content)

    monkeypatch.setattr(Opened, "write", slowly)
    with leases.leased(storage_folder, URL):
        time.sleep(0.1)
    assert objects(storage_folder) == {}


@contextmanager
def prepared_elsewhere(copy):
    """The copy while another process of this machine prepares it."""
    with work_copy(URL, copy.places.folder.parent).held():
        yield


def test_a_copy_is_not_changed_by_others_while_it_is_prepared(made, storage_folder, tmp_path):
    copy = work_copy(URL, tmp_path / "two")
    copy.pull(light)
    with prepared_elsewhere(copy):
        assert copy.is_in_work
        (copy.workdir / "manifests" / "index.json").write_bytes(b"newer")
        storage_folder.remove("manifests/index.json")
        with pytest.raises(ResourceError, match="another fgbench process prepares") as error:
            copy.pull(light)
        assert "in another folder" in error.value.hint
        assert (copy.workdir / "manifests" / "index.json").read_bytes() == b"newer"
    assert not copy.is_in_work


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"kind": "fgbench-copy", "url": "s3://x/work"}'])
def test_a_folder_that_tells_another_url_is_refused(storage_folder, tmp_path, content):
    copy = work_copy(URL, tmp_path / "one")
    (copy.places.folder / "copy.json").write_bytes(content)
    with pytest.raises(ManifestError, match=r"copy\.json tells") as error:
        work_copy(URL, tmp_path / "one")
    assert "move its folder away" in error.value.hint


def test_a_copy_is_known_from_within_too(made, tmp_path, monkeypatch):
    copy = work_copy(URL, tmp_path / "two")
    copy.pull(light)
    monkeypatch.chdir(copy.workdir)
    for name in (".", "../work", "stages/.."):
        found = copy_at(type(copy.workdir)(name))
        assert found is not None, name
        assert found.url == URL
    assert copy_at(tmp_path) is None


def test_a_bucket_that_is_not_there_is_one_clear_error(storage_folder, tmp_path, monkeypatch):
    def refuse(self, path, content):
        raise FileNotFoundError("The specified bucket does not exist")

    monkeypatch.setattr(Opened, "create", refuse)
    with (
        pytest.raises(ResourceError, match="there is no such bucket"),
        work_copy(URL, tmp_path / "one").held(),
    ):
        pass


def test_what_belongs_to_a_copy():
    names = ["stages/faces/a", "manifests/index.json", MARKER, "runs/a", "mine.txt", "stagesx"]
    assert [name for name in names if belongs(name)] == names[:3]
