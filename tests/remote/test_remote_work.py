"""Work folders in a storage that speaks S3: the bytes of a folder, nothing lost."""

import json
from collections import Counter

import pytest

from fgbench.errors import ResourceError
from fgbench.preparation import prepare
from fgbench.remote.mirrors import mirrored
from fgbench.remote.stand_ins import is_stand_in
from fgbench.workfolders.folder import MARKER
from tests.support.clip_folders import write_folder
from tests.support.faulty_proxy import faulty
from tests.support.remote_work import RECIPE, at, made, tables

pytestmark = pytest.mark.slow


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


def test_a_damaged_result_is_made_again(bucket, machines, expected):
    one, two = machines
    one.prepare()
    name = next(name for name in bucket.objects("made/work/stages/faces/") if name.endswith(".rows.parquet"))
    whole = bucket.objects("made/work/")[name]
    bucket.put(name, whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert two.prepare(recheck=True).done >= 1
    assert bucket.objects("made/work/")[name] == whole
    assert made(bucket) == expected


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


def test_a_table_that_was_cut_short_in_the_storage_is_made_again(bucket, machines, expected):
    one, two = machines
    one.prepare()
    name = next(name for name in bucket.objects("made/work/manifests/images/"))
    bucket.put(name, bucket.objects(name)[name][:-5])
    report = two.prepare()
    assert report.published
    assert any("missing, or its content" in line for line in report.damage)
    assert made(bucket) == expected
