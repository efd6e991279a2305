"""The engine ``slurm``, whose jobs submitit runs as processes here: same bytes, lost jobs, clear errors."""

import os
import signal

import pytest

from fgbench.errors import ConfigError, MediaError
from fgbench.preparation import prepare
from fgbench.preparation.engines import slurm
from tests.support.clip_folders import contents
from tests.support.plain_data import recipe, write_plain_data

pytest.importorskip("submitit", reason="submitit is not installed")


def fail(value):
    raise MediaError(f"bad {value}", "do this", reason="why")


def die_once(path):
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.chain
@pytest.mark.slow
def test_manifests_are_those_of_one_process(tmp_path):
    root = write_plain_data(tmp_path / "data", n_clips=4)
    config = recipe(buckets=2)
    prepare.run(config, root, tmp_path / "alone")
    report = prepare.run(config, root, tmp_path / "jobs", jobs=2, engine="slurm", address="local")
    assert report.published
    assert contents(tmp_path / "jobs" / "manifests") == contents(tmp_path / "alone" / "manifests")
    assert list((tmp_path / "jobs" / "logs").iterdir()) == []


@pytest.mark.slow
def test_errors_of_tasks_come_through_whole():
    with pytest.raises(MediaError, match="bad 1") as caught, slurm.start(2, address="local") as run:
        list(run(fail, [1]))
    assert (caught.value.hint, caught.value.reason) == ("do this", "why")


@pytest.mark.slow
def test_a_lost_job_is_submitted_again(tmp_path):
    with slurm.start(2, address="local") as run:
        assert list(run(die_once, [tmp_path / "died"])) == ["done"]


def test_without_slurm_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="there is no Slurm on this machine"), slurm.start(2):
        pass
    with pytest.raises(ConfigError, match="with the address 'here', expected none, or 'local'"):
        slurm.start(2, address="here").__enter__()


def test_an_address_is_for_engines_of_clusters(tmp_path):
    with pytest.raises(ConfigError, match="the engine local with the address 'auto', expected none"):
        prepare.run(recipe(), tmp_path, tmp_path / "work", address="auto")
    assert not (tmp_path / "work").exists()
