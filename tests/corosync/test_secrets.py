"""What of ``corosync.conf`` is a secret: nothing of it may reach git."""

import pytest

from cibgit.cib.secrets import Rules
from cibgit.corosync.document import parse
from cibgit.corosync.meaning import differences
from cibgit.corosync.secrets import find, in_comments

KEY = "s3cret" * 8


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        (f"totem {{\nkey: {KEY}\n}}", "corosync:totem/key"),
        (f"totem.key: {KEY}", "corosync:/totem.key"),  # Corosync takes it
        (f"totem {{\nKey: {KEY}\n}}", "corosync:totem/Key"),  # a typing error
        (f"nodelist {{\nkey: {KEY}\n}}", "corosync:nodelist/key"),
        (f"quorum {{\npassword: {KEY}\n}}", "corosync:quorum/password"),
    ],
)
def test_a_key_is_one_wherever_it_stands(text: str, slot: str) -> None:
    found = find(parse(text.encode(), "x"), Rules())
    assert [(str(each.slot), each.value) for each in found] == [(slot, KEY)]


def test_what_only_sounds_like_one() -> None:
    text = b"totem {\ntoken: 1000\nkeyfile: /etc/corosync/authkey\nsecauth: on\n}\n"
    assert not find(parse(text, "x"), Rules())


@pytest.mark.parametrize(
    "comment",
    [f"# key: {KEY}", f"#key:{KEY}", f"# totem.key: {KEY}", f"## key: {KEY} (old)"],
)
def test_one_that_was_commented_out_is_found(comment: str) -> None:
    assert in_comments(parse(f"{comment}\n\ntotem {{\n}}".encode(), "x")) == ["key"]


@pytest.mark.parametrize(
    "comment", ["# key: see the wiki", "# token: 1000", "# keyfile: /etc/key"]
)
def test_prose_and_settings_in_comments_are_none(comment: str) -> None:
    assert not in_comments(parse(f"{comment}\n\ntotem {{\n}}".encode(), "x"))


@pytest.mark.parametrize("address", ["totem.key", "totem.Key", "nodelist.key"])
def test_one_that_runs_still_is_never_shown(address: str) -> None:
    [found] = differences({address: KEY}, {})
    assert KEY not in found.sentence
    assert "(secret)" in found.sentence
