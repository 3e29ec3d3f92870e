"""Why does a signature not match? The nearest explanation of what was done to a file."""

import hashlib
import re

from ..cib.digest import Dialect, dump
from ..cib.document import parse_with_text
from ..cib.eras import Era, Signer, signers
from ..errors import BadDataError
from .inventory import Inventory, Kind
from .judgement import Judged
from .release import Release

_DIGITS = re.compile(r"[0-9a-fA-F]{32}")
_SMALL = 4096


def explain(files: Inventory, judged: Judged, release: Release) -> str:
    """Return half a sentence on the signature of a file that does not match it.

    In the order of certainty: what is wrong with the signature itself; who signed the
    file as it is; what else it is the digest of; where the right one lies. What is left
    was edited.
    """
    data = files.content(judged.name).data
    signature = (judged.signature or b"").decode("latin-1")
    right = _right(data, release)
    if signature.strip().lower() == right:
        return (
            "its digits are right, but white space follows or precedes them, and"
            " Pacemaker compares all of it"
        )
    if not _DIGITS.fullmatch(signature):
        return f"it holds {len(signature)} characters that are no 32 digits"
    if found := signers(data, signature):
        return _signed_elsewhere(found[0])
    return (
        _digest_of_something_else(data, signature, release)
        or _mixed_up(files, judged, signature, right)
        or "the file was changed after it had been signed"
    )


def _right(data: bytes, release: Release) -> str | None:
    try:
        return release.signer.digest(data)
    except BadDataError:
        return None


def _signed_elsewhere(signer: Signer) -> str:
    if signer.era is Era.HEARTBEAT:
        return f"it is right for {signer}, which hashed its own indented writing"
    if signer.era is Era.V1_LIBXML:
        return f"it is right for {signer}, which counted white space in empty elements"
    return (
        f"it is right for {signer}: the file is as that release signed it, and only its"
        " way of escaping values differs"
    )


def _digest_of_something_else(data: bytes, signature: str, release: Release) -> str:
    digest = signature.lower()
    if digest == hashlib.md5(data, usedforsecurity=False).hexdigest():
        return "it is the md5sum of the file, not that of the document in it"
    try:
        root = parse_with_text(data, "file")
    except BadDataError:
        return ""
    for element in root.iter():
        element.tail = None
        if isinstance(element.tag, str) and element.text is not None:
            element.text = ""
    dialect = release.signer.dialect or Dialect.NEW
    opened = b" " + dump(root, dialect) + b"\n"
    if digest == hashlib.md5(opened, usedforsecurity=False).hexdigest():
        return (
            "it was computed with `cibadmin --md5-sum -p`, which counts white space in"
            " empty elements; with `-x FILE` it does not"
        )
    return ""


def _mixed_up(
    files: Inventory, judged: Judged, signature: str, right: str | None
) -> str:
    """Look for the right signature elsewhere, and for this one beside another file."""
    names = [name for name in _small_files(files) if name != f"{judged.name}.sig"]
    for name in names:
        if right and _digits(files, name) == right:
            return f"the right one lies in {name}: a write was cut short"
    for name in names:
        if name.endswith(".sig") and _digits(files, name) == signature.lower():
            other = name.removesuffix(".sig")
            return f"it is that of {other}: the two files are of different writes"
    return ""


def _small_files(files: Inventory) -> list[str]:
    return [
        name
        for name, entry in files.entries.items()
        if name.startswith("cib") and entry.kind is Kind.FILE and entry.size <= _SMALL
    ]


def _digits(files: Inventory, name: str) -> str:
    return files.signature(name).data.decode("latin-1").lower()


def is_as_signed(files: Inventory, judged: Judged, release: Release) -> bool:
    """Say whether a file that does not match is certainly what somebody signed.

    Its signature is right for it in some way: with white space around the digits, for
    another release, as another digest of exactly this file; or the right one lies about.
    """
    if judged.signature is None:
        return False
    data = files.content(judged.name).data
    signature = judged.signature.decode("latin-1")
    right = _right(data, release)
    return right is not None and (
        signature.strip().lower() == right
        or bool(signers(data, signature))
        or bool(_digest_of_something_else(data, signature, release))
        or any(_digits(files, name) == right for name in _small_files(files))
    )
