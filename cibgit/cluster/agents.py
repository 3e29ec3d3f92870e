"""The agents installed on this machine, as Pacemaker's own tools know them."""

import difflib
import re
from collections.abc import Iterable, Mapping

from lxml import etree

from ..compare.values import milliseconds
from ..errors import CibgitError
from ..policy.agent import Agent, Missing, NotAsked, Parameter
from . import commands

TIMEOUT = 20.0
"""Seconds for one agent to print its metadata."""

_TRUE = ("1", "true", "yes")

_NAME = re.compile(r"[A-Za-z0-9]\w*(:[\w.+-]+)?:[\w.+@-]+(/[\w.+-]+)?")
"""Names that are asked for: another could lead Pacemaker to execute any file."""


def metadata(
    names: Iterable[str], environment: Mapping[str, str]
) -> dict[str, Agent | Missing | NotAsked]:
    """Return what each agent says about itself: 20 ms for one (2.1.5)."""
    return {name: _metadata(name, environment) for name in names}


def _metadata(name: str, environment: Mapping[str, str]) -> Agent | Missing | NotAsked:
    if not _NAME.fullmatch(name) or ".." in name:
        return Missing()
    try:
        result = commands.run((*commands.METADATA, name), environment, timeout=TIMEOUT)
        if result.code == commands.NO_SUCH_OBJECT:
            return Missing(_similar(name, environment))
        if result.code != commands.OK:
            return NotAsked(result.reason)
        return parse(name, result.stdout)
    except CibgitError as error:
        return NotAsked(error.message)


def parse(name: str, data: bytes) -> Agent | NotAsked:
    """Read the metadata that an agent prints; a document type in it is not followed."""
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        return NotAsked(f"its metadata is no XML: {error.msg}")
    found = (_parameter(element) for element in root.iterfind("parameters/parameter"))
    parameters = {parameter.name: parameter for parameter in found}
    return Agent(name, parameters, _timeouts(root))


def _timeouts(root: etree._Element) -> dict[str, int]:
    """Read what an agent advises; a promotable one has a line for each role."""
    found: dict[str, int] = {}
    for action in root.iterfind("actions/action"):
        name, time = action.get("name", ""), milliseconds(action.get("timeout", ""))
        if time is not None:
            found[name] = min(time, found.get(name, time))
    return found


def _parameter(element: etree._Element) -> Parameter:
    """Read one parameter; one with a default is never required of the user."""
    content = element.find("content")
    default = None if content is None else content.get("default")
    return Parameter(
        name=element.get("name", ""),
        is_required=element.get("required", "") in _TRUE and not default,
        is_reloadable=element.get("reloadable", "") in _TRUE,
        is_deprecated=element.get("deprecated", "") in _TRUE,
        replaces=tuple(element.get("obsoletes", "").split()),
    )


def _similar(name: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return installed agents that somebody may have meant."""
    group, _, kind = name.rpartition(":")
    result = commands.run((*commands.AGENTS, group), environment, timeout=TIMEOUT)
    installed = result.stdout.decode(errors="replace").split()
    return tuple(
        f"{group}:{each}" for each in difflib.get_close_matches(kind, installed, n=2)
    )
