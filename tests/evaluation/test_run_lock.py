"""A run is made by one process at a time."""

import subprocess
import sys

import pytest

from fgbench.errors import ResourceError
from fgbench.runs.lock import hold_run

OTHER = """
import sys
from pathlib import Path
from fgbench.errors import ResourceError
from fgbench.runs.lock import hold_run
try:
    with hold_run(Path(sys.argv[1])):
        print("held")
except ResourceError as error:
    print(error.message)
"""


def other(folder, **variables):
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", **variables},
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_a_second_process_is_refused_and_another_run_is_not(tmp_path):
    folder = tmp_path / "runs" / "cnn" / "0" / "3"
    with hold_run(folder):
        assert other(folder) == "another fgbench process is making the run cnn/0/3"
        assert other(folder.with_name("4")) == "held"
    assert other(folder) == "held"
    assert not folder.exists()


def test_fellow_processes_of_a_launch_leave_it_to_the_first(tmp_path):
    folder = tmp_path / "0"
    with hold_run(folder):
        assert other(folder, LOCAL_RANK="1", RANK="1") == "held"
        assert other(folder, LOCAL_RANK="0", RANK="0") != "held"


def test_a_lock_that_is_a_link_is_refused_and_its_target_left(tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    (tmp_path / ".0.lock").symlink_to(mine)
    with pytest.raises(ResourceError, match=r"\.0\.lock"), hold_run(tmp_path / "0"):
        pass
    assert mine.read_text() == "mine"
