"""Work folders in a storage that speaks S3: the bytes of a folder, one process at a time, nothing lost."""

import json
import os
import shutil
import threading
from collections import Counter
from contextlib import contextmanager

import pytest

import fgbench
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.preparation import prepare
from fgbench.remote import leases
from fgbench.remote.copy_folders import copy_at, work_copy
from fgbench.remote.mirrors import mirrored
from fgbench.remote.stand_ins import is_stand_in
from fgbench.workfolders.folder import MARKER
from tests.support.clip_folders import write_folder
from tests.support.command_line import in_folder
from tests.support.faulty_proxy import faulty
from tests.support.remote_work import RECIPE, at, tables

pytestmark = pytest.mark.slow


class Machine:
    """A machine with mirrors and copies of its own."""

    def __init__(self, folder, bucket, data="clips"):
        self.folder = folder
        self.data = f"s3://{bucket.name}/{data}"
        self.work = f"s3://{bucket.name}/made/work"

    @property
    def copy(self):
        return work_copy(self.work, self.folder / "copies")

    def prepare(self, **options):
        root = mirrored(self.data, self.folder / "remote")
        return prepare.run(RECIPE, root, self.copy.workdir, **options)


@pytest.fixture
def machines(bucket, data, tmp_path):
    bucket.upload(data, "clips")
    return [Machine(tmp_path / name, bucket) for name in ("one", "two")]


def made(bucket):
    """Tables of the manifests in the storage."""
    begin = "made/work/manifests/"
    found = {name.removeprefix(begin): data for name, data in bucket.objects(begin).items()}
    return {name: data for name, data in found.items() if name != "index.json"}


def test_the_storage_has_the_bytes_of_a_folder_and_another_machine_downloads_no_face(
    bucket, machines, expected, tmp_path
):
    one, two = machines
    assert one.prepare().published
    assert made(bucket) == expected == tables(one.copy.workdir)
    prepare.run(RECIPE, mirrored(one.data, one.folder / "remote"), tmp_path / "work")
    local = (tmp_path / "work" / "manifests" / "index.json").read_bytes()
    assert bucket.objects("made/work/manifests/index")["made/work/manifests/index.json"] == local
    assert not [name for name in bucket.objects("made/work/") if "lease" in name]
    report = two.prepare()
    assert (report.done, report.published) == (0, False)
    away = [
        path.relative_to(two.copy.workdir).as_posix()
        for path in two.copy.workdir.rglob("*.parquet")
        if two.copy.is_away(path.relative_to(two.copy.workdir).as_posix())
    ]
    assert any(name.startswith("stages/faces/") for name in away)
    assert any(name.startswith("manifests/images/") for name in away)
    assert made(bucket) == expected


def test_one_more_clip_redoes_its_bucket_on_any_machine(bucket, machines, data, tmp_path):
    one, two = machines
    one.prepare()
    write_folder(tmp_path / "more" / "clips", 5)
    bucket.upload(tmp_path / "more" / "clips", "clips")
    report = two.prepare()
    assert {stage.stage: stage.done for stage in report.stages}["faces"] == 1
    prepare.run(RECIPE, tmp_path / "more" / "clips", tmp_path / "work")
    assert made(bucket) == tables(tmp_path / "work")
    assert one.prepare().done == 0
    assert {path.name for path in (one.copy.workdir / "manifests" / "faces").iterdir()} == {
        path.name for path in (tmp_path / "work" / "manifests" / "faces").iterdir()
    }


def test_what_a_killed_run_has_finished_is_not_done_again_elsewhere(bucket, machines, expected, monkeypatch):
    one, two = machines
    done = []

    def dies(name, n_done, total):
        done.append(name)
        if name == "faces":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one.prepare(progress=dies)
    assert not made(bucket)
    report = {stage.stage: stage for stage in two.prepare().stages}
    assert report["ingest"].done == 0
    assert report["faces"].done > 0
    assert made(bucket) == expected
    assert one.prepare().done == 0


def test_a_run_killed_while_it_publishes_leaves_no_index_and_the_next_one_publishes(
    bucket, machines, expected, monkeypatch
):
    one, two = machines
    upload = one.copy.source.__class__.upload

    def dies(self, file, path):
        if path.startswith("manifests/images/"):
            raise KeyboardInterrupt
        upload(self, file, path)

    monkeypatch.setattr(one.copy.source.__class__, "upload", dies)
    with pytest.raises(KeyboardInterrupt):
        one.prepare()
    monkeypatch.undo()
    names = bucket.objects("made/work/manifests/")
    assert "made/work/manifests/index.json" not in names
    assert "made/work/manifests/index.json.previous" in names
    report = two.prepare()
    assert (report.done, report.published) == (0, True)
    assert made(bucket) == expected


def test_files_of_earlier_manifests_go_and_others_stay(bucket, machines, data):
    one, two = machines
    one.prepare()
    bucket.put("made/work/manifests/notes.txt", b"mine")
    bucket.put("made/work/mine.txt", b"mine too")
    bucket.delete("clips/videos/c001.mp4")
    bucket.delete("clips/videos/c003.mp4")
    table = (data / "annotations.csv").read_text().splitlines()
    bucket.put("clips/annotations.csv", "\n".join(row for row in table if "c001" not in row).encode())
    two.prepare()
    objects = bucket.objects("made/work/")
    assert objects["made/work/manifests/notes.txt"] == b"mine"
    assert objects["made/work/mine.txt"] == b"mine too"
    index = json.loads(objects["made/work/manifests/index.json"])
    here = {name.removeprefix("made/work/manifests/") for name in made(bucket)}
    assert {f"made/work/manifests/{name}" for name in here - {"notes.txt"}} == {
        f"made/work/manifests/{name}" for name in index["files"]
    }


def test_nothing_is_lost_to_a_storage_that_fails_now_and_then(
    bucket, machines, expected, address, quick, monkeypatch
):
    """Each request fails the first time that it is made: by an error, a reset, or a body cut short."""
    one, _ = machines
    seen, faults = Counter(), ("503", "500", "429", "reset")

    def plan(number, method, path):
        what = f"{method} {path.partition('?')[0]}"
        seen[what] += 1
        return faults[sum(what.encode()) % 4] if seen[what] == 1 else ""

    with faulty(address, plan) as broken:
        at(broken, monkeypatch)
        one.prepare()
    at(address, monkeypatch)
    assert {what.partition(" ")[0] for what in seen} >= {"GET", "PUT", "HEAD", "DELETE"}
    assert made(bucket) == expected


def test_an_outage_ends_the_run_and_the_next_sends_what_was_made(
    bucket, machines, expected, address, quick, monkeypatch
):
    one, two = machines

    def plan(number, method, path):
        return "503" if "/stages/faces/" in path and method == "PUT" else ""

    with faulty(address, plan) as broken:
        at(broken, monkeypatch)
        with pytest.raises(ResourceError, match="cannot be written, 5 times"):
            one.prepare()
    at(address, monkeypatch)
    assert not made(bucket)
    sent = list(one.copy.workdir.glob("stages/sample/*.rows.parquet"))
    assert sent
    one.prepare()
    assert made(bucket) == expected
    assert not any(is_stand_in(path) for path in sent), "what was sent before the outage is not fetched"
    assert two.prepare().done == 0
    assert made(bucket) == expected


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


def test_a_folder_of_others_is_refused_and_left_as_it_is(bucket, machines):
    bucket.put("made/work/photos/holiday.jpg", b"mine")
    with pytest.raises(ConfigError, match=r"no work folder of fgbench, and not empty.*photos/holiday\.jpg"):
        machines[0].prepare()
    assert bucket.objects("made/") == {"made/work/photos/holiday.jpg": b"mine"}


def test_a_damaged_result_is_made_again(bucket, machines, expected):
    one, two = machines
    one.prepare()
    name = next(name for name in bucket.objects("made/work/stages/faces/") if name.endswith(".rows.parquet"))
    whole = bucket.objects("made/work/")[name]
    bucket.put(name, whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert two.prepare(recheck=True).done >= 1
    assert bucket.objects("made/work/")[name] == whole
    assert made(bucket) == expected


def test_commands_read_it_by_its_url_and_say_where_results_go(bucket, machines, data, tmp_path):
    url, work = machines[0].data, machines[0].work
    options = [f"--set={text}" for text in ("faces.align=never", "lbp.enabled=false", "buckets=2")]
    done = in_folder(tmp_path, "prepare", "--data-root", url, "--workdir", work, *options)
    assert done.exit_code == 0, done.output
    assert f"work folder {work}" in done.output
    assert f"fgbench audit {work}" in done.output
    status = in_folder(tmp_path, "status", work)
    assert status.exit_code == 0, status.output
    for name in ("elsewhere", "third"):
        (tmp_path / name).mkdir()
    away = in_folder(tmp_path / "elsewhere", "check", work)
    assert away.exit_code == 0, away.output
    deep = in_folder(tmp_path / "elsewhere", "check", work, "--deep")
    assert deep.exit_code == 0, deep.output
    dry = in_folder(
        tmp_path / "third", "prepare", "--data-root", url, "--workdir", work, "--dry-run", *options
    )
    assert dry.exit_code == 0, dry.output
    nothing = in_folder(tmp_path, "status", f"s3://{bucket.name}/nothing")
    assert nothing.exit_code == 7
    assert "has no file, expected a work folder" in nothing.output
    shard = in_folder(tmp_path, "prepare", "--data-root", url, "--workdir", work, "--shard", "1/2", *options)
    assert shard.exit_code == 3
    assert "shards share a folder" in shard.output


def test_python_opens_it_by_its_url(bucket, machines, monkeypatch, tmp_path):
    machines[0].prepare()
    monkeypatch.chdir(tmp_path)
    work = fgbench.open(machines[0].work)
    assert len(work.clips) == 4
    assert len(work.faces("train")) > 0
    assert copy_at(work.path).url == machines[0].work
    with pytest.raises(ManifestError, match="has no file"):
        fgbench.open(f"s3://{bucket.name}/nothing")
    with pytest.raises(ConfigError, match="which is only read"):
        fgbench.prepare(machines[0].data, workdir="hf://datasets/me/work")


@pytest.mark.chain
def test_unused_results_are_deleted_in_the_storage_too(bucket, machines):
    one, _ = machines
    one.prepare()
    before = bucket.objects("made/work/stages/")
    bucket.put("clips/annotations.csv", b"clip,label\nc000,happiness\n")
    one.prepare()
    from fgbench.api.preparing import Preparation

    root = mirrored(one.data, one.folder / "remote")
    assert Preparation(config=RECIPE, root=root, workdir=one.copy.workdir, is_embedded=False).prune() > 0
    after = bucket.objects("made/work/stages/")
    assert set(before) - set(after)
    assert one.prepare().done == 0
    assert f"made/work/{MARKER}" in bucket.objects("made/work/")


def test_another_machine_finds_the_data_by_their_url(bucket, machines, tmp_path, monkeypatch):
    """The folder of the mirror, which ``prepare.json`` names, is on the first machine alone."""
    one, _ = machines
    one.prepare()
    shutil.rmtree(one.folder)
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "two")
    status = in_folder(tmp_path / "two", "status", one.work)
    assert status.exit_code == 0, status.output
    repaired = in_folder(tmp_path / "two", "check", "--repair", one.work)
    assert repaired.exit_code == 0, repaired.output


def test_a_table_that_was_cut_short_in_the_storage_is_made_again(bucket, machines, expected):
    one, two = machines
    one.prepare()
    name = next(name for name in bucket.objects("made/work/manifests/images/"))
    bucket.put(name, bucket.objects(name)[name][:-5])
    report = two.prepare()
    assert report.published
    assert any("missing, or its content" in line for line in report.damage)
    assert made(bucket) == expected


@pytest.mark.parametrize("work", ["clips", "clips/work", "", "clips/videos"])
def test_a_work_folder_in_the_data_or_around_them_is_refused(bucket, machines, work):
    one, _ = machines
    one.work = f"s3://{bucket.name}/{work}".rstrip("/")
    before = bucket.objects("")
    with pytest.raises(ConfigError, match="are one folder, or one lies in the other"):
        one.prepare()
    assert bucket.objects("") == before


def test_a_scheme_alone_is_no_folder(tmp_path):
    for text in ("s3://", "S3:/", "s3:"):
        done = in_folder(tmp_path, "prepare", "--workdir", text)
        assert done.exit_code == 3, text
        assert "names no folder of a storage" in done.output
    assert not list(tmp_path.iterdir())
