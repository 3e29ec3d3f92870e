"""Nothing in a CIB becomes a command, and no secret is shown."""

import subprocess
from collections.abc import Callable

import pytest

from cibgit.cib.document import Cib
from cibgit.render.crmsh import crmsh
from cibgit.render.pcs import pcs
from cibgit.render.script import InexpressibleError, Script, is_secret

from .recipes import announced, base, edited, put, value

TOOLS = pytest.mark.parametrize("make", [pcs, crmsh])
Make = Callable[[Cib, Cib], str]


@pytest.mark.parametrize(
    "name", ["passwd", "password", "admin_password", "snmp_priv_passwd", "api_token"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["passwd_script", "ip", "key_file", "username", "key"])
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "word", ["it's", "a b", "$(touch x)", "`x`", "a\\", '"', "*", ""]
)
def test_the_shell_reads_a_word_as_it_was(word: str) -> None:
    script = Script()
    script.command("printf", "%s", word)
    done = subprocess.run(
        ["bash", "-c", script.text()], capture_output=True, check=True
    )
    assert done.stdout.decode() == word


def test_each_secret_has_its_own_variable() -> None:
    script = Script()
    owners = ("fence-a", "fence_a", "fence.a", "fence-a", "1")
    script.command(*(script.pair(owner, "passwd", "x") for owner in owners))
    assert script.lines[-1] == (
        'passwd="${FENCE_A_PASSWD:?}" passwd="${FENCE_A_PASSWD__2:?}"'
        ' passwd="${FENCE_A_PASSWD__3:?}" passwd="${FENCE_A_PASSWD:?}" passwd="${_1_PASSWD:?}"'
    )


def test_where_a_secret_lies_elsewhere_there_is_nothing_to_hide() -> None:
    assert Script().pair("fence-a", "passwd", "lrm://") == "passwd=lrm://"


def test_control_characters_are_refused() -> None:
    for text in ("a\nb", "a\tb", "\x1b[31m"):
        with pytest.raises(InexpressibleError):
            Script().pair("vip", "nic", text)


@TOOLS
def test_no_line_of_a_value_stands_alone(make: Make) -> None:
    evil = "x\ntouch /tmp/evil\n# "
    recipe = make(base(), edited(value("vip-nic", evil)))
    assert [line for line in recipe.splitlines() if not line.startswith("#")] == []
    assert "primitive vip" in announced(recipe)


@TOOLS
def test_a_comment_cannot_be_made_and_is_told(make: Make) -> None:
    recipe = make(base(), edited(put("vip", "<!-- why -->")))
    assert announced(recipe) == {"primitive vip": ["comments"]}


@TOOLS
def test_ids_alone_cannot_be_made_and_are_told(make: Make) -> None:
    recipe = make(base(), edited(value("vip-ip", "another-id", "id")))
    assert announced(recipe) == {"primitive vip": ["ids inside it"]}


@TOOLS
@pytest.mark.parametrize(
    ("parent", "text", "address"),
    [
        ("nodes", '<node id="3" uname="node3"/>', "node 3"),
        ("resources", "<!-- here -->", "resources"),
        ("crm_config", '<cluster_property_set id="x" score="5"><nvpair id="n" name="a"'
         ' value="b"/></cluster_property_set>', "cluster_property_set x"),
    ],
)  # fmt: skip
def test_what_no_tool_does_is_told(
    make: Make, parent: str, text: str, address: str
) -> None:
    assert address in announced(make(base(), edited(put(parent, text))))


@TOOLS
def test_the_schema_is_told(make: Make) -> None:
    def raise_schema(root: object) -> None:
        root.set("validate-with", "pacemaker-3.8")  # type: ignore[attr-defined]

    assert announced(make(base(), edited(raise_schema))) == {
        "cib": ["attribute validate-with"]
    }


@TOOLS
def test_resources_in_another_order_are_told(make: Make) -> None:
    def swap(root: object) -> None:
        section = root.find("configuration/resources")  # type: ignore[attr-defined]
        section.append(section[0])

    assert list(announced(make(base(), edited(swap)))) == ["resources"]
