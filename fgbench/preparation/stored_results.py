"""Results of stages in a work folder that a run can rely on.

A bucket counts as done when its marker is intact and its files match the marker. A bucket that fails this is
damaged: it is reported, counts as absent, and is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fgbench.errors import ManifestError
from fgbench.preparation.markers import Marker, load_marker, marker_path
from fgbench.workfolders.sealed_json import discard
from fgbench.workfolders.verification import Claim, DamagedFilesError, Elsewhere, Runner, Verified


class StoredResults:
    """Stored results of a work folder.

    Args:
        workdir: The work folder.
        recheck: Whether to hash every file, rather than those whose state differs from the noted one.
        shared: Whether other processes note findings too, so that :meth:`save` waits for :meth:`settle`.
        elsewhere: Where the files of the work folder are kept; ``None``: here.
        keep: Whether damaged results are dropped and findings are noted; else nothing is written, and
            files without a note are checked by their size alone.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        recheck: bool = False,
        keep: bool = True,
        shared: bool = False,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.workdir = workdir
        self.recheck = recheck
        self.verified = Verified(workdir, elsewhere)
        self._elsewhere = elsewhere
        self.damage: list[str] = []
        self._keep = keep
        self._shared = shared
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
            only_made: Whether only buckets computed by this run count.

        Raises:
            ResourceError: If something may not be read or removed.
        """
        markers: dict[int, Marker] = {}
        for bucket, fingerprint in fingerprints.items():
            path = marker_path(self.workdir, stage, bucket, fingerprint)
            if only_made and path not in self._made:
                continue
            try:
                markers[bucket] = load_marker(self.workdir, stage, bucket, fingerprint)
            except FileNotFoundError:
                continue
            except ManifestError as error:
                self._drop(path, error.message)
        owners = {claim: bucket for bucket, marker in markers.items() for claim in self.claims(stage, marker)}
        wanted = owners if self._keep else [claim for claim in owners if self.verified.has_changed(claim)]
        for claim in self.verified.damaged(wanted, runner, all_of=self.recheck):
            bucket = owners[claim]
            markers.pop(bucket, None)
            self._drop(marker_path(self.workdir, stage, bucket, fingerprints[bucket]), _fault(claim))
        for bucket, marker in markers.items():
            path = marker_path(self.workdir, stage, bucket, fingerprints[bucket])
            self._markers.update(dict.fromkeys(marker.contents(stage), path))
        return markers

    def adopt(self, stage: str, fingerprints: Mapping[int, str]) -> dict[int, Marker]:
        """Buckets that other processes have done; those that are not whole are left to them.

        Args:
            stage: Name of the stage.
            fingerprints: Bucket to the identity of its result.
        """
        markers = {}
        for bucket, fingerprint in fingerprints.items():
            try:
                markers[bucket] = load_marker(self.workdir, stage, bucket, fingerprint)
            except (FileNotFoundError, ManifestError):
                continue
            path = marker_path(self.workdir, stage, bucket, fingerprint)
            self._markers.update(dict.fromkeys(markers[bucket].contents(stage), path))
        return markers

    def is_cut(self, claim: Claim, size: int | None) -> bool:
        """Whether a file that is kept elsewhere, and not read here, has another size there than it should."""
        if size is None or self._elsewhere is None or not self._elsewhere.is_away(claim.name):
            return False
        return Path(claim.path).lstat().st_size != size

    def claims(self, stage: str, marker: Marker) -> list[Claim]:
        """Digests that the files of a finished bucket should have."""
        return [self.verified.claim(name, sha256) for name, sha256 in marker.contents(stage).items()]

    def add(self, stage: str, marker: Marker) -> None:
        """Add a bucket that this run has computed."""
        path = marker_path(self.workdir, stage, marker.bucket, marker.fingerprint)
        self._made.add(path)
        self._markers.update(dict.fromkeys(marker.contents(stage), path))
        self.verified.note(self.claims(stage, marker))
        if self._elsewhere is not None:
            self._elsewhere.send(list(marker.contents(stage)), path.relative_to(self.workdir).as_posix())

    def made(self, stage: str, marker: Marker) -> bool:
        """Return whether this run has computed a bucket."""
        return marker_path(self.workdir, stage, marker.bucket, marker.fingerprint) in self._made

    def demand(self, claims: Iterable[Claim], runner: Runner = map, *, read: bool = True) -> None:
        """Check that files hold what they should before they are used.

        Args:
            claims: Of files of finished buckets.
            runner: Hashes files, e.g. in worker processes.
            read: Whether they are about to be read, so that they are hashed even if noted as intact.

        Raises:
            DamagedFilesError: If some are damaged; their buckets then count as not done.
        """
        claims = list(claims)
        self.verified.fetch(claims)
        damaged = self.verified.damaged(claims, runner, all_of=read or self.recheck)
        for claim in damaged:
            self._drop(self._markers[claim.name], _fault(claim))
        if damaged:
            raise DamagedFilesError(damaged)

    def drop_plan(self, path: Path, fault: str) -> None:
        """Forget a plan that is damaged."""
        self._drop(path, fault)

    def save(self) -> None:
        """Write the noted states of the files.

        Raises:
            ResourceError: If it cannot be written.
        """
        if self._keep and not self._shared:
            self.verified.save()

    def settle(self) -> None:
        """Write the noted states beside those of other processes; called while the work folder is held.

        Raises:
            ResourceError: If it cannot be written.
        """
        self.verified.join_saved()
        self.verified.save()

    def _drop(self, path: Path, fault: str) -> None:
        if self._keep:
            discard(path)
        self.damage.append(fault.replace(f"{self.workdir}/", ""))


def _fault(claim: Claim) -> str:
    return f"{claim.name}: missing, or its content is not that of its digest"
