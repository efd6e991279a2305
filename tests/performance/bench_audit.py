"""Audit: near duplicates found and not found, and the time of 30,000 images.

The embedded data set is drawn and prepared. Its test clips are changed as videos, prepared anew (detection
and alignment included) and looked for; different clips are compared with each other, also of one person.
The baseline is the usual perceptual hash: 64 bits (8 x 8 lowest frequencies of 32 x 32 px against their
median), of the picture and of the mirrored one, all pairs compared, at most 10 bits different.

The 30,000 images are faces of these clips, turned, scaled and made noisy a little; pictures of one clip stay
in one part, so that every pair of parts holds nothing to be found. The baseline's time is measured on a part
of the images and of the pairs and scaled.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench import records
from fgbench.audit import duplicates as duplicate_search
from fgbench.audit.pictures import Pictures, StoredPicture, describe
from fgbench.audit.tables import AuditedPictures, read_clips
from fgbench.config import PrepareConfig, load_prepare
from fgbench.media.images import decode, encode
from fgbench.media.video import open_video
from fgbench.preparation import prepare
from fgbench.preparation.augmentation import Ranges, apply, draw
from fgbench.storage import TableWriter, read_rows, write_json
from fgbench.synthetic.dataset import SynthOptions, generate
from fgbench.synthetic.encode import h264_file

JOBS = 2
IMAGES = 30_000
AROUND = 9  # frames kept before and after the key frame of a changed clip
THRESHOLDS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99)
BASELINE_BITS = 10


def _cropped(frame: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    height, width = frame.shape[:2]
    return frame[
        round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)
    ]


CHANGES = {
    "encoded anew": lambda frame: frame,
    "mirrored": lambda frame: frame[:, ::-1],
    "brighter": lambda frame: np.clip(1.15 * frame + 25.0, 0, 255).astype(np.uint8),
    "darker": lambda frame: (0.65 * frame).astype(np.uint8),
    "cropped by 5 %": lambda frame: _cropped(frame, 0.025, 0.025, 0.025, 0.025),
    "cropped by 5 % at a corner": lambda frame: _cropped(frame, 0.05, 0.05, 0.0, 0.0),
    "half the size": lambda frame: cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
}


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        generate(here / "data", SynthOptions(), jobs=JOBS)
        quiet: dict[str, Any] = {"lbp": {"enabled": False}, "optical_flow": {"enabled": False}}
        demo = load_prepare("demo").model_dump()
        config = PrepareConfig.model_validate({**demo, **quiet, "augment": {"balance": "none"}})
        prepare.run(config, here / "data", here / "work", jobs=JOBS)
        _plant(here / "data", here / "work", here / "changed")
        planted = config.model_copy(
            update={"split": config.split.model_copy(update={"group_by": "clip_id", "val": 0.0, "test": 0.0})}
        )
        prepare.run(planted, here / "changed", here / "changed-work", jobs=JOBS)
        _accuracy(here / "work", here / "changed-work")
        _speed(here)
        _alike(here)


def _plant(root: Path, work: Path, changed: Path) -> None:
    """Change the test clips in every way, as videos of a data set of their own."""
    lines = ["clip,label,key_frame,confidence,subject,source"]
    (changed / "videos").mkdir(parents=True)
    for clip in read_rows(work / "manifests" / "clips.parquet"):
        if clip["split"] != "test":
            continue
        key = clip["key_frame"]
        numbers = list(range(max(0, key - AROUND), min(clip["n_frames"], key + AROUND + 1)))
        with open_video(root / clip["path"]) as reader:
            frames = [frame.rgb().copy() for frame in reader.frames(numbers)]
        for index, change in enumerate(CHANGES.values()):
            name = f"{clip['clip_id']}.{index}"
            made = [change(frame) for frame in frames]
            height, width = (side // 2 * 2 for side in made[0].shape[:2])
            with h264_file(changed / "videos" / f"{name}.mp4", width, height, 25) as append:
                for frame in made:
                    even = np.ascontiguousarray(frame[:height, :width])
                    append(cv2.cvtColor(even, cv2.COLOR_RGB2YUV_I420))
            subject = clip["subject_id"]
            lines.append(f"{name}.mp4,{clip['label']},{key - numbers[0]},1.0,{subject},{subject}")
    (changed / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _accuracy(work: Path, changed: Path) -> None:
    originals = describe(AuditedPictures(work / "manifests", records.SPLITS), jobs=JOBS)
    copies = describe(AuditedPictures(changed / "manifests", records.SPLITS), jobs=JOBS)
    n_test = sum(clip.part == "test" for clip in read_clips(work / "manifests"))
    print(f"| clips found, of {n_test} each | {' | '.join(CHANGES)} | false pairs of clips |")
    print(f"|---|{'---:|' * (len(CHANGES) + 1)}")
    n_clips = len(set(originals.clip_ids))
    actual: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]]]] = {}
    kept = duplicate_search.MIN_CORRELATION
    for threshold in THRESHOLDS:
        duplicate_search.MIN_CORRELATION = threshold
        chosen = " (chosen)" if threshold == kept else ""
        actual[f"correlation {threshold:.2f}{chosen}"] = (
            _near(originals, copies),
            _near(originals, originals),
        )
    duplicate_search.MIN_CORRELATION = kept
    hashes, turned = _baseline_hashes(work)
    others, _ = _baseline_hashes(changed)
    actual[f"64-bit hash, {BASELINE_BITS} bits (baseline)"] = (
        _baseline_pairs(hashes, turned, originals, others, copies),
        _baseline_pairs(hashes, turned, originals, hashes, originals),
    )
    for name, (with_copies, among) in actual.items():
        counts = []
        for index in range(len(CHANGES)):
            counts.append(str(sum(two == f"{one}.{index}" for one, two in with_copies)))
        wrong = {(one, two) for one, two in with_copies if two.rsplit(".", 1)[0] != one}
        wrong |= {(min(pair), max(pair)) for pair in among if pair[0] != pair[1]}
        print(f"| {name} | {' | '.join(counts)} | {len(wrong):,} |")
    pairs = n_clips * (n_clips - 1) // 2
    pictures = _pairs_of_pictures(originals, originals) // 2 + _pairs_of_pictures(originals, copies)
    print(
        f"\nSynthetic data. {len(originals):,} pictures of {n_clips} clips and {len(copies):,} of changed "
        f"ones: {pictures:,} pairs of pictures of different clips, {pairs:,} pairs of unchanged clips. False "
        "pairs are counted per pair of clips, whichever of their pictures agree."
    )


def _pairs_of_pictures(first: Pictures, second: Pictures) -> int:
    """Pairs of pictures of clips that do not show the same."""
    numbers: dict[str, int] = {}
    for clip_id in second.clip_ids:
        source = clip_id.rsplit(".", 1)[0]
        numbers[source] = numbers.get(source, 0) + 1
    return sum(len(second) - numbers.get(clip_id, 0) for clip_id in first.clip_ids)


def _near(first: Pictures, second: Pictures) -> set[tuple[str, str]]:
    near = duplicate_search.near_duplicates(first, second, jobs=JOBS)
    return {(first.clip_ids[one.first], second.clip_ids[one.second]) for one in near}


def _baseline_hash(grey: np.ndarray) -> np.ndarray:
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8]
    return (low > np.median(low)).ravel()


def _baseline_hashes(work: Path) -> tuple[np.ndarray, np.ndarray]:
    """(N, 64) bits of the pictures, and of the mirrored ones, in the order of `Pictures`."""
    pictures = sorted(
        AuditedPictures(work / "manifests", records.SPLITS), key=lambda one: (one.clip_id, one.image_id)
    )
    greys = [cv2.cvtColor(decode(one.data), cv2.COLOR_RGB2GRAY) for one in pictures]
    straight = np.array([_baseline_hash(grey) for grey in greys])
    return straight, np.array([_baseline_hash(grey[:, ::-1]) for grey in greys])


def _baseline_pairs(
    hashes: np.ndarray, turned: np.ndarray, first: Pictures, others: np.ndarray, second: Pictures
) -> set[tuple[str, str]]:
    pairs = set()
    for row in range(len(hashes)):
        near = (hashes[row] != others).sum(axis=1) <= BASELINE_BITS
        near |= (turned[row] != others).sum(axis=1) <= BASELINE_BITS
        pairs |= {(first.clip_ids[row], second.clip_ids[index]) for index in np.flatnonzero(near)}
    return pairs


def _many_rows(work: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of clips and of images: faces of the clips, changed a little, seven to a clip."""
    clips = {row["clip_id"]: row for row in read_rows(work / "manifests" / "clips.parquet")}
    ranges = Ranges(max_rotation_deg=6.0, max_scale_change=0.05, max_noise_sigma=5.0)
    columns = ["clip_id", "frame_index", "status", "image"]
    made = 0
    for take in range(1, 100):
        for path in sorted((work / "manifests" / "faces").glob("*.parquet")):
            for face in read_rows(path, columns):
                if face["status"] != "ok":
                    continue
                source = clips[face["clip_id"]]
                name = f"{face['clip_id']}-{take}-{face['frame_index'] // 7}"
                image_id = f"{name}-{face['frame_index']}"
                changed = apply(decode(face["image"]["bytes"]), draw(image_id, take, ranges, seed=0))
                clip = {**source, "clip_id": name, "sha256": image_id}
                image = {
                    "image_id": image_id,
                    "clip_id": name,
                    "frame_index": face["frame_index"],
                    "offset": 0,
                    "label": source["label"],
                    "split": source["split"],
                    "image": {"bytes": encode(changed, "jpeg", 95), "path": "x.jpg"},
                }
                yield clip, image
                made += 1
                if made == IMAGES:
                    return


def _write_many(work: Path, target: Path) -> dict[str, int]:
    clips: dict[str, dict[str, Any]] = {}
    counts = dict.fromkeys(records.SPLITS, 0)
    manifests = target / "manifests"
    writers = {
        part: TableWriter(manifests / "images" / f"{part}-00000.parquet", records.schema("images"))
        for part in records.SPLITS
    }
    for clip, image in _many_rows(work):
        clips.setdefault(clip["clip_id"], clip)
        writers[image["split"]].add(image)
        counts[image["split"]] += 1
    for writer in writers.values():
        writer.close()
    table = pa.Table.from_pylist(list(clips.values()), records.schema("clips"))
    pq.write_table(table, manifests / "clips.parquet")
    origin = {"recipe": {"split": {"group_by": "subject_id"}}}
    write_json(manifests / "index.json", {"dataset": "many", "synthetic": True, "origin": origin})
    return counts


def _speed(here: Path) -> None:
    work = here / "many"
    counts = _write_many(here / "work", work)
    pairs = (
        counts["train"] * counts["test"] + counts["val"] * counts["test"] + counts["train"] * counts["val"]
    )
    _audit(here / "changed-work", here / "work")  # compiles, so that the next does not
    seconds, cpu, peak_mb, code = _audit(work, None)
    slow = _baseline_seconds(work, pairs)
    print("\n| 30,000 images | s | images/s | ratio | remarks |\n|---|---:|---:|---:|---|")
    print(
        f"| 64-bit hash, all pairs, one core (baseline) | {slow:.0f} | {IMAGES / slow:.0f} | 1.0 | 1/10 of "
        "the images, 1/500 of the pairs, scaled; its reading of the Parquet files is not counted |"
    )
    remarks = (
        f"whole command, {JOBS} threads, {cpu:.0f} s CPU, peak RSS {peak_mb:.0f} MB, "
        f"{'no leak' if code == 0 else f'exit code {code}'}"
    )
    print(f"| fgbench audit | {seconds:.0f} | {IMAGES / seconds:.0f} | {slow / seconds:.1f} | {remarks} |")
    print(
        f"\n{counts['train']:,} images of training, {counts['val']:,} of validation, {counts['test']:,} of "
        f"test: {pairs:,} pairs between parts, none of them to be found."
    )


_COMMAND = """
import re, resource, sys
from fgbench.cli.app import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, which a process takes over from the one that started it.
    peak_kb = re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1]
    print(used.ru_utime + used.ru_stime, int(peak_kb) / 1024, file=sys.stderr)
"""


def _audit(work: Path, against: Path | None) -> tuple[float, float, float, int]:
    """Elapsed seconds, CPU seconds, peak memory in MB and exit code of the command."""
    more = [] if against is None else ["--against", str(against)]
    command = [sys.executable, "-c", _COMMAND, "audit", str(work), "--json", "--jobs", str(JOBS), *more]
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    # An error is told after the figures.
    cpu, peak_mb = next(line for line in done.stderr.splitlines() if line[:1].isdigit()).split()
    return seconds, float(cpu), float(peak_mb), done.returncode


def _baseline_seconds(work: Path, pairs: int) -> float:
    pictures: Sequence[StoredPicture] = [
        one
        for index, one in enumerate(AuditedPictures(work / "manifests", records.SPLITS))
        if index % 10 == 0
    ]
    begin = time.perf_counter()
    greys = [cv2.cvtColor(decode(one.data), cv2.COLOR_RGB2GRAY) for one in pictures]
    hashes = np.array([_baseline_hash(grey) for grey in greys])
    turned = np.array([_baseline_hash(grey[:, ::-1]) for grey in greys])
    hashing = (time.perf_counter() - begin) * IMAGES / len(pictures)
    rows = max(1, pairs // 500 // len(hashes))
    begin = time.perf_counter()
    for row in range(rows):
        for one in (hashes, turned):
            np.flatnonzero((one[row % len(one)] != hashes).sum(axis=1) <= BASELINE_BITS)
    return hashing + (time.perf_counter() - begin) * pairs / (rows * len(hashes))


ALIKE = 10_000
"""Clips of one look."""
ALIKE_LIMIT_S, ALIKE_LIMIT_MB = 60, 1000


def _alike(here: Path) -> None:
    """Clips of one picture each that all show the same face: with equal pixels, or each encoded anew."""
    from skimage.data import astronaut

    face = cv2.resize(astronaut()[0:220, 120:340], (224, 224), interpolation=cv2.INTER_AREA)
    print(f"\n| {ALIKE:,} clips of one look | s | limit, s | peak RSS, MB | limit, MB | leaks | groups |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, is_equal in (("equal pictures", True), ("noise added, encoded anew", False)):
        work = here / ("equal" if is_equal else "alike")
        _write_alike(work, face, is_equal=is_equal)
        seconds, _, peak_mb, _ = _audit(work, None)
        report = json.loads((work / "audit" / "audit.json").read_text(encoding="utf-8"))
        counted = f"{report['n_leaks']:,} | {len(report['groups'])}"
        print(f"| {name} | {seconds:.0f} | {ALIKE_LIMIT_S} | {peak_mb:.0f} | {ALIKE_LIMIT_MB} | {counted} |")


def _write_alike(work: Path, face: np.ndarray, *, is_equal: bool) -> None:
    """55 % of the clips in training, 18 % in validation, 27 % in test, as in Table I."""
    generator = np.random.default_rng(0)
    manifests = work / "manifests"
    clips: list[dict[str, Any]] = []
    writers = {
        part: TableWriter(manifests / "images" / f"{part}-00000.parquet", records.schema("images"))
        for part in records.SPLITS
    }
    for number in range(ALIKE):
        part = records.SPLITS[0 if number % 100 < 55 else 1 if number % 100 < 73 else 2]
        clip = f"clip{number:05d}"
        noise = 0.0 if is_equal else generator.normal(0, 4, face.shape)
        data = encode(np.clip(face + noise, 0, 255).astype(np.uint8), "jpeg", 90)
        common = {"clip_id": clip, "label": "anger", "split": part}
        clips.append({**common, "dataset": "alike", "path": f"{clip}.mp4", "sha256": clip})
        image = {"bytes": data, "path": "x.jpg"}
        writers[part].add({**common, "image_id": f"{clip}-f", "frame_index": 0, "offset": 0, "image": image})
    for writer in writers.values():
        writer.close()
    pq.write_table(pa.Table.from_pylist(clips, records.schema("clips")), manifests / "clips.parquet")
    origin = {"recipe": {"split": {"group_by": "clip_id"}}}
    write_json(manifests / "index.json", {"dataset": "alike", "synthetic": True, "origin": origin})
