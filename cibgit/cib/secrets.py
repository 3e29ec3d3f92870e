"""Which values are secret, and what of a value may be shown.

Nothing in a CIB marks a secret, and no agent declares its passwords private, so names
decide: those of the parameters of fence agents and resource agents that hold one. What
only points to a secret (a file, a script, ``lrm://``) is none. Free text (mount options,
connection strings, options of a container, comments) that holds a password is secret as a
whole: where the password ends nobody can tell. When in doubt, a value is secret.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple, cast

from lxml import etree

from .document import Cib, Comment, Element, attributes, parse_tree
from .owned import COMMIT_OPTION

HIDDEN = "(secret)"
"""What stands in the place of a secret in everything that is shown."""

LRM = "lrm://"
"""The value that tells Pacemaker to read a secret from a file of the node (``cibsecret``)."""

PREFIX = "secret:"
"""How a placeholder begins, and so what no value that is shown can begin with."""

COMMENT = "#comment"
CDATA = "#cdata"

_NAMES = re.compile(
    r"(?:.*(?:passwd|password|passphrase|passcode)|.*pass|secret.*|.*_secret|(?:.*_)?token"
    r"|(?:.*_)?community|(?:.*_)?(?:api|auth|access|secret|private|encryption)_?key"
    r"|access_?key_?id|hexadecimal_kg|(?:.*_)?credentials?)[_\d]*"
)
_NO_SECRET = re.compile(
    r".*_(?:script|method|file|path|prot|protocol|type|url|command|cmd|interval|timeout)"
    r"|.*(?:bypass|compass)"
)
_USERS = frozenset({"user", "username", "login"})
_REFERENCE = re.compile(r"secret:(?:v1:[0-9a-f]{32}|(?!v\d+:)[a-z][a-z0-9_-]*:\S+)")
_NAMED = (
    r"(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|community"
    r"|(?:api|auth|access|secret|private)[_-]?key|(?<![a-z])pass)"
)
_CREDENTIALS = re.compile(
    rf"://[^\s/@:]*:\S*@|://[^\s/@:]{{16,}}@|{_NAMED}[\"']?\s*[=:]\s*\S"
    rf"|--{_NAMED}\s+\S",
    re.IGNORECASE,
)
_FREE_TEXT = frozenset({"value", "options", "run-command", "description"})
_SECURE = etree.XPath("status/node_state/lrm//lrm_rsc_op[@op-secure-params]")

_WEBHOOK = re.compile(r"https?://[^/\s]+/.")
_OWNERS = frozenset({"primitive", "template", "group", "clone", "master", "bundle", "node",
                     "alert"})  # fmt: skip


class Slot(NamedTuple):
    """The place of one secret: what it belongs to, its element and its parameter.

    ``owner`` is the id of the nearest resource, node or alert around it, or the section;
    ``element`` the id of the element that holds it, or its tag; ``parameter`` the name of
    a name/value pair, else of the attribute. Moving a resource changes none of these.
    """

    owner: str
    element: str
    parameter: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.parameter}"


@dataclass(frozen=True)
class Rules:
    """What people say about secrets in ``cibgit.toml``.

    ``hide`` are patterns of ``PARAMETER`` or ``OWNER/PARAMETER`` that are secret too, of
    name/value pairs and of attributes that hold free text. ``allow`` are
    ``OWNER/PARAMETER`` that are not, each with the reason.
    """

    hide: tuple[str, ...] = ()
    allow: Mapping[str, str] = field(default_factory=dict)

    def hides(self, slot: Slot) -> bool:
        """Say whether a pattern matches."""
        return any(
            fnmatchcase(str(slot) if "/" in pattern else slot.parameter, pattern)
            for pattern in self.hide
        )


class Found(NamedTuple):
    """One secret of a CIB: where it is and what it is. It can be replaced in place."""

    slot: Slot
    element: Element
    attribute: str
    value: str

    def replace(self, value: str) -> None:
        """Put another value there."""
        if self.attribute == COMMENT:
            self.element.text = value
        elif self.attribute == CDATA:
            self.element.text = etree.CDATA(value)
        else:
            self.element.set(self.attribute, value)

    def current(self) -> str:
        """Return what stands there now."""
        if self.attribute.startswith("#"):
            return self.element.text or ""
        return self.element.get(self.attribute, "")


@cache
def is_secret_name(name: str) -> bool:
    """Say whether a parameter of this name holds a secret."""
    plain = name.lower().replace("-", "_")
    return bool(_NAMES.fullmatch(plain)) and not _NO_SECRET.fullmatch(plain)


def is_reference(value: str) -> bool:
    """Say whether a value only refers to a secret: ``lrm://``, or a placeholder."""
    return value == LRM or bool(_REFERENCE.fullmatch(value))


def has_credentials(text: str, tag: str = "") -> bool:
    """Say whether a text holds a password: in a URL, or as ``password=...``.

    The address of a web hook is its own key, so that of a ``recipient`` is one.
    """
    hook = tag == "recipient" and _WEBHOOK.search(text)
    return bool(hook or _CREDENTIALS.search(text))


def is_secret(element: Element, attribute: str) -> bool:
    """Say whether nothing at all may be shown of an attribute's value.

    A reference to a secret (``lrm://``, a placeholder) is not secret itself.
    """
    value = element.get(attribute, "")
    if not value or is_reference(value):
        return False
    named = element.tag == "nvpair" and attribute == "value"
    return (named and is_secret_name(element.get("name", ""))) or has_credentials(
        value, element.tag
    )


def shown(element: Element, attribute: str) -> str:
    """Return what is shown of an attribute's value; a fingerprint tells people nothing."""
    value = element.get(attribute, "")
    sealed = value.startswith(f"{PREFIX}v1:")
    return HIDDEN if sealed or is_secret(element, attribute) else value


def masked(text: str, tag: str = "") -> str:
    """Return a text, or :data:`HIDDEN` where there is a secret inside."""
    if is_reference(text) or not has_credentials(text, tag):
        return text
    return HIDDEN


def redacted_xml(xml: str) -> str:
    """Return elements, given as XML without a root around them, with no secret inside."""
    root = parse_tree(f"<x>{xml}</x>".encode(), "a change")
    for element in root.iter():
        if isinstance(element, Comment):
            element.text = masked(element.text or "")
        elif isinstance(element.tag, str):
            for name, _ in attributes(element):
                element.set(name, shown(element, name))
    return "".join(
        etree.tostring(child, encoding="unicode", with_tail=False) for child in root
    )


def find(
    cib: Cib, rules: Rules | None = None, known: Collection[Slot] = ()
) -> list[Found]:
    """Return every secret of a configuration, in document order; placeholders too.

    ``known`` are slots that were secret before and stay so. What the cluster itself calls
    secure in its status (``op-secure-params``, from an agent's ``private`` parameters:
    ``build_parameter_list``, ``daemons/controld/controld_execd.c``) counts as well.
    ``lrm://`` and empty values are no secrets.
    """
    search = _Search(cib, rules or Rules(), known)
    return [
        Found(slot, element, attribute, value)
        for element, attribute, value in search.candidates()
        if (slot := search.slot(element, attribute, value))
    ]


class _Search:
    """Decides on one value after the other, the cheap questions first."""

    def __init__(self, cib: Cib, rules: Rules, known: Collection[Slot]) -> None:
        self._configuration = cib.configuration
        self._rules = rules
        self._known = frozenset(known)
        self._elements = {slot.element for slot in known}
        self._secure = _secure_parameters(cib)
        self._parameters = {parameter for _, parameter in self._secure}
        self._counts: dict[Slot, int] = {}

    def candidates(self) -> Iterator[tuple[Element, str, str]]:
        """Yield what could be secret, in document order."""
        every = bool(self._rules.hide)
        free = every or any(slot.parameter in _FREE_TEXT for slot in self._known)
        for element in self._configuration.iter():
            if isinstance(element, Comment):
                yield element, COMMENT, element.text or ""
            if not isinstance(element.tag, str):
                continue
            if element.text:
                yield element, CDATA, element.text
            if element.get("id") == COMMIT_OPTION:
                continue  # no pattern may hide from cibgit what it wrote itself
            wanted = element.tag == "nvpair" and (every or self._is_likely(element))
            for name, value in attributes(element):
                # a text with a password has one of these in it, and so has a placeholder
                if "=" in value or ":" in value or "--" in value:
                    if name != "id":
                        yield element, name, value
                elif (wanted and name == "value") or (free and name in _FREE_TEXT):
                    yield element, name, value

    def _is_likely(self, pair: Element) -> bool:
        name = pair.get("name", "")
        return (
            is_secret_name(name)
            or name in self._parameters
            or pair.get("id") in self._elements
        )

    def slot(self, element: Element, attribute: str, value: str) -> Slot | None:
        """Return the slot of a value that is secret, None for all others."""
        pair = attribute == "value" and element.tag == "nvpair"
        name = (element.get("name") if pair else None) or attribute
        certain = value.startswith(PREFIX)
        likely = (pair and is_secret_name(name)) or has_credentials(
            value, str(element.tag)
        )
        free = pair or attribute in _FREE_TEXT
        slot = _slot(element, name)
        if element.get("id") is None:
            number = self._counts[slot] = self._counts.get(slot, 0) + 1
            slot = slot._replace(parameter=name if number == 1 else f"{name} {number}")
        if certain:
            return slot
        if not value or value == LRM or str(slot) in self._rules.allow:
            return None
        secret = likely or slot in self._known or slot[::2] in self._secure
        return slot if secret or (free and self._rules.hides(slot)) else None


def locate(cib: Cib, name: str) -> list[Found]:
    """Return what could hold the secret of that name, whatever stands there now.

    ``name`` is ``OWNER/PARAMETER``, or the id of the name/value pair.
    """
    found = []
    for element in cib.configuration.iter(etree.Element):
        pair = element.tag == "nvpair"
        for attribute, _ in [("value", "")] if pair else attributes(element):
            slot = _slot(element, element.get("name", "") if pair else attribute)
            if attribute != "id" and name in (str(slot), slot.element if pair else ""):
                value = element.get(attribute, "")
                found.append(Found(slot, element, attribute, value))
    return found


def _slot(element: Element, name: str) -> Slot:
    holder = _holder(element)
    return Slot(_owner(holder), holder.get("id") or str(holder.tag), name)


def _holder(element: Element) -> Element:
    """Return the element that a comment belongs to: the next one, or its parent."""
    found: Element | None = element
    while isinstance(found, Comment):
        following = found.getnext()
        found = found.getparent() if following is None else following
    assert found is not None
    return found


def _owner(element: Element) -> str:
    section = str(element.tag)
    around: Element | None = element
    while around is not None and around.tag != "configuration":
        if around.tag in _OWNERS:
            return around.get("id") or str(around.tag)
        section, around = str(around.tag), around.getparent()
    return section


def _secure_parameters(cib: Cib) -> frozenset[tuple[str, str]]:
    """Return the (resource, parameter) that agents call private, as the status tells."""
    found = set()
    for operation in cast("list[Element]", _SECURE(cib.root)):
        resource = operation.getparent()
        name = "" if resource is None else resource.get("id", "").partition(":")[0]
        for parameter in operation.get("op-secure-params", "").split():
            if parameter not in _USERS:  # it stands there where nothing is declared
                found.add((name, parameter))
    return frozenset(found)
