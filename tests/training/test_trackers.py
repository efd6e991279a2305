"""Trainings report to trackers: settings, every epoch and the scores; what fails there ends none of them."""

import json
from typing import ClassVar

import accelerate.tracking
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ConfigError, DependencyError
from fgbench.methods.action_units import run as au_run
from fgbench.methods.msau import run as image_run
from fgbench.runs.final_scores import final_scores
from fgbench.runs.results import read_result
from fgbench.runs.unit_results import read_au_result
from fgbench.training.history import Epoch
from fgbench.training.tracker_names import TRACKERS, check_trackers
from fgbench.training.trackers import Tracked, flat, tracked
from tests.support.tiny_work import au_recipe, au_rows, context_in, plain_recipe, small_work

TINY = plain_recipe(optimiser={"learning_rate": 0.01, "epochs": 2, "batch": 16})


class Stub(accelerate.tracking.GeneralTracker):
    """A tracker that keeps what it gets, and fails where it is told to."""

    name = "trackio"
    requires_logging_directory = False
    fails_at: str | None = None
    made: ClassVar[list] = []

    def __init__(self, project, **named):
        super().__init__()
        self.project, self.named, self.settings, self.logged, self.is_finished = (
            project,
            named,
            None,
            [],
            False,
        )
        type(self).made.append(self)

    def _reach(self, where):
        if type(self).fails_at == where:
            raise RuntimeError(f"no network at {where}")

    @property
    def tracker(self):
        return self

    def start(self):
        self._reach("start")

    def store_init_configuration(self, values):
        self._reach("settings")
        self.settings = values

    def log(self, values, step=None, **_):
        self._reach("log")
        self.logged.append((step, values))

    def finish(self):
        self._reach("finish")
        self.is_finished = True


@pytest.fixture
def stub(monkeypatch):
    kind = type("Fresh", (Stub,), {"made": [], "fails_at": None})
    monkeypatch.setitem(accelerate.tracking.LOGGER_TYPE_TO_CLASS, "trackio", kind)
    return kind


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("work"))


def train(folder, manifests, *trackers, **changes):
    """Train the tiny network; returns its run and the sentences meanwhile."""
    notes = []
    context = context_in(folder, manifests, trackers=trackers, note=notes.append, **changes)
    (run,) = image_run.run(TINY, context, None)
    return run, notes


def epoch(number=0, **changes):
    usual = {
        "epoch": number,
        "losses": {"loss": 2.0, "fine": 1.5},
        "score": {"score": 0.25, "uar": None},
        "learning_rate": 0.1,
        "seconds": 2.0,
        "images_per_s": 50.0,
    }
    return Epoch(**(usual | changes))


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
class TestOfTrainings:
    def test_a_tracker_gets_settings_epochs_and_scores(self, tmp_path, manifests, stub):
        run, _ = train(tmp_path, manifests, "trackio")
        (tracker,) = stub.made
        assert tracker.project == "fgbench"
        assert tracker.named == {"name": "tiny-cnn/0/0"}
        facts = {"dataset": "made up", "synthetic": True, "seed": 0}
        assert tracker.settings == {**flat(TINY.model_dump(mode="json")), **facts}
        assert tracker.settings["optimiser.epochs"] == 2
        history = json.loads((run / "history.json").read_text())["epochs"]
        assert [step for step, _ in tracker.logged] == [1, 2, 2]
        for one, (_, values) in zip(history, tracker.logged[:2], strict=True):
            assert values["train/loss"] == one["losses"]["loss"]
            assert values["selection/score"] == one["score"]["score"]
            assert values["optimiser/learning_rate"] == one["learning_rate"]
        metrics = read_result(run)["metrics"]
        (_, last) = tracker.logged[2]
        assert last["test/uar"] == metrics["uar"]
        assert last["test/n"] == metrics["n"]
        assert tracker.is_finished

    @pytest.mark.parametrize("where", ["start", "settings", "log", "finish"])
    def test_its_failures_end_no_training_and_change_none(self, tmp_path, manifests, stub, where):
        plain, _ = train(tmp_path / "plain", manifests)
        stub.fails_at = where
        run, notes = train(tmp_path / "failing", manifests, "trackio")
        told = [line for line in notes if "tracker trackio" in line]
        assert len(told) == 1
        assert f"RuntimeError: no network at {where}" in told[0]
        weights = [(folder / "weights.safetensors").read_bytes() for folder in (plain, run)]
        assert weights[0] == weights[1]
        assert (run / "predictions.parquet").read_bytes() == (plain / "predictions.parquet").read_bytes()

    def test_mlflow_keeps_a_run_in_a_local_store(self, tmp_path, manifests, monkeypatch):
        mlflow = pytest.importorskip("mlflow", reason="make test installs mlflow-skinny")
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", None)
        store = (tmp_path / "store").as_uri()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
        run, notes = train(tmp_path, manifests, "mlflow")
        assert not [line for line in notes if "mlflow" in line]
        client = mlflow.MlflowClient(store)
        (experiment,) = client.search_experiments(filter_string="name = 'fgbench'")
        (kept,) = client.search_runs([experiment.experiment_id])
        assert kept.info.status == "FINISHED"
        assert kept.info.run_name == "tiny-cnn/0/0"
        assert kept.data.params["optimiser.epochs"] == "2"
        assert kept.data.metrics["test/uar"] == pytest.approx(read_result(run)["metrics"]["uar"])
        losses = client.get_metric_history(kept.info.run_id, "train/loss")
        assert [one.step for one in losses] == [1, 2]

    def test_a_run_of_action_units_tells_its_scores(self, tmp_path, manifests, stub):
        context = context_in(tmp_path, manifests, trackers=("trackio",))
        (run,) = au_run.run(au_recipe(), context, au_rows(manifests))
        (tracker,) = stub.made
        (_, last) = tracker.logged[-1]
        result = read_au_result(run)
        assert last["test/mean_f1"] == result["mean_f1"]
        assert {name for name in last if name.startswith("test/f1/")} == {
            f"test/f1/{unit['name']}" for unit in result["units"] if unit["f1"] is not None
        }
        assert final_scores(run)["mean_f1"] == result["mean_f1"]


@pytest.mark.slow
def test_wandb_keeps_a_run_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="make test installs wandb")
    for name, value in {"MODE": "offline", "SILENT": "true", "DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    for name in ("CACHE_DIR", "CONFIG_DIR", "DATA_DIR"):
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    accelerate.PartialState(cpu=True)
    notes = []
    settings = {"optimiser": {"epochs": 3}}
    with tracked(["wandb"], settings, run="msau/0/0", facts={}, note=notes.append) as reported:
        reported.epoch(epoch())
        reported.scores({"uar": 0.5}, epochs=2)  # a later step: it closes the first
        assert wandb.run.offline
        assert (wandb.run.project, wandb.run.name) == ("fgbench", "msau/0/0")
        assert dict(wandb.run.config) == {"optimiser.epochs": 3}
        assert wandb.run.summary["train/loss"] == 2.0
        assert wandb.run.summary["selection/score"] == 0.25
    assert notes == []
    assert wandb.run is None
    (kept,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    assert kept.stat().st_size > 0


def test_epochs_come_in_order(stub):
    with tracked(["trackio"], {"a": 1}, run="r", facts={}, note=print) as reported:
        for number in range(3):
            reported.epoch(epoch(number))
    (tracker,) = stub.made
    assert [step for step, _ in tracker.logged] == [1, 2, 3]


def test_what_is_no_finite_number_is_left_out(stub):
    with tracked(["trackio"], {}, run="r", facts={}, note=print) as reported:
        reported.epoch(epoch(losses={"loss": float("nan"), "fine": 1.0}))
        reported.scores({"uar": 0.5, "classes": [], "name": "x", "none": None, "is": True}, epochs=4)
    (tracker,) = stub.made
    assert set(tracker.logged[0][1]) == {
        "train/fine",
        "selection/score",
        "optimiser/learning_rate",
        "train/images_per_s",
    }
    assert tracker.logged[1] == (4, {"test/uar": 0.5})


def test_one_that_fails_leaves_the_others(stub, monkeypatch):
    failing = type("Failing", (Stub,), {"made": [], "fails_at": "log"})
    monkeypatch.setitem(accelerate.tracking.LOGGER_TYPE_TO_CLASS, "wandb", failing)
    notes = []
    with tracked(["wandb", "trackio"], {}, run="r", facts={}, note=notes.append) as reported:
        assert reported.names == ("wandb", "trackio")
        reported.epoch(epoch())
        assert reported.names == ("trackio",)
        reported.epoch(epoch(1))
    assert len(stub.made[0].logged) == 2
    assert len(notes) == 1


def test_what_a_tracker_prints_is_not_among_the_results(stub, monkeypatch, capsys):
    """Trackio tells where it is on the output, which ``--json`` has for the result alone."""
    monkeypatch.setattr(stub, "_reach", lambda _, where: print(f"* at {where}"))
    with tracked(["trackio"], {}, run="r", facts={}, note=print) as reported:
        reported.epoch(epoch())
        print("result")
    shown = capsys.readouterr()
    assert shown.out == "result\n"
    assert shown.err.split("* at ")[1:] == ["start\n", "settings\n", "log\n", "finish\n"]


def test_an_error_of_the_training_ends_the_trackers_run(stub):
    with pytest.raises(KeyboardInterrupt), tracked(["trackio"], {}, run="r", facts={}, note=print):
        raise KeyboardInterrupt
    assert stub.made[0].is_finished


def test_without_any_nothing_is_asked():
    Tracked({}, print).epoch(epoch())
    with tracked(["tensorboard"], {}, run="r", facts={}, note=print) as reported:
        assert reported.names == ()


def test_paths_among_settings_name_no_user():
    settings = {
        "a": {"weights": "/home/jo/net.pt", "other": "C:\\Users\\jo\\net.pt", "near": "nets/net.pt"},
        "b": ["~jo/one.pt", 2, None],
        "c": True,
    }
    assert flat(settings) == {
        "a.weights": "net.pt",
        "a.other": "net.pt",
        "a.near": "nets/net.pt",
        "b": "one.pt, 2, None",
        "c": True,
    }


def test_names_are_checked_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "trackio" else object())
    assert check_trackers(["wandb", "mlflow", "wandb"]) == ("wandb", "mlflow")
    with pytest.raises(ConfigError, match="unknown tracker 'wandbb'") as wrong:
        check_trackers(["wandbb"])
    assert "did you mean 'wandb'?" in wrong.value.hint
    with pytest.raises(DependencyError, match="package that is not installed") as absent:
        check_trackers(["trackio"])
    assert "pip install trackio" in absent.value.hint


def test_the_command_refuses_an_unknown_one(tmp_path):
    words = ["train", "au", "--workdir", str(tmp_path), "--device", "cpu", "--tracker", "wandbb"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 3
    assert "did you mean 'wandb'?" in done.output
    assert list(tmp_path.iterdir()) == []


def test_each_is_one_of_accelerate():
    assert set(TRACKERS) <= set(accelerate.tracking.LOGGER_TYPE_TO_CLASS)
