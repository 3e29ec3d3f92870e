"""What is wrong with a configuration as such: what a push would refuse, or regret."""

from collections.abc import Iterator

from ..cib import secrets
from ..cib.digest import Dialect, dialect_of, mangled_attributes
from ..cib.document import SECTIONS, Element, attributes
from ..cib.identity import duplicates, label
from .agent import Agent, Missing
from .agents import problems
from .finding import Finding, Severity
from .practices import PRACTICES
from .references import broken
from .subject import LintRule, Spot, Subject


def _sections(subject: Subject) -> Iterator[Spot]:
    configuration = subject.cib.configuration
    for name in SECTIONS[:4]:
        if configuration.find(name) is None:
            yield Spot(configuration, f"the section <{name}> is missing")
    if not any(len(section) for section in configuration.iterchildren("*")):
        yield Spot(configuration, "the configuration is empty")


def _duplicates(subject: Subject) -> Iterator[Spot]:
    for element, other in duplicates(subject.cib):
        yield Spot(
            element,
            f"duplicate id {element.get('id')!r}: <{element.tag}> here, <{other.tag}> in"
            f" line {other.sourceline}",
        )


def _references(subject: Subject) -> Iterator[Spot]:
    for element, found in broken(subject.cib):
        yield Spot(element, found.sentence, found.severity)


def _agents(subject: Subject) -> Iterator[Spot]:
    for element in subject.primitives:
        name = subject.agent(element)
        known = subject.agents.get(name)
        if isinstance(known, Missing):
            similar = " or ".join(known.similar)
            more = f". Did you mean {similar}?" if similar else ""
            yield Spot(
                element,
                f"{label(element)}: agent {name} is not installed on this machine{more}",
            )


def _parameters(subject: Subject) -> Iterator[Spot]:
    for element in subject.primitives:
        known = subject.agents.get(subject.agent(element))
        if isinstance(known, Agent):
            for found in problems(subject.known, str(element.get("id")), known):
                yield Spot(element, found.sentence)


def _mangled(subject: Subject) -> Iterator[Spot]:
    """Tell each value by the newest release that would not keep it."""
    oldest = dialect_of(subject.pacemaker) if subject.pacemaker else Dialect.OLD
    told = set()
    for dialect in (Dialect.MID, Dialect.OLD):
        if oldest is Dialect.NEW or (oldest, dialect) == (Dialect.MID, Dialect.OLD):
            continue
        for element, name in mangled_attributes(subject.cib.configuration, dialect):
            if (element, name) not in told:
                told.add((element, name))
                yield Spot(
                    element,
                    f"{label(element)}: Pacemaker {dialect.value} would not store {name}="
                    " as it is written",
                    Severity.ERROR if subject.pacemaker else None,
                )


def _secrets(subject: Subject) -> Iterator[Spot]:
    for element in subject.cib.configuration.iter("*"):
        if secrets.is_secret(element, "value") and element.get("value"):
            yield Spot(
                element, f"{element.get('name')} stands in clear ({label(element)})"
            )
        elif not secrets.is_secret(element, "value") and _hides(element):
            yield Spot(element, f"a secret stands inside a value ({label(element)})")


def _hides(element: Element) -> bool:
    """Say whether a part of a value would not be shown."""
    return element.tag in ("nvpair", "recipient") and any(
        secrets.masked(value, element.tag) != value for _, value in attributes(element)
    )


LINT = (
    LintRule(
        "sections", Severity.ERROR,
        "An empty or incomplete desired state is a mistake, never a wish to delete"
        " everything; a push refuses it.",
        "Write all four of crm_config, nodes, resources and constraints.", _sections,
    ),
    LintRule(
        "duplicate-id", Severity.ERROR,
        "Pacemaker knows elements by their ids; the schema forbids it, and where the"
        " schema is not asked the first one counts.",
        "Give every element an id of its own.", _duplicates,
    ),
    LintRule(
        "references", Severity.ERROR,
        "Pacemaker ignores a reference to nothing with a line in the log: the constraint"
        " or level that you rely on is not there.",
        "Correct the name.", _references,
    ),
    LintRule(
        "agents", Severity.WARNING,
        "Pacemaker takes any agent; a typo shows when the resource fails to start.",
        "Correct the name, or install the agent.", _agents,
    ),
    LintRule(
        "agent-parameters", Severity.WARNING,
        "A parameter that the agent does not know does nothing, a missing one fails.",
        "See: pcs resource describe, or crm ra info.", _parameters,
    ),
    LintRule(
        "mangled", Severity.WARNING,
        "Releases before 2.1.8 rewrite line ends, tabs, some text that is not ASCII and"
        " values like name++ when daemons talk to each other; a push refuses them.",
        "Write it otherwise, or say in cibgit.toml what runs: [check] pacemaker.",
        _mangled,
    ),
    LintRule(
        "secrets", Severity.ERROR,
        "What is in git stays in its history, in every clone.",
        "Keep it with cibsecret (lrm://) or in a file that the agent reads.", _secrets,
    ),
)  # fmt: skip
"""Rules that look at one configuration, besides the best practices."""

FILE_RULES = {
    "parse": "What cannot be read as a CIB would be refused by every push.",
    "canonical": "Equal meaning in equal bytes keeps diffs and merges small.",
    "schema": "The CIB manager refuses what its schema does not allow.",
    "corosync": "Corosync takes keys that it does not know, and runs on with its old file"
    " where it cannot read the new one: a mistake shows when a node starts again.",
    "suppression": "What is ignored for ever is forgotten: a suppression says why and"
    " until when.",
}
"""Rules that look at a file, and why; :mod:`cibgit.flow.check` has their code."""

RULES = (*LINT, *PRACTICES)

REASONS = {**FILE_RULES, **{rule.name: rule.reason for rule in RULES}}
"""Why each rule of ``check`` is one, by its name."""

NEEDS_AGENTS = ("agents", "agent-parameters", "short-timeout")
"""Rules that are left out where no metadata is at hand."""


def lint(subject: Subject) -> Iterator[tuple[Element, Finding]]:
    """Ask every rule; yield findings with the elements that they are about."""
    for rule in RULES:
        for spot in rule.look(subject):
            yield (
                spot.element,
                Finding(
                    spot.severity or rule.severity,
                    rule.name,
                    label(spot.element),
                    spot.sentence,
                    f"{rule.remedy} See docs/check.md#{rule.name}",
                ),
            )
