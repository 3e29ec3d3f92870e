"""What Pacemaker up to 2.1 makes of a file that is not well formed.

It reads files with libxml2's recovery mode (``XML_PARSE_RECOVER``,
``lib/common/xml.c``, ``filename2xml``) and takes what is left for the configuration;
3.0 refuses such a file (``lib/common/xml_io.c``, ``pcmk__xml_read``). Only to foretell
what a daemon will do: nothing that is read so is ever written or sent.
"""

from lxml import etree

from ..errors import BadDataError
from .document import MAX_BYTES, Element, drop_text

_MAX_RECOVERED = 16 * 1024 * 1024
"""Bytes of a broken file that are looked at; recovery can be slow."""


def recover(data: bytes, source: str) -> Element | None:
    """Return what is left of a broken file without its text, None if nothing is.

    Raises :class:`~cibgit.errors.BadDataError` for what is not tried: a document type,
    whose entities libxml2 would expand; CDATA, which cannot be told from text; and what
    is too large.
    """
    if len(data) > min(MAX_BYTES, _MAX_RECOVERED):
        raise BadDataError(f"{source}: too large to be recovered")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"<![CDATA[" in data:
        raise BadDataError(f"{source}: a document type or CDATA in a broken file")
    parser = etree.XMLParser(
        recover=True,
        remove_blank_text=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None:
        return None
    drop_text(root)
    return root
