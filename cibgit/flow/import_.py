"""Import: what a cluster kept of its past, to git. (``import`` is a word of Python.)

Every file becomes a moment (:mod:`.chronology`). What comes after the newest moment of
git becomes a chain of commits, made in one go beside the branch; then the branch moves
forward to the last of them, as one step.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..cib.digest import Dialect
from ..cib.document import LastChange, Version, parse
from ..cluster.sources import sources
from ..commit import Author, message_bytes
from ..compare.text import counted
from ..errors import CibgitError, UnsafeError
from ..policy.finding import Finding, Severity, worst_first
from ..replay import NewCommit
from ..revisions import Revision
from .chronology import GIT, Choice, Moment, choose
from .export import author, trailers, written_at
from .pasts import Past, Pasts, remarks
from .site import Site

SOURCE = "CIB-Source"
"""The trailer by which an imported commit is known; it names the file."""

SIGNATURE = "CIB-Signature"
"""The trailer that says whether the digest was verified, and under which era."""

Tick = Callable[[int, int], None]
"""Told after each file: how many have been read, how many there are."""


@dataclass(frozen=True)
class Target:
    """The branch that history goes to; ``reason`` says why not to the current one.

    ``tip`` is where it is now, ``past`` what it has of this cluster, oldest first.
    """

    branch: str
    tip: str | None
    past: list[Revision]
    reason: str = ""

    @property
    def has_imports(self) -> bool:
        """Whether any of its history was imported."""
        return any(SOURCE in each.trailers for each in self.past)

    @property
    def is_open(self) -> bool:
        """Whether more may come on top: nobody worked on it since the last import."""
        return not self.past or SOURCE in self.past[-1].trailers


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do.

    ``states`` are the configurations that are new to git, oldest first; ``files`` counts
    the files with a CIB. ``commit`` is the new tip, None where none was made.
    """

    target: Target
    states: list[Past]
    files: int
    findings: list[Finding]
    commit: str | None


def import_(
    site: Site,
    paths: Sequence[Path],
    *,
    branch: str | None = None,
    dry_run: bool = False,
    tick: Tick | None = None,
) -> Imported:
    """Bring what the paths hold into git, as far as it is newer than what is there.

    The branch is the current one where it has nothing of this cluster, or imported
    history; else ``import/NAME``. Raises :class:`~cibgit.errors.NoInputError` for a path
    that does not exist, :class:`~cibgit.errors.UnsafeError` where edits would be lost.
    """
    target = _target(site, branch)
    findings: list[Finding] = []
    with Pasts(site.repository.blob_id, _dialect(site), site.hidden) as pasts:
        findings += _read(pasts, paths, tick)
        site.keeper.refuse_uncertain()
        choice = choose([*_moments(target.past), *pasts.moments()])
        states = (
            [pasts[moment.index] for moment in choice.new] if target.is_open else []
        )
        findings += [*pasts.findings(), *_left_out(target, choice), *remarks(states)]
        commit = None
        if states and not dry_run:
            commit = _write(site, target, pasts, states)
    if commit and site.repository.is_signing():
        sentence = "imported commits are not signed, although commit.gpgSign is set"
        findings.append(Finding(Severity.NOTE, "unsigned", target.branch, sentence))
    return Imported(target, states, len(pasts), worst_first(findings), commit)


def _target(site: Site, wanted: str | None) -> Target:
    repository = site.repository
    current, aside = repository.branch(), f"import/{site.name}"

    def at(branch: str, reason: str = "") -> Target:
        tip = repository.tip(branch)
        past = repository.revisions(site.path, tip)[::-1] if tip else []
        return Target(branch, tip, past, reason)

    if wanted is not None:
        target = at(wanted)
    elif current is None:
        target = at(aside, "HEAD is detached")
    else:
        target = at(current)
        if target.past and not target.has_imports:
            target = at(aside, f"{current} has history of {site.name} already")
    if target.branch == current and repository.is_dirty(site.path):
        raise UnsafeError(
            f"{site.path} has changes that are not committed",
            "Commit them, or import into another branch: --branch NAME",
        )
    return target


def _dialect(site: Site) -> Dialect:
    """Return how the digests of commits are computed: as an export from here would."""
    try:
        return site.cluster.dialect()
    except CibgitError:
        return Dialect.NEW


def _read(pasts: Pasts, paths: Sequence[Path], tick: Tick | None) -> Iterator[Finding]:
    places = sources(paths)
    total, done = sum(len(place.jobs) for place in places), 0
    for number, place in enumerate(places):
        yield from place.findings
        for found in place.read():
            done += 1
            if isinstance(found, Finding):
                yield found
            else:
                series = f"{number}:{found.series}" if found.series else ""
                if problem := pasts.add(found, series):
                    yield problem
            if tick:
                tick(min(done, total), total)


def _moments(past: Sequence[Revision]) -> Iterator[Moment]:
    """Yield what git has; a commit that says no version has that of the one before."""
    version = Version(0, 0, 0)
    for place, each in enumerate(past):
        version = Version.of(each.trailers.get("CIB-Version", "")) or version
        change = LastChange("", "", "", each.trailers.get("CIB-Changed-At", ""))
        known = written_at(change)
        time = known.timestamp() if known else each.when.timestamp()
        yield Moment(each.new, version, time, GIT, place)


def _left_out(target: Target, choice: Choice) -> Iterator[Finding]:
    if choice.older:
        first, last = choice.older[0].version, choice.older[-1].version
        yield Finding(
            Severity.WARNING, "older", target.branch,
            f"{counted(len(choice.older), 'configuration')} ({first} to {last}) left out:"
            " the place is before what it has already, and history is not rewritten",
            "Import everything into a new branch: --branch NAME",
        )  # fmt: skip
    if choice.new and not target.is_open:
        yield Finding(
            Severity.WARNING, "newer", target.branch,
            f"{counted(len(choice.new), 'configuration')} left out: newer than what it"
            " has, but it was worked on since the last import",
            "Take what is live with: cibgit export. Or import all: --branch NAME",
        )  # fmt: skip


def _write(site: Site, target: Target, pasts: Pasts, states: Sequence[Past]) -> str:
    repository, ref = site.repository, site.ref("import")
    commits = (
        NewCommit(
            pasts.data(past),
            _message(site, past),
            _author(past),
            _vault(site, pasts, states) if past is states[-1] else {},
        )
        for past in states
    )
    try:
        commit = repository.replay(ref, site.path, target.tip, commits)
        repository.advance(target.branch, target.tip, commit, "cibgit import")
    finally:
        with suppress(CibgitError):
            repository.drop_ref(ref)
    return commit


def _vault(site: Site, pasts: Pasts, states: Sequence[Past]) -> dict[str, bytes]:
    """Return the files that keep the secrets of what will be the newest state.

    The key is kept for any secret in the history: with another one the next import would
    take every state with a secret for a new one.
    """
    newest = parse(pasts.data(states[-1]), site.path)
    files = site.files(newest, keep=any(past.form.sealed for past in states))
    del files[site.path]
    return files


def _author(past: Past) -> Author:
    change = past.change
    unknown = Author("unknown", f"unknown@{change.origin or 'localhost'}")
    return replace(author(change) or unknown, when=past.when)


def _message(site: Site, past: Past) -> bytes:
    text = f"Import {site.name} {past.version}"
    if not past.schema.startswith(("pacemaker-2", "pacemaker-3", "pacemaker-4")):
        schema = f"Schema {past.schema}" if past.schema else "No schema is named"
        text += f"\n\n{schema}: the configuration is kept as it was written."
    said = {
        **trailers(past.version, past.change, past.form.digest),
        SOURCE: past.source,
        SIGNATURE: past.signature,
    }
    return message_bytes(text, said)
