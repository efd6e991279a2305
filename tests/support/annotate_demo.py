"""The way of votes with a real Label Studio: pushed, answered by five scripted annotators, pulled, settled,
voted on again, pulled, settled; with crashes of the server and of an import on the way.

``make annotate-demo`` runs it and prints what happens; ``tests/annotation/test_real_server.py`` asserts on
what it returns.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

import fgbench
from fgbench.errors import FgbenchError
from fgbench.synthetic.clip import draw_clip, truth, write_video
from fgbench.synthetic.plan import ClipPlan, SynthOptions
from tests.support.label_studio_server import LabelStudio, executable
from tests.support.scripted_annotators import (
    FIVE,
    Account,
    Seen,
    answer_of,
    chance_right,
    chance_settled,
    settled_between,
    settled_label,
)

CLASSES = ("panic", "terror", "worry")
OPTIONS = SynthOptions(width=320, height=240, min_duration_s=1.2, max_duration_s=1.3, seed=5)
N_CLIPS = 24
N_KNOWN = 4
"""Clips whose answer is known, mixed among the others."""
SETTINGS = {
    "sample": {"before": 1, "after": 1},
    "split": {"cover_all_classes": False},
    "dataset": {"synthetic": True},
}
_KILLED = """
import os, sys
import fgbench
from fgbench.annotation import importing, votes_table
def killed(*_):
    os._exit(9)
target, name = {"before": (votes_table.VotesTable, "write"), "after": (importing, "remember")}[sys.argv[4]]
setattr(target, name, killed)
fgbench.pull_votes(sys.argv[1], sys.argv[2], token_file=sys.argv[3])
"""


@dataclass(slots=True)
class Walk:
    """What happened.

    Attributes:
        rounds: For each round: clips, settled clips, expected number of these, and the least and largest
            number of 99.9 % of cases.
        votes: Rows of ``votes.csv`` in the end.
        answered: ``(clip, annotator, round)`` to the answer that was given.
        labels: Clip to the label that it got, in the end.
        predicted: Clip to the label on which its answers agree, counted without the code under test.
        right: Settled clips whose label is the class that was drawn, and the least and largest number of
            99.9 % of cases.
        facts: What is asserted, by name.
    """

    rounds: list[dict[str, float]] = field(default_factory=list)
    votes: list[dict[str, str]] = field(default_factory=list)
    answered: dict[tuple[str, str, int], tuple[str, int, int]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    predicted: dict[str, str] = field(default_factory=dict)
    right: tuple[int, int, int] = (0, 0, 0)
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def is_predicted(self) -> bool:
        """Whether the error model predicts what came of it."""
        n_right, low, high = self.right
        return (
            self.labels == self.predicted
            and low <= n_right <= high
            and all(one["low"] <= one["settled"] <= one["high"] for one in self.rounds)
        )


def draw(root: Path) -> dict[str, Seen]:
    """Draw the clips, and list some as known; returns what each shows."""
    seen = {}
    for number in range(N_CLIPS):
        plan = ClipPlan(CLASSES[number % len(CLASSES)], number // len(CLASSES), 0)
        clip = draw_clip(plan, OPTIONS)
        path = root / "videos" / f"film{number % 4}" / f"c{number:02d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, clip, OPTIONS)
        frames = truth(clip)
        seen[f"film{number % 4}/c{number:02d}"] = Seen(
            label=plan.label,
            key_frame=frames["is_key_frame"].to_pylist().index(True),
            n_frames=frames.num_rows,
        )
    with (root / "gold.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "label", "key_frame"])
        for clip in list(seen)[:N_KNOWN]:
            writer.writerow([f"{clip}.mp4", seen[clip].label, seen[clip].key_frame])
    return seen


def walk(server: LabelStudio, folder: Path, say=print) -> Walk:
    """Go the whole way.

    Args:
        server: A server that runs, with no account yet.
        folder: New folder.
        say: Told each line.
    """
    root, work, done = folder / "clips", folder / "work", Walk()
    seen = draw(root)
    tokens = {one: server.sign_up(f"{one}@lab.example") for one in ("owner", *(who.name for who in FIVE))}
    token = folder / "token.txt"
    token.write_text(tokens["owner"])
    token.chmod(0o600)
    again = dict(seen)
    for number in (1, 2):
        say(f"== round {number}")
        exported = fgbench.export_tasks(
            root,
            round=number,
            annotators=[who.name for who in FIVE] if number == 1 else None,
            workdir=work if number > 1 else None,
        )
        _say_all(say, exported)
        assert exported.n_clips == len(again)
        _push(server, root, token, done, say, is_killed=number == 1)
        _answer(server, tokens, root, number, again, done, say)
        _pull(server, root, token, done, say, number)
        fgbench.prepare(root, "default", settings=SETTINGS, workdir=work, progress=False)
        left = _clips_of(work / "manifests" / "reannotate.csv")
        done.predicted |= _predicted(again, done, number)
        n_settled = len(fgbench.open(work).clips) - sum(one["settled"] for one in done.rounds)
        chances = [_chance(one) for one in again.values()]
        low, high = settled_between(chances)
        done.rounds.append(
            {
                "clips": len(again),
                "settled": n_settled,
                "expected": sum(chances),
                "low": low,
                "high": high,
                "again": len(left),
            }
        )
        say(
            f"settled {n_settled} of {len(again)}; the annotators' errors predict {sum(chances):.1f} "
            f"(99.9 %: {low} to {high})"
        )
        again = {clip: seen[clip] for clip in left}
    done.votes = _rows(root / "votes.csv")
    _compare_labels(work, seen, done, say)
    _compare_known(work, seen, done, say)
    _select_frames(server, tokens, root, work, token, done, say)
    return done


def _select_frames(server, tokens, root, work, token, done, say) -> None:
    """Anna selects all frames but the first of each clip, Ben confirms all of these but the last."""
    say("== frames near key frames")
    for name, is_inspection in (("anna", False), ("ben", True)):
        tasks = fgbench.export_frame_tasks(work, name, data=root, inspect=is_inspection, progress=False)
        _say_all(say, tasks)
        pushed = fgbench.push_tasks(root, server.url, project=tasks.folder, token_file=token, progress=False)
        account = Account(server.url, tokens[name])
        for task in account.tasks(int(pushed.url.rpartition("/")[2])):
            frames = [one["value"] for one in task["data"]["frames"] if one["value"] != "none"]
            account.choose(task["id"], (frames[:-1] if is_inspection else frames[1:]) or ["none"])
        account.close()
        selection = fgbench.pull_selection(root, server.url, tasks.folder, token_file=token)
        _say_all(say, selection)
        done.facts[f"frames of {name}"] = (tasks, selection)


def _predicted(again: dict[str, Seen], done: Walk, number: int) -> dict[str, str]:
    """Clip to the label on which its answers of a round agree."""
    of_clips = {clip: [done.answered[clip, who.name, number] for who in FIVE] for clip in again}
    labels = {clip: settled_label(answers) for clip, answers in of_clips.items()}
    return {clip: label for clip, label in labels.items() if label is not None}


def _compare_labels(work: Path, seen: dict[str, Seen], done: Walk, say) -> None:
    """Compare the labels with what the answers say, and with the classes that were drawn."""
    clips = fgbench.open(work).clips
    done.labels = dict(zip(clips["clip_id"], clips["label"], strict=True))
    same = sum(done.predicted.get(clip) == label for clip, label in done.labels.items())
    say(f"{same} of {len(done.labels)} labels are those on which the answers given agree")
    n_right = sum(seen[clip].label == label for clip, label in done.labels.items())
    done.right = (n_right, *settled_between([chance_right(seen[clip]) for clip in done.labels]))
    say(
        f"{n_right} of {len(done.labels)} are the class that was drawn; the annotators' errors predict "
        f"{done.right[1]} to {done.right[2]} (99.9 %)"
    )


def _compare_known(work: Path, seen: dict[str, Seen], done: Walk, say) -> None:
    """Compare votes and right ones on clips with known answers of each annotator with the answers given."""
    table = fgbench.open(work).agreement().annotators
    counted = {who.name: [0, 0] for who in FIVE}
    for (clip, name, _), (label, _, _) in done.answered.items():
        if clip in list(seen)[:N_KNOWN]:
            counted[name][0] += 1
            counted[name][1] += label == seen[clip].label
    told = sorted(
        (n, round(n * share)) for n, share in zip(table["gold"], table["gold_accuracy"], strict=True)
    )
    done.facts["known"] = (told, sorted(map(tuple, counted.values())))
    n, right = (sum(column) for column in zip(*told, strict=True))
    say(f"{right} of {n} votes on clips with known answers are right")


_chance = lru_cache(chance_settled)


def _push(server: LabelStudio, root: Path, token: Path, done: Walk, say, *, is_killed: bool) -> None:
    if is_killed:
        from fgbench.annotation.label_studio import push
        from fgbench.annotation.label_studio import server as client

        def crash(_: str, n_there: int, __: int) -> None:
            if n_there:
                server.kill()

        before, push._BATCH = push._BATCH, 10
        tries, client._TRIES = client._TRIES, 2
        try:
            fgbench.push_tasks(root, server.url, token_file=token, progress=crash)
        except FgbenchError as error:
            done.facts["killed push"] = str(error)
            say(f"(server killed) {error.message}")
        finally:
            push._BATCH, client._TRIES = before, tries
        server.start()
    pushed = fgbench.push_tasks(root, server.url, token_file=token, progress=False)
    _say_all(say, pushed)
    done.facts.setdefault("sent after the crash", pushed.n_sent)
    done.facts["sent again"] = fgbench.push_tasks(root, server.url, token_file=token, progress=False).n_sent


def _answer(server, tokens, root, number, again, done, say) -> None:
    for who in FIVE:
        account = Account(server.url, tokens[who.name])
        tasks = account.tasks(number)
        clips = [task["data"]["clip"] for task in tasks]
        assert sorted(clips) == sorted(again)
        for task, clip in zip(tasks, clips, strict=True):
            rng = np.random.default_rng([7, number, *f"{who.name}{clip}".encode()])
            said = answer_of(who, again[clip], rng)
            account.answer(task["id"], *said)
            done.answered[clip, who.name, number] = said
        account.close()
        if number == 1 and who.name == "cem":
            part = fgbench.pull_votes(root, server.url, token_file=root.parent / "token.txt")
            _say_all(say, part)
            done.facts["part"] = part


def _pull(server: LabelStudio, root: Path, token: Path, done: Walk, say, number: int) -> None:
    if number == 1:
        from fgbench.annotation.label_studio import server as client

        votes = (root / "votes.csv").read_bytes()
        server.kill()
        tries, client._TRIES = client._TRIES, 2
        try:
            fgbench.pull_votes(root, server.url, token_file=token)
        except FgbenchError as error:
            say(f"(server killed) {error.message}")
            done.facts["killed pull"] = str(error)
        finally:
            client._TRIES = tries
        done.facts["votes after the killed pull"] = (root / "votes.csv").read_bytes() == votes
        server.start()
    else:
        _import_killed(server, root, token, done, say)
    pulled = fgbench.pull_votes(root, server.url, token_file=token)
    _say_all(say, pulled)
    once_more = fgbench.pull_votes(root, server.url, token_file=token)
    done.facts[f"pulled {number}"] = pulled
    done.facts[f"pulled {number} again"] = once_more


def _import_killed(server: LabelStudio, root: Path, token: Path, done: Walk, say) -> None:
    """Pull in processes that are killed before and after the table of votes is written."""
    votes = (root / "votes.csv").read_bytes()
    for when in ("before", "after"):
        command = [sys.executable, "-c", _KILLED, str(root), server.url, str(token), when]
        assert subprocess.run(command, check=False, timeout=120).returncode == 9
        say(f"(import killed {when} votes.csv is written)")
        if when == "before":
            done.facts["votes after the killed import"] = (root / "votes.csv").read_bytes() == votes


def _clips_of(path: Path) -> list[str]:
    return [row["clip"] for row in _rows(path)]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _say_all(say, value) -> None:
    for line in value.lines():
        say(line)


def main() -> int:
    """Run the demo in a temporary folder."""
    command = executable()
    if command is None:
        print("no Label Studio: make .venv-label-studio/installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="fgbench-annotate-") as name:
        print("starting Label Studio (its first start takes a minute)")
        with LabelStudio(command, Path(name) / "server") as server:
            done = walk(server, Path(name))
    n_votes = len(done.votes)
    print(f"{n_votes} votes in votes.csv, of {len(done.answered)} answers; as predicted: {done.is_predicted}")
    return 0 if done.is_predicted and n_votes == len(done.answered) else 1


if __name__ == "__main__":
    sys.exit(main())
