"""Calls of ``import fgbench`` that options of the command line stand for, for messages that name options.

Messages are written for the command line; :class:`fgbench.errors.FgbenchError` adds these calls where Python
shows one. Text alone is read, by a narrow grammar: ``fgbench COMMAND`` with the options that follow it is one
call; an option elsewhere in a sentence is one argument.
"""

from __future__ import annotations

import re
import shlex

FUNCTIONS = {
    "audit": "work.audit",
    "baseline": "work.train",
    "check": "work.check",
    "diff": "fgbench.diff",
    "evaluate": "work.evaluate",
    "leaderboard": "work.leaderboard",
    "prepare": "fgbench.prepare",
    "publish": "fgbench.publish",
    "pull": "fgbench.pull",
    "push": "fgbench.push",
    "rebuild": "fgbench.rebuild",
    "report": "work.report",
    "score": "work.score",
    "synth": "fgbench.synth",
    "train": "work.train",
}
"""Command to its function; ``work`` is what ``fgbench.open`` gives."""

SWITCHES = {
    "all-faces": "all_faces=True",
    "cut": "cut=True",
    "deep": "deep=True",
    "download": "download=True",
    "drop-leaks": "drop_leaks=True",
    "force": "force=True",
    "force-unlock": "force_unlock=True",
    "from-scratch": "from_scratch=True",
    "hide-names": "hide_names=True",
    "inspect": "inspect=True",
    "no-resume": "resume=False",
    "public": "public=True",
    "repair": "repair=True",
    "replace": "replace=True",
    "retry": "retry=True",
    "update": "update=True",
    "verify": "verify=True",
    "with-pixels": "with_pixels=True",
    "without-paper": "with_paper=False",
    "without-pixels": "without_pixels=True",
    "zero-shot": "zero_shot=True",
}
"""Option without a value to its argument."""

ARGUMENTS = {
    "address": "address",
    "against": "against",
    "annotator": "annotators",
    "arch": "arch",
    "as": "show",
    "au-weights": "au_weights",
    "classes": "classes",
    "column": "columns",
    "data-root": "data",
    "device": "device",
    "expert": "expert",
    "finetune": "finetune",
    "fold": "fold",
    "fold-file": "fold_file",
    "folds": "folds",
    "format": "format",
    "hf": "hf",
    "image-run": "image_run",
    "import": "tables",
    "init": "init",
    "jobs": "jobs",
    "map": "map",
    "media": "media",
    "name": "name",
    "onnx": "onnx",
    "out": "out",
    "project": "project",
    "prompts": "prompts",
    "recipe": "recipe",
    "round": "round",
    "samples": "samples",
    "seed": "seed",
    "seeds": "seeds",
    "shard": "shard",
    "shard-wait": "shard_wait_s",
    "set": "settings",
    "temporal": "temporal",
    "token-file": "token_file",
    "tool": "tool",
    "torch": "torch",
    "tracker": "trackers",
    "trunk": "trunk",
    "url": "url",
    "variant": "variant",
    "weights": "weights",
    "worker-memory": "worker_memory_gb",
}
"""Option with a value to its argument."""

WHOLE_CALLS = {
    ("report", "figure"): "work.figure({!r})",
    ("report", "html"): "work.page()",
    ("report", "run"): "work.run({!r})",
    ("report", "table"): "work.table({!r})",
    ("report", "votes"): "work.agreement()",
}
"""Command and option that together are another call."""

OF_THE_SCREEN = frozenset({"full", "json"})
"""Options of what is printed, which values of Python hold at any rate."""

_OPTION = r"--[a-z]+(?:-[a-z]+)*(?![\w-])"
_QUOTED = r"'[^']*'"
_PLAIN = rf"(?:{_QUOTED}|[A-Z][A-Z_]+\b|[\w.~-]*/[^\s,;:()]*[^\s,;:().]|\d+\b|none\b|all\b)"
_WORD = r"(?:(?!(?:and|another|or|with)\b)[A-Za-z0-9](?:[\w.=/-]*[\w/])?)"
_ARGUMENT = rf"{_OPTION}(?:[ =]{_PLAIN}|[ =]{_WORD}(?=[,;:).]|$| --))?"
_COMMAND = rf"(?:fgbench )?(?P<command>{'|'.join(FUNCTIONS)})"
_CALL = re.compile(
    rf"\b{_COMMAND}(?P<given>(?: (?:au|msau|tmsau)\b)?(?: (?:{_PLAIN}|{_WORD}(?= --)))*)"
    rf"(?P<options>(?: {_ARGUMENT}| {_PLAIN})*)"
    rf"|(?P<alone>{_OPTION}(?:[ =]{_PLAIN})?)"
)
_PART = re.compile(rf"(?P<option>{_OPTION})(?:[ =](?P<value>{_PLAIN}|{_WORD}))?|(?P<given>{_PLAIN}|{_WORD})")


def python_calls(text: str) -> list[str]:
    """Return the calls and arguments of Python for the options that a text names, each once.

    Args:
        text: Message or hint, e.g. ``"train again with --force"``.

    Returns:
        E.g. ``["force=True"]``; empty where the text names no option of fgbench.
    """
    found: dict[str, None] = {}
    for match in _CALL.finditer(text):
        if match["alone"]:
            found |= dict.fromkeys(_alone(match["alone"]))
        elif "--" in match["options"]:
            found |= dict.fromkeys(_call(match["command"], f"{match['given']}{match['options']}"))
    return list(found)


def _alone(part: str) -> list[str]:
    """The argument of an option that stands in a sentence."""
    match = _PART.fullmatch(part)
    assert match is not None, part
    name = match["option"][2:]
    if name == "workdir":
        opened = f"fgbench.open({_value(match['value'])})"
        return [opened] if match["value"] else ["workdir=...", opened]
    if whole := WHOLE_CALLS.get(("report", name)):
        return [whole.format(match["value"] or "NAME")]
    return [argument] if (argument := _argument(name, match["value"])) else []


def _call(command: str, rest: str) -> list[str]:
    """The calls of a command with its options."""
    function, work = FUNCTIONS[command], ""
    given, arguments, calls = [], [], []
    for match in _PART.finditer(rest):
        if match["given"]:
            given.append(_value(match["given"]))
            continue
        name, value = match["option"][2:], match["value"]
        if name in SWITCHES and value:
            given.append(_value(value))
        if name == "workdir":
            work = _value(value)
        elif (command, name) == ("check", "root"):
            calls.append(f"fgbench.survey({', '.join([*given, f'root={_value(value)}'])})")
            given = []
        elif whole := WHOLE_CALLS.get((command, name)):
            calls.append(whole.format(value or "NAME"))
        elif argument := _argument(name, value):
            arguments.append(argument)
    if function.startswith("work.") and command not in ("train", "baseline", "score") and given:
        work = given.pop()
    if command == "prepare" and given:
        arguments.append(f"recipe={given.pop()}")
    if arguments:
        calls.append(f"{function}({', '.join([*given, *arguments])})")
    opened = f"fgbench.open({work})." if work else "work."
    calls = [f"{opened}{call[5:]}" if call.startswith("work.") else call for call in calls]
    return calls or ([f"fgbench.open({work})"] if work else [])


def _argument(name: str, value: str | None) -> str:
    """An argument as Python writes it; empty where Python has none."""
    if name in SWITCHES:
        return SWITCHES[name]
    if name == "map":
        return "map={'THEIRS': 'OURS'}"
    if name not in ARGUMENTS:
        return ""
    return f"{ARGUMENTS[name]}={_value(value)}"


def _value(text: str | None) -> str:
    """A value as Python writes it: numbers and placeholders as they are, all else in quotes."""
    if text is None:
        return "..."
    if re.fullmatch(r"\d+|[A-Z][A-Z_]+", text):
        return text
    return repr(" ".join(shlex.split(text)) if text.startswith("'") else text)
