"""Recipes shown with every key: what is printed is the recipe itself, and every key is documented."""

import pytest
from pydantic import BaseModel

from fgbench.catalogue.recipes import data_set_of, read_recipe, recipe_card, recipe_cards
from fgbench.config import PrepareConfig, TrainImageConfig, load_prepare, recipe_names
from fgbench.config.described import NO_DEFAULT, as_yaml, in_yaml, keys_of
from fgbench.config.reading import _parse
from fgbench.config.strict_yaml import read_yaml
from fgbench.errors import ConfigError

CARDS = {card.name: card for card in recipe_cards()}
FIRST = {card.command: name for name, card in reversed(CARDS.items())}.values()
"""A recipe of each command; the quick tests read no others."""

EACH = [name if name in FIRST else pytest.param(name, marks=pytest.mark.slow) for name in CARDS]


def test_every_packed_recipe_is_listed_once_with_its_command():
    packed = [name for kind in ("prepare", "train", "baseline") for name in recipe_names(kind)]
    assert len(packed) == len(set(packed)), "a name is of one recipe"
    assert set(packed) == {card.name for card in recipe_cards() if card.is_packed}
    assert CARDS["msau-joint-small"].command == "train msau"
    assert CARDS["nan-original"].command == "baseline nan"
    assert CARDS["ck-plus"].command == "prepare"
    assert CARDS["ck-plus"].usage == "prepare ck-plus --data-root FOLDER"


@pytest.mark.parametrize("name", EACH)
def test_what_is_shown_of_a_recipe_is_read_as_that_recipe(name):
    card = CARDS[name]
    config = read_recipe(card)
    again = _parse(as_yaml(config, card.header), "shown", type(config))
    assert again == config
    assert again.name == name


@pytest.mark.parametrize("name", EACH)
def test_every_key_of_a_recipe_is_shown_once_and_documented(name):
    def paths(model, above=""):
        for key, value in model:
            yield f"{above}{key}"
            if isinstance(value, BaseModel):
                yield from paths(value, f"{above}{key}.")

    config = read_recipe(CARDS[name])
    keys = keys_of(config)
    assert [key.path for key in keys] == list(paths(config))
    assert [key.path for key in keys if not key.doc.strip()] == []
    assert [key.path for key in keys if key.takes == "a value"] == []


def test_bounds_defaults_and_documentation_are_those_of_the_fields():
    keys = {key.path: key for key in keys_of(read_recipe(CARDS["msau-small"]))}
    dropout = keys["network.dropout"]
    assert dropout.takes == "a number from 0 to below 1"
    assert dropout.default == 0.5
    assert keys["network.trunk.input_px"].takes == "one of 224, 112"
    assert (keys["network.trunk.input_px"].value, keys["network.trunk.input_px"].default) == (112, 224)
    assert keys["network.fc_hidden"].takes == "null or a whole number from 1 to 65,536"
    assert keys["method"].default is NO_DEFAULT
    assert keys["network"].is_section
    assert "ablations" in keys["network"].doc
    video = {key.path: key for key in keys_of(read_recipe(CARDS["tmsau"]))}
    assert video["flow.dropout"].default == 0.7  # of the section in that place, not of its class


def test_a_section_with_other_values_in_a_recipe_keeps_the_defaults_of_its_fields():
    keys = {key.path: key for key in keys_of(load_prepare("demo"))}
    assert (keys["split.train"].value, keys["split.train"].default) == (3.0, 825.0)


def test_text_of_a_recipe_has_comments_before_each_key():
    text = as_yaml(PrepareConfig(name="x"), "One line.\n\nAnother.")
    assert text.startswith(
        "# One line.\n#\n# Another.\n\n# Name of the recipe.\n# Takes text; has to be given.\nname: x\n"
    )
    assert "# Takes a number from 0 to 1; default 0.5.\nmax_reject_rate: 0.5\n" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize(
    "value",
    [
        1e-4,
        1e-12,
        5e8,
        1.0,
        0.1,
        3,
        True,
        None,
        "no",
        "True",
        "null",
        "1:30",
        "a: b",
        "é # x",
        "",
        "x-1",
        "#a",
    ],
)
def test_values_are_read_as_they_are_written(value):
    assert read_yaml(f"key: {in_yaml(value)}\nlist: {in_yaml([value, {'a': value}])}") == {
        "key": value,
        "list": [value, {"a": value}],
    }


def test_a_baseline_without_a_packed_recipe_is_shown_by_its_defaults(tmp_path, monkeypatch):
    import fgbench.methods

    (tmp_path / "my_mine.py").write_text(
        '"""Baseline ``my-mine``: guesses."""\n'
        "from fgbench.config import BaselineConfig\n\n\n"
        "class RECIPE(BaselineConfig):\n"
        '    """Settings."""\n\n'
        "    strength: float = 1.5\n"
        '    """How hard."""\n'
    )
    monkeypatch.setattr(fgbench.methods, "__path__", [*fgbench.methods.__path__, str(tmp_path)])
    card = recipe_card("my-mine")
    keys = {key.path: key for key in keys_of(read_recipe(card))}
    assert (keys["strength"].value, keys["strength"].doc) == (1.5, "How hard.")
    assert keys["name"].value == "my-mine"


def test_data_sets_of_recipes():
    assert data_set_of(load_prepare("ck-plus-48")).startswith("CK+")
    assert data_set_of(read_recipe(CARDS["msau"])) == ""
    assert isinstance(read_recipe(CARDS["plain-cnn"]), TrainImageConfig)


def test_an_unknown_recipe_names_the_nearest():
    assert recipe_card("ck_plus").name == "ck-plus"
    with pytest.raises(ConfigError) as caught:
        recipe_card("msau-smal")
    assert "did you mean 'msau-small'?" in caught.value.hint
