"""``network.trunk`` of recipes: the paper's, or a network of the user's."""

from __future__ import annotations

import pytest

from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.config import (
    BackboneTrunkConfig,
    NetworkConfig,
    TrainImageConfig,
    TrunkConfig,
    load_training,
    with_changes,
)
from fgbench.config.described import as_yaml, keys_of
from fgbench.errors import ConfigError

ON_BACKBONE = "network.trunk=backbone"


def recipe(*changes, name="msau-small"):
    return with_changes(load_training(name, TrainImageConfig), changes)


def test_the_word_stands_for_the_section():
    changed = recipe(ON_BACKBONE)
    assert changed.network.trunk == BackboneTrunkConfig()
    assert changed.network.is_on_backbone
    assert changed.frozen == "trunk"
    packed = load_training("msau-backbone-small", TrainImageConfig)
    assert packed.network == changed.network
    assert (packed.au_recipe, packed.method) == (None, "MSAU-Net, zoom and MAC")
    more = recipe(
        "network.trunk.input.mean=[0.5,0.4,0.3]",
        "network.trunk.architecture.width=0.5",
        name="msau-backbone-small",
    )
    assert more.network.trunk.input.mean == (0.5, 0.4, 0.3)
    assert more.network.trunk.architecture == {"width": 0.5}
    assert NetworkConfig.model_validate(more.network.model_dump(mode="json")) == more.network
    assert NetworkConfig.model_validate(more.network.built()).trunk == more.network.trunk


def test_recipes_of_the_paper_keep_its_trunk():
    assert load_training("msau", TrainImageConfig).network.trunk == TrunkConfig()
    assert not recipe().network.is_on_backbone


def test_a_recipe_on_a_backbone_is_written_with_every_key(tmp_path):
    changed = recipe(ON_BACKBONE, "network.freeze=none", "data.keep_maps=false")
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(changed))
    assert load_training(str(path), TrainImageConfig) == changed
    keys = {key.path: key for key in keys_of(changed)}
    assert keys["network.trunk"].is_section
    assert "network of the user's" in keys["network.trunk"].doc
    assert (keys["network.trunk.kind"].value, keys["network.trunk.input.crop"].default) == (
        "backbone",
        "stored",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["network.trunk=backbon"],
            r"network.trunk = 'backbon': .*expected backbone, or the keys of a trunk",
        ),
        (
            ["network.trunk={kind: backbone, inputs: {}}"],
            "unknown key network.trunk.inputs, did you mean 'input'",
        ),
        (["network.trunk.stam=4"], "unknown key network.trunk.stam, did you mean 'stem'"),
        (["network.trunk.stem=0"], r"network.trunk.stem = 0: .*greater than or equal to 1"),
        (
            ["network.trunk={kind: backbone, input: {crop: wide}}"],
            "input.crop is wide, but the zoom enlarges regions of the stored face",
        ),
        (
            [ON_BACKBONE, "network.freeze=stem"],
            "network.freeze is stem, which network.trunk backbone has not",
        ),
        (
            [ON_BACKBONE, "losses.units=0.5"],
            "losses.units needs the outputs of a detector of action units, which network.trunk backbone",
        ),
        ([ON_BACKBONE, "network.freeze=none"], "keep_maps needs a frozen trunk, but network.freeze is none"),
    ],
)
def test_trunks_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        recipe(*changes)


def test_the_plain_cnn_is_on_no_backbone():
    plain = recipe(ON_BACKBONE, name="plain-cnn-small")
    with pytest.raises(ConfigError, match=r"recipe plain-cnn-small has .*, expected a plain CNN"):
        RECIPE_BASELINES["plain-cnn"].check(plain)
