"""Data sets in a storage that speaks S3: the same tables as of a folder, and nothing lost to its faults."""

import time
from collections import Counter

import pytest

from fgbench.errors import ResourceError
from fgbench.preparation import prepare
from fgbench.remote.fetching import at_hand
from fgbench.remote.mirrors import bound, mirrored, origin_of
from fgbench.remote.stand_ins import is_stand_in
from fgbench.storage import read_rows
from tests.support.clip_folders import contents
from tests.support.command_line import in_folder
from tests.support.faulty_proxy import faulty
from tests.support.remote_work import RECIPE, at, tables

pytestmark = pytest.mark.slow


def clips_here(root):
    return {path.name for path in (root / "videos").iterdir() if not is_stand_in(path)}


def rejects(work):
    return {row["id"]: row["reason"] for row in read_rows(work / "manifests" / "rejects.parquet")}


def test_tables_are_those_of_a_folder_and_planning_downloads_no_clip(bucket, data, expected, tmp_path):
    url = bucket.upload(data, "sets/clips")
    root = mirrored(url, tmp_path / "remote")
    assert origin_of(root) == url
    assert prepare.preview(RECIPE, root, tmp_path / "work").waiting
    assert clips_here(root) == set()
    assert (root / "annotations.csv").read_bytes() == (data / "annotations.csv").read_bytes()
    prepare.run(RECIPE, root, tmp_path / "work")
    assert tables(tmp_path / "work") == expected
    assert contents(root) == contents(data)
    mirrored(url, tmp_path / "remote")
    assert prepare.run(RECIPE, root, tmp_path / "work").done == 0


def test_another_machine_goes_on_with_the_same_work_folder(bucket, data, expected, tmp_path):
    url = bucket.upload(data, "clips")
    prepare.run(RECIPE, mirrored(url, tmp_path / "one"), tmp_path / "work")
    there = mirrored(url, tmp_path / "two")
    assert prepare.run(RECIPE, there, tmp_path / "work").done == 0
    assert clips_here(there) == set()
    assert tables(tmp_path / "work") == expected


def test_what_is_kept_is_bounded_and_the_least_recently_used_goes_first(bucket, data, expected, tmp_path):
    root = mirrored(bucket.upload(data, "clips"), tmp_path / "remote")
    sizes = {path.name: path.stat().st_size for path in (data / "videos").iterdir()}
    bound(root, 2.5 * max(sizes.values()) / 1e9)
    for name in ("c000", "c001", "c000", "c002", "c003"):
        at_hand(root, f"videos/{name}.mp4")
        time.sleep(0.002)  # times of use are compared
    assert clips_here(root) == {"c002.mp4", "c003.mp4"}
    assert {path.name: path.stat().st_size for path in (root / "videos").iterdir()} == sizes
    bound(root, 0.0)
    prepare.run(RECIPE, root, tmp_path / "work")
    assert len(clips_here(root)) == 1  # the one that this process worked on last
    assert tables(tmp_path / "work") == expected


def test_a_clip_that_is_gone_or_exchanged_is_a_reject_until_the_next_listing(bucket, data, tmp_path):
    url = bucket.upload(data, "clips")
    root = mirrored(url, tmp_path / "remote")
    bucket.delete("clips/videos/c001.mp4")
    bucket.put("clips/videos/c002.mp4", (data / "videos" / "c003.mp4").read_bytes())
    prepare.run(RECIPE, root, tmp_path / "work")
    assert rejects(tmp_path / "work") == {"c001": "changed_meanwhile", "c002": "changed_meanwhile"}
    bucket.put("clips/videos/c001.mp4", (data / "videos" / "c001.mp4").read_bytes())  # maybe of the same time
    root = mirrored(url, tmp_path / "remote")
    prepare.run(RECIPE, root, tmp_path / "work")
    assert rejects(tmp_path / "work") == {}
    bucket.delete("clips/videos/c001.mp4")
    mirrored(url, tmp_path / "remote")
    assert not (root / "videos" / "c001.mp4").exists()


def test_nothing_is_lost_to_a_storage_that_fails_now_and_then(
    bucket, data, expected, address, tmp_path, quick, monkeypatch
):
    url = bucket.upload(data, "clips")
    faults = {
        "c000.mp4": ("cut", "503"),
        "c001.mp4": ("damaged", "reset"),
        "c002.mp4": ("429", "cut"),
        "c003.mp4": ("500", "damaged"),
        "annotations.csv": ("reset", "cut"),
    }
    asked = Counter()
    seen = set()

    def plan(number, method, path):
        """The first requests for anything fail, for a clip twice: whatever order threads ask in."""
        path = path.partition("?")[0]
        asked[method, path] += 1
        planned = faults.get(path.rpartition("/")[2], ()) if method == "GET" else ()
        fault = dict(enumerate(planned or ("503",), 1)).get(asked[method, path], "")
        seen.add((path.rpartition("/")[2], fault))
        return fault

    with faulty(address, plan) as proxy:
        at(proxy, monkeypatch)
        root = mirrored(url, tmp_path / "remote")
        prepare.run(RECIPE, root, tmp_path / "work")
    assert tables(tmp_path / "work") == expected
    assert {(name, fault) for name, of_it in faults.items() for fault in (*of_it, "")} <= seen


def test_an_outage_ends_the_run_and_keeps_what_is_done(
    bucket, data, expected, address, tmp_path, quick, monkeypatch
):
    url = bucket.upload(data, "clips")
    done = tmp_path / "work" / "stages" / "ingest"

    def plan(number, method, path):
        return "503" if any(done.glob("*.json")) else ""

    with faulty(address, plan) as proxy:
        at(proxy, monkeypatch)
        root = mirrored(url, tmp_path / "remote")
        with pytest.raises(
            ResourceError, match=r"c00\d\.mp4 cannot be fetched, 5 times.*\n.*what is done is"
        ):
            prepare.run(RECIPE, root, tmp_path / "work")
    at(address, monkeypatch)
    before = sorted(done.glob("*.json"))
    assert len(before) == 1
    root = mirrored(url, tmp_path / "remote")
    times = {path: path.stat().st_mtime_ns for path in before}
    prepare.run(RECIPE, root, tmp_path / "work")
    assert {path: path.stat().st_mtime_ns for path in before} == times
    assert tables(tmp_path / "work") == expected


def test_tables_that_were_changed_in_the_mirror_are_not_overwritten(bucket, data, tmp_path):
    url = bucket.upload(data, "clips")
    root = mirrored(url, tmp_path / "remote")
    (root / "selection.csv").write_text("mine")
    mirrored(url, tmp_path / "remote")
    assert (root / "selection.csv").read_text() == "mine"
    (root / "annotations.csv").write_text("mine")
    with pytest.raises(ResourceError, match=r"annotations\.csv was changed here"):
        mirrored(url, tmp_path / "remote")
    assert (root / "annotations.csv").read_text() == "mine"


def test_folders_of_pictures_are_fetched_whole(bucket, tmp_path):
    data = tmp_path / "data"
    for number in range(3):
        (data / "frames" / "a").mkdir(parents=True, exist_ok=True)
        (data / "frames" / "a" / f"{number}.png").write_bytes(bytes([number]) * 50)
    root = mirrored(bucket.upload(data, "set"), tmp_path / "remote")
    assert all(is_stand_in(path) for path in (root / "frames" / "a").iterdir())
    at_hand(root, "frames/a")
    assert contents(root) == contents(data)


def test_the_command_names_the_url_and_what_is_missing(bucket, data, tmp_path):
    url = bucket.upload(data, "sets/clips")
    done = in_folder(tmp_path, "prepare", "--data-root", url, "--dry-run")
    assert done.exit_code == 0, done.output
    assert f"data {url}, work folder fgbench-data/clips/work" in done.output
    assert [path.name for path in (tmp_path / "fgbench-data").iterdir()] == ["remote"]
    empty = in_folder(tmp_path, "prepare", "--data-root", f"s3://{bucket.name}/nothing")
    assert empty.exit_code == 4
    assert "nothing has no file" in empty.output
