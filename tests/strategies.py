"""Hypothesis strategies: nasty values, comments, small CIBs and pairs of them.

The CIBs have the shape of real ones and unique ids, no more: ``validate-with="none"``
keeps Pacemaker's tools from judging them.
"""

import copy
from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from lxml import etree

# a busy machine is no bug: no deadlines
settings.register_profile(
    "cibgit", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("cibgit")

Element = etree._Element

NASTY = (
    "",
    " ",
    "  two  blanks  ",
    "it's",
    'say "hi"',
    "<b/>",
    "a > b",
    "a]]>b",
    "&amp;",
    "&#10;",
    "&lt;not&gt;",
    "tab\there",
    "line\nend",
    "carriage\rreturn",
    "\r\n",
    "\t",
    "\\n",
    "back\\slash",
    "delete\x7fd",
    "\x7f",
    "é",
    "é <b>",
    "é'",
    'é"',
    "é&",
    "<é>",
    "e\u0301 combined",
    "\u00a0",
    "\u0085next\u2028line",
    "\u0080\u009f",
    "数据库",
    "😀",
    "😀\n<",
    "\ufeff",
    "\ufffd",
    "++",
    "value++",
    "value+=1",
    "%s %n",
    "<!-- c -->",
    "<![CDATA[x]]>",
    "<?pi?>",
    ' xmlns="y"',
    "crm-debug-origin",
)
"""Attribute values that have broken somebody's XML code before."""

_CHARACTERS = st.characters(
    exclude_categories=["Cs", "Cc"],
    exclude_characters="\ufffe\uffff",
    include_characters="\t\n\r\x7f",
)


def values() -> st.SearchStrategy[str]:
    """Any attribute value that XML can hold."""
    return st.sampled_from(NASTY) | st.text(_CHARACTERS, max_size=12)


def plain_values() -> st.SearchStrategy[str]:
    """Values that every Pacemaker keeps."""
    return st.text("abc XYZ019-_.,;:/()[]{}=%$#@!?*|<>&\"'\\", max_size=8)


def comments() -> st.SearchStrategy[str]:
    """Any text that a comment can hold."""
    texts = st.text(_CHARACTERS.filter(lambda c: c != "\r"), max_size=12)
    known = st.sampled_from(
        (" it's ", '"q"', "\n  lines\n ", "<x/>", "&amp;", "", "]]>")
    )
    return (known | texts).map(_commentable)


def _commentable(text: str) -> str:
    while "--" in text:
        text = text.replace("--", "-")
    return text + " " if text.endswith("-") else text


@st.composite
def cibs(
    draw: st.DrawFn,
    among: st.SearchStrategy[str] | None = None,
    *,
    status: bool = False,
) -> bytes:
    """A small CIB with values ``among`` those given (default: any)."""
    return etree.tostring(
        draw(_trees(values() if among is None else among, status)), encoding="utf-8"
    )


@st.composite
def pairs(
    draw: st.DrawFn, among: st.SearchStrategy[str] | None = None
) -> tuple[bytes, bytes]:
    """A small CIB and what a few arbitrary edits of its configuration made of it."""
    among = values() if among is None else among
    old = draw(_trees(among, status=draw(st.booleans())))
    return etree.tostring(old, encoding="utf-8"), _edited(draw, old, among)


@st.composite
def triples(
    draw: st.DrawFn, among: st.SearchStrategy[str] | None = None
) -> tuple[bytes, bytes, bytes]:
    """A small CIB and what two people, each alone, made of it."""
    among = values() if among is None else among
    base = draw(_trees(among, status=False))
    ours, theirs = (_edited(draw, base, among) for _ in range(2))
    return etree.tostring(base, encoding="utf-8"), ours, theirs


def _edited(draw: st.DrawFn, old: Element, among: st.SearchStrategy[str]) -> bytes:
    new = etree.fromstring(etree.tostring(old, encoding="utf-8"))
    for number in range(draw(st.integers(0, 5))):
        configuration = new.find("configuration")
        assert configuration is not None
        _edit(draw, configuration, among, number)
    return etree.tostring(new, encoding="utf-8")


@st.composite
def _trees(draw: st.DrawFn, among: st.SearchStrategy[str], status: bool) -> Element:
    builder = _Builder(draw, among)
    root = etree.Element("cib", {
        "crm_feature_set": "3.16.1", "validate-with": "none", "epoch": "7",
        "num_updates": draw(st.sampled_from(("0", "3"))), "admin_epoch": "0",
    })  # fmt: skip
    configuration = etree.SubElement(root, "configuration")
    options = etree.SubElement(configuration, "crm_config")
    for _ in range(draw(st.integers(0, 2))):
        builder.nvset(options, "cluster_property_set")
    nodes = etree.SubElement(configuration, "nodes")
    for number in range(draw(st.integers(0, 3))):
        node = etree.SubElement(nodes, "node", id=str(number), uname=f"n{9 - number}")
        builder.maybe_nvset(node, ("instance_attributes", "utilization"))
    resources = etree.SubElement(configuration, "resources")
    for _ in range(draw(st.integers(0, 4))):
        builder.resource(resources)
    constraints = etree.SubElement(configuration, "constraints")
    for _ in range(draw(st.integers(0, 3)) if builder.resources else 0):
        builder.constraint(constraints)
    if draw(st.booleans()):
        defaults = etree.SubElement(configuration, "rsc_defaults")
        builder.nvset(defaults, "meta_attributes")
    if draw(st.booleans()):
        configuration[:] = draw(st.permutations(list(configuration)))
    for element in draw(
        st.lists(st.sampled_from(list(configuration.iter())), max_size=3)
    ):
        builder.comment(element)
    section = etree.SubElement(root, "status")
    if status:
        etree.SubElement(section, "node_state", id="0", uname="n9", crmd="online")
    return root


class _Builder:
    """Adds elements with fresh ids, attributes in an order drawn once per tag."""

    def __init__(self, draw: st.DrawFn, among: st.SearchStrategy[str]) -> None:
        self.draw = draw
        self.among = among
        self.serial = 0
        self.resources: list[str] = []
        self.backwards = draw(st.booleans())

    def fresh(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial}"

    def add(self, parent: Element, tag: str, attributes: dict[str, str]) -> Element:
        items = list(attributes.items())
        element = etree.SubElement(parent, tag)
        for name, value in reversed(items) if self.backwards else items:
            element.set(name, value)
        return element

    def comment(self, element: Element) -> None:
        comment = etree.Comment(self.draw(comments()))
        if self.draw(st.booleans()) and isinstance(element.tag, str):
            element.append(comment)
        elif element.getparent() is not None:
            element.addprevious(comment)

    def nvset(self, parent: Element, tag: str) -> None:
        block = self.add(parent, tag, {"id": self.fresh(tag[0])})
        for _ in range(self.draw(st.integers(0, 3))):
            name = self.draw(st.sampled_from(("a", "b", "c", "ip")))
            attributes = {"id": self.fresh("p"), "name": name}
            attributes["value"] = self.draw(self.among)
            self.add(block, "nvpair", attributes)

    def maybe_nvset(self, parent: Element, tags: Sequence[str]) -> None:
        for tag in self.draw(st.lists(st.sampled_from(tags), max_size=2)):
            self.nvset(parent, tag)

    def resource(self, parent: Element) -> None:
        shape = self.draw(st.sampled_from(("primitive", "primitive", "group", "clone")))
        identity = self.fresh("r")
        self.resources.append(identity)
        if shape == "primitive":
            self.primitive(parent, identity)
            return
        element = self.add(parent, shape, {"id": identity})
        for _ in range(self.draw(st.integers(1, 3)) if shape == "group" else 1):
            self.primitive(element, self.fresh("r"))
        self.maybe_nvset(element, ("meta_attributes",))

    def primitive(self, parent: Element, identity: str) -> None:
        attributes = {"id": identity, "class": "ocf", "provider": "p", "type": "Dummy"}
        if self.draw(st.booleans()):
            attributes["description"] = self.draw(self.among)
        element = self.add(parent, "primitive", attributes)
        kinds = ("instance_attributes", "meta_attributes", "utilization")
        self.maybe_nvset(element, kinds)
        if self.draw(st.booleans()):
            operations = etree.SubElement(element, "operations")
            for _ in range(self.draw(st.integers(0, 3))):
                name = self.draw(st.sampled_from(("start", "stop", "monitor")))
                interval = self.draw(st.sampled_from(("0", "10s", "10000ms", "1m")))
                identity = self.fresh("o")
                op = {"id": identity, "name": name, "interval": interval}
                self.add(operations, "op", op)

    def constraint(self, parent: Element) -> None:
        rsc, other = (self.draw(st.sampled_from(self.resources)) for _ in range(2))
        identity = self.fresh("x")
        tag, attributes = self.draw(st.sampled_from((
            ("rsc_location", {"rsc": rsc, "node": "n9", "score": "1"}),
            ("rsc_colocation", {"rsc": rsc, "with-rsc": other, "score": "INFINITY"}),
            ("rsc_order", {"first": rsc, "then": other}),
        )))  # fmt: skip
        self.add(parent, tag, {"id": identity} | attributes)


def _edit(
    draw: st.DrawFn, configuration: Element, among: st.SearchStrategy[str], number: int
) -> None:
    """Make one arbitrary edit below the configuration."""
    nodes = list(configuration.iterdescendants())
    if not nodes:
        return
    chosen = draw(st.sampled_from(nodes))
    parent = chosen.getparent()
    assert parent is not None
    if isinstance(chosen, etree._Comment):
        if draw(st.booleans()):
            chosen.text = draw(comments())
        else:
            parent.remove(chosen)
        return
    inside = draw(st.sampled_from(("attribute", "order", "children", "comment")))
    if parent is configuration or draw(st.booleans()):
        _edit_inside(draw, inside, chosen, among)
    else:
        _edit_around(draw, configuration, chosen, number)


def _edit_inside(
    draw: st.DrawFn, edit: str, chosen: Element, among: st.SearchStrategy[str]
) -> None:
    items = [(str(name), str(value)) for name, value in chosen.items()]
    if edit == "attribute":
        names = [name for name, _ in items if name != "id"]
        name = draw(st.sampled_from([*names, "description"]))
        if name in names and draw(st.booleans()):
            del chosen.attrib[name]
        else:
            chosen.set(name, draw(among))
    elif edit == "order":
        chosen.attrib.clear()
        for name, value in draw(st.permutations(items)):
            chosen.set(name, value)
    elif edit == "children":
        chosen[:] = draw(st.permutations(list(chosen)))
    else:
        position = draw(st.integers(0, len(chosen)))
        chosen.insert(position, etree.Comment(draw(comments())))


def _edit_around(
    draw: st.DrawFn, configuration: Element, chosen: Element, number: int
) -> None:
    parent = chosen.getparent()
    assert parent is not None
    edit = draw(st.sampled_from(("delete", "double", "rename", "away")))
    if edit == "delete":
        parent.remove(chosen)
    elif edit == "double":
        twin = copy.deepcopy(chosen)
        for element in twin.iter(etree.Element):
            if element.get("id") is not None:
                element.set("id", f"{element.get('id')}-{number}")
        parent.insert(draw(st.integers(0, len(parent))), twin)
    elif edit == "rename":
        if chosen.get("id") is not None:
            chosen.set("id", f"renamed-{number}")
    else:
        target = draw(st.sampled_from(list(configuration.iter(str(parent.tag)))))
        if target is not chosen and chosen not in target.iterancestors():
            target.insert(draw(st.integers(0, len(target))), chosen)
