"""Shards of a preparation: the same bytes as one process, one that publishes, missing ones by name."""

import shutil
import threading

import pytest

import fgbench
from fgbench import storage
from fgbench.errors import ArgumentError, ConfigError, ResourceError, ShardError
from fgbench.preparation import gathering, prepare, sharded_run
from fgbench.preparation.pipeline import ORDER
from fgbench.preparation.shards import Shard, check_number, read_shard
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders import holding
from fgbench.workfolders.shard_locks import SHARDS, hold_shard, shards_at_work
from tests.support.clip_folders import contents
from tests.support.plain_data import recipe, write_plain_data

CONFIG = recipe(buckets=4)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(gathering, "POLL_S", 0.02)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_plain_data(tmp_path_factory.mktemp("shards") / "data", 6)


@pytest.fixture(scope="module")
def alone(root, tmp_path_factory):
    """Manifests of one process."""
    work = tmp_path_factory.mktemp("alone")
    prepare.run(CONFIG, root, work)
    return contents(work / "manifests")


def run(root, work, number, of, **options):
    return prepare.run(CONFIG, root, work, shard=Shard(number, of), **{"shard_wait_s": 0.0, **options})


def test_every_bucket_is_of_one_shard_whatever_the_data():
    for of in (1, 2, 3, 7):
        owned = [
            [bucket for bucket in range(20) if Shard(number, of).has(bucket)] for number in range(1, of + 1)
        ]
        assert sorted(bucket for buckets in owned for bucket in buckets) == list(range(20))
    assert [bucket for bucket in range(8) if read_shard("2/3").has(bucket)] == [1, 4, 7]


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "-1/3", "1/3/3", "a/b", "1 / 3", "", "1/", "٣/٣"])
def test_a_wrong_shard_is_one_clear_error(text):
    with pytest.raises(ArgumentError, match=r"expected K/N, shard K of N, with K from 1 to N"):
        read_shard(text)


def test_more_shards_than_buckets_are_refused_before_anything_is_written(root, tmp_path):
    check_number(Shard(1, 4), 4)
    with pytest.raises(ConfigError, match="5 shards of 4 buckets, expected at most one shard for each"):
        run(root, tmp_path / "work", 1, 5)
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_shards_at_work_together_give_the_bytes_of_one_process_and_one_publishes(
    root, tmp_path, alone, monkeypatch
):
    published, reports = [], {}
    real = sharded_run.publish

    def publish(*args, **options):
        outcome = real(*args, **options)
        published.append(outcome[0])
        return outcome

    monkeypatch.setattr(sharded_run, "publish", publish)
    # Threads stand for processes: each has a lock and a state of its own.
    monkeypatch.setattr("fgbench.storage.holders.Holder.is_this_process", False)

    def make(number):
        reports[number] = run(root, tmp_path / "work", number, 3, shard_wait_s=60.0)

    threads = [threading.Thread(target=make, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports) == [1, 2, 3]
    assert published.count(True) == 1
    assert contents(tmp_path / "work" / "manifests") == alone
    assert shards_at_work(tmp_path / "work") == []
    again = prepare.run(CONFIG, root, tmp_path / "work")
    assert (again.done, again.published) == (0, False)


@pytest.mark.slow
def test_shards_one_after_another_name_those_that_are_missing(root, tmp_path, alone):
    work, ends = tmp_path / "work", []
    for number in (1, 2) * 3:
        try:
            ends.append(run(root, work, number, 2))
        except ShardError as error:
            ends.append(error)
    assert isinstance(ends[0], ShardError)
    assert ends[0].message == (
        "shard 1/2 has done what it can: consensus needs ingest of all clips, and of the shards that have "
        "not done it none is at work: 2/2"
    )
    left = [end for end in ends if not isinstance(end, ShardError)]
    assert left[0].shard == "2/2"
    assert left[0].missing == ("1/2: augment is not done, not at work",)
    assert "the last of these writes the manifests" in "\n".join(left[0].lines())
    assert [(one.shard, one.published) for one in left[1:]] == [("", True), ("", False)]
    assert contents(work / "manifests") == alone


@pytest.mark.slow
def test_without_a_shard_one_process_does_what_is_missing(root, tmp_path, alone):
    work = tmp_path / "work"
    with pytest.raises(ShardError, match="none is at work: 1/3, 3/3"):
        run(root, work, 2, 3)
    n_ingested = len(list((work / "stages" / ORDER[0]).glob("*.json")))
    report = prepare.run(CONFIG, root, work)
    assert n_ingested == 1
    assert report.stages[0].done == report.stages[0].buckets - n_ingested
    assert contents(work / "manifests") == alone


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:99] + bytes([data[99] ^ 1]) + data[100:]]
)
def test_a_damaged_share_is_made_again_by_its_shard(root, tmp_path, alone, damage):
    work = tmp_path / "work"
    prepare.run(CONFIG, root, work)
    victim = min(
        path for path in (work / "stages" / "faces").glob("*.rows.parquet") if int(path.name[:5]) % 2
    )
    shutil.rmtree(work / "manifests")
    data = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(damage(data))
    with pytest.raises(ShardError, match=r"augment needs faces of all clips, .* none is at work: 2/2"):
        run(root, work, 1, 2)
    report = run(root, work, 2, 2)
    assert (report.published, report.done) == (True, 1)
    assert contents(work / "manifests") == alone


def test_shards_and_whole_runs_keep_out_of_each_others_way(root, tmp_path, monkeypatch):
    work = tmp_path / "work"
    workfolder.mark(work)
    monkeypatch.setattr(sharded_run, "_BEGIN_S", 0.0)
    with hold_shard(work, 2, 3, {"recipe": "a"}):
        with pytest.raises(ResourceError, match=r"shard 2/3 is at work in .*: process \d+ on "):
            prepare.run(CONFIG, root, work)
        with pytest.raises(ConfigError, match=r"shard 1/4, but shard 2/3 is at work"):
            run(root, work, 1, 4)
        with pytest.raises(
            ConfigError, match=r"shard 1/3 has other .*data.*recipe.* than shard 2/3: process"
        ):
            run(root, work, 1, 3)
        with (
            pytest.raises(ResourceError, match=r"another fgbench process makes shard 2/3 of .*: process"),
            hold_shard(work, 2, 3, {}),
        ):
            pass
    with (
        storage.exclusive(work),
        pytest.raises(ResourceError, match=r"another fgbench process is working in .*: process"),
    ):
        run(root, work, 1, 3)
    assert [path.name for path in (work / SHARDS).iterdir()] == ["2-of-3.lock"]


def test_two_coordinators_of_one_folder_one_works_and_the_other_says_who_holds_it(root, tmp_path):
    refused = []

    def second(name, done, total):
        if not refused:
            with pytest.raises(ResourceError, match=r"is working in .*: process \d+ on \S+ since") as error:
                prepare.run(CONFIG, root, tmp_path / "work")
            refused.append(error)

    report = prepare.run(CONFIG, root, tmp_path / "work", progress=second)
    assert report.published
    assert len(refused) == 1


def test_a_lock_to_break_is_told(tmp_path, caplog):
    with holding.working_in(tmp_path / "work", force_unlock=True):
        pass
    with holding.working_in(tmp_path / "work", force_unlock=True):
        pass
    assert "there was no lock to break in" in caplog.text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shard": 2}, r"shard: got 2, expected the text 'K/N'"),
        ({"shard": "3/2"}, r"shard: got '3/2', expected K/N"),
        ({"shard": "1/2", "shard_wait_s": -1}, "shard_wait_s: got -1, expected seconds, 0 or more"),
        ({"shard_wait_s": 3}, "shard_wait_s: given without a shard"),
        ({"force_unlock": "yes"}, "force_unlock"),
    ],
)
def test_wrong_arguments_from_python_are_named(root, tmp_path, given, message):
    with pytest.raises(ConfigError, match=message):
        fgbench.prepare(root, "folder", workdir=tmp_path / "work", progress=False, **given)
    assert not (tmp_path / "work").exists()
