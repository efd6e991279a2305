"""Mirrors of a storage in memory: odd names, spoiled downloads, pins, URLs, states."""

import base64
import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

import fgbench
from fgbench.errors import ConfigError, DatasetError, DependencyError, MediaError, ResourceError
from fgbench.files.processes import machine, start_of
from fgbench.remote import fetching, filesystems, mirrors
from fgbench.remote.fetching import at_hand
from fgbench.remote.filesystems import Opened
from fgbench.remote.mirrors import bound, mirrored
from fgbench.remote.stand_ins import is_stand_in
from fgbench.remote.states import state_of
from fgbench.remote.tables import SMALL_BYTES, is_table
from fgbench.remote.urls import PACKAGES, refuse_url, url_of
from tests.support.clip_folders import contents
from tests.support.command_line import in_folder
from tests.support.fake_storage import FakeStorage

URL = "s3://b/set"


@pytest.fixture
def storage(monkeypatch):
    fake = FakeStorage({f"b/set/{name}.mp4": name.encode() * 1000 for name in "abcd"})
    for module in (fetching, mirrors):
        monkeypatch.setattr(module, "opened", lambda url: Opened(fake, url.removeprefix("s3://")))
    monkeypatch.setattr(filesystems, "WAITS_S", (0.0,) * 3)
    return fake


def here(root):
    return sorted(path.name for path in root.iterdir() if not is_stand_in(path))


def test_spoiled_downloads_are_repeated_and_never_put_in_place(storage, tmp_path):
    root = mirrored(URL, tmp_path)
    storage.spoil = lambda number, content: [content[:-1], b"x" + content[1:], content][min(number, 3) - 1]
    at_hand(root, "a.mp4")
    assert (root / "a.mp4").read_bytes() == b"a" * 1000
    assert len(storage.calls) == 3
    storage.spoil = lambda number, content: content + bytes(number)
    with pytest.raises(ResourceError, match=r"s3://b/set/b\.mp4 cannot be fetched, 4 times: .* bytes came"):
        at_hand(root, "b.mp4")
    assert here(root) == ["a.mp4"]
    assert list((root.parent.parent / "incoming").iterdir()) == []


def test_a_tag_that_is_no_digest_is_believed_when_two_downloads_are_equal(storage, tmp_path):
    storage.tags = dict.fromkeys(storage.objects, "0" * 32)
    root = mirrored(URL, tmp_path)
    at_hand(root, "a.mp4")
    at_hand(root, "b.mp4")
    assert storage.calls == ["b/set/a.mp4", "b/set/a.mp4", "b/set/b.mp4"]
    assert here(root) == ["a.mp4", "b.mp4"]


def test_a_clip_fetched_again_must_have_the_digest_that_it_had(storage, tmp_path):
    storage.tags = {"b/set/a.mp4": "no-digest"}
    root = mirrored(URL, tmp_path)
    bound(root, 0.0)
    at_hand(root, "a.mp4")
    at_hand(root, "b.mp4")
    at_hand(root, "c.mp4")
    assert here(root) == ["c.mp4"]
    storage.objects["b/set/a.mp4"] = b"z" * 1000  # same size, time and tag
    with pytest.raises(ResourceError, match="before it was"):
        at_hand(root, "a.mp4")


def test_clips_that_living_processes_work_on_stay(storage, tmp_path):
    root = mirrored(URL, tmp_path)
    bound(root, 0.0)
    pins = root.parent.parent / "pins"
    at_hand(root, "a.mp4")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    own = pins / f"{machine()}-{os.getpid()}-{start_of(os.getpid())}"
    theirs = pins / f"{machine()}-{other.pid}-{start_of(other.pid)}"
    theirs.write_text(own.read_text())
    try:
        at_hand(root, "b.mp4")
        at_hand(root, "c.mp4")
        assert here(root) == ["a.mp4", "c.mp4"]
    finally:
        other.communicate()
    at_hand(root, "d.mp4")
    assert here(root) == ["d.mp4"]
    assert not theirs.exists()


def test_a_clip_that_was_changed_here_is_not_given_up(storage, tmp_path):
    root = mirrored(URL, tmp_path)
    bound(root, 0.0)
    at_hand(root, "a.mp4")
    (root / "a.mp4").write_bytes(b"mine")
    at_hand(root, "b.mp4")
    assert (root / "a.mp4").read_bytes() == b"mine"
    with pytest.raises(ResourceError, match=r"a\.mp4 was changed here"):
        mirrored(URL, tmp_path)


def test_clips_that_are_gone_or_exchanged_are_told_as_that(storage, tmp_path):
    root = mirrored(URL, tmp_path)
    del storage.objects["b/set/a.mp4"]
    storage.objects["b/set/b.mp4"] = b"B" * 1000
    for name, told in (("a.mp4", "no more"), ("b.mp4", "was exchanged")):
        with pytest.raises(MediaError, match=told) as caught:
            at_hand(root, name)
        assert caught.value.reason == "changed_meanwhile"
    mirrored(URL, tmp_path)
    assert sorted(contents(root)) == ["b.mp4", "c.mp4", "d.mp4"]
    at_hand(root, "b.mp4")
    assert (root / "b.mp4").read_bytes() == b"B" * 1000


def test_objects_that_no_file_can_be_are_passed_over(storage, tmp_path, caplog):
    odd = ("../x.csv", "u/../../y.csv", "v//z.csv", "n" * 250 + ".csv", "a.mp4/inner.csv", "z\0.csv")
    storage.objects |= {f"b/set/{name}": b"1" for name in odd}
    storage.objects["b/set/marker/"] = b""
    root = mirrored(URL, tmp_path / "base")
    files = contents(root)
    assert sorted(files) == ["a.mp4/inner.csv", "b.mp4", "c.mp4", "d.mp4"]
    assert "6 objects are passed over" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_file_becomes_a_folder_and_a_folder_a_file(storage, tmp_path):
    root = mirrored(URL, tmp_path)
    storage.objects = {"b/set/a.mp4/1.csv": b"1", "b/set/b.mp4": b"2"}
    mirrored(URL, tmp_path)
    assert contents(root)["a.mp4/1.csv"] == b"1"
    storage.objects = {"b/set/a.mp4": b"3"}
    mirrored(URL, tmp_path)
    assert [path.name for path in root.rglob("*")] == ["a.mp4"]
    storage.objects = {}
    with pytest.raises(DatasetError, match="has no file"):
        mirrored(URL, tmp_path)


def test_the_state_of_an_object_is_that_of_its_version():
    content = b"clip"
    md5 = hashlib.md5(content, usedforsecurity=False)
    when = datetime(2024, 5, 1, 12, tzinfo=UTC)
    s3 = state_of({"size": 4, "LastModified": when, "ETag": f'"{md5.hexdigest()}"'})
    assert (s3.size, s3.mtime_ns // 10**9, s3.md5, s3.likely_md5) == (4, 1714564800, "", md5.hexdigest())
    assert s3.mtime_ns != state_of({"size": 4, "LastModified": when, "ETag": '"another"'}).mtime_ns
    gs = {"size": 4, "mtime": when.isoformat(), "md5Hash": base64.b64encode(md5.digest()).decode()}
    assert state_of(gs).md5 == state_of({"size": 4, "content_md5": md5.digest()}).md5 == md5.hexdigest()
    hub = [{"size": 4, "blob_id": name} for name in ("0a", "0a", "0b")]
    assert state_of(hub[0]) == state_of(hub[1]) != state_of(hub[2])
    assert state_of({"size": 4, "mtime": when.timestamp()}).mtime_ns == 1714564800 * 10**9


def test_tables_are_mirrored_and_clips_are_not():
    assert is_table("votes.csv", 10**9)
    assert is_table("a/landmarks.dat", SMALL_BYTES)
    assert not is_table("a/landmarks.dat", SMALL_BYTES + 1)
    assert not any(is_table(name, 10) for name in ("videos/a.mp4", "a.png", "moving.GIF"))


def test_urls_are_told_from_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert url_of("s3:/bucket/set/") == url_of("S3://bucket/set") == "s3://bucket/set"
    assert url_of("sftp://ada@host:22/set") == "sftp://ada@host:22/set"
    assert url_of("my-clips") is url_of("C:/clips") is url_of("/data/a:/b") is None
    (tmp_path / "odd:").mkdir()
    assert url_of("odd:/") is None
    for wrong, message in (
        ("ftp://host/set", "ftp:// is no storage"),
        ("sftp://ada:secret@host/set", "with a password"),
        ("s3://", "names no folder"),
        ("s3://b/../c", "names no folder"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            url_of(wrong)
        assert "secret" not in str(caught.value)
    refuse_url(tmp_path)
    with pytest.raises(ConfigError, match="s3://b/work is a URL, expected a file or folder"):
        refuse_url("s3:/b/work")


def test_refusals_end_at_once_and_other_failures_after_all_tries(monkeypatch):
    monkeypatch.setattr(filesystems, "WAITS_S", (0.0, 0.0))
    tries = []

    def call(error):
        tries.append(error)
        raise error

    with pytest.raises(ResourceError, match="check the credentials"):
        filesystems.persistently("x cannot be listed", lambda: call(PermissionError("denied")))
    assert len(tries) == 1
    with pytest.raises(ResourceError, match="x cannot be listed, 3 times: TimeoutError"):
        filesystems.persistently("x cannot be listed", lambda: call(TimeoutError()))
    assert len(tries) == 4
    with pytest.raises(FileNotFoundError):
        filesystems.persistently("x cannot be listed", lambda: call(FileNotFoundError()))
    assert len(tries) == 5


@pytest.mark.parametrize("scheme", sorted(PACKAGES))
def test_a_missing_package_is_named_with_its_extra(scheme, monkeypatch):
    opener = PACKAGES[scheme]
    monkeypatch.setitem(sys.modules, opener.module, None)
    with pytest.raises(DependencyError, match=rf"{opener.package}.*\n.*fgbench\[{opener.extra}\]"):
        filesystems.opened(f"{scheme}://bucket/set")


def test_a_url_in_the_place_of_a_file_says_where_urls_are_taken():
    with pytest.raises(ConfigError, match="s3://b/w is a URL, expected a file or folder") as error:
        fgbench.load("s3://b/w")
    assert "--data-root URL" in error.value.hint
    assert "--workdir URL" in error.value.hint


def test_a_work_folder_in_a_storage_that_is_only_read_is_refused_before_anything_is_listed(tmp_path):
    done = in_folder(tmp_path, "prepare", "--data-root", "s3://b/set", "--workdir", "hf://datasets/me/w")
    assert done.exit_code == 3
    assert "the work folder is hf://datasets/me/w, which is only read" in done.stderr
