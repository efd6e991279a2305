"""The results of stages that lie in a work folder: which of them a run can rely on.

A bucket counts as done when its marker is whole and its files hold what the marker says. What does not is
damaged: it is told, counts as absent, and is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fgbench.errors import ManifestError
from fgbench.preparation.markers import Marker, load_marker, marker_path
from fgbench.workfolders.sealed_json import discard
from fgbench.workfolders.verification import Claim, DamagedFilesError, Runner, Verified


class StoredResults:
    """Results at hand.

    Args:
        workdir: The work folder.
        recheck: Whether to hash every file, rather than those whose state is not the noted one.
        keep: Whether what is damaged is dropped and what is found is noted; else nothing is written, and of
            files of which nothing was noted the size has to do.
    """

    def __init__(self, workdir: Path, *, recheck: bool = False, keep: bool = True) -> None:
        self.workdir = workdir
        self.recheck = recheck
        self.verified = Verified(workdir)
        self.damage: list[str] = []
        self._keep = keep
        self._markers: dict[str, Path] = {}
        self._made: set[Path] = set()

    def find(
        self, stage: str, fingerprints: Mapping[int, str], runner: Runner = map, *, only_made: bool = False
    ) -> dict[int, Marker]:
        """Buckets that are done.

        Args:
            stage: Name of the stage.
            fingerprints: Bucket to the identity of its result.
            runner: Hashes files, e.g. in worker processes.
            only_made: Whether only what this run has computed counts.

        Raises:
            ResourceError: If something may not be read or removed.
        """
        found: dict[int, Marker] = {}
        for bucket, fingerprint in fingerprints.items():
            path = marker_path(self.workdir, stage, bucket, fingerprint)
            if only_made and path not in self._made:
                continue
            try:
                found[bucket] = load_marker(self.workdir, stage, bucket, fingerprint)
            except FileNotFoundError:
                continue
            except ManifestError as error:
                self._drop(path, error.message)
        owners = {claim: bucket for bucket, marker in found.items() for claim in self.claims(stage, marker)}
        wanted = owners if self._keep else [claim for claim in owners if self.verified.has_changed(claim)]
        for claim in self.verified.damaged(wanted, runner, all_of=self.recheck):
            bucket = owners[claim]
            found.pop(bucket, None)
            self._drop(marker_path(self.workdir, stage, bucket, fingerprints[bucket]), _told(claim))
        for bucket, marker in found.items():
            path = marker_path(self.workdir, stage, bucket, fingerprints[bucket])
            self._markers.update(dict.fromkeys(marker.contents(stage), path))
        return found

    def claims(self, stage: str, marker: Marker) -> list[Claim]:
        """What the files of a finished bucket should hold."""
        return [self.verified.claim(name, sha256) for name, sha256 in marker.contents(stage).items()]

    def add(self, stage: str, marker: Marker) -> None:
        """Take in a bucket that this run has computed."""
        path = marker_path(self.workdir, stage, marker.bucket, marker.fingerprint)
        self._made.add(path)
        self._markers.update(dict.fromkeys(marker.contents(stage), path))
        self.verified.note(self.claims(stage, marker))

    def made(self, stage: str, marker: Marker) -> bool:
        """Whether this run has computed a bucket."""
        return marker_path(self.workdir, stage, marker.bucket, marker.fingerprint) in self._made

    def demand(self, claims: Iterable[Claim], runner: Runner = map, *, read: bool = True) -> None:
        """Make sure that files hold what they should before something is made of them.

        Args:
            claims: Of files of finished buckets.
            runner: Hashes files, e.g. in worker processes.
            read: Whether they are about to be read, so that no note does in place of the digest.

        Raises:
            DamagedFilesError: If some do not; their buckets then count as not done.
        """
        damaged = self.verified.damaged(claims, runner, all_of=read or self.recheck)
        for claim in damaged:
            self._drop(self._markers[claim.name], _told(claim))
        if damaged:
            raise DamagedFilesError(damaged)

    def drop_plan(self, path: Path, fault: str) -> None:
        """Forget a plan that is damaged."""
        self._drop(path, fault)

    def save(self) -> None:
        """Keep what is known of the files.

        Raises:
            ResourceError: If it cannot be written.
        """
        if self._keep:
            self.verified.save()

    def _drop(self, path: Path, fault: str) -> None:
        if self._keep:
            discard(path)
        self.damage.append(fault.replace(f"{self.workdir}/", ""))


def _told(claim: Claim) -> str:
    return f"{claim.name}: missing, or its content is not that of its digest"
