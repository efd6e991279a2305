"""Little memory and small files: one clear error, or rejects with the reason, never a traceback."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from tests.support.clip_folders import write_folder
from tests.support.sabotage import patched_everywhere

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of a process as Linux has them"),
]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    here = tmp_path_factory.mktemp("limits")
    write_folder(here / "clips", 4)
    (here / "plain.yaml").write_text(
        "name: plain\nbuckets: 2\nmax_reject_rate: 0.9\nfaces: {align: never, chip_size: 32}\n"
    )
    return here


def limited(limit, here, work, *options):
    """``fgbench prepare`` in a shell with a limit; one thread, since libraries map memory for each."""
    command = f'ulimit {limit}; exec "$@"'
    arguments = ["prepare", "plain.yaml", "--data-root", "clips", "--workdir", work, "--jobs", 1, *options]
    return subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, "-m", "fgbench", *map(str, arguments)],
        cwd=here,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("limit_mb", [400, 1000, 3000, 6000])
def test_little_address_space_is_a_clear_error_or_suffices(clips, tmp_path, limit_mb):
    done = limited(f"-v {limit_mb * 1024}", clips, tmp_path / "work")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 6, 8), (done.returncode, done.stderr)
    if done.returncode:
        assert "memory" in done.stderr
    assert (done.returncode == 0) == (limit_mb == 6000)


def test_a_limit_on_the_size_of_files_is_a_clear_error(clips, tmp_path):
    done = limited("-f 1", clips, tmp_path / "work")
    assert done.returncode == 8, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    again = limited("-f unlimited", clips, tmp_path / "work")
    assert again.returncode == 0, again.stderr


def test_a_clip_that_needs_more_than_a_worker_may_take_is_a_reject(clips, tmp_path):
    """32 GB of frames of a clip are asked for; the others are kept, and another day it may succeed."""
    environment = patched_everywhere(
        tmp_path / "site",
        "from fgbench.media import video\n"
        "OPEN = video.open_video\n"
        "def open_video(path, *rest, **limits):\n"
        "    if path.stem == 'c001':\n"
        "        bytearray(32 * 10**9)\n"
        "    return OPEN(path, *rest, **limits)\n"
        "video.open_video = open_video\n",
    )
    work = tmp_path / "work"
    arguments = ["prepare", "plain.yaml", "--data-root", "clips", "--workdir", str(work), "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "fgbench", *arguments, "--worker-memory", "4", "--json"],
        cwd=clips,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["failures"]["number"] == 1
    [reject] = pq.read_table(work / "manifests" / "rejects.parquet").to_pylist()
    assert (reject["id"], reject["reason"]) == ("c001", "out_of_memory")
