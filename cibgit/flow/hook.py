"""Hook: what a server does with a push, for teams without a forge.

Before it is accepted, exactly what is pushed is checked; afterwards the branch that is the
desired state is planned and pushed to its clusters.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from .. import config
from ..bare import BareRepository
from ..cib.document import Cib, parse
from ..cluster.tools import Tools
from ..config import ClusterConfig, Config
from ..errors import CibgitError, UsageError
from ..policy import rules
from ..policy.context import Context
from ..policy.finding import Finding, Located, Severity
from .check import Report, Source, check, without_old
from .plan import plan
from .push import Pushed, push
from .site import Site

BRANCHES = "refs/heads/"

OF_FILES = (
    *("protected", "keep", "max-deleted", "never-empty"),
    *("guard-fencing", "guard-quorum", "guard-maintenance"),
)
"""The rules of the policy that need two configurations and no live side."""


class Update(NamedTuple):
    """One line of what git tells a hook: a ref, and the commits it leads from and to."""

    old: str
    new: str
    ref: str

    @property
    def branch(self) -> str:
        """The branch, or an empty string for a ref of another kind."""
        is_branch = self.ref.startswith(BRANCHES)
        return self.ref.removeprefix(BRANCHES) if is_branch else ""

    @property
    def is_deletion(self) -> bool:
        """Whether the ref is to go."""
        return not self.new.strip("0")


@dataclass
class Received:
    """What the checks say of a push: any error refuses all of it."""

    findings: list[Located] = field(default_factory=list)
    forced: list[str] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Whether no finding is an error."""
        return all(
            each.finding.severity is not Severity.ERROR for each in self.findings
        )


def updates(lines: Iterable[str]) -> list[Update]:
    """Read the standard input of a hook.

    Raises :class:`~cibgit.errors.UsageError` for anything that git does not write.
    """
    found = []
    for line in lines:
        parts = line.rstrip("\n").split(" ", 2)
        if len(parts) != len(Update._fields):
            raise UsageError(
                "a hook reads lines of OLD NEW REF from standard input, as git writes them"
            )
        found.append(Update(*parts))
    return found


def receive(
    bare: BareRepository,
    pushed: Sequence[Update],
    tools: Tools,
    today: date,
    force: Sequence[str] = (),
) -> Received:
    """Judge exactly what is pushed; only what it newly brings counts.

    The policy is that of the branch that is the desired state, as it was before: who
    loosens it in one push profits from the next one on. ``force`` names its rules that
    are relaxed.
    """
    rules.check_names(force)
    received = Received()
    main = bare.branch()
    base = bare.tip(main)
    for update in pushed:
        if not update.branch:
            continue
        if update.is_deletion:
            if update.branch == main:
                sentence = (
                    f"the branch {main} is the desired state and cannot be deleted"
                )
                received.findings.append(_refused("branch", update.ref, sentence))
            continue
        before = base or (update.old if update.old.strip("0") else None)
        _judge(_Step(bare, update, before, tools, today), force, received)
    return received


class _Step(NamedTuple):
    bare: BareRepository
    update: Update
    before: str | None
    tools: Tools
    today: date

    def was(self, path: str) -> bytes | None:
        return self.bare.read(self.before, path) if self.before else None

    def now(self, path: str) -> bytes | None:
        return self.bare.read(self.update.new, path)


def _judge(step: _Step, force: Sequence[str], received: Received) -> None:
    try:
        old, new = (_settings(read(config.FILE)) for read in (step.was, step.now))
    except CibgitError as error:
        received.findings.append(_refused("configuration", config.FILE, error.message))
        return
    if new is None:
        if old is not None:
            sentence = f"{config.FILE} would be removed"
            received.findings.append(_refused("configuration", config.FILE, sentence))
        return
    for cluster in new.clusters.values():
        was, now = step.was(cluster.path), step.now(cluster.path)
        if now is None:
            if was is not None:
                sentence = f"the desired state of {cluster.name} would be removed"
                received.findings.append(_refused("parse", cluster.path, sentence))
        elif now != was:
            received.findings += _lint(step, new, cluster, was, now)
            in_force = (old or new).clusters.get(cluster.name, cluster)
            _policy(in_force, was, now, force, received)


def _settings(data: bytes | None) -> Config | None:
    return None if data is None else config.loads(data, Path(config.FILE))


def _lint(
    step: _Step, new: Config, cluster: ClusterConfig, was: bytes | None, now: bytes
) -> Iterator[Located]:
    """Yield what a check finds now and did not before; notes are left out."""

    def found(data: bytes | None) -> Report:
        sources = [] if data is None else [Source(cluster.path, data)]
        return check(sources, new.check, step.tools, step.today)

    for each in without_old(found(now), found(was)).findings:
        if each.finding.severity is not Severity.NOTE:
            yield each


def _policy(
    cluster: ClusterConfig,
    was: bytes | None,
    now: bytes,
    force: Sequence[str],
    received: Received,
) -> None:
    old, new = _readable(was, cluster.path), _readable(now, cluster.path)
    if old is None or new is None:  # a first state, or one that is refused anyway
        return
    context = Context(old, new, cluster.policy, datetime.now(UTC))
    verdict = rules.judge(context, force, among=OF_FILES)
    received.forced += verdict.forced
    received.findings += [Located(each, cluster.path) for each in verdict.findings]


def _readable(data: bytes | None, source: str) -> Cib | None:
    try:
        cib = None if data is None else parse(data, source)
        return cib if cib is None or cib.configuration is not None else None
    except CibgitError:
        return None


def _refused(rule: str, file: str, sentence: str) -> Located:
    return Located(Finding(Severity.ERROR, rule, file, sentence), file)


class Deployment(NamedTuple):
    """What became of one cluster: what was pushed, or why nothing was."""

    cluster: str
    pushed: Pushed | None
    error: CibgitError | None


def concerns(bare: BareRepository, pushed: Sequence[Update]) -> bool:
    """Say whether the desired state moved; without updates a run catches up."""
    return not pushed or any(each.branch == bare.branch() for each in pushed)


def deploy(
    bare: BareRepository,
    open_site: Callable[[Path, str], Site],
    force: Sequence[str] = (),
) -> Iterator[Deployment]:
    """Push the newest desired state to every cluster, one process at a time.

    What a cluster refuses, or does not hear, is lost for nobody: the commit stays, and
    the next run takes it up.
    """
    branch = bare.branch()
    if bare.tip(branch) is None:
        return
    with bare.work_tree(branch) as work:
        settings = config.load(work / config.FILE)
        for cluster in settings.clusters.values():
            if not (work / cluster.path).exists():
                continue
            try:
                done = _pushed(open_site(work, cluster.name), force)
                yield Deployment(cluster.name, done, None)
            except CibgitError as error:
                yield Deployment(cluster.name, None, error)


def _pushed(site: Site, force: Sequence[str]) -> Pushed:
    commit = site.repository.resolve("HEAD")
    return push(plan(site, site.desired(commit), commit, force))


def install(
    folder: Path, program: str, branch: str | None, hooks: Sequence[str]
) -> list[Path]:
    """Install hooks into a bare repository; ``branch`` is the desired state."""
    bare = BareRepository.open(folder)
    files = [bare.install(hook, program) for hook in hooks]
    if branch is not None:
        bare.configure("cibgit.branch", branch)
    bare.configure("receive.advertisePushOptions", "true")
    return files
