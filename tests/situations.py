"""Directories that a CIB manager may find at its start, and what comes of each.

A situation is a list of generations: files of one are older than those of the next by a
second, which is what Pacemaker sorts backups by. Each file has its own epoch, so that the
one that was loaded is known by it.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cibgit.cluster.release import Release

EMPTY, INVALID, REFUSED = "empty", "invalid", "refused"
Result = int | str
"""The epoch of what is loaded, or one of the words above."""

OLD, SINGLE, NEW = "2.1.5", "3.0.0", "3.0.2"
"""Releases that behave differently: 2.x, 3.0.0 and 3.0.1, and later ones."""


def cib(
    epoch: int,
    *,
    schema: str | None = "pacemaker-3.0",
    value: str = "1",
    body: str = "<nodes/><resources/><constraints/>",
) -> bytes:
    validate = "" if schema is None else f' validate-with="{schema}"'
    return (
        f'<cib admin_epoch="0" epoch="{epoch}" num_updates="0"{validate}>\n'
        f'  <configuration>\n    <crm_config><cluster_property_set id="o">'
        f'<nvpair id="o-x" name="x" value="{value}"/></cluster_property_set>'
        f"</crm_config>{body}\n  </configuration>\n</cib>\n"
    ).encode()


GOOD = "good"


@dataclass(frozen=True)
class File:
    """A file and its ``.sig``: right, none, these bytes, or that of another release."""

    data: bytes
    signature: str | bytes | None = GOOD
    mode: int = 0o600
    root: bool = False
    signature_root: bool = False
    signature_mode: int = 0o600

    def signed(self, release: Release) -> bytes | None:
        if self.signature is None or isinstance(self.signature, bytes):
            return self.signature
        signer = release if self.signature == GOOD else Release.of(self.signature)
        return signer.signer.digest(self.data).encode()


Generation = dict[str, File]


@dataclass(frozen=True)
class Situation:
    """``expected`` is for 2.x and 3.0.0, or for each of the three kinds of release."""

    name: str
    generations: Sequence[Generation]
    expected: Result | tuple[Result, Result, Result]
    after: Callable[[Path], None] | None = None
    needs_root: bool = False
    writes: bool = True
    """Whether a daemon of 2.x can write to disk afterwards."""

    def result(self, version: str) -> Result:
        """Return what comes of it with a release."""
        if not isinstance(self.expected, tuple):
            return self.expected
        number = Release.of(version).number
        return self.expected[(number >= (3, 0, 0)) + (number >= (3, 0, 2))]


def build(
    situations: Sequence[Situation],
    folder: Path,
    release: Release,
    owner: tuple[int, int] | None,
) -> dict[str, Path]:
    """Lay down all situations at once, one generation a second."""
    places = {}
    for number, each in enumerate(situations):
        places[each.name] = folder / f"{number:02}"
        places[each.name].mkdir(mode=0o750)
        if owner:
            os.chown(places[each.name], *owner)
    longest = max(len(each.generations) for each in situations)
    for turn in range(longest):
        # the last generation of each is laid down last
        for each in situations:
            index = turn - (longest - len(each.generations))
            if index >= 0:
                for name, file in each.generations[index].items():
                    _write(places[each.name] / name, file, release, owner)
        if turn < longest - 1:
            time.sleep(1.05)
    for each in situations:
        if each.after:
            each.after(places[each.name])
    return places


def _write(
    path: Path, file: File, release: Release, owner: tuple[int, int] | None
) -> None:
    signature = file.signed(release)
    for target, data, mode, root in (
        (path, file.data, file.mode, file.root),
        (
            path.with_name(f"{path.name}.sig"),
            signature,
            file.signature_mode,
            file.signature_root,
        ),
    ):
        if data is None:
            continue
        target.write_bytes(data)
        if owner and not root:
            os.chown(target, *owner)
        target.chmod(mode)


def _digits(data: bytes, version: str = "2.1.5") -> bytes:
    return Release.of(version).signer.digest(data).encode()


def _link(name: str, target: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).symlink_to(target)


def _own_link(name: str, target: str) -> Callable[[Path], None]:
    def link(directory: Path) -> None:
        (directory / name).symlink_to(target)
        found = directory.stat()
        os.chown(directory / name, found.st_uid, found.st_gid, follow_symlinks=False)

    return link


def _directory(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).mkdir()


def _pipe(name: str) -> Callable[[Path], None]:
    return lambda directory: os.mkfifo(directory / name)


def _own_by_root(directory: Path) -> None:
    os.chown(directory, 0, 0)


def _read_only(directory: Path) -> None:
    """The daemon's by its group, which may not write there."""
    os.chown(directory, 0, directory.stat().st_gid)
    directory.chmod(0o750)


def _give_to_group(directory: Path) -> None:
    os.chown(directory / "cib.xml", 0, directory.stat().st_gid)


RIGHT = File(cib(9))
EDITED = File(cib(9), _digits(cib(8)))
BACKUPS: list[Generation] = [{"cib-0.raw": File(cib(1))}, {"cib-1.raw": File(cib(2))}]
TRUNCATED = cib(9)[:-40]
SPACED = cib(9).replace(b"<nodes/>", b"<nodes>\n \n</nodes>")
COMMENTED = cib(9).replace(b"</cib>", b"<!-- by hand --></cib>")

SITUATIONS = [
    Situation("nothing", [{}], EMPTY),
    Situation("right pair", [*BACKUPS, {"cib.xml": RIGHT}], 9),
    Situation("unsigned", [*BACKUPS, {"cib.xml": File(cib(9), None)}], 9),
    Situation("edited", [*BACKUPS, {"cib.xml": EDITED}], 2),
    Situation("empty signature", [*BACKUPS, {"cib.xml": File(cib(9), b"")}], 2),
    Situation(
        "signature with a newline",
        [*BACKUPS, {"cib.xml": File(cib(9), _digits(cib(9)) + b"\n")}],
        2,
    ),
    Situation(
        "signature in upper case",
        [*BACKUPS, {"cib.xml": File(cib(9), _digits(cib(9)).upper())}],
        9,
    ),
    Situation(
        "signature with something after a NUL",
        [*BACKUPS, {"cib.xml": File(cib(9), _digits(cib(9)) + b"\0\n")}],
        9,
    ),
    Situation(
        "signature too short",
        [*BACKUPS, {"cib.xml": File(cib(9), _digits(cib(9))[:-1])}],
        2,
    ),
    Situation("no cib.xml", [*BACKUPS, {}], 2),
    Situation(
        "no cib.xml, one backup", [{"cib-0.raw": File(cib(1))}], (EMPTY, EMPTY, 1)
    ),
    Situation(
        "edited, one backup",
        [{"cib-0.raw": File(cib(1))}, {"cib.xml": EDITED}],
        (EMPTY, EMPTY, 1),
    ),
    Situation("edited, no backup", [{"cib.xml": EDITED}], EMPTY),
    Situation(
        "edited, newest backup broken",
        [
            {"cib-0.raw": File(cib(1))},
            {"cib-1.raw": File(cib(2))},
            {"cib-2.raw": File(cib(3), b"0" * 32), "cib.xml": EDITED},
        ],
        2,
    ),
    Situation(
        "edited, all backups broken",
        [{f"cib-{n}.raw": File(cib(n), b"0" * 32)} for n in (1, 2)]
        + [{"cib.xml": EDITED}],
        EMPTY,
    ),
    Situation(
        "edited, only the oldest backup good",
        [
            {"cib-0.raw": File(cib(1))},
            {"cib-1.raw": File(cib(2), b"")},
            {"cib.xml": EDITED},
        ],
        (EMPTY, EMPTY, 1),
    ),
    Situation(
        "a stray file is the newest backup",
        [*BACKUPS, {"cib-before-lunch.xml": File(cib(5), None), "cib.xml": EDITED}],
        5,
    ),
    Situation(
        "backups by time, not by number",
        [
            {"cib-7.raw": File(cib(1))},
            {"cib-9.raw": File(cib(2))},
            {"cib-0.raw": File(cib(3)), "cib.xml": EDITED},
        ],
        3,
    ),
    Situation("empty file", [*BACKUPS, {"cib.xml": File(b"", None)}], 2, writes=False),
    Situation(
        "binary file",
        [*BACKUPS, {"cib.xml": File(bytes(range(256)), None)}],
        2,
        writes=False,
    ),
    Situation(
        "truncated, signed", [*BACKUPS, {"cib.xml": File(TRUNCATED, b"0" * 32)}], 2
    ),
    Situation(
        "truncated, unsigned, still valid",
        [*BACKUPS, {"cib.xml": File(cib(9)[:-8], None)}],
        (9, 2, 2),
    ),
    Situation(
        "truncated, unsigned, invalid",
        [*BACKUPS, {"cib.xml": File(cib(9)[:150], None)}],
        (INVALID, 2, 2),
    ),
    Situation(
        "a stray ampersand, unsigned",
        [*BACKUPS, {"cib.xml": File(cib(9, value="a & b"), None)}],
        (9, 2, 2),
    ),
    Situation(
        "invalid for its schema",
        [*BACKUPS, {"cib.xml": File(cib(9, body="<nodes/>"))}],
        INVALID,
    ),
    Situation(
        "another root element",
        [*BACKUPS, {"cib.xml": File(b"<bic/>\n", None)}],
        INVALID,
    ),
    Situation(
        "an invalid backup",
        [
            {"cib-0.raw": File(cib(1))},
            {"cib-1.raw": File(cib(2, body="<x/>"))},
            {"cib.xml": EDITED},
        ],
        INVALID,
    ),
    Situation(
        "unknown schema",
        [*BACKUPS, {"cib.xml": File(cib(9, schema="pacemaker-99.0"))}],
        INVALID,
    ),
    Situation(
        "no schema",
        [*BACKUPS, {"cib.xml": File(cib(9, schema=None))}],
        (9, INVALID, INVALID),
    ),
    Situation(
        "schema none",
        [*BACKUPS, {"cib.xml": File(cib(9, schema="none", body="<x/>"))}],
        9,
    ),
    Situation(
        "indented by hand", [*BACKUPS, {"cib.xml": File(SPACED, _digits(cib(9)))}], 9
    ),
    Situation(
        "a comment by hand",
        [*BACKUPS, {"cib.xml": File(COMMENTED, _digits(cib(9)))}],
        2,
    ),
    Situation(
        "an apostrophe, signed by 2.1.5",
        [*BACKUPS, {"cib.xml": File(cib(9, value="it's"), "2.1.5")}],
        (9, 2, 2),
    ),
    Situation(
        "an apostrophe, signed by 3.0.0",
        [*BACKUPS, {"cib.xml": File(cib(9, value="it's"), "3.0.0")}],
        (2, 9, 9),
    ),
    Situation(
        "an apostrophe everywhere, signed by 2.1.5",
        [{f"cib-{n}.raw": File(cib(n, value="it's"), "2.1.5")} for n in (1, 2)]
        + [{"cib.xml": File(cib(9, value="it's"), "2.1.5")}],
        (9, EMPTY, EMPTY),
    ),
    Situation(
        "a pipe as backup", [*BACKUPS, {"cib.xml": EDITED}], 2, _pipe("cib-9.raw")
    ),
    Situation(
        "a folder as backup",
        [*BACKUPS, {"cib.xml": EDITED}],
        2,
        _directory("cib-9.raw"),
    ),
    Situation(
        "a link in a circle",
        [*BACKUPS, {}],
        2,
        _own_link("cib.xml", "cib.xml"),
        writes=False,
    ),
    Situation("a link inside", [*BACKUPS, {"f": RIGHT}], 9, _own_link("cib.xml", "f")),
    Situation(
        "a link of root's",
        [*BACKUPS, {"f": RIGHT}],
        9,
        _link("cib.xml", "f"),
        needs_root=True,
        writes=False,
    ),
    Situation("a link to nothing", [*BACKUPS, {}], 2, _own_link("cib.xml", "gone")),
    Situation(
        "shared with the group",
        [*BACKUPS, {"cib.xml": File(cib(9), mode=0o660, root=True)}],
        9,
        _give_to_group,
        needs_root=True,
    ),
    Situation(
        "readable by the group",
        [*BACKUPS, {"cib.xml": File(cib(9), mode=0o640, root=True)}],
        9,
        _give_to_group,
        needs_root=True,
        writes=False,
    ),
    Situation("a folder as cib.xml", [*BACKUPS, {}], REFUSED, _directory("cib.xml")),
    Situation(
        "owned by root",
        [*BACKUPS, {"cib.xml": File(cib(9), root=True)}],
        REFUSED,
        needs_root=True,
    ),
    Situation(
        "signature owned by root",
        [*BACKUPS, {"cib.xml": File(cib(9), signature_root=True)}],
        REFUSED,
        needs_root=True,
    ),
    Situation(
        "a backup owned by root",
        [
            {"cib-0.raw": File(cib(1))},
            {"cib-1.raw": File(cib(2))},
            {"cib-2.raw": File(cib(3), root=True)},
            {"cib.xml": EDITED},
        ],
        2,
        needs_root=True,
    ),
    Situation(
        "mode 0400",
        [*BACKUPS, {"cib.xml": File(cib(9), mode=0o400)}],
        9,
        needs_root=True,
    ),
    Situation(
        "mode 0200",
        [*BACKUPS, {"cib.xml": File(cib(9), mode=0o200)}],
        2,
        needs_root=True,
        writes=False,
    ),
    Situation(
        "mode 0",
        [*BACKUPS, {"cib.xml": File(cib(9), mode=0)}],
        REFUSED,
        needs_root=True,
    ),
    Situation(
        "the directory owned by root",
        [*BACKUPS, {"cib.xml": RIGHT}],
        REFUSED,
        _own_by_root,
        needs_root=True,
    ),
    Situation(
        "the directory read-only",
        [*BACKUPS, {"cib.xml": RIGHT}],
        9,
        _read_only,
        needs_root=True,
        writes=False,
    ),
]
