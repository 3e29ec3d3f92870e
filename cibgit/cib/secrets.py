"""Which values are secret, and what of a value may be shown.

Nothing in a CIB marks a secret, and no agent declares its passwords private, so names
decide: those of the parameters of fence agents and resource agents that hold one. What
only points to a secret (a file, a script, ``lrm://``) is none. In free text (mount
options, connection strings, options of a container) the secret part alone is hidden.
"""

import re

from lxml import etree

from .document import Comment, Element, attributes, parse_tree

HIDDEN = "(secret)"
"""What stands in the place of a secret in everything that is shown."""

_NAMES = re.compile(
    r"(?:.*(?:passwd|password|passphrase|_pass)|pass|secret.*|.*_secret|(?:.*_)?token"
    r"|community|api_?key|(?:access|secret|private)_?key)"
)
_NO_SECRET = re.compile(
    r".*_(?:script|method|file|path|prot|protocol|type|url|command|cmd|interval|timeout)"
)
_REFERENCES = ("lrm://", "secret:")
_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")
_ASSIGNED = re.compile(
    r"((?:passw(?:or)?d|passphrase|pass|secret|token|api_?key)=)"
    r"""("[^"]*"|'[^']*'|[^\s,;&"']+)""",
    re.IGNORECASE,
)
_WEBHOOK = re.compile(r"(https?://[^/\s]+/).+")


def is_secret_name(name: str) -> bool:
    """Say whether a parameter of this name holds a secret."""
    plain = name.lower().replace("-", "_")
    return bool(_NAMES.fullmatch(plain)) and not _NO_SECRET.fullmatch(plain)


def is_secret(element: Element, attribute: str) -> bool:
    """Say whether nothing at all may be shown of an attribute's value.

    A reference to a secret (``lrm://``, a placeholder) is not secret itself.
    """
    return (
        element.tag == "nvpair"
        and attribute == "value"
        and is_secret_name(element.get("name", ""))
        and not element.get(attribute, "").startswith(_REFERENCES)
    )


def shown(element: Element, attribute: str) -> str:
    """Return what may be shown of an attribute's value."""
    if is_secret(element, attribute):
        return HIDDEN
    return masked(element.get(attribute, ""), element.tag)


def masked(text: str, tag: str = "") -> str:
    """Return a text without the secrets inside: passwords of URLs, ``password=...``.

    The address of a web hook is its own key: of a ``recipient`` only the host is shown.
    """
    if tag == "recipient":
        text = _WEBHOOK.sub(rf"\1{HIDDEN}", text)
    text = _URL.sub(rf"\1:{HIDDEN}", text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


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
