"""The engine ``ray``: machines that vanish and join, the same bytes as on one machine, clear errors."""

import sys
import threading

import pytest
import yaml

from fgbench import __version__
from fgbench.errors import ConfigError, MediaError, ResourceError, WorkerError
from fgbench.preparation import machines, prepare
from fgbench.preparation.engines import ray as engine
from fgbench.preparation.engines._ray_messages import kept_from_output
from tests.support.clip_folders import contents
from tests.support.plain_data import recipe, write_plain_data
from tests.support.ray_clusters import prepare_while_machines_vanish, three_machines

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow

KILLS = 2


@pytest.fixture(scope="module")
def cluster():
    with three_machines() as machines_of_ray:
        yield machines_of_ray


def fail(value):
    raise MediaError(f"bad {value}", "do this", reason="why")


@pytest.mark.chain
def test_machines_that_vanish_and_join_change_no_byte(cluster, tmp_path):
    root = write_plain_data(tmp_path / "data", n_clips=8)
    config = recipe(buckets=8)
    prepare.run(config, root, tmp_path / "alone")
    (tmp_path / "plain.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8"
    )
    arguments = ["plain.yaml", "--data-root", root, "--workdir", "many"]
    prepare_while_machines_vanish(cluster, arguments, tmp_path, finished="many/stages/*/*.json", kills=KILLS)
    assert contents(tmp_path / "many" / "manifests") == contents(tmp_path / "alone" / "manifests")


def test_what_ray_prints_by_itself_is_not_among_the_output(capsys, caplog):
    def prints(words):
        thread = threading.Thread(target=print, args=(words,), name=words)
        thread.start()
        thread.join()

    with kept_from_output(), caplog.at_level("DEBUG", "fgbench"):
        prints("ray_listen_error_messages")
        prints("another thread")
        assert sys.stdout.encoding.lower() == "utf-8"
        print("this one")
        with kept_from_output(of_this_thread=True):
            print("held back by Ray")
    assert capsys.readouterr().out == "another thread\nthis one\n"
    assert "ray_listen_error_messages" in caplog.text
    assert "held back by Ray" in caplog.text


def test_a_machine_without_the_work_folder_is_named(tmp_path):
    here = machines.OnMachine(
        function=abs, versions=machines.versions(), folder=str(tmp_path), memory_gb=None
    )

    class Task:
        workdir = tmp_path / "work"

    with pytest.raises(ResourceError, match="does not have the work folder"):
        here(Task())


def test_other_versions_on_a_machine_are_named():
    expected = {**machines.versions(), "fgbench": "9.9", "numpy": "1.0"}
    with pytest.raises(WorkerError, match=rf"has fgbench {__version__} \(the command has 9.9\), numpy"):
        machines.check_versions(expected)


def test_no_cluster_at_the_address_is_one_clear_error():
    with (
        pytest.raises(ConfigError, match=r"no Ray cluster at 127\.0\.0\.1:1: .*refused"),
        engine.start(1, address="127.0.0.1:1"),
    ):
        pass


def test_errors_of_tasks_come_through_whole_and_nothing_is_imported_from_the_current_folder(
    tmp_path, monkeypatch
):
    (tmp_path / "colorsys.py").write_text("raise SystemExit('imported from the current folder')\n")
    monkeypatch.chdir(tmp_path)
    with engine.start(1) as run:
        assert list(run(_imports_colorsys, [0])) == [True]
        with pytest.raises(MediaError, match="bad 1") as caught:
            list(run(fail, [1]))
    assert (caught.value.hint, caught.value.reason) == ("do this", "why")
    assert not ray.is_initialized()


def _imports_colorsys(_):
    import colorsys

    return hasattr(colorsys, "rgb_to_hsv")
