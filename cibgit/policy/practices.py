"""Best practices: what runs, and lets people down at night. Each with its reason."""

from collections.abc import Iterator

from ..cib.document import Element
from ..cib.identity import label
from ..compare.values import is_true, milliseconds, score
from .agent import Agent
from .finding import Severity
from .subject import LintRule, Spot, Subject

_TWO = 2
_FENCING = ("stonith-enabled", "fencing-enabled")
_PROMOTED = ("promoted", "master")
_TIMEOUT = "20s"
_ALWAYS = ("start", "stop")
_MOVES = ("cli-ban-", "cli-prefer-", "cli-standby-")


def _fencing_off(subject: Subject) -> Iterator[Spot]:
    for pair in subject.options(*_FENCING):
        if is_true(pair.get("value", "")) is False:
            yield Spot(pair, f"fencing is off ({pair.get('name')}={pair.get('value')})")


def _no_device(subject: Subject) -> Iterator[Spot]:
    off = any(_fencing_off(subject))
    watchdog = any(
        pair.get("value", "") not in ("", "0")
        for pair in subject.options(
            "stonith-watchdog-timeout", "fencing-watchdog-timeout"
        )
    )
    if subject.services and not subject.devices and not off and not watchdog:
        resources = subject.cib.configuration.find("resources")
        if resources is not None:
            yield Spot(resources, "fencing is on, and there is no fencing device")


def _race(subject: Subject) -> Iterator[Spot]:
    delays = ("pcmk_delay_max", "pcmk_delay_base", "delay")
    if len(subject.cib.nodes()) != _TWO or not subject.devices:
        return
    if subject.options("priority-fencing-delay") or any(_fencing_off(subject)):
        return
    if not any(
        pair.get("name") in delays
        for device in subject.devices
        for pair in device.iterfind("instance_attributes/nvpair")
    ):
        yield Spot(
            subject.devices[0],
            "two nodes that lose sight of each other fence each other at the same time:"
            " no device has a delay",
        )


def _quorum(subject: Subject) -> Iterator[Spot]:
    for pair in subject.options("no-quorum-policy"):
        if pair.get("value") == "ignore":
            two = len(subject.cib.nodes()) == _TWO
            more = (
                "; two nodes need two_node: 1 in corosync.conf instead" if two else ""
            )
            yield Spot(pair, f"no-quorum-policy=ignore: a minority runs on{more}")


def _no_monitor(subject: Subject) -> Iterator[Spot]:
    for element in subject.primitives:
        recurring = [
            op
            for op in subject.operations(element, "monitor")
            if milliseconds(op.get("interval", "0")) != 0
            and is_true(op.get("enabled", "true")) is not False
        ]
        if not recurring:
            yield Spot(element, f"{label(element)} has no recurring monitor operation")


def _one_role(subject: Subject) -> Iterator[Spot]:
    for element in subject.services:
        roles = [
            op.get("role", "").lower() for op in subject.operations(element, "monitor")
        ]
        if (
            _is_promotable(element, subject)
            and roles
            and not set(_PROMOTED) & set(roles)
        ):
            yield Spot(
                element,
                f"{label(element)} is promotable, and no monitor has role Promoted",
            )


def _is_promotable(element: Element, subject: Subject) -> bool:
    for parent in element.iterancestors("clone", "master"):
        pairs = subject.meta(parent, "promotable")
        if parent.tag == "master" or any(
            is_true(each.get("value", "")) for each in pairs
        ):
            return True
    return False


def _same_interval(subject: Subject) -> Iterator[Spot]:
    for element in subject.primitives:
        seen: dict[int | None, Element] = {}
        for block in element.iterchildren("operations"):
            for op in block.iterchildren("op"):
                if op.get("name") != "monitor":
                    continue
                interval = milliseconds(op.get("interval", "0"))
                if seen.setdefault(interval, op) is not op:
                    yield Spot(
                        op,
                        f"{label(element)} has two monitors of one interval"
                        f" ({op.get('interval')}): Pacemaker runs only one",
                    )


def _ignored_failure(subject: Subject) -> Iterator[Spot]:
    for op in subject.cib.configuration.iter("op"):
        if op.get("on-fail") == "ignore":
            yield Spot(op, f"a failed {op.get('name')} is ignored ({label(op)})")
        elif op.get("on-fail") == "block" and op.get("name") == "stop":
            yield Spot(op, f"a failed stop blocks the resource for good ({label(op)})")


def _endless_starts(subject: Subject) -> Iterator[Spot]:
    if subject.defaults("rsc_defaults", "migration-threshold"):
        return
    for pair in subject.options("start-failure-is-fatal"):
        if is_true(pair.get("value", "")) is False:
            yield Spot(
                pair,
                "a start that fails is tried for ever: start-failure-is-fatal=false"
                " without a default migration-threshold",
            )


def _stickiness(subject: Subject) -> Iterator[Spot]:
    if len(subject.cib.nodes()) < _TWO or not subject.services:
        return
    named = "resource-stickiness"
    everywhere = subject.cib.configuration.iterfind(".//meta_attributes/nvpair")
    if not any(pair.get("name") == named for pair in everywhere):
        resources = subject.services[0]
        yield Spot(resources, "no resource-stickiness is set anywhere")


def _leftover(subject: Subject) -> Iterator[Spot]:
    for element in subject.cib.configuration.iterfind("constraints/rsc_location"):
        is_lasting = element.find(".//date_expression") is None
        if str(element.get("id")).startswith(_MOVES) and is_lasting:
            yield Spot(
                element,
                f"{element.get('id')} was left by a move or ban of"
                f" {element.get('rsc')}, and holds for ever",
            )


def _maintenance(subject: Subject) -> Iterator[Spot]:
    for pair in subject.options("maintenance-mode", "stop-all-resources"):
        if is_true(pair.get("value", "")):
            yield Spot(pair, f"{pair.get('name')} is on")
    for pair in subject.cib.configuration.iterfind("nodes//nvpair"):
        if pair.get("name") in ("maintenance", "standby") and is_true(
            pair.get("value", "")
        ):
            yield Spot(pair, f"a node is in {pair.get('name')} ({label(pair)})")
    for pair in subject.cib.configuration.iterfind("resources//meta_attributes/nvpair"):
        value = pair.get("value", "")
        if pair.get("name") == "is-managed" and is_true(value) is False:
            yield Spot(pair, f"a resource is unmanaged ({label(pair)})")


def _stopped(subject: Subject) -> Iterator[Spot]:
    for pair in subject.cib.configuration.iterfind("resources//meta_attributes/nvpair"):
        if pair.get("name") == "target-role" and pair.get("value") == "Stopped":
            yield Spot(pair, f"a resource is switched off ({label(pair)})")


def _nowhere(subject: Subject) -> Iterator[Spot]:
    if not any(
        is_true(pair.get("value", "")) is False
        for pair in subject.options("symmetric-cluster")
    ):
        return
    allowed = {
        str(element.get("rsc"))
        for element in subject.cib.configuration.iterfind("constraints/rsc_location")
    }
    patterns = any(
        element.get("rsc-pattern") or element.find("resource_set") is not None
        for element in subject.cib.configuration.iterfind("constraints/rsc_location")
    )
    related = {
        str(element.get("rsc"))
        for element in subject.cib.configuration.iterfind("constraints/rsc_colocation")
    }
    for element in subject.services:
        names = {str(element.get("id")), element.get("template", "")}
        names |= {str(parent.get("id")) for parent in element.iterancestors()}
        if not patterns and not names & (allowed | related):
            yield Spot(
                element,
                f"{label(element)} may run nowhere: symmetric-cluster=false and no"
                " location constraint allows it",
            )


def _unordered(subject: Subject) -> Iterator[Spot]:
    constraints = subject.cib.configuration.find("constraints")
    if constraints is None:
        return
    ordered = {
        frozenset((order.get("first"), order.get("then")))
        for order in constraints.iterchildren("rsc_order")
    }
    for element in constraints.iterchildren("rsc_colocation"):
        pair = frozenset((element.get("rsc"), element.get("with-rsc")))
        together = (score(element.get("score", "INFINITY")) or 0) > 0
        if together and None not in pair and pair not in ordered:
            yield Spot(
                element,
                f"{element.get('rsc')} has to be where {element.get('with-rsc')} is, and"
                " nothing says which of them starts first",
            )


def _short_timeout(subject: Subject) -> Iterator[Spot]:
    """Compare with what agents advise; an operation without a timeout has the default."""
    found = subject.defaults("op_defaults", "timeout")
    default = found[0].get("value", "") if found else _TIMEOUT
    for element in subject.primitives:
        agent = subject.agents.get(subject.agent(element))
        advised = agent.timeouts if isinstance(agent, Agent) else {}
        for name, least in advised.items():
            operations = subject.operations(element, name)
            for op in operations or ([element] if name in _ALWAYS else []):
                given = _timeout(op)
                time = milliseconds(given or default)
                if time is not None and time < least:
                    yield Spot(
                        op,
                        f"{label(element)}: {name} may take {given or default}"
                        f"{'' if given else ' (the default)'}, and its agent advises at"
                        f" least {least // 1000}s",
                    )


def _timeout(op: Element) -> str:
    pairs = op.iterfind("*/nvpair") if op.tag == "op" else iter(())
    inside = (each.get("value", "") for each in pairs if each.get("name") == "timeout")
    own = op.get("timeout", "") if op.tag == "op" else ""
    return own or next(inside, "")


def _removed(subject: Subject) -> Iterator[Spot]:
    for element in subject.cib.configuration.iter("primitive", "template"):
        if element.get("class") in ("upstart", "nagios", "heartbeat"):
            yield Spot(element, f"{label(element)}: class {element.get('class')}")
    for element in subject.cib.configuration.iter("rkt"):
        yield Spot(element, "a bundle runs in rkt")
    for pair in subject.options("stonith-action", "remove-after-stop"):
        if pair.get("name") == "remove-after-stop" or pair.get("value") == "poweroff":
            yield Spot(pair, f"{pair.get('name')}={pair.get('value')}")


PRACTICES = (
    LintRule(
        "fencing-off", Severity.WARNING,
        "Without fencing a node that does not answer may still hold the disk or the"
        " address: recovery elsewhere can destroy data, and a failed stop blocks.",
        "Set stonith-enabled=true and configure a device.", _fencing_off,
    ),
    LintRule(
        "no-fencing-device", Severity.WARNING,
        "While fencing is on and no device is defined, Pacemaker starts no resource.",
        "Add a stonith primitive, or a watchdog with sbd.", _no_device,
    ),
    LintRule(
        "fencing-race", Severity.WARNING,
        "In a split of two nodes both have the vote of corosync's two_node and fence at"
        " once; both die.",
        "Give one device pcmk_delay_base, or set priority-fencing-delay.", _race,
    ),
    LintRule(
        "quorum-ignored", Severity.WARNING,
        "A partition that lost its majority goes on running what the other one starts,"
        " too.",
        "Remove it (stop is the default), or use freeze.", _quorum,
    ),
    LintRule(
        "no-monitor", Severity.WARNING,
        "Pacemaker starts a resource and never looks again: it fails unnoticed.",
        "Add an op with name=monitor and an interval.", _no_monitor,
    ),
    LintRule(
        "no-promoted-monitor", Severity.WARNING,
        "A monitor without role watches unpromoted instances only; the promoted one, which"
        " matters most, fails unnoticed.",
        "Add a monitor with role Promoted (Master before 2.1) and another interval.",
        _one_role,
    ),
    LintRule(
        "equal-monitors", Severity.WARNING,
        "Name and interval are what Pacemaker knows an operation by; roles and depths do"
        " not tell two of them apart.",
        "Let the intervals differ, be it by one second.", _same_interval,
    ),
    LintRule(
        "failure-ignored", Severity.WARNING,
        "The operation is there and its answer counts for nothing.",
        "Remove on-fail; the default recovers, and fences after a failed stop.",
        _ignored_failure,
    ),
    LintRule(
        "endless-starts", Severity.WARNING,
        "A resource that cannot start on one node is tried there again and again, and"
        " never goes to a node where it could run.",
        "Set migration-threshold in rsc_defaults.", _endless_starts,
    ),
    LintRule(
        "no-stickiness", Severity.NOTE,
        "A node that comes back takes resources back to it: a second outage, at a moment"
        " that nobody chose.",
        "Set resource-stickiness in rsc_defaults, if only to 1.", _stickiness,
    ),
    LintRule(
        "leftover-move", Severity.WARNING,
        "The tools move a resource by a constraint of score INFINITY. When the reason is"
        " gone it still keeps the resource from running elsewhere.",
        "Clear it: pcs resource clear, crm resource clear, or delete the constraint.",
        _leftover,
    ),
    LintRule(
        "maintenance", Severity.WARNING,
        "What was meant for an hour becomes the desired state, and every push brings it"
        " back.",
        "Take it out of git; set it on the cluster while you need it.", _maintenance,
    ),
    LintRule(
        "stopped", Severity.NOTE,
        "target-role=Stopped in git stops the resource at every push.",
        "Remove the resource, or say in a comment why it is off.", _stopped,
    ),
    LintRule(
        "nowhere-to-run", Severity.WARNING,
        "In a cluster that is not symmetric a resource runs only where a constraint allows"
        " it.",
        "Add a location constraint with a positive score.", _nowhere,
    ),
    LintRule(
        "unordered", Severity.NOTE,
        "Colocation says where, not when: both start at the same time.",
        "Add an order, or put both into a group.", _unordered,
    ),
    LintRule(
        "short-timeout", Severity.WARNING,
        "Under load the operation is cut off before it could succeed, and that is a"
        " failure: at a stop the node is fenced. Without a timeout it has 20 s, or what"
        " op_defaults says.",
        "Give it at least what the agent advises.", _short_timeout,
    ),
    LintRule(
        "removed-in-3", Severity.WARNING,
        "Pacemaker 3.0 no longer knows it: the upgrade takes the resource down.",
        "Move it to systemd, ocf or podman before the upgrade.", _removed,
    ),
)  # fmt: skip
"""Every best practice, in the order of ``docs/check.md``."""
