"""Only files are opened: no pipes, sockets, devices or folders, and not more than a bound."""

import os
import socket
from pathlib import Path

import pytest

from fgbench.errors import MediaError
from fgbench.files.hashing import digest_file
from fgbench.files.regular_files import check_regular, first_bytes, open_regular, read_regular


def reason(use, *args, **kwargs):
    with pytest.raises(MediaError) as caught:
        use(*args, **kwargs)
    return caught.value.reason


@pytest.fixture(params=["pipe", "socket", "device", "folder", "link to a pipe"])
def no_file(request, tmp_path):
    path = tmp_path / "x"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif request.param == "device":
        path = Path("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    return path


def test_what_is_no_file_is_refused(no_file):
    assert reason(check_regular, no_file) == "not_a_file"
    assert reason(first_bytes, no_file, 4) == "not_a_file"
    assert reason(read_regular, no_file, max_bytes=10) == "not_a_file"
    with pytest.raises(OSError, match="expected a file"):
        digest_file(no_file)


def test_files_are_read_up_to_a_bound(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_regular(path, max_bytes=5) == b"12345"
    assert first_bytes(path, 2) == b"12"
    with open_regular(path) as file:
        assert file.read() == b"12345"
    assert reason(read_regular, path, max_bytes=4) == "too_large"


def test_what_is_not_there(tmp_path):
    assert reason(read_regular, tmp_path / "a", max_bytes=1) == "missing_file"
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(MediaError, match="a link to a file that does not exist") as caught:
        first_bytes(tmp_path / "link", 1)
    assert caught.value.reason == "missing_file"
    (tmp_path / "file").write_bytes(b"")
    assert reason(first_bytes, tmp_path / "file" / "a", 1) == "missing_file"
    assert reason(first_bytes, tmp_path / ("n" * 300), 1) == "unreadable"


def test_a_pipe_that_takes_the_place_of_a_file_is_noticed(tmp_path, monkeypatch):
    """Between the look and the opening: what was opened is looked at again, and opening does not wait."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    state = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda self, **_: state)
    assert reason(first_bytes, path, 1) == "not_a_file"
