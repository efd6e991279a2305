"""Sentences on how a published data set was made, for the responsible-AI fields of Croissant (RAI 1.0).

All of them follow from the recipe, the list of clips and the votes; what these do not tell is called unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.catalogue.carried_listing import adapter_of
from fgbench.catalogue.listing import Listing
from fgbench.config import PrepareConfig
from fgbench.datasets._card import Card
from fgbench.naming import counted
from fgbench.preparation.stages._annotation_card import rule
from fgbench.preparation.stages._plain_text import plain
from fgbench.publication import layout
from fgbench.records import ClipEntry, UnitSource

UNKNOWN = "unknown"
_MOST_CLASSES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Facts of a data set.

    Attributes:
        config: Its recipe.
        card: What its adapter tells of it.
        entries: Its clips as it lists them.
        labels: Class of each usable clip; ``None`` without one.
        annotators: Form of the names of annotators (:data:`fgbench.catalogue.pseudonyms.Names`).
        units: How labels of action units were made; ``None`` if there are none.
        reasons: Number of clips that could not be used, by stage and reason.
    """

    config: PrepareConfig
    card: Card
    entries: Sequence[ClipEntry]
    labels: Sequence[str | None]
    annotators: str
    units: UnitSource | None
    reasons: Mapping[tuple[str, str], int]


def facts_of(
    config: PrepareConfig,
    root: Path,
    published: Path,
    listing: Listing,
    *,
    units: UnitSource | None,
    reasons: Mapping[tuple[str, str], int],
) -> Facts:
    """Return what is known of a data set.

    Args:
        config: Its recipe.
        root: Its root.
        published: The publication, whose tables of clips are read.
        listing: Its clips as it lists them.
        units: How labels of action units were made; ``None`` if there are none.
        reasons: Number of clips that could not be used, by stage and reason.
    """
    tables = layout.parts_of(published, "clips")
    return Facts(
        config=config,
        card=adapter_of(config.dataset, root).CARD,
        entries=listing.entries,
        labels=[row["label"] for path in tables for row in storage.read_rows(path, ["label"])],
        annotators=listing.annotators,
        units=units,
        reasons=reasons,
    )


def responsible_fields(facts: Facts) -> dict[str, Any]:
    """Return the fields: name without ``rai:`` to a text or a list of texts."""
    synthetic = facts.config.dataset.synthetic
    return {
        "dataCollection": _collection(facts),
        "dataCollectionType": ["Software generation"] if synthetic else [UNKNOWN],
        "dataCollectionTimeframe": None,
        "dataCollectionMissingData": _missing(facts),
        "dataPreprocessingProtocol": _preprocessing(facts.config),
        "dataAnnotationProtocol": _protocol(facts),
        "dataAnnotationPlatform": [UNKNOWN],
        "dataAnnotationAnalysis": _analysis(facts),
        "annotationsPerItem": _per_item(facts),
        "annotatorDemographics": [_annotators(facts)],
        "machineAnnotationTools": _tools(facts),
        "dataBiases": _biases(facts),
        "dataUseCases": [
            "Training and evaluation of facial expression recognition; parts hold each person, or where "
            "persons are unknown each source, in one part only as far as the recipe says"
        ],
        "dataLimitations": [
            "Facial expressions are not emotions: a face shows what it shows, and why it does cannot be read "
            "from it",
            "No pictures: the clips have to be got from their owners",
            *(["Drawn faces: nothing measured on them says anything of real faces"] if synthetic else []),
        ],
        "dataSocialImpact": "Not for judging persons, e.g. in hiring, policing or teaching",
        "personalSensitiveInformation": _personal(facts),
        "dataReleaseMaintenancePlan": UNKNOWN,
    }


def _collection(facts: Facts) -> str:
    if facts.config.dataset.synthetic:
        return "Faces drawn by a program, from the action units of the class that each clip shows"
    if facts.card.is_own:
        return f"{UNKNOWN}: clips of a user's own, {counted(len(facts.entries), 'clip')} listed"
    return f"{facts.card.title}; {facts.card.request}"


def _missing(facts: Facts) -> str:
    if not facts.reasons:
        return "none: all listed clips are used"
    reasons = Counter[str]()
    for (_, reason), count in facts.reasons.items():
        reasons[reason] += count
    listed = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f"{counted(sum(reasons.values()), 'clip')} of {len(facts.entries)} not used: {listed}"


def _preprocessing(config: PrepareConfig) -> list[str]:
    if config.faces.align == "never":
        return ["Pictures taken as they are, faces are not searched"]
    return [
        f"Faces found by the detector {config.faces.detector}, {config.faces.landmarks} landmarks by dlib's "
        "predictor, turned upright by a similarity"
    ]


def _protocol(facts: Facts) -> list[str]:
    if any(entry.votes for entry in facts.entries):
        return [rule(facts.config.consensus)]
    if facts.config.dataset.synthetic:
        return ["The program that draws a clip tells its class"]
    return [f"Labels come with the data set as final ones; how they were made is {UNKNOWN} here"]


def _analysis(facts: Facts) -> list[str]:
    if any(entry.votes for entry in facts.entries):
        return [
            "Agreement (Krippendorff's alpha per class and round) stands in the data card of the work folder"
        ]
    return [UNKNOWN]


def _per_item(facts: Facts) -> str:
    counts = [len(entry.votes) for entry in facts.entries if entry.votes]
    if not counts:
        return UNKNOWN
    same = min(counts) == max(counts)
    return f"{counts[0]} votes" if same else f"{min(counts)} to {max(counts)} votes"


def _annotators(facts: Facts) -> str:
    annotators = {vote.annotator for entry in facts.entries for vote in entry.votes}
    if not annotators:
        return UNKNOWN
    return f"{counted(len(annotators), 'annotator')}; their age, sex, origin and training are {UNKNOWN}"


def _tools(facts: Facts) -> list[str]:
    tools = []
    if facts.units is not None and facts.units.pseudo:
        tools.append(f"Labels of action units are pseudo labels, made by {plain(facts.units.pseudo)}")
    if facts.config.faces.align != "never":
        tools.append(f"Boxes and landmarks: detector {facts.config.faces.detector}, dlib's predictor")
    return tools or ["none"]


def _biases(facts: Facts) -> list[str]:
    counts = Counter(label for label in facts.labels if label is not None)
    biases = []
    if counts:
        shown = ", ".join(f"{plain(label)} {count}" for label, count in counts.most_common(_MOST_CLASSES))
        biases.append(f"Clips per class: {shown}")
    subjects = [entry.subject_id for entry in facts.entries if entry.subject_id is not None]
    if subjects:
        most = max(Counter(subjects).values())
        biases.append(
            f"{counted(len(set(subjects)), 'person')} named in {len(subjects)} of {len(facts.entries)} "
            f"clips, the most frequent in {most}"
        )
    else:
        biases.append(f"Who is shown is {UNKNOWN}")
    if not facts.config.dataset.synthetic:
        biases.append(f"Age, sex, origin and skin colour of the persons: {UNKNOWN}")
    return biases


def _personal(facts: Facts) -> list[str]:
    if facts.config.dataset.synthetic:
        return ["none: drawn faces"]
    kinds = ["Landmarks, boxes and poses of faces of persons, and what their faces show; no picture of them"]
    if any(entry.subject_id is not None for entry in facts.entries):
        kinds.append("Names or numbers of persons, as the data set has them")
    if any(entry.votes for entry in facts.entries):
        names = "Names or numbers" if facts.annotators == "names" else "Pseudonyms"
        kinds.append(f"{names} of annotators, and their votes")
    return kinds
