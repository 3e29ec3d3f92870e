"""Which values are secret: names, texts, what the cluster says, what people say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cibgit.cib.censor import censored
from cibgit.cib.document import Cib, parse
from cibgit.cib.placeholders import check_value, is_sealed, provided, sealed
from cibgit.cib.secrets import (
    HIDDEN,
    Rules,
    Slot,
    find,
    has_credentials,
    is_reference,
    is_secret_name,
    locate,
    masked,
    redacted_xml,
)
from cibgit.errors import BadDataError


@pytest.mark.parametrize(
    "name",
    [
        *("passwd", "password", "PASSWORD", "db_passwd", "monpassword", "check_passwd"),
        *(
            "test_pass",
            "userpass",
            "pass",
            "passphrase",
            "snmp_priv_passwd",
            "password2",
        ),
        *(
            "community",
            "snmp_community",
            "secret_key",
            "access_key",
            "apikey",
            "api-key",
        ),
        *("api_token", "token", "client_secret", "replication_passwd", "ilo_password"),
        *(
            "hexadecimal_kg",
            "auth_key",
            "private_key",
            "credentials",
            "admin_password_1",
        ),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("passwd_script", "password_file", "identity_file", "key_file", "key", "auth"),
        *(
            "user",
            "username",
            "priv",
            "privlvl",
            "ip",
            "snmp_auth_prot",
            "token_timeout",
        ),
        *(
            "bypass",
            "pcmk_host_list",
            "passwd_method",
            "credentials_file",
            "secret_path",
        ),
    ],
)
def test_names_of_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        *("vers=3,username=u,password=a,b c", "sec=x,pass=y", "PGPASSWORD=x host=y"),
        *(
            "http://user:pw@host/x",
            "http://:pw/with@host",
            "https://ghp_0123456789abcd@x",
        ),
        *("-e MYSQL_ROOT_PASSWORD=x", "--password x", '{"token": "x"}', "password: x"),
        *("secretkey=1,secret=x", "api_key='x y'", "old pwd = x", "--api-key=x"),
    ],
)
def test_texts_with_credentials(text: str) -> None:
    assert has_credentials(text)
    assert masked(text) == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        *(
            "vers=3,sec=krb5",
            "http://host:80/x",
            "ssh://git@host/x",
            "lrm://",
            "ethernet",
        ),
        *("the password is elsewhere", "#uname eq alice", "passthrough=1", "1:2:3"),
        *("credentials=/etc/cifs", "host=db port=5432", "secret:pass:web/fence"),
    ],
)
def test_texts_without(text: str) -> None:
    assert masked(text) == text


def cib(configuration: str, status: str = "") -> Cib:
    text = f"<cib><configuration>{configuration}</configuration>{status}</cib>"
    return parse(text.encode(), "x")


RESOURCES = """
<resources>
<group id="g"><primitive id="a" class="ocf" type="x"><instance_attributes id="ap">
<nvpair id="a1" name="passwd" value="one"/><nvpair id="a2" name="licence" value="two"/>
<nvpair id="a3" name="password" value="lrm://"/><nvpair id="a4" name="token" value=""/>
</instance_attributes><meta_attributes id="am"><nvpair id="a5" name="x" value="y"/>
</meta_attributes></primitive></group>
<bundle id="b"><docker image="i" options="-e DB_PASSWORD=three" run-command="/bin/x"/></bundle>
</resources>
<constraints/>
<alerts><alert id="al" path="/x"><recipient id="r" value="https://hooks.example/T/B"/>
</alert></alerts>"""


def slots(found: Cib, rules: Rules | None = None) -> dict[str, str]:
    return {str(each.slot): each.value for each in find(found, rules)}


def test_slots() -> None:
    assert slots(cib(RESOURCES)) == {
        "a/passwd": "one",
        "b/options": "-e DB_PASSWORD=three",
        "al/value": "https://hooks.example/T/B",
    }
    assert find(cib(RESOURCES))[0].slot == Slot("a", "a1", "passwd")


def test_rules() -> None:
    rules = Rules(hide=("lic*", "b/run-command"), allow={"a/passwd": "of a test"})
    assert slots(cib(RESOURCES), rules) == {
        "a/licence": "two",
        "b/options": "-e DB_PASSWORD=three",
        "b/run-command": "/bin/x",
        "al/value": "https://hooks.example/T/B",
    }


def test_a_comment_can_hold_a_password() -> None:
    text = (
        "<resources><!--old password: x--><primitive id='a'/><!--token=y--></resources>"
    )
    found = find(cib(text))
    assert [str(each.slot) for each in found] == ["a/#comment", "resources/#comment"]
    for each in found:
        each.replace("gone")
    assert "password" not in redacted_xml(text)


def test_what_the_cluster_calls_secure() -> None:
    """As a live status has it (2.1.5): names between blanks, for each operation."""
    status = """<status><node_state id="1"><lrm id="1"><lrm_resources>
    <lrm_resource id="a:0"><lrm_rsc_op id="o" op-secure-params="  licence  user "/>
    </lrm_resource></lrm_resources></lrm></node_state></status>"""
    assert slots(cib(RESOURCES, status))["a/licence"] == "two"
    assert "a/x" not in slots(cib(RESOURCES, status))


def test_a_placeholder_is_found_anywhere() -> None:
    text = RESOURCES.replace("/bin/x", "secret:v1:x").replace(
        '"two"', '"secret:pass:x"'
    )
    found = slots(cib(text))
    assert found["b/run-command"] == "secret:v1:x"
    assert found["a/licence"] == "secret:pass:x"


def test_locate_by_name_and_id() -> None:
    document = cib(RESOURCES)
    assert [each.slot.element for each in locate(document, "a/token")] == ["a4"]
    assert [each.value for each in locate(document, "a1")] == ["one"]
    assert [each.value for each in locate(document, "b/options")] == [
        "-e DB_PASSWORD=three"
    ]
    assert locate(document, "a") == []


def test_fingerprints_depend_on_all() -> None:
    key, slot = bytes(32), Slot("a", "b", "c")
    first = sealed(key, slot, "x")
    assert is_sealed(first)
    assert is_reference(first)
    assert first == sealed(key, slot, "x")
    others = {
        sealed(bytes(31) + b"1", slot, "x"),
        sealed(key, slot, "y"),
        *(sealed(key, slot._replace(**{name: "z"}), "x") for name in slot._fields),
        sealed(key, Slot("a\0b", "", "c"), "x"),
    }
    assert first not in others
    assert len(others) == 6


def test_placeholders_of_providers() -> None:
    assert provided("secret:pass:web/fence-a") == ("pass", "web/fence-a")
    assert provided("secret:op:Private/item/field") == ("op", "Private/item/field")
    for value in (
        "secret:v1:abc",
        "secret:v9:abc",
        "secret:pass:-x",
        "secret:pass:",
        "x",
    ):
        assert provided(value) is None


@given(st.text(min_size=4), st.text(), st.text())
def test_censored_text_holds_no_form_of_a_secret(
    value: str, before: str, after: str
) -> None:
    xml = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    forms = (value, xml, xml.replace('"', "&quot;"), json.dumps(value)[1:-1])
    for form in (*forms, json.dumps(value, ensure_ascii=False)[1:-1]):
        assert form not in censored(before + form + after, [value]) or form in HIDDEN


def test_short_secrets_do_not_tear_text_apart() -> None:
    assert censored("an apple", ["a", "app"]) == "an apple"


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_a_value_that_is_accepted_survives_xml(value: str) -> None:
    try:
        check_value(value)
    except BadDataError as error:
        assert (
            len(value) < 4
            or value in ("secret:", "lrm://")
            or value not in error.message
        )
        return
    document = cib("<resources><nvpair id='x' name='passwd' value='x'/></resources>")
    find(document)[0].replace(value)
    again = document.copy()
    assert find(again)[0].value == value
