"""A finished run does not give way to one of the same name with other settings."""

import pytest
import yaml

from fgbench.errors import ConfigError, ManifestError
from fgbench.runs.digests import digests_of
from fgbench.runs.settings import read_settings, refuse_other_settings

SETTINGS = {"name": "mine", "optimiser": {"epochs": 2, "rate": 1e-5}, "c_values": [1.0, 10.0], "data": {}}


@pytest.fixture
def run(tmp_path):
    """Folder and result of a finished run, as far as its settings go."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    return tmp_path, digests_of(tmp_path)


def test_equal_settings_are_let_pass(run):
    refuse_other_settings(*run, {**SETTINGS, "optimiser": {"rate": 0.00001, "epochs": 2.0}})


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"optimiser": {"epochs": 3, "rate": 1e-5}}, "optimiser.epochs (2 there, 3 here)"),
        ({"c_values": [1.0]}, "c_values ([1.0, 10.0] there, [1.0] here)"),
        ({"extra": None}, "extra (absent there, None here)"),
        ({"data": {"copies": True}}, "data ({} there, absent here), data.copies (absent there, True here)"),
        ({"name": "x" * 60}, f"name (mine there, {'x' * 40}... here)"),
    ],
)
def test_other_ones_are_refused_by_their_keys(run, changes, key):
    with pytest.raises(ConfigError) as caught:
        refuse_other_settings(*run, {**SETTINGS, **changes}, command="fgbench train au")
    assert caught.value.message == (f"{run[0]} is finished, with other settings: {key}; nothing was changed")
    assert "another name to keep both (--set name=NAME" in caught.value.hint
    assert "fgbench train au --force" in caught.value.hint


@pytest.mark.parametrize("damage", [b"name: other\n", None])
def test_damaged_settings_are_told(run, damage):
    path = run[0] / "config.yaml"
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(ManifestError, match=r"config\.yaml"):
        read_settings(*run)


def test_a_run_from_before_a_key_was_added_has_the_value_it_was_made_by(run):
    refuse_other_settings(*run, {**SETTINGS, "losses": {"target": "hard"}})
    with pytest.raises(ConfigError, match=r"losses.target \(hard there, soft here\)"):
        refuse_other_settings(*run, {**SETTINGS, "losses": {"target": "soft"}})
