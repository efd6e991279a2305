"""The structure of the code and of its tests: import layers, plugins' contracts, names, options, helpers."""

import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

import fgbench
from fgbench import plugins
from fgbench.catalogue.listing import recipes_by_adapter
from fgbench.cli import baseline
from fgbench.cli.app import app
from fgbench.config import Section
from fgbench.contracts import check
from fgbench.preparation import pipeline
from fgbench.resources import resource
from fgbench.taxonomy import FOUND, ontology_names

ROOT = Path(fgbench.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
TESTS = Path(__file__).parent
FROZEN = TESTS / "cli" / "commands.txt"
TEST_FILES = sorted(TESTS.rglob("*.py"))
TEST_MODULES = {path.stem for path in TEST_FILES if path.stem.startswith("test_")}


@functools.cache
def _tree(path):
    """Syntax tree of a file, which several questions share."""
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(path):
    return str(path.relative_to(ROOT))


def test_imports_go_one_way():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(  # in a process of its own: it turns off the loggers that are there
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


MAY_IMPORT = {
    "fgbench.api": "the work that commands have done",
    "fgbench.cli": "the commands themselves",
    "fgbench.errors": "errors become messages and exit codes",
    "fgbench.provenance": "the line that was typed, which the ledger keeps",
    "fgbench.printable": "what is printed is made safe for terminals",
    "fgbench.callbacks": "type of the functions that hear of progress",
    "fgbench.workfolders.default_folders": "defaults of options, declared before anything is imported",
}
"""What modules of the command line may import of fgbench, and why."""


def _imported(path):
    """Modules of fgbench that a file imports, also late and for types alone."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "fgbench")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fgbench":
            is_package = (ROOT.parent / node.module.replace(".", "/")).is_dir()
            yield from (f"{node.module}.{name.name}" if is_package else node.module for name in node.names)


def _is_allowed(module):
    return module == "fgbench.__version__" or any(
        module == name or module.startswith(f"{name}.") for name in MAY_IMPORT
    )


@pytest.mark.parametrize("path", sorted((ROOT / "cli").glob("*.py")), ids=lambda path: path.stem)
def test_commands_have_their_work_done_by_the_public_interface(path):
    """They parse what is typed, call ``fgbench.api``, and print what it returns."""
    others = sorted({module for module in _imported(path) if not _is_allowed(module)})
    assert others == []


CLUSTERS = {("engines", "ray"), ("engines", "slurm")}
"""Plugins that start processes for as long as a test of the quick ones may not take."""

OWN = [
    pytest.param(kind, name, marks=[pytest.mark.slow, pytest.mark.chain] if (kind, name) in CLUSTERS else [])
    for kind in plugins.PACKAGES
    for name in plugins.own_names(kind)
]


@pytest.mark.parametrize(("kind", "name"), OWN, ids=lambda text: text)
def test_plugins_keep_their_contracts(kind, name):
    """The same that ``fgbench check-plugin`` asks of those of other packages."""
    assert check(kind, name).faults == ()


@pytest.mark.parametrize("name", plugins.own_names("datasets"))
def test_data_sets_are_documented_and_tested(name):
    module = plugins.load("datasets", name)
    assert re.search("labels", module.__doc__, re.IGNORECASE), "an adapter tells its labels"
    assert (TESTS / "datasets" / f"test_{name}.py").is_file(), "a fake of its layout"
    for fact in ("title", "licence", "citation", "request", "protocol"):
        assert "http" not in getattr(module.CARD, fact), (
            "addresses change: the owner and the page's title stay"
        )


@pytest.mark.parametrize("name", plugins.own_names("datasets"))
def test_data_sets_have_recipes_for_all_their_variants(name):
    """One recipe bears the adapter's name; each names a variant and a label set that there are."""
    recipes = recipes_by_adapter()[name.replace("_", "-")]
    assert name.replace("_", "-") in [recipe.name for recipe in recipes]
    card = plugins.load("datasets", name).CARD
    used = {card.variant(recipe.dataset.variant).name for recipe in recipes}
    assert used == {variant.name for variant in card.variants}
    for recipe in recipes:
        assert recipe.dataset.scheme in [FOUND, *ontology_names()]
        head = resource("pipelines", "prepare", f"{recipe.name}.yaml").read_text(encoding="utf-8")
        assert "# Command: fgbench prepare" in head.split("name:")[0]


@pytest.mark.parametrize("name", plugins.own_names("methods"))
def test_methods_without_a_command_of_their_own_tell_their_recipes(name):
    if not hasattr(baseline, name):
        assert issubclass(plugins.load("methods", name).RECIPE, Section), "its command reads recipes by it"


def test_conventional_baselines_do_not_import_torch():
    code = (
        "import sys\nfrom fgbench.methods.dense_traj_svm import method as dense_traj_svm\n"
        "from fgbench.methods.lbp_svm import method as lbp_svm\n"
        "from fgbench.cli import app, runs\nfrom fgbench.runs import context\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _makes_canvas(node):
    """Whether a piece of code begins a drawing, by Matplotlib's class or by ours."""
    if isinstance(node, ast.ImportFrom):
        return any(name.asname == "Canvas" for name in node.names)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "canvas"


def test_all_that_draws_draws_in_our_style():
    """Settings of the user's Matplotlib are read where a drawing is made and where it is written."""
    actual = 0
    for path in SOURCES:
        if "canvas" not in path.read_text(encoding="utf-8").lower():
            continue
        for node in ast.walk(_tree(path)):
            if (
                isinstance(node, ast.FunctionDef)
                and node.name != "canvas"
                and any(map(_makes_canvas, ast.walk(node)))
            ):
                actual += 1
                assert "own_style()" in map(ast.unparse, node.decorator_list), f"{path}: {node.name}"
    assert actual >= 7
    drawing = re.compile(r"import matplotlib\.pyplot|matplotlib import pyplot|savefig")
    assert [path.name for path in SOURCES if drawing.search(path.read_text("utf-8"))] == ["drawings.py"]


def test_every_stage_module_is_in_the_order():
    assert {*pipeline.ORDER, "publish"} == set(plugins.own_names("stages"))


@pytest.mark.parametrize("path", sorted(resource("pipelines").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_recipe_is_safe_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_source_files_have_no_grab_bag_names():
    bags = re.compile(r"(utils?|common|helpers?|misc)")
    assert [_name(path) for path in SOURCES if bags.fullmatch(path.stem)] == []


def test_source_files_say_what_they_are_for():
    assert [_name(path) for path in SOURCES if not ast.get_docstring(_tree(path))] == []


def _from_pickle(tree):
    """What a file imports of pickle but the error that files of others may raise."""
    for node in ast.walk(tree):
        names = [alias.name for alias in getattr(node, "names", ()) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.ImportFrom) and node.module == "pickle":
            yield from (name for name in names if name != "UnpicklingError")
        elif isinstance(node, ast.Import):
            yield from (name for name in names if name == "pickle")


def test_nothing_is_pickled():
    suspects = [path for path in SOURCES if "pickle" in path.read_text(encoding="utf-8")]
    assert [_name(path) for path in suspects if [*_from_pickle(_tree(path))]] == []


def _docstrings(tree):
    """Docstrings of a module, its classes and functions, and of the values that it and its classes bind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
        if isinstance(node, ast.Module | ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                    yield str(one.value.value)


def test_modules_say_their_one_purpose():
    """A first paragraph that needs two "and" is of two modules."""
    first = {_name(path): (ast.get_docstring(_tree(path)) or "").partition("\n\n")[0] for path in SOURCES}
    assert [name for name, text in first.items() if " ".join(text.split()).count(" and ") > 1] == []


QUESTION = re.compile(r"(What|Where|How|That|When|Who|Whose|Which)\b")


def test_docstrings_begin_with_what_the_thing_is():
    otherwise = [
        (_name(path), text) for path in SOURCES for text in _docstrings(_tree(path)) if QUESTION.match(text)
    ]
    assert otherwise == []


@pytest.mark.parametrize(
    "source",
    [
        '"""How it is done."""',
        'class A:\n    """What it is."""',
        'class A:\n    field = 1\n    """Which one."""',
        'def f():\n    def g():\n        """Where it lies."""',
    ],
)
def test_docstrings_that_begin_otherwise_are_found(source):
    assert any(QUESTION.match(text) for text in _docstrings(ast.parse(source)))


def test_heavy_packages_are_not_imported_for_the_help():
    code = (
        "import sys\nsys.argv = ['fgbench', '--help']\nfrom fgbench.cli.app import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'av', 'dlib', 'pyarrow', 'pydantic', 'matplotlib', 'torch', 'decord'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "prepare" in done.stdout


def test_recipes_are_listed_without_what_compiles_and_computes():
    code = (
        "import sys\n"
        "from fgbench.api.recipes import recipes, recipes_lines\n"
        "assert len(recipes_lines(recipes())) > 50\n"
        "heavy = {'numba', 'cv2', 'av', 'dlib', 'pandas', 'pyarrow', 'matplotlib', 'scipy', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _lines(name, command):
    for child, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _lines(f"{name} {child}".strip(), inner)
    for parameter in command.params if name else ():
        is_option = parameter.param_type_name == "option"
        yield f"{name} {'/'.join(parameter.opts) if is_option else parameter.name.upper()}"


def _commands():
    return "\n".join(_lines("", typer.main.get_command(app))) + "\n"


def test_commands_and_options_are_frozen():
    """Users' scripts rely on them: a change is made on purpose, here and in tests/cli/commands.txt."""
    assert _commands() == FROZEN.read_text(encoding="utf-8")


def test_version_is_the_packages():
    from importlib.metadata import version

    importlib.invalidate_caches()
    assert version("fgbench") == fgbench.__version__


def _imported_tests(tree):
    """Test modules that a file imports, by the names in its statements."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.rpartition(".")[2] in TEST_MODULES)


def test_no_test_module_is_imported():
    """What tests share is in tests/support."""
    importing = {str(path.relative_to(TESTS)): list(_imported_tests(_tree(path))) for path in TEST_FILES}
    assert {name: modules for name, modules in importing.items() if modules} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from test_architecture import ROOT",
        "from tests.test_architecture import ROOT",
        "from tests import test_architecture",
        "def late():\n    import tests.test_architecture as rules",
    ],
)
def test_imports_of_test_modules_are_found(line):
    assert len(list(_imported_tests(ast.parse(line)))) == 1


def _is_in_place(path):
    """Whether a file of ``tests`` lies where its kind does: tests beside, helpers in ``support``."""
    target, name = path.parent, path.name
    if TESTS / "support" in (target, *target.parents):
        return not name.startswith(("test_", "conftest"))
    if target == TESTS / "performance":
        return name.startswith("bench_") or name == "__main__.py"
    return name.startswith("test_") or name == "conftest.py" or path == TESTS / "__init__.py"


def test_helpers_of_tests_are_in_support():
    assert [str(path.relative_to(TESTS)) for path in TEST_FILES if not _is_in_place(path)] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("video_files.py", False),
        ("datasets/fake_trees.py", False),
        ("support/layouts/afew.py", True),
        ("support/test_afew.py", False),
        ("datasets/test_afew.py", True),
    ],
)
def test_the_place_of_a_helper_is_known(name, expected):
    assert _is_in_place(TESTS / name) == expected
