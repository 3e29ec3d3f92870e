"""Mail through the machine's own ``sendmail``, which every mail system has."""

import re
import shutil
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate

from ..errors import UnreachableError, UsageError
from . import hook

_PATHS = "/usr/sbin:/usr/lib:/usr/local/sbin"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*(@[A-Za-z0-9]([A-Za-z0-9.-]*))?")
"""An address without quotes (RFC 5322, ``dot-atom``), or a local user."""

_LONGEST = 254


def check_address(address: str) -> str:
    """Return an address, if it is one and nothing else.

    Raises :class:`~cibgit.errors.UsageError`.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > _LONGEST:
        raise UsageError(f"{address!r} is no mail address")
    return address


def sendmail(environment: Mapping[str, str]) -> str:
    """Return where ``sendmail`` is; raise where there is none."""
    path = f"{environment.get('PATH', '')}:{_PATHS}"
    found = shutil.which("sendmail", path=path)
    if found is None:
        raise UnreachableError(
            "there is no sendmail on this machine, so no mail can be sent",
            "It comes with any mail system: postfix, exim, msmtp-mta, nullmailer.",
        )
    return found


def message(addresses: Sequence[str], subject: str, body: str) -> bytes:
    """Return a mail in plain text. Whoever sends it is up to ``sendmail``."""
    mail = EmailMessage()
    mail["Subject"] = " ".join("".join(filter(str.isprintable, subject)).split())
    mail["To"] = ", ".join(addresses)
    mail["Date"] = formatdate()
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(body, charset="utf-8")
    return bytes(mail)


def send(program: str, environment: Mapping[str, str], mail: bytes) -> None:
    """Hand a mail over: recipients from its header, a line with a dot is no end.

    Raises what :func:`~cibgit.cluster.hook.call` raises.
    """
    hook.call([program, "-t", "-i"], environment, mail, "the mail program")
