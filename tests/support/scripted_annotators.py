"""Annotators with a stated model of errors, who answer on a server of Label Studio, and what it predicts.

An annotator names the class that is shown with a probability of his own, else another class of the same upper
class, each as often; and one says "unsure" now and then. The key frame is that of the climax give or take a
frame, or, with another probability, one of a few frames far from it and from each other. What votes settle by
the paper's rule (three of five on the class, three of five on the key frame) is counted here by going through
all that five annotators can say, without the code under test.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product

import httpx
import numpy as np

from fgbench.taxonomy import leaves

FAR = 8
"""Frames between places that key frames are lost to: more than the tolerance of a fifth of a second, with
one frame on either side."""
NEEDED = 3
TOLERANCE = 5
"""Frames in a fifth of a second, at 25 frames per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """Probabilities of an annotator.

    Attributes:
        name: Name.
        is_right: Of the class that is shown.
        is_unsure: Of no class.
        is_near: Of a key frame near the climax.
    """

    name: str
    is_right: float
    is_unsure: float = 0.0
    is_near: float = 0.9


FIVE = (
    Annotator(name="anna", is_right=0.9),
    Annotator(name="ben", is_right=0.8),
    Annotator(name="cem", is_right=0.75),
    Annotator(name="dora", is_right=0.7),
    Annotator(name="emil", is_right=0.3, is_unsure=0.2, is_near=0.4),  # careless
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a clip shows: its class, the frame of the climax, and its number of frames."""

    label: str
    key_frame: int
    n_frames: int


def confused(label: str) -> list[str]:
    """The other classes of the same upper class."""
    (upper,) = {leaf.basic for leaf in leaves() if leaf.name == label}
    return [leaf.name for leaf in leaves() if leaf.basic == upper and leaf.name != label]


def lost_to(seen: Seen) -> list[int]:
    """Frames far from the climax and from each other."""
    after = range(seen.key_frame + FAR, seen.n_frames, FAR)
    return [*range(seen.key_frame - FAR, -1, -FAR), *after]


def answer_of(who: Annotator, seen: Seen, rng: np.random.Generator) -> tuple[str, int, int]:
    """Class or ``unsure``, key frame, and stars."""
    label = seen.label
    drawn = rng.random()
    if drawn >= who.is_right:
        label = "unsure" if drawn >= 1 - who.is_unsure else str(rng.choice(confused(seen.label)))
    lost = lost_to(seen)
    frame = int(np.clip(seen.key_frame + rng.integers(-1, 2), 0, seen.n_frames - 1))
    if lost and rng.random() >= who.is_near:
        frame = int(rng.choice(lost))
    return label, frame, int(rng.integers(3, 6))


def chance_settled(seen: Seen) -> float:
    """Probability that five votes settle a clip, by going through all that can be said."""
    lost = lost_to(seen)
    marked = [
        {"near": who.is_near if lost else 1.0} | {frame: (1 - who.is_near) / len(lost) for frame in lost}
        for who in FIVE
    ]
    return _agreed(_said(seen), {"unsure"}) * _agreed(marked, set())


def _said(seen: Seen) -> list[dict]:
    """What each of the five may say of the class, with its probability."""
    others = confused(seen.label)
    return [
        {seen.label: who.is_right}
        | {name: (1 - who.is_right - who.is_unsure) / len(others) for name in others}
        | ({"unsure": who.is_unsure} if who.is_unsure else {})
        for who in FIVE
    ]


def chance_right(seen: Seen) -> float:
    """Probability that the class on which five votes settle a clip is the one that is shown."""
    said = _said(seen)
    return _agreed(said, {name for of_one in said for name in of_one} - {seen.label}) / _agreed(
        said, {"unsure"}
    )


def settled_label(answers: list[tuple[str, int, int]]) -> str | None:
    """Class on which the answers settle a clip by the paper's rule, ``None`` if they do not: three name it,
    and three key frames lie within a fifth of a second of each other."""
    label, n_votes = Counter(said for said, _, _ in answers if said != "unsure").most_common(1)[0]
    frames = [frame for _, frame, _ in answers]
    n_near = max(sum(0 <= other - first <= TOLERANCE for other in frames) for first in frames)
    return label if n_votes >= NEEDED and n_near >= NEEDED else None


def _agreed(choices: list[dict], none: set[str]) -> float:
    """Probability that enough choose the same, other than what counts for nothing."""
    total = 0.0
    for chosen in product(*choices):
        counts = Counter(one for one in chosen if one not in none)
        if max(counts.values(), default=0) >= NEEDED:
            total += float(np.prod([choices[at][one] for at, one in enumerate(chosen)]))
    return total


def settled_between(chances: list[float], share: float = 0.999) -> tuple[int, int]:
    """Least and largest number of settled clips in the middle ``share`` of all cases (exact)."""
    counts = np.ones(1)
    for chance in chances:
        counts = np.convolve(counts, [1 - chance, chance])
    below = np.cumsum(counts)
    tail = (1 - share) / 2
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))


class Account:
    """An account on a server, which answers tasks.

    Args:
        url: Address of the server.
        token: Personal access token.
    """

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        access = self._client.post("/api/token/refresh/", json={"refresh": token}).json()["access"]
        self._client.headers["Authorization"] = f"Bearer {access}"

    def close(self) -> None:
        self._client.close()

    def tasks(self, project: int) -> list[dict]:
        """All tasks of a project."""
        found = self._client.get("/api/tasks", params={"project": project, "page_size": 500}).json()
        assert found["total"] == len(found["tasks"])
        return found["tasks"]

    def answer(self, task: int, label: str, frame: int, stars: int) -> int:
        """Answer a task as the page does; returns the number of the annotation."""
        if label == "unsure":
            said = ("answer", "choices", {"choices": ["unsure"]})
        else:
            (upper,) = {leaf.basic for leaf in leaves() if leaf.name == label}
            said = ("label", "taxonomy", {"taxonomy": [[upper, label]]})
        marked = {
            "ranges": [{"start": frame + 1, "end": frame + 1}],
            "timelinelabels": ["key frame"],
        }
        result = [
            {"id": f"r{name}", "from_name": name, "to_name": "clip", "type": kind, "value": value}
            for name, kind, value in (
                said,
                ("key_frame", "timelinelabels", marked),
                ("confidence", "rating", {"rating": stars}),
            )
        ]
        return self._send(task, result)

    def choose(self, task: int, frames: list[str]) -> int:
        """Choose frames of a task, or ``none``; returns the number of the annotation."""
        chosen = {"choices": frames}
        region = {"id": "r", "from_name": "frames", "to_name": "clip", "type": "choices", "value": chosen}
        return self._send(task, [region])

    def _send(self, task: int, result: list[dict]) -> int:
        body = {"result": result, "lead_time": 4.5}
        sent = self._client.post(f"/api/tasks/{task}/annotations/", json=body)
        assert sent.status_code == 201, sent.text
        return int(sent.json()["id"])

    def delete(self, annotation: int) -> None:
        """Delete an annotation."""
        assert self._client.delete(f"/api/annotations/{annotation}/").status_code == 204
