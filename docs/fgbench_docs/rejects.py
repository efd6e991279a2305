"""Why clips are rejected and frames have no face: reasons with their words, from the sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from fgbench.datasets._tree import ODD
from fgbench.faces import status
from fgbench_docs.markdown import code, prose, table
from fgbench_docs.sources import argument, calls, constants, sentence, trees

_MEDIA = "MediaError"
_AGAIN = {"internal_error", "out_of_memory", "worker_died", "too_slow"}


def reasons() -> str:
    """A table of the reasons of rejects: the word in the table, an example of the detail, what to do."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for reason, detail, remedy in _all():
        if reason and not reason.startswith("<"):
            found.setdefault(reason, {})[detail, remedy] = None
    rows = []
    for reason in sorted(found):
        details = list(dict.fromkeys(prose(detail) for detail, _ in found[reason] if not _is_hole(detail)))
        remedies = list(dict.fromkeys(prose(remedy) for _, remedy in found[reason] if not _is_hole(remedy)))
        rows.append([code(reason), "<br>".join(details), "<br>".join(remedies)])
    return table(["Reason", "Words beside it", "What to do"], rows)


def frame_statuses() -> str:
    """A table of the statuses of frames in ``faces``, with their meaning."""
    documented = _documented("fgbench.faces.status")
    names = {getattr(status, name): text for name, text in documented.items() if name.isupper()}
    rows = [
        [code(name), "yes" if name in status.USABLE else "no", prose(text)]
        for name, text in names.items()
        if isinstance(name, str)
    ]
    return table(["Status", "In image sets", "Meaning"], rows)


def _is_hole(text: str) -> bool:
    """Whether a text says nothing by itself: empty, or all of it is put in when it is made."""
    return not re.sub(r"<[^<>]*>", "", text).strip()


def _all() -> Iterator[tuple[str, str, str]]:
    for kind, advice in ODD.items():
        yield kind, "", advice
    for module, call in calls(_MEDIA):
        reason = argument(call, 2, "reason")
        word = "unreadable" if reason is None else sentence(reason, module)
        yield (
            word,
            sentence(argument(call, 0, "message"), module),
            sentence(argument(call, 1, "hint"), module),
        )
    for module, call in calls("Rejected"):
        if len(call.args) == 3:
            yield _word(call.args[1], module), sentence(call.args[2], module), ""
    for module, call in calls("ClipEntry", "NamedFile", "replace"):
        problem = argument(call, 99, "problem")
        if isinstance(problem, ast.Tuple) and len(problem.elts) == 2:
            yield _word(problem.elts[0], module), sentence(problem.elts[1], module), ""
    for module, call in calls("setdefault"):
        pair = argument(call, 1, "default")
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and isinstance(pair.elts[0], ast.Constant):
            yield _word(pair.elts[0], module), sentence(pair.elts[1], module), ""
    # A function that gives a reason and its words.
    for module, tree in trees().items():
        if ".preparation." in module or ".datasets." in module:
            pairs = [
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Return)
                and isinstance(node.value, ast.Tuple)
                and len(node.value.elts) == 2
            ]
            for pair in pairs:
                word = _word(pair.elts[0], module)
                if "_" in word and word.isidentifier() and word.islower():
                    yield word, sentence(pair.elts[1], module), ""
    for name in sorted(_AGAIN):
        yield name, "", "may have passed: fgbench prepare --retry works on it again"


def _word(node: ast.expr, module: str) -> str:
    return sentence(node, module) if not isinstance(node, ast.Name) else constants(module).get(node.id, "")


def _documented(module: str) -> dict[str, str]:
    """Name to documentation of what a module binds at its top level."""
    body = trees()[module].body
    found = {}
    for node, after in pairwise(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[node.target.id] = str(after.value.value)
    return found
