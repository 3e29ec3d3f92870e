"""Small CIBs by seed, in which two people are always in each other's way.

Few ids and names, so that both sides often add, move, rename and remove the same things.
Where an edit makes a document that no merge would take (an id twice), it is left out.
"""

from random import Random

from lxml import etree

from cibgit.cib.document import parse
from cibgit.cib.identity import check_ids
from cibgit.errors import BadDataError

Element = etree._Element

HEAD = b'<cib validate-with="none" admin_epoch="0" epoch="0" num_updates="0">'
RESOURCES = ("r1", "r2", "r3")


def three(seed: int) -> tuple[bytes, bytes, bytes]:
    """Return a document, and what two people, each alone, made of it."""
    dice = Random(seed)
    base = _configuration(dice)
    while not _is_whole(base):
        base = _configuration(dice)
    return _text(base), _edited(dice, base), _edited(dice, base)


def _text(configuration: Element) -> bytes:
    return HEAD + etree.tostring(configuration) + b"<status/></cib>"


def _configuration(dice: Random) -> Element:
    root = etree.Element("configuration")
    for section in ("crm_config", "nodes", "resources", "constraints"):
        etree.SubElement(root, section)
    resources, constraints = root[2], root[3]
    group = (
        etree.SubElement(resources, "group", id="g") if dice.random() < 0.5 else None
    )
    for name in RESOURCES:
        if dice.random() < 0.6:
            inside = group is not None and dice.random() < 0.5
            _primitive(dice, group if group is not None and inside else resources, name)
    for number in range(dice.choice((0, 0, 1, 2, 3))):
        constraints.append(_constraint(dice, f"c{number}"))
    return root


def _primitive(dice: Random, parent: Element, name: str) -> Element:
    attributes = {"id": name, "class": "ocf", "provider": "p", "type": "Dummy"}
    element = etree.SubElement(parent, "primitive", attributes)
    for number in dice.sample((1, 2, 3), dice.randint(0, 2)):
        block = etree.SubElement(element, "meta_attributes", id=f"{name}-m{number}")
        for pair in dice.sample("pqrs", dice.randint(0, 3)):
            block.append(_pair(dice, dice.choice((pair, f"{name}-m{number}-{pair}"))))
    return element


def _pair(dice: Random, name: str) -> Element:
    values = {"name": dice.choice("ab"), "value": dice.choice("12")}
    return etree.Element("nvpair", {"id": name, **values})


def _constraint(dice: Random, name: str) -> Element:
    one, two = dice.sample(RESOURCES, 2)
    score = dice.choice(("1", "2"))
    values = {"rsc": one, "with-rsc": two, "score": score}
    return etree.Element("rsc_colocation", {"id": name, **values})


def _edited(dice: Random, base: Element) -> bytes:
    now = base
    for _ in range(dice.randint(1, 3)):
        then = etree.fromstring(etree.tostring(now))
        elements = [each for each in then.iter(etree.Element) if each.get("id")]
        if elements:
            _edit(dice, dice.choice(elements), elements)
        now = then if _is_whole(then) else now
    return _text(now)


def _is_whole(configuration: Element) -> bool:
    try:
        check_ids(parse(_text(configuration), "edited"))
    except BadDataError:
        return False
    return True


def _edit(dice: Random, element: Element, elements: list[Element]) -> None:
    parent = element.getparent()
    assert parent is not None
    match dice.choice(("remove", "set", "add", "move", "rename", "shift", "remark")):
        case "remove":
            parent.remove(element)
        case "set" if element.tag == "nvpair":
            element.set(dice.choice(("name", "value")), dice.choice("ab12"))
        case "set" if element.tag == "rsc_colocation":
            element.set("score", dice.choice("12"))
        case "add":
            _add(dice, element)
        case "move":
            places = [e for e in elements if e.tag == parent.tag and e is not parent]
            if places:
                _insert(dice, dice.choice(places), element)
        case "rename" if element.tag in ("nvpair", "meta_attributes"):
            element.set("id", dice.choice(("n1", "n2", "n3")))
        case "shift":
            _insert(dice, parent, element)
        case "remark":
            element.addprevious(etree.Comment(dice.choice("xy")))


def _add(dice: Random, element: Element) -> None:
    if element.tag == "meta_attributes":
        _insert(dice, element, _pair(dice, dice.choice(("n1", "n2"))))
    elif element.tag == "primitive":
        block = etree.Element("meta_attributes", id=dice.choice(("n3", "n4")))
        block.append(_pair(dice, dice.choice(("n1", "n2", "p"))))
        _insert(dice, element, block)
    elif element.tag == "group":
        _insert(dice, element, _primitive(dice, element, dice.choice(("x1", "x2"))))
    elif element.tag == "rsc_colocation":
        parent = element.getparent()
        assert parent is not None
        _insert(dice, parent, _constraint(dice, dice.choice(("c8", "c9"))))


def _insert(dice: Random, parent: Element, element: Element) -> None:
    parent.insert(dice.randint(0, len(parent)), element)
