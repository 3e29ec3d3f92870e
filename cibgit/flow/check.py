"""Check: judge files as they stand in the work tree or commits, without any live side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import cast

from .. import config
from ..cib import schema
from ..cib.canonical import canonical, pretty
from ..cib.document import Cib, parse_authored
from ..cluster.tools import Tools
from ..config import CheckConfig, Config
from ..errors import BadDataError, CibgitError, NoInputError
from ..policy.agent import Agent, Missing, NotAsked
from ..policy.finding import Finding, Located, Severity
from ..policy.lint import NEEDS_AGENTS, lint
from ..policy.subject import Subject
from ..policy.suppress import Judged, expired, suppress
from ..repository import Repository
from . import check_conf
from .check_conf import form, unreadable
from .files import written
from .replace import replaced


@dataclass(frozen=True)
class Source:
    """One file to be checked: what to call it, its bytes, and the file it may be fixed in."""

    name: str
    data: bytes
    file: Path | None = None


@dataclass
class Report:
    """What was checked and found.

    ``left_out`` says which checks could not be made, and why; ``suppressed`` counts what
    somebody accepted, ``old`` what was wrong before already; ``fixed`` names the files
    that were brought into canonical form.
    """

    files: list[str] = field(default_factory=list)
    findings: list[Located] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    suppressed: int = 0
    old: int = 0
    fixed: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing but notes."""
        return all(each.finding.severity is Severity.NOTE for each in self.findings)


def check(
    sources: Iterable[Source],
    settings: CheckConfig,
    tools: Tools,
    today: date,
    *,
    fix: bool = False,
) -> Report:
    """Judge CIBs one after the other; ``fix`` writes their canonical form first."""
    report = Report()
    for ignore in settings.ignore:
        if ignore.is_expired(today):
            report.findings.append(Located(expired(ignore), config.FILE))
    for source in sources:
        now = _fixed(source, report) if fix else source
        report.files.append(now.name)
        if check_conf.is_conf(now.name):
            found, count = check_conf.judged(now.name, now.data, settings.ignore, today)
            report.suppressed += count
        else:
            found = list(_judged(now, settings, tools, report, today))
        found.sort(key=lambda each: each.line)
        report.findings += found
    return report


def without_old(report: Report, before: Report) -> Report:
    """Return a report without what ``before`` found, too, wherever it stood then."""
    known = {_key(each) for each in before.findings}
    new = [each for each in report.findings if _key(each) not in known]
    return replace(report, findings=new, old=len(report.findings) - len(new))


def _key(each: Located) -> tuple[object, ...]:
    """Return what makes two findings the same: not the line, which moves."""
    one = each.finding
    return Path(each.file).parts[-2:], one.rule, one.element, one.sentence


def _judged(
    source: Source, settings: CheckConfig, tools: Tools, report: Report, today: date
) -> Iterator[Located]:
    try:
        cib = parse_authored(source.data, source.name)
        _ = cib.configuration, cib.version
    except BadDataError as error:
        yield unreadable(error, source.name)
        return
    agents = _metadata(cib, tools, report)
    subject = Subject(cib, agents, settings.pacemaker)
    found = [Judged(element, finding) for element, finding in lint(subject)]
    lines: dict[Finding, int] = {}
    told = {each.finding.rule for each in found} & {"duplicate-id", "references"}
    for line, finding in (
        *form(source.name, source.data, pretty(canonical(cib))),
        *_schema(cib, source, report),
    ):
        if finding.rule == "schema" and not line and told:
            continue  # libxml2 says the same of ids, without their place
        lines[finding] = line
        found.append(Judged(None, finding))
    left, count = suppress(cib, found, settings.ignore, today)
    report.suppressed += count
    for element, finding in left:
        place = lines.get(finding) if element is None else element.sourceline
        yield Located(finding, source.name, cast("int", place or 0))


def _schema(cib: Cib, source: Source, report: Report) -> Iterator[tuple[int, Finding]]:
    if not cib.schema or not schema.is_installed(cib.schema):
        name = cib.schema or "validate-with"
        report.left_out.setdefault("schema", f"{name} is not installed on this machine")
        return
    found = schema.violation(source.data, cib.schema)
    if found is not None:
        sentence = f"it does not conform to {cib.schema}: {found.message}"
        hint = "See docs/check.md#schema"
        yield found.line, Finding(Severity.ERROR, "schema", source.name, sentence, hint)


def _metadata(
    cib: Cib, tools: Tools, report: Report
) -> dict[str, Agent | Missing | NotAsked]:
    subject = Subject(cib)
    names = {subject.agent(element) for element in subject.primitives} - {""}
    found = tools.agents(sorted(names))
    for name, known in found.items():
        if isinstance(known, NotAsked):
            for rule in NEEDS_AGENTS:
                report.left_out.setdefault(rule, f"{name}: {known.reason}")
    return found


def _fixed(source: Source, report: Report) -> Source:
    """Bring a file into canonical form; one that cannot be read stays as it is."""
    if source.file is None:
        return source
    try:
        if check_conf.is_conf(source.name):
            data = check_conf.formatted(source.data, source.name)
        else:
            data = written(parse_authored(source.data, source.name))
    except CibgitError:
        return source
    if data != source.data:
        replaced(source.file, data)
        report.fixed.append(source.name)
    return Source(source.name, data, source.file)


def in_files(names: Sequence[str], folder: Path) -> list[Source]:
    """Return files that a user named, or those of folders: ``*.xml``, ``corosync.conf``."""
    found = []
    for name in names:
        path = folder / name
        if path.is_dir():
            files = sorted(
                file
                for file in path.rglob("*")
                if (file.suffix == ".xml" or check_conf.is_conf(file.name))
                and not any(
                    part.startswith(".") for part in file.relative_to(path).parts
                )
            )
            if not files:
                raise NoInputError(f"there is no *.xml and no corosync.conf in {name}")
            found += [
                _read(file, f"{Path(name) / file.relative_to(path)}") for file in files
            ]
        else:
            found.append(_read(path, name))
    return found


def _read(file: Path, name: str) -> Source:
    try:
        return Source(name, file.read_bytes(), file)
    except OSError as error:
        raise NoInputError(f"{name}: {error.strerror}") from None


def in_work_tree(settings: Config) -> list[Source]:
    """Return the CIB of every cluster that has one, and its corosync.conf."""
    clusters = settings.clusters.values()
    paths = [path for each in clusters for path in (each.path, each.conf_path)]
    found = [
        _read(settings.root / path, path)
        for path in paths
        if (settings.root / path).exists()
    ]
    if not found:
        raise NoInputError(
            f"no cluster of {settings.root / config.FILE} has a cib.xml yet",
            "Take the live configuration into git with: cibgit export",
        )
    return found


def in_commit(
    repository: Repository, revision: str, settings: Config, *, needed: bool = True
) -> list[Source]:
    """Return the CIBs of a commit, by their names in git.

    Raises :class:`~cibgit.errors.NoInputError` where there is none, if one is needed.
    """
    commit = repository.resolve(revision)
    top = settings.root.resolve().relative_to(repository.root.resolve())
    found = []
    clusters = settings.clusters.values()
    for each in (path for one in clusters for path in (one.path, one.conf_path)):
        path = (top / each).as_posix()
        try:
            found.append(Source(path, repository.read(commit, path)))
        except NoInputError:
            continue
    if needed and not found:
        raise NoInputError(f"there is no cib.xml in {revision}")
    return found
