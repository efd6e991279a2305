"""Leases of work folders in a storage that speaks S3: one process works, others are told who."""

import json
import os
import threading
from contextlib import contextmanager

import pytest

from fgbench.errors import ResourceError
from fgbench.remote import leases
from fgbench.remote.copy_folders import work_copy
from tests.support.remote_work import made

pytestmark = pytest.mark.slow


def test_the_second_of_two_is_told_who_works_there(bucket, machines):
    one, two = machines
    with one.copy.held(), pytest.raises(ResourceError, match=f"process {os.getpid()} on") as error:
        two.prepare()
    assert f"working in {one.work}" in error.value.message
    assert two.prepare().published


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": "0" * 8, "host": "node-7"}, "process 1 on node-7"),
        ({"machine": "0" * 8, "host": "=cmd|'/x'!A1\n\x1b[2J"}, "process 1 on"),
    ],
)
def test_the_lease_of_another_machine_is_broken_on_demand_when_it_is_silent(
    bucket, machines, changes, words, monkeypatch, caplog
):
    one, _ = machines
    content = {**leases.this_process(), "pid": 1, "start": 1, "lease": "x", **changes}
    bucket.put("made/work/.lease.json", json.dumps(content).encode())
    with pytest.raises(ResourceError, match=words) as error:
        one.prepare(force_unlock=True)
    assert "cannot be broken" in error.value.message
    assert "\x1b" not in error.value.message
    monkeypatch.setattr("fgbench.storage.holders.SILENCE_S", 0.0)
    with pytest.raises(ResourceError, match="last sign of life") as error:
        one.prepare()
    assert "--force-unlock" in error.value.hint
    assert one.prepare(force_unlock=True).published
    assert "is broken" in caplog.text


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over(bucket, machines, caplog):
    one, _ = machines
    content = {**leases.this_process(), "pid": 2**22 + 1, "start": 1, "lease": "x"}
    bucket.put("made/work/.lease.json", json.dumps(content).encode())
    assert one.prepare().published
    assert "was left by process 4194305" in caplog.text


def test_who_has_lost_the_lease_writes_nothing_more(bucket, machines, monkeypatch):
    one, _ = machines
    mine = []

    @contextmanager
    def kept(*arguments, **options):
        with leases.leased(*arguments, **options) as lease:
            mine.append(lease)
            yield lease

    monkeypatch.setattr("fgbench.remote.work_copies.leased", kept)

    def progress(name, n_done, total):
        if name == "faces" and not mine[0].has_ended:
            content = {**leases.this_process(), "host": "other", "machine": "0" * 8, "lease": "theirs"}
            bucket.put("made/work/.lease.json", json.dumps(content).encode())
            mine[0].renew()  # as it does every few seconds

    with pytest.raises(ResourceError, match="is not held by this process any more"):
        one.prepare(progress=progress)
    assert not made(bucket)
    assert b"theirs" in bucket.objects("made/work/")["made/work/.lease.json"]


def test_of_many_that_begin_at_once_one_works(bucket, machines, tmp_path):
    copies = [work_copy(machines[0].work, tmp_path / str(number)) for number in range(6)]
    begun, held, refused = threading.Barrier(6), [], []

    def one(copy):
        begun.wait()
        try:
            with copy.held():
                held.append(copy)
                done.wait(20)
        except ResourceError as error:
            refused.append(error)
            if len(refused) == 5:
                done.set()

    done = threading.Event()
    threads = [threading.Thread(target=one, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 5)
