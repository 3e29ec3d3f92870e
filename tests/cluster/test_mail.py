"""Mail: what is handed to sendmail, and what no address and no subject can bring in."""

from email import message_from_bytes, policy

import pytest

from cibgit.cluster.mail import check_address, message
from cibgit.errors import UsageError


def test_a_mail_is_plain_text_with_the_headers_that_it_needs() -> None:
    data = message(["ops@example.com", "root"], "[cibgit] prod: drift", "é\n.\nend\n")
    mail = message_from_bytes(data, policy=policy.default)
    assert mail["To"] == "ops@example.com, root"
    assert mail["Subject"] == "[cibgit] prod: drift"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == "é\n.\nend\n"


def test_a_subject_brings_no_header_in() -> None:
    data = message(["root"], "drift\r\nBcc: evil@example.com\x1b[2J", "x")
    mail = message_from_bytes(data, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "driftBcc: evil@example.com[2J"


@pytest.mark.parametrize("address", ["root", "a.b+c@example.com", "a@localhost"])
def test_addresses(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        *("", " ", "a b@c", "a@", "@b", "a@b\n", "a@b\nBcc: c@d", "a@b, c@d", "<a@b>"),
        *("a@-b", '"a"@b', "|/bin/sh@x y", "ü@example.com", "a@b@c", "x" * 255),
        *("..@example.com", "a.@example.com", "a..b", "."),
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="is no mail address"):
        check_address(address)
