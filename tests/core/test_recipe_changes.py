"""``--set section.field=value``: settings of a recipe changed on the spot, typed and checked."""

import json

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import (
    LbpSvmConfig,
    TrainImageConfig,
    load_baseline,
    load_prepare,
    load_training,
    with_changes,
)
from fgbench.errors import ConfigError
from fgbench.methods.steps.baselines import read_baseline
from tests.support.clip_folders import write_folder

MSAU = load_training("msau-small", TrainImageConfig)


def test_named_settings_change_and_no_other():
    changed = with_changes(
        MSAU, ["optimiser.epochs=3", "network.trunk.widths=[8, 16, 32, 64]", "tuned_on_test=true"]
    )
    assert changed.optimiser.epochs == 3
    assert changed.network.trunk.widths == (8, 16, 32, 64)
    assert changed.tuned_on_test is True
    plain, before = changed.model_dump(), MSAU.model_dump()
    plain["optimiser"]["epochs"] = before["optimiser"]["epochs"]
    plain["network"]["trunk"]["widths"] = before["network"]["trunk"]["widths"]
    plain["tuned_on_test"] = before["tuned_on_test"]
    assert plain == before
    assert with_changes(MSAU, []) is MSAU


def test_later_changes_hold_and_values_may_hold_equal_signs():
    assert with_changes(MSAU, ["optimiser.epochs=3", "optimiser.epochs=4"]).optimiser.epochs == 4
    assert with_changes(MSAU, ["description=a=b"]).description == "a=b"
    assert with_changes(MSAU, [" data.flip = false"]).data.flip is False


@pytest.mark.parametrize("name", ["demo", "fer2013", "fg-emotions", "folder"])
def test_a_recipe_survives_what_it_has_already(name):
    config = load_prepare(name)
    assert with_changes(config, [f"max_worker_gb={config.max_worker_gb}"]) == config


def test_baselines_take_changes_too():
    assert read_baseline("lbp-svm", None, ["name=mine"]).config.name == "mine"
    config = load_baseline("lbp-svm", LbpSvmConfig)
    assert read_baseline("lbp-svm").config == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimiser.epohcs=3", r"unknown key optimiser.epohcs, did you mean 'epochs'\?"),
        ("optimiser.epochs=three", "optimiser.epochs = 'three'"),
        ('optimiser.epochs="3"', "optimiser.epochs = '3'"),
        ("optimiser.epochs=-1", "optimiser.epochs = -1"),
        ("optimiser.epochs", "setting 'optimiser.epochs', expected section.field=value"),
        ("=3", "setting '=3', expected section.field=value"),
        ("optimiser..epochs=3", "expected section.field=value"),
        ("optimiser.epochs.most=3", "setting optimiser.epochs.most: epochs is no section"),
        ("optimiser.epochs=[3", "has a value that is not YAML"),
        ("optimizer={}", r"unknown key optimizer, did you mean 'optimiser'\?"),
    ],
)
def test_what_is_wrong_is_one_clear_error(change, message):
    with pytest.raises(ConfigError, match=message):
        with_changes(MSAU, [change])


@pytest.mark.parametrize("change", ["optimiser.epohcs=3", "optimiser.epochs=three"])
def test_the_advice_is_of_the_setting_and_not_of_a_file_that_nobody_wrote(change):
    with pytest.raises(ConfigError) as told:
        with_changes(MSAU, [change])
    assert told.value.hint == ("correct the setting; fgbench recipes NAME lists all keys with what they take")


@pytest.mark.parametrize(
    "command",
    [["train", "msau"], ["train", "tmsau"], ["train", "au"], ["baseline", "plain-cnn"], ["prepare"]],
)
def test_commands_refuse_before_anything_is_made(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*command, "--set", "nonsense.key=1"])
    assert done.exit_code == 3
    assert "unknown key nonsense" in done.output
    assert not list(tmp_path.iterdir())


def test_prepare_keeps_the_changed_recipe(tmp_path):
    root = write_folder(tmp_path / "clips", 3)
    words = ["prepare", "--data-root", str(root), "--workdir", str(tmp_path / "work"), "--jobs", "1"]
    done = CliRunner().invoke(app, [*words, "--set", "lbp.rows=3", "--set", "faces.align=never"])
    recipe = json.loads((tmp_path / "work" / "prepare.json").read_text())["recipe"]
    assert (recipe["lbp"]["rows"], recipe["faces"]["align"]) == (3, "never"), done.output


def test_a_section_that_is_none_lists_those_there_are():
    with pytest.raises(ConfigError, match=r"unknown key training, expected one of .*losses, .*optimiser"):
        with_changes(MSAU, ["training.epochs=1"])
