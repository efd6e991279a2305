"""Who holds a folder: told to others, taken over from the dead, broken only where no process lives."""

import os
import re
import threading

import pytest

from fgbench import storage
from fgbench.errors import ResourceError
from fgbench.files.processes import start_of
from fgbench.storage import holders, locks
from fgbench.storage.holders import HOLDER, SILENCE_S, read_holder

ELSEWHERE = {"host": "node7", "machine": "deadbeef", "pid": 77, "start": 5, "command": "fgbench prepare"}


def left_by(folder, *, silent_s=0.0, **changes):
    """A holder that tells nothing for some time; by default of another machine."""
    path = folder / HOLDER
    storage.write_json(path, {**ELSEWHERE, "since": "2026-01-02T03:04:05+00:00", "facts": {}, **changes})
    then = path.stat().st_mtime - silent_s
    os.utime(path, (then, then))
    return path


def here():
    return {"machine": holders.machine(), "pid": os.getpid(), "start": start_of(os.getpid())}


def held_by_system(folder):
    return storage.held(folder / ".lock", "", hint="")


def test_the_holder_is_told_while_it_holds(tmp_path):
    with storage.exclusive(tmp_path):
        holder = read_holder(tmp_path / HOLDER)
        assert (holder.pid, holder.is_alive, holder.is_this_process) == (os.getpid(), True, True)
        with (
            pytest.raises(
                ResourceError, match=rf"is working in .*: process {os.getpid()} on .* since 20"
            ) as no,
            storage.exclusive(tmp_path),
        ):
            pass
        assert f"kill {os.getpid()}" in no.value.hint
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_holder_shows_that_it_lives(tmp_path, monkeypatch):
    monkeypatch.setattr(holders, "BEAT_S", 0.01)
    with storage.exclusive(tmp_path):
        path = tmp_path / HOLDER
        os.utime(path, (0, 0))
        for _ in range(500):
            if path.stat().st_mtime > 0:
                break
            threading.Event().wait(0.01)
        assert read_holder(path).silent_s < 30
        left_by(tmp_path, silent_s=1000)  # of another process now: not kept alive, and not removed
    assert read_holder(path).silent_s >= 1000


def test_what_a_dead_process_of_this_machine_left_hinders_nobody(tmp_path):
    left_by(tmp_path, **{**here(), "start": 1})
    with storage.exclusive(tmp_path):
        assert read_holder(tmp_path / HOLDER).is_this_process


def test_a_living_holder_elsewhere_is_believed_where_locks_do_not_reach(tmp_path):
    left_by(tmp_path, silent_s=10)
    sign = r"process 77 on node7 since 2026-01-02T03:04:05\+00:00 \(fgbench prepare\), last sign of life 1"
    with pytest.raises(ResourceError, match=sign) as refused, storage.exclusive(tmp_path):
        pass
    rest = int(re.search(r"again in (\d+) s", refused.value.hint)[1])
    assert 45 <= rest <= 50
    with storage.held(tmp_path / ".lock", "held still", hint=""):
        pass


def test_a_silent_holder_elsewhere_whose_lock_is_gone_is_taken_over(tmp_path, caplog):
    left_by(tmp_path, silent_s=7200)
    with storage.exclusive(tmp_path):
        pass
    assert "was left by process 77 on node7" in caplog.text
    assert "last sign of life 2 hours ago; it is taken over" in caplog.text


def test_the_lock_of_a_dead_machine_is_broken_on_demand_alone(tmp_path):
    left_by(tmp_path, silent_s=SILENCE_S + 5)
    with held_by_system(tmp_path):
        with pytest.raises(ResourceError, match="node7") as refused, storage.exclusive(tmp_path):
            pass
        assert "--force-unlock" in refused.value.hint
        assert storage.force_unlock(tmp_path).host == "node7"
        with storage.exclusive(tmp_path):
            assert read_holder(tmp_path / HOLDER).is_this_process
    assert storage.force_unlock(tmp_path) is None


@pytest.mark.parametrize(
    ("holder", "message"),
    [
        ({}, "is held by process 77 on node7"),
        ("here", "is held by process PID on node7"),
        (None, "it is held, and nobody tells by whom"),
    ],
)
def test_a_lock_of_the_living_is_not_broken(tmp_path, holder, message):
    with held_by_system(tmp_path):
        if holder is not None:
            left_by(tmp_path, **(here() if holder == "here" else holder))
        with pytest.raises(ResourceError, match=message.replace("PID", str(os.getpid()))):
            storage.force_unlock(tmp_path)
        assert locks._locked(tmp_path / ".lock", 0.0) is None
        assert (tmp_path / HOLDER).exists() == (holder is not None)


@pytest.mark.parametrize("content", ["{", "[]", '{"host": 1}', '{"host": "a"}'])
def test_a_damaged_record_tells_nobody(tmp_path, content):
    (tmp_path / HOLDER).write_text(content)
    assert read_holder(tmp_path / HOLDER) is None
    with storage.exclusive(tmp_path):
        assert read_holder(tmp_path / HOLDER) is not None


def test_a_record_that_is_a_link_is_not_followed(tmp_path):
    mine, work = tmp_path / "mine", tmp_path / "work"
    work.mkdir()
    left_by(work)
    (work / HOLDER).rename(mine)
    before = mine.read_bytes()
    (work / HOLDER).symlink_to(mine)
    assert read_holder(work / HOLDER) is None
    with storage.exclusive(work):
        assert not (work / HOLDER).is_symlink()
    assert mine.read_bytes() == before
