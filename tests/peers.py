"""What other tools print about the same pair of CIBs, and the page that shows it."""

import difflib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from cibgit.cib.document import parse
from cibgit.cib.identity import check_ids
from cibgit.compare.diff import compare
from cibgit.errors import BadDataError

from .prerequisites import SYSTEM_PATH

BASE = """\
<cib validate-with="pacemaker-3.0" crm_feature_set="3.16.1" epoch="7" num_updates="0" \
admin_epoch="0">
<configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-stonith" name="stonith-enabled" value="true"/>
<nvpair id="o-quorum" name="no-quorum-policy" value="stop"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="alice"/><node id="2" uname="bob"/></nodes>
<resources>
<primitive id="fence" class="stonith" type="fence_ipmilan">
<instance_attributes id="fence-p"><nvpair id="fence-ip" name="ip" value="10.0.0.1"/>
<nvpair id="fence-pw" name="password" value="correct horse"/></instance_attributes>
</primitive>
<primitive id="db" class="ocf" provider="pacemaker" type="Dummy">
<operations><op id="db-m" name="monitor" interval="20s"/>
<op id="db-s" name="start" interval="0s" timeout="60s"/></operations>
</primitive>
<primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/>
</resources>
<constraints>
<rsc_location id="l-db" rsc="db" node="alice" score="100"/>
<rsc_location id="l-web" rsc="web" node="bob" score="100"/>
</constraints>
</configuration>
<status/>
</cib>
"""


_FAILED = "(exit"
_NOISE = re.compile(r"\x1b\[[0-9;]*m| at 0x[0-9a-f]+")


class Edit(NamedTuple):
    """One edit that somebody misses: what it is called and what it does to the text."""

    name: str
    change: Callable[[str], str]


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def swapped(first: str, second: str) -> Callable[[str], str]:
    """Return an edit that swaps two neighbours, each given as a regular expression."""

    def change(text: str) -> str:
        pattern = re.compile(f"({first})(\\s*)({second})", re.DOTALL)
        assert pattern.search(text)
        return pattern.sub(r"\3\2\1", text)

    return change


def doubled(text: str) -> str:
    line = '<rsc_location id="l-db" rsc="db" node="alice" score="100"/>'
    return text.replace(line, line + line.replace("alice", "bob"))


EDITS = (
    Edit("order of attributes", replaced('rsc="db" node="alice"', 'node="alice" rsc="db"')),
    Edit("order of pairs", swapped('<nvpair id="o-s[^>]*>', '<nvpair id="o-q[^>]*>')),
    Edit("order of constraints", swapped("<rsc_l[^>]*db[^>]*>", "<rsc_l[^>]*web[^>]*>")),
    Edit("order of operations", swapped('<op id="db-m[^>]*>', '<op id="db-s[^>]*>')),
    Edit("order of resources", swapped(
        '<primitive id="db".*?</primitive>', '<primitive id="web"[^>]*/>')),
    Edit("a comment", replaced('<primitive id="web"', '<!-- shop --><primitive id="web"')),
    Edit("a description", replaced(
        '<primitive id="web"', '<primitive id="web" description="shop"')),
    Edit("the id of a pair", replaced('id="fence-ip"', 'id="fence-ip-1"')),
    Edit("an empty set", replaced(
        'type="Dummy"/>', 'type="Dummy"><meta_attributes id="web-m"/></primitive>')),
    Edit("`20s` to `20`", replaced('interval="20s"', 'interval="20"')),
    Edit("a fence password", replaced("correct horse", "battery staple")),
    Edit("the epoch", replaced('epoch="7"', 'epoch="8"')),
    Edit("an id used twice", doubled),
)  # fmt: skip


def cibgit(old: str, new: str) -> str:
    """Return what cibgit says, with the weight in words."""
    try:
        for text in (old, new):
            check_ids(parse(text.encode(), "the new CIB"))
    except BadDataError as error:
        return f"refused: {_cell(re.sub(':[0-9]+:', ':', error.message))}"
    changes = compare(*(parse(text.encode(), "x") for text in (old, new)))
    said = [
        f"**{c.weight.name.lower()}**: {c.owner}: {c.sentence}"
        + (f" ({c.reason})" if c.reason else "")
        for c in changes
    ]
    return _cell("; ".join(said)) or "no difference"


def _cell(text: str) -> str:
    return text.replace("<", "&lt;").replace("|", "&#124;")


def run(argv: list[str], file: Path) -> str:
    env = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "CIB_file": str(file),
           "HOME": str(file.parent), "USER": "root"}  # fmt: skip
    done = subprocess.run(
        argv, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        return f"{_FAILED} {done.returncode})"
    return _NOISE.sub("", done.stdout)


def crm_diff(old: Path, new: Path) -> str:
    """Return what ``crm_diff`` says, each change of its patch in a few words."""
    argv = ["crm_diff", "-o", str(old), "-n", str(new)]
    out = run_any(argv, old)
    if not out:
        return "no difference"
    found = etree.fromstring(out.encode())
    words = [_patch_words(change) for change in found.iter("change")]
    return "; ".join(dict.fromkeys(words)) or "a version block, no change"


def run_any(argv: list[str], file: Path) -> str:
    """Run a tool that answers by its exit code."""
    env = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        argv, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout


def _patch_words(change: etree._Element) -> str:
    path = change.get("path", "").rpartition("/")[2] or "cib"
    names = [each.get("name", "") for each in change.iter("change-attr")]
    of = f" {', '.join(names)} of" if names else ""
    into = ""
    content = list(change)
    if change.get("operation") == "create" and content:
        tag = content[0].tag
        into = f" {tag if isinstance(tag, str) else 'comment'} in"
    return f"{change.get('operation')}{of}{into} `{path}`"


def shown_by(argv: list[str]) -> Callable[[Path], str]:
    return lambda file: run([part.format(file=file) for part in argv], file)


PCS = shown_by(["pcs", "-f", "{file}", "config"])
CRMSH = shown_by(["crm", "configure", "show"])


def text_difference(old: str, new: str) -> str:
    """Return the lines that differ between two texts, as a cell of a table."""
    if old == new:
        return "nothing"
    if new.startswith(_FAILED):
        return f"fails {new}"
    lines = [
        f"`{line[0]} {' '.join(line[1:].split())}`"
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), n=0)
        if line[0] in "+-" and line[:3] not in ("+++", "---") and line[1:].strip()
    ]
    return "<br>".join(lines)


class Row(NamedTuple):
    """One row of the page."""

    edit: str
    cibgit: str
    crm_diff: str
    pcs: str
    crmsh: str


def rows(folder: Path) -> Iterator[Row]:
    """Run all tools on all edits; the other tools see each document once."""
    texts = [BASE, *(edit.change(BASE) for edit in EDITS)]
    files = [folder / f"cib-{number}.xml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        pcs, crmsh = list(pool.map(PCS, files)), list(pool.map(CRMSH, files))
    for place, edit in enumerate(EDITS, 1):
        yield Row(
            edit.name,
            cibgit(BASE, texts[place]),
            crm_diff(files[0], files[place]),
            text_difference(pcs[0], pcs[place]),
            text_difference(crmsh[0], crmsh[place]),
        )


def page(found: list[Row]) -> str:
    """Return the table as it stands in the documentation."""
    head = ("edit", "cibgit", "`crm_diff`", "`pcs config`", "`crm configure show`")
    lines = [head, ("---",) * len(head), *found]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
