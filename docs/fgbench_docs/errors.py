"""Errors of fgbench with their remedies, from the calls in its sources that make them."""

from __future__ import annotations

import ast
import inspect
import re

from fgbench import errors
from fgbench.errors import EXIT_CODES, FgbenchError
from fgbench_docs.markdown import code, prose, table
from fgbench_docs.sources import argument, calls, sentence, trees

AREAS = {
    "annotation": "Annotation",
    "api": "Python API",
    "audit": "Audit",
    "catalogue": "Recipes and data sets",
    "cli": "Commands",
    "config": "Recipes",
    "contracts": "Plug-ins",
    "datasets": "Data sets",
    "entry_points": "Plug-ins",
    "evaluation": "Evaluation",
    "faces": "Faces",
    "features": "Features",
    "files": "Files",
    "inference": "Trained networks, and other tools' output",
    "inputs": "Pictures and clips of networks",
    "media": "Videos and pictures",
    "methods": "Methods",
    "models": "Networks and weights",
    "plugins": "Plug-ins",
    "preparation": "Preparation",
    "publication": "Publications",
    "reports": "Reports",
    "resources": "Packed files",
    "runs": "Runs",
    "storage": "Tables",
    "svm": "Support vector machines",
    "synthetic": "Drawn data",
    "taxonomy": "Classes",
    "training": "Training",
    "workers": "Worker processes",
    "workfolders": "Work folders",
}
"""Package to its title; one that is not here is titled by its name."""

_INTERRUPTED = 130
_OTHERS = {
    0: "done",
    1: "an unexpected failure, which is a fault of fgbench; with `diff --exit-code`: something differs",
    2: "wrong use: an option or argument that the command does not take",
    _INTERRUPTED: "interrupted by you; run the same command again: it continues",
}


def exit_codes() -> str:
    """A table of the exit codes: number, error, meaning."""
    rows = {code_: ("", text) for code_, text in _OTHERS.items()}
    rows |= {
        number: (code(kind.__name__), prose((kind.__doc__ or "").partition("\n")[0]))
        for kind, number in EXIT_CODES.items()
    }
    return table(["Exit code", "Error", "Meaning"], [[str(number), *rows[number]] for number in sorted(rows)])


def reference() -> str:
    """All errors that the sources raise: a heading per kind, a table per area, message beside remedy."""
    kinds = _kinds()
    found: dict[str, dict[str, dict[tuple[str, str], None]]] = {name: {} for name in kinds}
    for module, call in calls(*kinds):
        if module == errors.__name__:
            continue  # the error of package_missing, below with what its callers say
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        message = sentence(argument(call, 0, "message"), module)
        if not re.sub(r"<[^<>]*>", "", message).strip():
            continue  # it passes on what another error says
        remedy = sentence(argument(call, 1, "hint"), module)
        area = module.split(".")[1]
        found[name].setdefault(AREAS.get(area, area), {})[message, remedy] = None
    for module, call in calls("package_missing"):
        area = module.split(".")[1]
        needing = sentence(argument(call, 0, "needing"), module)
        extra = sentence(argument(call, 2, "extra"), module) or "train"
        install = sentence(argument(call, 3, "install"), module)
        remedy = f"pip install {install}" if install else f"pip install 'fgbench[{extra}]'"
        row = f"{needing} a package that is not installed (<package>)", remedy
        found["DependencyError"].setdefault(AREAS.get(area, area), {})[row] = None
    lines = []
    for name, areas in found.items():
        if not areas:
            continue
        kind = kinds[name]
        number = next((EXIT_CODES[one] for one in kind.__mro__ if one in EXIT_CODES), 1)
        about = prose((kind.__doc__ or "").partition("\n")[0])
        lines += [f"## {name}", "", f"{about} Exit code {number}.", ""]
        for area in sorted(areas):
            rows = [[prose(message), prose(remedy)] for message, remedy in areas[area]]
            lines += [
                f"### {area} {{ #{name.lower()}-{_slug(area)} }}",
                "",
                table(["Message", "What to do"], rows),
            ]
    return "\n".join(lines) + "\n"


def _kinds() -> dict[str, type[FgbenchError]]:
    """Name to class of every error that fgbench raises, those of its modules too."""
    kinds: dict[str, type[FgbenchError]] = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, FgbenchError) and kind is not FgbenchError
    }
    for module, tree in trees().items():
        for node in tree.body:
            bases = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
            if isinstance(node, ast.ClassDef) and node.name not in kinds and set(bases) & set(kinds):
                kinds[node.name] = getattr(__import__(module, fromlist=[node.name]), node.name)
    return kinds


def _slug(text: str) -> str:
    return "-".join("".join(one if one.isalnum() else " " for one in text.lower()).split())
