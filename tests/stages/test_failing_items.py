"""One clip never ends ``fgbench prepare``: whatever it raises or does to its process, it becomes a reject."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fgbench.config import PrepareConfig
from fgbench.errors import DependencyError, RejectRateError, ResourceError, WorkerError
from fgbench.media import video
from fgbench.preparation import execution
from fgbench.preparation import prepare as preparing
from fgbench.preparation.failures import LOG
from fgbench.preparation.markers import stem
from fgbench.preparation.pipeline import Accepted
from fgbench.preparation.stages import augment, faces, lbp
from fgbench.preparation.stages.publish import verify
from tests.support import sabotage
from tests.support.clip_folders import contents, write_folder

pytestmark = pytest.mark.slow

N_FRAMES = 100
RECIPE = {
    "name": "plain",
    "buckets": 1,
    "max_reject_rate": 0.9,
    "faces": {"align": "never", "chip_size": 32},
    "augment": {"balance": "none"},
    "sample": {"video": "all"},
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Five clips of more rows than fit three row groups."""
    return write_folder(tmp_path_factory.mktemp("clips") / "data", 5, n_frames=N_FRAMES)


@pytest.fixture
def plan(monkeypatch):
    """Clips that fail, see `sabotage.install`."""
    monkeypatch.setattr(video, "open_video", video.open_video)
    monkeypatch.setattr(faces, "_rows", faces._rows)
    actual = {}
    sabotage.install(actual)
    return actual


def prepare(root, work, **options):
    return preparing.run(PrepareConfig(**RECIPE), root, work, **options)


def rejects(work):
    return pq.read_table(work / "manifests" / "rejects.parquet").to_pylist()


def stage_bytes(work, stage, output="rows"):
    return [path.read_bytes() for path in sorted((work / "stages" / stage).glob(f"*.{output}.parquet"))]


@pytest.mark.parametrize("number", [-1, 0, 50, N_FRAMES - 1, N_FRAMES], ids=str)
def test_whatever_a_clip_raises_it_is_a_reject_and_the_others_are_kept(clips, plan, tmp_path, number):
    plan["c002"] = ("frame", number)
    report = prepare(clips, tmp_path)
    [reject] = rejects(tmp_path)
    assert reject["id"] == "c002"
    assert reject["stage"] == ("ingest" if number == -1 else "faces")
    assert reject["reason"] == "internal_error"
    assert reject["detail"].startswith("ValueError: no such frame (fgbench/")
    assert report.failures.number == 1
    assert "c002 in" in report.failures.first
    assert "Traceback" in (tmp_path / LOG).read_text()
    assert "c002" in (tmp_path / LOG).read_text()
    table = pq.read_table(next((tmp_path / "stages" / "faces").glob("*.rows.parquet")), columns=["clip_id"])
    assert sorted(set(table["clip_id"].to_pylist())) == ["c000", "c001", "c003", "c004"]
    assert table.num_rows == 4 * N_FRAMES


def test_rows_that_were_written_already_are_taken_out_to_the_byte(clips, plan, tmp_path):
    """The table is that of a run in which the clip gave no row."""
    for number in (0, 50, N_FRAMES):
        plan["c001"] = plan["c003"] = ("frame", number)
        prepare(clips, tmp_path / str(number))
    first, midway, last = (stage_bytes(tmp_path / str(number), "faces") for number in (0, 50, N_FRAMES))
    assert first == midway == last


def test_memory_that_does_not_suffice_has_a_reason_of_its_own(clips, plan, tmp_path):
    plan["c002"] = ("memory", 3)
    prepare(clips, tmp_path)
    assert [reject["reason"] for reject in rejects(tmp_path)] == ["out_of_memory"]


def test_a_value_that_the_table_cannot_hold_concerns_its_clip_alone(clips, monkeypatch, tmp_path):
    """Rows are written some hundred at a time, those of other clips among them."""
    whole = faces._rows

    def rows(reader, wanted, config):
        for row in whole(reader, wanted, config):
            is_bad = (row["clip_id"], row["frame_index"]) == ("c001", 3)
            yield {**row, "n_faces": 40_000} if is_bad else row

    monkeypatch.setattr(faces, "_rows", rows)
    prepare(clips, tmp_path)
    [reject] = rejects(tmp_path)
    assert (reject["id"], reject["reason"]) == ("c001", "internal_error")
    assert "40000" in reject["detail"]


def test_a_clip_without_its_image_set_is_in_no_manifest(clips, monkeypatch, tmp_path):
    encoded = augment._images

    def images(faces, about, config, plan):
        for count, row in enumerate(encoded(faces, about, config, plan)):
            if (about["clip_id"], count) == ("c001", 3):
                raise ValueError("no such picture")
            yield row

    monkeypatch.setattr(augment, "_images", images)
    report = prepare(clips, tmp_path)
    manifests = tmp_path / "manifests"
    images = list((manifests / "images").iterdir())
    assert sum(pq.read_metadata(path).num_rows for path in images) == sum(
        counts["augmented"] for counts in report.counts.values()
    )
    for path in (manifests / "clips.parquet", *(manifests / "faces").iterdir(), *images):
        assert "c001" not in pq.read_table(path, columns=["clip_id"])["clip_id"].to_pylist()
    assert verify(tmp_path) == []


@pytest.mark.parametrize(
    "error", [DependencyError("no model", "get it"), OSError(errno.ENOSPC, "No space left on device")]
)
def test_what_concerns_the_whole_run_ends_it(clips, monkeypatch, tmp_path, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(faces, "_rows", fail)
    with pytest.raises((DependencyError, ResourceError), match=r"no model|No space left"):
        prepare(clips, tmp_path)


def test_failures_count_against_the_rate_of_rejects_and_the_log_is_named(clips, plan, tmp_path):
    plan |= {f"c00{number}": ("frame", 0) for number in range(5)}
    with pytest.raises(RejectRateError, match=r"internal_error \(5\)") as caught:
        prepare(clips, tmp_path)
    assert str(tmp_path / LOG) in caught.value.hint


def test_retry_works_on_failed_clips_again(clips, plan, tmp_path):
    prepare(clips, tmp_path / "whole")
    plan["c002"] = ("frame", 50)
    prepare(clips, tmp_path / "work")
    plan.clear()
    assert prepare(clips, tmp_path / "work").done == 0, "without being told it stays as it is"
    report = prepare(clips, tmp_path / "work", retry=True)
    assert report.done > 0
    assert report.failures is None
    assert rejects(tmp_path / "work") == []
    assert contents(tmp_path / "work" / "manifests") == contents(tmp_path / "whole" / "manifests")
    assert prepare(clips, tmp_path / "work", retry=True).done == 0


def test_what_is_mended_in_the_last_stage_is_published(clips, tmp_path, monkeypatch):
    """No later stage has another fingerprint by it."""

    def accepted(clip_id, rows):
        if Path(clip_id).stem == "c002":
            raise ValueError("no such pattern")
        return Accepted(clip_id, rows)

    config = PrepareConfig(**{**RECIPE, "lbp": {"enabled": True}})
    with monkeypatch.context() as patched:
        patched.setattr(lbp, "Accepted", accepted)
        preparing.run(config, clips, tmp_path / "work")
    assert [(row["stage"], row["reason"]) for row in rejects(tmp_path / "work")] == [
        ("lbp", "internal_error")
    ]
    preparing.run(config, clips, tmp_path / "work", retry=True)
    assert rejects(tmp_path / "work") == []
    preparing.run(config, clips, tmp_path / "whole")
    assert contents(tmp_path / "work" / "manifests") == contents(tmp_path / "whole" / "manifests")


def run_sabotaged(root, work, jobs, plan):
    order = {"recipe": {**RECIPE, "buckets": 2}, "root": str(root), "work": str(work), "jobs": jobs}
    lines = (
        "import json, os\n"
        "from tests.support import sabotage\n"
        "sabotage.install(json.loads(os.environ['SABOTAGE']))\n"
    )
    return subprocess.run(
        [sys.executable, Path(sabotage.__file__), json.dumps(order)],
        env=sabotage.patched_everywhere(work.parent / "site", lines, SABOTAGE=json.dumps(plan)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_clip_that_kills_its_process_is_a_reject_whatever_the_number_of_workers(clips, tmp_path):
    """With one worker the command itself dies, and does not die of the same clip again."""
    plan = {"c000": ("frame", -1), "c001": ("frame", 50), "c002": ("kill", 50), "c003": ("frame", N_FRAMES)}
    done = run_sabotaged(clips, tmp_path / "two", 2, plan)
    assert done.returncode == 0, done.stderr
    died = run_sabotaged(clips, tmp_path / "one", 1, plan)
    assert died.returncode == -signal.SIGSEGV
    again = run_sabotaged(clips, tmp_path / "one", 1, plan)
    assert again.returncode == 0, again.stderr
    actual = {reject["id"]: (reject["reason"], reject["detail"]) for reject in rejects(tmp_path / "two")}
    assert {name: reason for name, (reason, _) in actual.items()} == {
        "c000": "internal_error",
        "c001": "internal_error",
        "c002": "worker_died",
        "c003": "internal_error",
    }
    assert "was killed by SIGSEGV (Segmentation fault)" in actual["c002"][1]
    for part in ("stages", "manifests"):
        assert contents(tmp_path / "one" / part) == contents(tmp_path / "two" / part)
    assert not list(tmp_path.rglob("*.in-hand"))


@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_a_link_in_the_place_of_the_note_is_not_written_through_and_tells_nothing(clips, tmp_path, plant):
    work, mine = tmp_path / "work", tmp_path / "mine.txt"
    prepare(clips, work)
    whole = contents(work / "stages")
    (marker,) = (work / "stages" / "ingest").glob("*.json")
    marker.unlink()
    mine.write_bytes(b"c001\0mine")
    plant(mine, marker.with_suffix(".in-hand"))
    prepare(clips, work)
    assert mine.read_bytes() == b"c001\0mine"
    assert mine.stat().st_nlink == 1
    assert contents(work / "stages") == whole


def test_a_link_names_no_fatal_item(clips, tmp_path, monkeypatch):
    tasks = []
    original = execution.execute
    monkeypatch.setattr(execution, "execute", lambda task: tasks.append(task) or original(task))
    prepare(clips, tmp_path / "work")
    task = next(task for task in tasks if task.stage == "ingest")
    mine = tmp_path / "mine.txt"
    mine.write_bytes(b"c001\0")
    note = tmp_path / "work" / "stages" / "ingest" / f"{stem(task.bucket, task.fingerprint)}.in-hand"
    note.symlink_to(mine)
    assert not execution.was_fatal(task)
    with pytest.raises(WorkerError, match="at no clip of its own"):
        execution.without_fatal_item(task, "ended")
