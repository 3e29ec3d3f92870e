import pytest
from lxml import etree

from cibgit.cib.secrets import (
    HIDDEN,
    is_secret,
    is_secret_name,
    masked,
    redacted_xml,
    shown,
)


@pytest.mark.parametrize(
    "name",
    ["passwd", "password", "Password", "login_passwd", "admin_password", "monpassword",
     "check_passwd", "replication_passwd", "test_pass", "snmp_priv_passwd", "secret",
     "secret_key", "secret-key", "client_secret", "access_key", "apikey", "api_key",
     "api_token", "token", "community", "ilo_password", "incoming_password",
     "passphrase", "private_key"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["ip", "user", "username", "passwd_script", "password_script", "secret_file",
     "token_file", "key", "key_file", "keyfile", "identity_file", "credentials_file",
     "auth", "privlvl", "snmp_priv_prot", "tokens", "bypass_checks", "compass",
     "pcmk_host_map", "community_name_url", "passthrough"],
)  # fmt: skip
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://web:hunter2@host/x", "https://web:(secret)@host/x"),
        ("nfs://host/x:y@z", "nfs://host/x:y@z"),
        ("vers=3,password=hunter2,rw", "vers=3,password=(secret),rw"),
        ("user=r password='a b' x=1", "user=r password=(secret) x=1"),
        ('PASSWORD="a b"', "PASSWORD=(secret)"),
        ("-e DB_PASSWORD=hunter2 -v /a:/b", "-e DB_PASSWORD=(secret) -v /a:/b"),
        ("pass=x;token=y", "pass=(secret);token=(secret)"),
        ("password", "password"),
        ("log=on", "log=on"),
    ],
)  # fmt: skip
def test_secrets_inside_a_text(text: str, seen: str) -> None:
    assert masked(text) == seen
    assert masked(seen) == seen


def test_the_address_of_a_web_hook_is_a_secret() -> None:
    hook = etree.fromstring('<recipient value="https://chat.example.com/hooks/T0/s3"/>')
    assert shown(hook, "value") == f"https://chat.example.com/{HIDDEN}"
    mail = etree.fromstring('<recipient value="ops@example.com"/>')
    assert shown(mail, "value") == "ops@example.com"


@pytest.mark.parametrize("value", ["lrm://", "secret:v1:0123abcd"])
def test_what_points_to_a_secret_is_none(value: str) -> None:
    pair = etree.Element("nvpair", name="passwd", value=value)
    assert not is_secret(pair, "value")
    assert shown(pair, "value") == value


def test_xml_is_shown_without_secrets() -> None:
    xml = (
        '<!-- password=hunter2 --><primitive id="a" description="https://u:hunter2@h">'
        '<nvpair id="b" name="passwd" value="hunter2"/></primitive>'
    )
    seen = redacted_xml(xml)
    assert "hunter2" not in seen
    assert seen.count(HIDDEN) == 3
    assert redacted_xml(seen) == seen
