"""Check of a ``corosync.conf``, and what the check of a CIB has in common with it."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from pathlib import PurePath

from ..cib.secrets import PREFIX, Rules
from ..corosync.canonical import canonical
from ..corosync.document import Conf, parse, write
from ..corosync.secrets import find, in_comments
from ..errors import BadDataError
from ..policy.corosync import RULE
from ..policy.corosync import judged as judge
from ..policy.finding import Finding, Located, Severity
from ..policy.suppress import Ignore

_HINT = (
    "cibgit corosync export takes it into the vault; better is a file of its own"
    " (totem.keyfile, /etc/corosync/authkey). See docs/check.md#secrets"
)


def is_conf(name: str) -> bool:
    """Say whether a file of that name is one of Corosync."""
    return PurePath(name).name == "corosync.conf"


def formatted(data: bytes, source: str) -> bytes:
    """Return a file in canonical form; raises ``BadDataError`` where it is broken."""
    return write(canonical(parse(data, source)))


def judged(
    name: str, data: bytes, ignored: Iterable[Ignore], today: date
) -> tuple[list[Located], int]:
    """Return what is wrong with a file, and how many findings somebody accepted."""
    try:
        conf = parse(data, name)
    except BadDataError as error:
        return [unreadable(error, name)], 0
    found = [Located(each.finding, name, each.line) for each in judge(conf)]
    found += _version(conf, name)
    found += _secrets(conf, name)
    for line, finding in form(name, data, write(canonical(conf))):
        found.append(Located(finding, name, line))
    rules = [each for each in ignored if not each.is_expired(today)]
    left = [one for one in found if not any(_means(rule, one) for rule in rules)]
    return left, len(found) - len(left)


def unreadable(error: BadDataError, name: str) -> Located:
    """Return the finding about a file that is none; its message begins with the place."""
    message = error.message.removeprefix(name)
    match = re.match(r"(?::(\d+))?: (.*)", message, re.DOTALL)
    line, sentence = (int(match[1] or 0), match[2]) if match else (0, message)
    finding = Finding(Severity.ERROR, "parse", name, sentence, error.hint)
    return Located(finding, name, line)


def form(name: str, data: bytes, wanted: bytes) -> Iterator[tuple[int, Finding]]:
    """Tell the first line that is not as the canonical form has it."""
    if wanted == data:
        return
    pairs = zip(data.splitlines(), wanted.splitlines(), strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), None)
    line = 1 + (len(data.splitlines()) - 1 if same is None else same)
    sentence = "the file is not in canonical form; this is the first line that differs"
    fix = "Run: " if is_conf(name) else "Run: cibgit fmt, or "
    hint = f"{fix}cibgit check --fix. See docs/check.md#canonical"
    yield line, Finding(Severity.WARNING, "canonical", name, sentence, hint)


def _version(conf: Conf, name: str) -> Iterator[Located]:
    for around, entry in conf.walk():
        if around and around[-1].name == "totem" and entry.key == "config_version":
            sentence = "config_version is counted by each push, and stands in no commit"
            hint = f"Take the line out. See docs/check.md#{RULE}"
            finding = Finding(Severity.NOTE, RULE, entry.key, sentence, hint)
            yield Located(finding, name, entry.line)


def _secrets(conf: Conf, name: str) -> Iterator[Located]:
    for each in find(conf, Rules()):
        if not each.value.startswith(PREFIX):
            sentence = f"{each.slot} stands there in clear"
            finding = Finding(
                Severity.ERROR, "secrets", each.entry.key, sentence, _HINT
            )
            yield Located(finding, name, each.entry.line)
    for key in in_comments(conf):
        sentence = f"a comment holds what looks like a secret ({key}: ...)"
        finding = Finding(Severity.ERROR, "secrets", key, sentence, "Take it out.")
        yield Located(finding, name)


def _means(rule: Ignore, one: Located) -> bool:
    finding = one.finding
    return rule.rule == finding.rule and fnmatchcase(finding.element, rule.element)
