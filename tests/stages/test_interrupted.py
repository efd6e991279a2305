"""Killing ``fgbench prepare`` at random moments: what it publishes in the end is the same to the byte.

``make campaigns`` does so hundreds of times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fgbench.synthetic.dataset import SynthOptions, generate
from fgbench.workfolders.manifest_index import is_published
from tests.support.clip_folders import contents

KILLS = 5
SEED = 11


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A short clip of drawn faces of each class."""
    root = tmp_path_factory.mktemp("clips") / "data"
    options = SynthOptions(
        clips_per_class=1,
        subjects=6,
        width=256,
        height=192,
        seed=SEED,
        min_duration_s=0.6,
        max_duration_s=0.7,
    )
    generate(root, options, jobs=2)
    return root


def start(root: Path, work: Path, jobs: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "fgbench", "prepare", "--data-root", str(root), "--workdir", str(work)]
    return subprocess.Popen(
        [*command, "--jobs", str(jobs), "--set", "sample.before=1", "--set", "sample.after=1"],
        start_new_session=True,
        # A shell that runs the tests in the background has interrupts ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_runs_end_in_the_same_bytes(clips, tmp_path):
    begin = time.monotonic()
    finish(start(clips, tmp_path / "whole", jobs=2))
    duration_s = time.monotonic() - begin
    expected = contents(tmp_path / "whole" / "manifests")
    assert len(expected) > 40

    rng = random.Random(SEED)
    work, attempt, kills = tmp_path / "killed-0", 0, 0
    while kills < KILLS:
        process = start(clips, work, jobs=2)
        time.sleep(rng.uniform(0.2, 0.2 + 0.3 * duration_s))
        if process.poll() is None:
            # Half the time the parent alone, so that its workers have to notice.
            if rng.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            kills += 1
        process.communicate()
        if process.returncode == 0:  # it was done before the kill came: begin anew
            assert contents(work / "manifests") == expected
            attempt += 1
            work = tmp_path / f"killed-{attempt}"
    finish(start(clips, work, jobs=2))
    assert is_published(work)
    assert contents(work / "manifests") == expected

    finish(start(clips, tmp_path / "one", jobs=1))
    assert contents(tmp_path / "one" / "manifests") == expected


@pytest.mark.slow
def test_interrupt_by_the_user_leaves_a_state_to_continue_from(clips, tmp_path):
    process = start(clips, tmp_path / "work", jobs=2)
    while not list((tmp_path / "work").glob("stages/faces/*.json")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"run the same command again to continue" in errors
    assert b"Traceback" not in errors
    finish(start(clips, tmp_path / "work", jobs=2))
    assert is_published(tmp_path / "work")
