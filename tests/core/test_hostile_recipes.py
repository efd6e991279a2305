"""Recipes that are odd, damaged or bombs: one short error each, at once."""

import os

import pytest
from pydantic import TypeAdapter

from fgbench import config, plugins
from fgbench.config.strict_yaml import MAX_BYTES
from fgbench.errors import ConfigError
from fgbench.files import regular_files

LAUGHS = "\n".join(
    [
        "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
        "name: *a8",
    ]
)


def refused(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        config.parse_prepare(text, "r.yaml")
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    "value", ["true", "010", "1:30", "1_0", "3.0", "'3'", "2001-01-01", "2001-99-99", "0x10"]
)
def test_what_is_no_plain_whole_number_is_none(value):
    refused(f"name: x\nbuckets: {value}", "buckets = .*valid integer")


@pytest.mark.parametrize("value", ["'0.5'", "true", ".inf", "-.inf", ".nan", "1e999"])
def test_what_is_no_finite_number_is_none(value):
    refused(f"name: x\nsplit: {{train: {value}}}", r"split\.train = ")


@pytest.mark.parametrize("value", ["1", "on", "'true'"])
def test_what_is_no_switch_is_none(value):
    refused(f"name: x\nlbp: {{enabled: {value}}}", r"lbp\.enabled = .*boolean")


def test_numbers_are_read_as_they_look():
    recipe = config.parse_prepare("name: '010'\nsplit: {train: 1e2, val: 3, test: .5e1}", "r.yaml")
    assert (recipe.name, recipe.split.train, recipe.split.val, recipe.split.test) == ("010", 100.0, 3.0, 5.0)
    assert config.parse_prepare("name: 010", "r.yaml").name == "010"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nbuckets: 3\nbuckets: 4", "the key 'buckets' is given twice"),
        ("name: x\nsplit: {seed: 1, 'seed': 2}", "the key 'seed' is given twice"),
        ('name: "\\ud800"', "surrogate"),
        ('name: x\n"\\udc00": 1', "surrogate"),
        (f"name: x\nbuckets: {'9' * 5000}", "a number has 5000 characters"),
        (f"name: x\nbuckets: !!int {'9' * 5000}", "a number has 5000 characters"),
        ("name: x\nbuckets: !!int 0x10", "not of the kind int"),
        ("name: !!timestamp 2001-99-99", "could not determine a constructor"),
        ("name: !!map x", "expected a mapping"),
        ("name: " + "[" * 2000, "nested more than"),
        ("- " * 3000 + "x", "nested more than"),
        ("name: &a [*a]", "an alias stands inside"),
        (LAUGHS, "its aliases stand for more than"),
        ("\n".join(f"key{number}: 1" for number in range(20_000)), "more than 5000 keys"),
        ("\n".join(f"key{number}: 1" for number in range(2_000)), "unknown key key0.*; and 1996 more"),
        (f"name: x\n? {'k' * 100_000}\n: 1", "unknown key kkkk"),
        (f"name: x\nbuckets: {'k' * 100_000}", "buckets = 'kkk"),
        ("? [a, b]\n: 1", "a key is a list"),
    ],
    ids=range(18),
)
def test_bombs_and_traps_are_refused_in_a_few_words(text, message):
    refused(text, message)


def load(path):
    return config.load_prepare(str(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("name: x".encode("utf-16"), "is not UTF-8"),
        ("name: é".encode("latin-1"), "is not UTF-8: .* at byte 6"),
        (b"#" * (MAX_BYTES + 1), "more than 262,144 bytes"),
        (b"name: \x07", "not valid YAML"),
    ],
)
def test_files_that_are_no_recipes_are_refused(tmp_path, data, message):
    path = tmp_path / "r.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        load(path)


def test_pipes_devices_and_names_that_cannot_be_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(ConfigError, match=r"is a (device|pipe), expected a file"):
            load(tmp_path / f"{name}.yaml")
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(ConfigError, match="no recipe file"):
            load(tmp_path / f"{name}.yaml")
    with pytest.raises(ConfigError, match="unknown recipe"):
        config.load_prepare("x" * 5000)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "r.yaml").write_text("name: r", encoding="utf-8")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(regular_files.os, "open", denied)
    with pytest.raises(ConfigError, match=r"cannot read .*Permission denied"):
        load(tmp_path / "r.yaml")


def test_long_chains_and_long_names_of_what_is_extended_are_refused(tmp_path):
    for number in range(1200):
        text = f"name: r{number}\nextends: r{number + 1}"
        (tmp_path / f"r{number}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="more than 16 times"):
        load(tmp_path / "r0.yaml")
    (tmp_path / "long.yaml").write_text(f"name: x\nextends: {'x' * 300}", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected the name of a recipe"):
        load(tmp_path / "long.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "sample: {before: 1000000000}",
        "sample: {step: 1000000000}",
        "sample: {video_frames: 1000000000}",
        "augment: {copies: 100000000}",
        "augment: {train: 1000000000}",
    ],
)
def test_numbers_without_end_are_refused(text):
    refused(f"name: x\n{text}", "less than or equal to")


def test_a_grid_finer_than_the_face_is_refused_before_faces_are_sought():
    refused("name: x\nfaces: {chip_size: 32}\nlbp: {rows: 33}", "take fewer cells")
    assert config.parse_prepare("name: x\nfaces: {chip_size: 32}\nlbp: {rows: 33, enabled: false}", "r.yaml")


def models():
    actual = {value for value in vars(config).values() if isinstance(value, type)}
    actual |= {getattr(plugins.load("methods", name), "RECIPE", None) for name in plugins.names("methods")}
    return sorted((model for model in actual - {None} if issubclass(model, config.Section)), key=str)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_number_of_a_recipe_is_bounded_and_every_list_too(model):
    unbounded = []

    def walk(schema, position):
        if schema.get("type") in ("integer", "number") and "enum" not in schema:
            low, high = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
            if not (low & schema.keys() and high & schema.keys()):
                unbounded.append(position)
        if (
            schema.get("type") == "array"
            and "maxItems" not in schema
            and "enum" not in schema.get("items", {})
        ):
            unbounded.append(position)
        for name, inner in schema.items():
            if isinstance(inner, dict):
                walk(inner, f"{position}.{name}")
            elif isinstance(inner, list):
                for item in inner:
                    if isinstance(item, dict):
                        walk(item, f"{position}.{name}")

    walk(TypeAdapter(model).json_schema(), model.__name__)
    assert not unbounded
    assert model.model_config["allow_inf_nan"] is False
