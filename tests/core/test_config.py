"""Recipes."""

import ast
from pathlib import Path

import pytest
import yaml

import fgbench
from fgbench import config
from fgbench.errors import ConfigError
from fgbench.preparation.pipeline import FEATURES, ORDER
from fgbench.resources import resource


@pytest.mark.parametrize("name", config.recipe_names())
def test_every_packed_recipe_loads_and_bears_its_name(name):
    recipe = config.load_prepare(name)
    assert recipe.name == name
    assert recipe.description


@pytest.mark.parametrize("name", config.recipe_names())
def test_every_packed_recipe_tells_its_command(name):
    head = resource("pipelines", "prepare", f"{name}.yaml").read_text(encoding="utf-8").split("name:")[0]
    assert "# Command: fgbench prepare" in head


def test_fg_emotions_holds_the_papers_counts():
    recipe = config.load_prepare("fg-emotions")
    assert (recipe.split.train, recipe.split.val, recipe.split.test) == (825, 275, 391)
    assert (recipe.augment.train, recipe.augment.val, recipe.augment.test) == (12826, 2580, 2055)
    assert recipe.split.assign == "exact"
    assert recipe.augment.balance == "total"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nsplt: {}", "unknown key splt, did you mean 'split'"),
        ("name: x\nsplit: {trian: 3}", r"unknown key split\.trian, did you mean 'train'"),
        ("name: x\nfaces: {align: on}", r"faces\.align = 'on': .*'always', 'never' or 'where-found'"),
        ("name: x\nlbp: {radius_px: 2.0}", r"unknown key lbp\.radius_px, did you mean 'radius'"),
        ("name: x\nlbp: {radius: 2.0}", r"lbp\.radius = 2\.0"),
        ("buckets: 3", "key name is missing"),
        ("name: x\nbuckets: 0", "buckets = 0"),
        ("name: x\nfaces: {policy: best}", r"faces\.policy = 'best'"),
        ("name: x\nsplit: {train: 0, val: 0, test: 0}", "at least one has to be positive"),
        ("- a\n- b", "holds list, expected keys and values"),
        ("name: [", "not valid YAML"),
        ("name: !!python/object/apply:os.system [echo]", "not valid YAML"),
    ],
)
def test_bad_recipes_are_explained(text, message):
    with pytest.raises(ConfigError, match=message):
        config.parse_prepare(text, "r.yaml")


@pytest.mark.parametrize(
    ("expected", "meant"),
    [("true", "always"), ("false", "never"), ("never", "never"), ("where-found", "where-found")],
)
def test_switches_of_older_recipes_are_read_as_words(expected, meant):
    assert config.parse_prepare(f"name: x\nfaces: {{align: {expected}}}", "r.yaml").faces.align == meant


@pytest.mark.parametrize(
    "name",
    [
        *("fer2013", "fer-plus", "fer2013-folders", "affectnet-arrays", "affectnet-arrays-7", "ck-plus-48"),
        *("raf-db", "raf-db-compound", "sfew-aligned", "dfew", "dfew-16f", "ferv39k"),
    ],
)
def test_recipes_of_cropped_sets_align_where_a_face_is_found(name):
    assert config.load_prepare(name).faces.align == "where-found"


def test_unknown_recipe_names_the_nearest():
    with pytest.raises(ConfigError, match=r"did you mean 'fg-emotions'"):
        config.load_prepare("fg-emotion")


def test_recipe_file_of_the_users(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "sample": {"before": 1}}), encoding="utf-8")
    assert config.load_prepare(str(path)).sample.before == 1
    with pytest.raises(ConfigError, match="no recipe file"):
        config.load_prepare(str(tmp_path / "other.yaml"))


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        config.load_prepare("demo").sample.before = 9  # type: ignore[misc]


@pytest.mark.parametrize("stage", ORDER)
def test_every_field_of_a_section_is_read_by_its_stage_and_the_reverse(stage):
    """Fields that are declared but not read are dead; the fingerprint would change for nothing."""
    declared = set(config.PrepareConfig.model_fields[stage].annotation.model_fields)
    root = Path(fgbench.__file__).parent
    files = [root / "preparation" / "stages" / f"{stage}.py"]
    if stage == "consensus":
        files.append(root / "preparation" / "stages" / "_model_choices.py")  # it is given the whole section
    if stage == "faces":
        files += (root / "faces").glob("*.py")  # they are given the whole section
    if stage == "lbp":
        files.append(root / "features" / "lbp.py")  # likewise
    read = set().union(*(_fields_read(path) for path in files)) & (declared | _fields_read(files[0]))
    if stage == "split":
        read |= {"train", "val", "test"}  # read as getattr(config, part) for the parts
    if stage == "consensus":
        read.add("annotators")  # read when the data set is listed
    if stage in FEATURES:
        assert "enabled" in read
    if stage == "augment":
        read |= {"train", "val", "test"}
    assert read == declared


def _fields_read(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", ""))
        in ("config", "options", "_options")
    }


def _recipes(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_a_recipe_takes_over_what_it_extends(tmp_path):
    _recipes(
        tmp_path,
        base="name: base\nsplit: {train: 5, val: 2}\nbuckets: 7",
        middle="extends: base\nname: middle\nsplit: {train: 9}",
        leaf="extends: middle\nname: leaf\nsample: {before: 1}",
    )
    recipe = config.load_prepare(str(tmp_path / "leaf.yaml"))
    assert (recipe.name, recipe.split.train, recipe.split.val, recipe.buckets) == ("leaf", 9, 2, 7)
    assert recipe.sample.before == 1


def test_a_recipe_of_ones_own_extends_a_packed_one_unless_there_is_one_beside_it(tmp_path):
    _recipes(tmp_path, mine="extends: sfew-aligned\nname: mine\nfaces: {align: always}")
    packed = config.load_prepare("sfew-aligned")
    mine = config.load_prepare(str(tmp_path / "mine.yaml"))
    assert mine.dataset == packed.dataset
    assert mine.protocol.label == packed.protocol.label == "SFEW 2.0 aligned faces tested on official Val"
    assert (mine.name, mine.faces.align, packed.faces.align) == ("mine", "always", "where-found")
    _recipes(tmp_path, quick="extends: lbp-svm\nc_values: [1.0]")
    assert config.load_baseline(
        "lbp-svm", config.LbpSvmConfig, str(tmp_path / "quick.yaml")
    ).gamma_factors == (0.3, 1.0, 3.0)
    _recipes(tmp_path, **{"sfew-aligned": "name: beside\nbuckets: 7"})
    assert config.load_prepare(str(tmp_path / "mine.yaml")).buckets == 7


@pytest.mark.parametrize(("parent", "folds"), [("jaffe", 5), ("mmi", 10), ("dfew", 5)])
def test_a_label_may_not_tell_of_other_folds(tmp_path, parent, folds):
    _recipes(
        tmp_path,
        same=f"extends: {parent}\nprotocol: {{folds: {folds}}}",
        other=f"extends: {parent}\nprotocol: {{folds: 3}}",
        expected=f"extends: {parent}\nprotocol: {{folds: 3, label: 3-fold by subject}}",
    )
    assert config.load_prepare(str(tmp_path / "same.yaml")).protocol.folds == folds
    assert config.load_prepare(str(tmp_path / "expected.yaml")).protocol.label == "3-fold by subject"
    if parent == "jaffe":  # its label has no number
        assert config.load_prepare(str(tmp_path / "other.yaml")).protocol.folds == 3
        return
    with pytest.raises(ConfigError, match=r"protocol = .*label .* is not of 3 folds; give it a label"):
        config.load_prepare(str(tmp_path / "other.yaml"))


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("nothing", "there is no(.|\n)*sfew-aligned"),
        ("[a]", "expected the name of a recipe"),
        ("../other/base", "there is no"),
        ("r", "extends it in turn"),
        ("circle", "extends it in turn"),
    ],
)
def test_what_cannot_be_extended_is_explained(tmp_path, parent, message):
    (tmp_path / "here").mkdir()
    (tmp_path / "other").mkdir()
    _recipes(tmp_path / "other", base="name: base")
    _recipes(tmp_path / "here", r=f"name: r\nextends: {parent}", circle="name: circle\nextends: r")
    with pytest.raises(ConfigError, match=message):
        config.load_prepare(str(tmp_path / "here" / "r.yaml"))


def test_packed_training_recipes_load_bear_their_names_and_tell_their_commands():
    models = {"au": config.TrainAuConfig}
    for name in config.recipe_names("train"):
        model = models.get(name.removesuffix("-small").removesuffix("-tuned"), config.TrainImageConfig)
        if name.startswith(("tmsau", "nan", "plain-tsnet")):
            model = config.TrainClipConfig
        recipe = config.load_training(name, model)
        assert recipe.name == name
        assert recipe.description
        head = resource("pipelines", "train", f"{name}.yaml").read_text(encoding="utf-8").split("name:")[0]
        assert "# Command: fgbench" in head


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spatial: null\ntemporal: null", "spatial and temporal are both null"),
        ("image_recipe: null", "looks at frames through an image model"),
        ("spatial: rgb", "looks at frames through an image model"),
        ("losses: {fine: 0, basic: 0}", "fine and basic are both 0"),
        ("flow: {lenght: 5}", "unknown key flow.lenght, did you mean 'length'"),
        ("fusion_weight: 1.5", "fusion_weight = 1.5"),
        ("temporal: lstm", "temporal = 'lstm'"),
    ],
)
def test_recipes_of_clips_that_cannot_be(tmp_path, text, message):
    path = tmp_path / "r.yaml"
    keys = {"name": "r", "method": "x", "image_recipe": "msau"}
    keys |= yaml.safe_load(text)
    path.write_text(yaml.safe_dump(keys), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        config.load_training(str(path), config.TrainClipConfig)


def test_a_ranking_loss_needs_two_scales(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("name: r\nmethod: x\nnetwork: {zooms: 0}", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs a second scale"):
        config.load_training(str(path), config.TrainImageConfig)
