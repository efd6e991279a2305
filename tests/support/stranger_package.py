"""A package of a stranger with a plugin of each kind: its sources, made into a wheel by hand."""

import zipfile

MODULES = {
    "glad_faces": '''"""Adapter of Glad Faces: the names of its clips tell their labels."""

from fgbench.datasets import Card, Variant
from fgbench.errors import DatasetError
from fgbench.records import ClipEntry

CARD = Card(
    title="Glad Faces",
    kind="video",
    licence="none",
    citation="nobody, nowhere",
    request="ask the stranger",
    protocol="its own parts",
    layouts=("<part>-<person>-<label>-<number>.mp4",),
    variants=(Variant(scheme="fg33"),),
)
RECIPES = {
    "glad-quick": """# Glad Faces, quickly.
extends: glad-faces
name: glad-quick
description: Glad Faces without alignment.
buckets: 1
sample: {before: 0, after: 0}
ingest: {decoder: plain-av}
faces: {align: never}
lbp: {enabled: false}
features: {brightness: {scale: 2.0}}
""",
    "glad-faces": """extends: default
name: glad-faces
dataset: {adapter: glad-faces, name: glad-faces, scheme: fg33}
""",
}


def list_clips(root):
    clips = sorted(root.glob("*.mp4"))
    if not clips:
        raise DatasetError(f"{root} has no clips", CARD.layouts[0])
    entries = []
    for path in clips:
        part, person, label, _ = path.stem.split("-")
        entries.append(
            ClipEntry(
                clip_id=path.stem, path=path.name, label=label, key_frame=1, subject_id=person, split=part
            )
        )
    return entries
''',
    "bare_faces": '''"""Adapter of a data set that brings no recipe."""

from stranger.glad_faces import CARD, list_clips
''',
    "never": '''"""Detector ``never``: sees no face."""


class Never:
    uses_colour = False
    smallest_face_px = 10.0
    accepted_score = 0.5
    scales = (1.0,)
    most_px = 1_000_000

    def detect(self, image, *, margin=0.0):
        return []


def open_detector(model=None):
    return Never()
''',
    "plain_av": '''"""Decoder ``plain-av``: PyAV under another name."""

from fgbench.media.decoders import pyav


def open_reader(path, limits):
    return pyav.open_reader(path, limits)


def digest(path):
    return pyav.digest(path)
''',
    "one_by_one": '''"""Engine ``one-by-one``: all in this process."""

from contextlib import contextmanager


@contextmanager
def start(jobs, *, memory_gb=None):
    yield lambda function, tasks, after_death=None, is_risky=None: map(function, tasks)
''',
    "brightness": '''"""Stage ``brightness``: mean of every picture of the image set, times a factor."""

from functools import partial
from itertools import groupby

import pyarrow as pa

from fgbench.config import Section
from fgbench.media.images import decode
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage
from fgbench.records import SPLITS


class CONFIG(Section):
    """Its section."""

    scale: float = 1.0
    """Factor."""


SCHEMA = pa.schema([("clip_id", pa.string()), ("image_id", pa.string()), ("brightness", pa.float64())])


def run(task):
    rows = {row["clip_id"]: [] for row in task.rows("faces", columns=["clip_id"])}
    for part in SPLITS:
        for row in task.rows("augment", part, ["image_id", "clip_id", "image"]):
            mean = float(decode(row["image"]["bytes"]).mean()) * task.config.scale
            ids = {name: row[name] for name in ("clip_id", "image_id")}
            rows[row["clip_id"]].append({**ids, "brightness": mean})
    for clip_id in sorted(rows):
        yield Item(clip_id, partial(Accepted, clip_id, rows[clip_id]))


STAGE = Stage(
    name="brightness", version=1, inputs=("faces", "augment"), outputs={ROWS: "brightness"}, run=run
)
''',
    "by_light": '''"""Baseline ``by-light``: the class by how bright a picture is.

It needs the brightness of each.
"""

import numpy as np
import pyarrow.parquet as pq

from fgbench.config import BaselineConfig
from fgbench.runs.results import write_run
from fgbench.runs.roles import predictions_of
from fgbench.runs.samples import image_samples


class RECIPE(BaselineConfig):
    """Its recipe."""

    above: float = 0.0
    """Brightness from which on a picture is of the first class."""


NEEDS = ("brightness",)
RECIPES = {"by-much-light": "name: by-much-light\\nabove: 1000.0\\n"}


def run(config, context):
    roles = context.roles(image_samples(context.manifests), protocol_name="images")
    labels = context.labels.labels
    rows = [
        row
        for path in sorted(context.manifests.glob("features/brightness/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert rows
    is_bright = max(row["brightness"] for row in rows) > config.above
    scores = np.zeros((len(roles.predicted), len(labels)), np.float32)
    scores[:, 0 if is_bright else 1] = 1.0
    return write_run(
        context.workdir,
        predictions_of(roles, scores, scores, labels),
        experiment=config.name,
        fold=context.fold,
        seed=context.seed,
        config=config.model_dump(mode="json"),
        manifest_digest=context.manifest_digest,
        device="none",
        details={**context.details, "kind": "image", "method": "By light"},
    )
''',
    "how_many": '''"""How many runs there are."""

from fgbench.reports.rendering.table import Table


def build(workdir):
    runs = len(list((workdir / "runs").glob("*")))
    return Table(name="how-many", title="How many", columns=["what", "number"], rows=[["runs", runs]])
''',
    "a_dot": '''"""A figure of one dot."""

from fgbench.reports.rendering.drawing_style import canvas, own_style
from fgbench.reports.rendering.table import Figure, Table


@own_style()
def draw():
    drawing = canvas(2, 2, dpi=50)
    drawing.subplots().plot([1], [1], "o")
    return drawing


def build(workdir):
    table = Table(name="a-dot", title="A dot", columns=["x", "y"], rows=[[1, 1]])
    return Figure(table=table, draw=draw)
''',
}
"""Module to source of a plugin of each kind."""

POINTS = {
    "datasets": {"glad-faces": "glad_faces", "bare-faces": "bare_faces"},
    "detectors": {"never": "never"},
    "decoders": {"plain-av": "plain_av"},
    "engines": {"one-by-one": "one_by_one"},
    "stages": {"brightness": "brightness"},
    "methods": {"by-light": "by_light"},
    "tables": {"how-many": "how_many"},
    "figures": {"a-dot": "a_dot"},
}
"""Kind to name to module."""


def write_wheel(folder, points, modules, *, package="stranger", version="1.2", ran=None):
    """Write a wheel with plugins; returns its path.

    Args:
        folder: Where to.
        points: Kind to name of an entry point to module below the package, or to a value with a colon or dot.
        modules: Module to source.
        package: Name of the package, and of the folder of its modules.
        version: Its version.
        ran: File that importing the package appends to.
    """
    lines = []
    for kind, named in points.items():
        lines.append(f"[fgbench.{kind}]")
        lines += [f"{name} = {package}.{module}" for name, module in named.items()]
    first = "" if ran is None else f"open({str(ran)!r}, 'a').write('x')\n"
    info = f"{package}-{version}.dist-info"
    files = {f"{package}/{module}.py": text for module, text in modules.items()}
    files |= {
        f"{package}/__init__.py": first,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join(lines) + "\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    path = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return path
