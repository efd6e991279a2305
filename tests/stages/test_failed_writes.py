"""Writes that fail: one clear error, nothing left behind, and the next run continues."""

import resource
import subprocess
import sys

import pytest

from tests.support.clip_folders import write_folder


@pytest.mark.slow
def test_a_limit_of_file_size_ends_in_one_clear_error_and_leaves_nothing(tmp_path):
    root, work = write_folder(tmp_path / "in", 4, n_frames=3), tmp_path / "work"
    recipe = tmp_path / "plain.yaml"
    recipe.write_text("name: plain\nbuckets: 2\nfaces: {align: never}\nlbp: {enabled: false}\n")
    command = [sys.executable, "-m", "fgbench", "prepare", str(recipe), "--data-root", str(root)]

    def prepare(limit_bytes):
        return subprocess.run(
            [*command, "--workdir", str(work), "--jobs", "2"],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes)),
        )

    done = prepare(4000)
    assert done.returncode == 8, done.stderr
    assert "File too large" in done.stderr
    assert "ulimit -f" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(work.rglob(".*.fgbench-*")) == []
    done = prepare(resource.RLIM_INFINITY)
    assert done.returncode == 0, done.stderr
    assert list(work.rglob(".*.fgbench-*")) == []
