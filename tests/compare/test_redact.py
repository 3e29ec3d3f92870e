"""No rendering of a change holds a secret value."""

import json

import pytest

from cibgit.cib.document import parse
from cibgit.compare.change import Change
from cibgit.compare.diff import compare
from cibgit.compare.redact import redacted
from cibgit.render import json as as_json
from cibgit.render.difference import difference

FRAME = """<cib><configuration>
<resources><primitive id="a" class="stonith" type="fence_x">
<instance_attributes id="p">{}</instance_attributes></primitive></resources>
<alerts><alert id="al" path="/x">{}</alert></alerts></configuration></cib>"""
CANARIES = ("c4nary", "c4n&quot;ry &lt;x>", "c4närÿ", "c4n'ary")
PLACES = (
    '<nvpair id="n" name="passwd" value="{}"/>',
    '<nvpair id="n" name="api-token" value="{}"/>',
    '<nvpair id="n" name="url" value="https://user:{}@host/"/>',
    '<nvpair id="n" name="options" value="rw,password=&quot;{}&quot;,x"/>',
    '<!-- password={} --><nvpair id="n" name="x" value="1"/>',
)
HOOK = '<recipient id="r" value="https://chat.example.com/hooks/{}"/>'


def rendered(found: list[Change]) -> str:
    labels = ("old", "new")
    return "\n".join([
        difference(found, labels, everything=True),
        difference(found, labels, everything=True, colour=True, width=50),
        json.dumps(as_json.changes(found), ensure_ascii=False),
        json.dumps(as_json.changes(found)),
    ])  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("canary", CANARIES)
def test_a_secret_is_never_shown(place: str, canary: str) -> None:
    if "'" in canary or (" " in canary and "passwd" not in place):
        canary = "c4nary"
    texts = [
        FRAME.format("", ""),
        FRAME.format(place.format(canary), ""),
        FRAME.format(place.format(f"2{canary}"), ""),
        "<cib><configuration/></cib>",
    ]
    cibs = [parse(text.encode(), "x") for text in texts]
    for old in cibs:
        for new in cibs:
            said = rendered(compare(old, new))
            assert "c4n" not in said, said


def test_a_web_hook_is_never_shown() -> None:
    cibs = [
        parse(FRAME.format("", each).encode(), "x")
        for each in ("", HOOK.format("c4nary"), HOOK.format("2c4nary"))
    ]
    for old in cibs:
        for new in cibs:
            assert "c4n" not in rendered(compare(old, new))


def test_a_name_that_becomes_secret_hides_the_old_value_too() -> None:
    pair = '<nvpair id="n" name="{}" value="c4nary"/>'
    cibs = [
        parse(FRAME.format(pair.format(name), "").encode(), "x")
        for name in ("note", "passwd")
    ]
    found = compare(*cibs)
    assert "c4n" not in rendered(found)


def test_the_model_itself_keeps_the_values_for_applying() -> None:
    place = PLACES[0]
    cibs = [
        parse(FRAME.format(place.format(each), "").encode(), "x") for each in ("1", "2")
    ]
    [change] = compare(*cibs)
    assert [(a.old, a.new, a.secret) for a in change.attributes] == [("1", "2", True)]
    hidden = redacted(change)
    assert [(a.old, a.new) for a in hidden.attributes] == [("(secret)", "(secret)")]
    assert redacted(hidden) == hidden
