"""CIBs and corosync.conf as files: reading what people write, writing what git stores."""

from pathlib import Path

from ..cib.canonical import canonical, compact, pretty
from ..cib.document import Cib, parse, parse_authored
from ..cib.identity import check_ids
from ..corosync import canonical as corosync
from ..corosync.document import Conf, write
from ..corosync.document import parse as parse_conf
from ..corosync.meaning import settings
from ..errors import CibgitError, NoInputError


def read_file(file: Path) -> Cib:
    """Read a CIB that people write, from a file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NoInputError(f"{file}: {error.strerror}") from None
    return authored(data, str(file))


def authored(data: bytes, source: str) -> Cib:
    """Parse what people write, and refuse two elements of one identity."""
    cib = parse_authored(data, source)
    check_ids(cib)
    return cib


def written(cib: Cib) -> bytes:
    """Return the canonical pretty form, having proved that it is one.

    Written and read again it must be the same, and formatting it again must change
    nothing: what git stores has to stay what the cluster has.
    """
    form = canonical(cib)
    data = pretty(form)
    again = parse(data, cib.source)
    if compact(again) != compact(form) or pretty(canonical(again)) != data:
        raise CibgitError(
            f"{cib.source}: its canonical form does not read back the same"
        )
    return data


def written_conf(conf: Conf) -> bytes:
    """Return the text of a ``corosync.conf`` in canonical form, with the same proof."""
    form = corosync.canonical(conf)
    data = write(form)
    again = parse_conf(data, conf.source)
    if settings(again) != settings(conf) or write(corosync.canonical(again)) != data:
        raise CibgitError(
            f"{conf.source}: its canonical form does not read back the same"
        )
    return data
