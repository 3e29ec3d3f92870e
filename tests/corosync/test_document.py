"""The grammar of ``corosync.conf``, its canonical form and what it means."""

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cibgit.corosync.canonical import canonical, version_of, with_version
from cibgit.corosync.document import (
    LINE_BYTES,
    Conf,
    Entry,
    GrammarError,
    Section,
    has_other_bytes,
    parse,
    write,
)
from cibgit.corosync.meaning import differences, settings
from cibgit.errors import BadDataError

from ..prerequisites import SYSTEM_PATH

WHOLE = b"""\
totem {
	version: 2
	transport: knet
	cluster_name: x
}

nodelist {
	node {
		name: n1
		nodeid: 1
		ring0_addr: 127.0.0.1
	}
}

quorum {
	provider: corosync_votequorum
}
"""

BROKEN = {
    "a value with a brace": (b"totem {\nkey: a{b\n}\n", 2, "nothing may follow"),
    "text behind a brace": (b"totem { x\n}\n", 1, "nothing may follow"),
    "no name": (b"{\n}\n", 1, "cannot be the name of a section"),
    "neither": (b"totem {\nhello\n}\n", 2, "neither"),
    "text before the end": (b"totem {\na: b\nx }\n", 3, "neither"),
    "never closed": (b"\ntotem {\ninterface {\n}\n", 2, "not closed"),
    "closed twice": (b"totem {\n}\n}\n", 3, "there is no section"),
    "no key": (b"totem {\n: b\n}\n", 2, "cannot be the name of a key"),
    "a key of two words": (b"totem {\na b: c\n}\n", 2, "cannot be the name of a key"),
    "a long line": (b"#" * (LINE_BYTES + 1), 1, "longer than"),
    "no UTF-8": (b"# \xff\n", 1, "no text in UTF-8"),
    "control characters": (b"totem {\na: \x1b[2J\n}\n", 2, "control characters"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_line(name: str) -> None:
    data, line, sentence = BROKEN[name]
    with pytest.raises(BadDataError, match=f"^f:{line}: .*{sentence}"):
        parse(data, "f")


@pytest.mark.skipif(
    not shutil.which("corosync", path=SYSTEM_PATH), reason="no Corosync"
)
@pytest.mark.parametrize("name", ["", *BROKEN])
def test_corosync_refuses_the_same(name: str, tmp_path: Path) -> None:
    """Stricter are only bytes that nobody means."""
    file = tmp_path / "corosync.conf"
    file.write_bytes(WHOLE + (BROKEN[name][0] if name else b""))
    test = ["corosync", "-t", "-c", file]
    done = subprocess.run(test, env={"PATH": SYSTEM_PATH}, check=False)
    stricter = ("", "no UTF-8", "control characters", "no key")
    assert (done.returncode == 0) is (name in stricter)
    if done.returncode == 0 and name:
        with pytest.raises(BadDataError) as caught:
            parse(file.read_bytes(), "f")
        assert not isinstance(caught.value, GrammarError)


def test_a_comment_of_a_node_keeps_its_bytes() -> None:
    data = b"# B\xfcro-Ring\n\ntotem {\n\t# \xe4\xf6\n\ttoken: 1\n\t# \xfc\n}\n"
    conf = parse(data, "f", of_node=True)
    assert write(conf) == data
    assert sum(map(has_other_bytes, conf.comments)) == 3
    with pytest.raises(BadDataError, match=r"f:1: .* no text in UTF-8"):
        parse(data, "f")
    with pytest.raises(BadDataError, match=r"f:2: .* no text in UTF-8"):
        parse(b"totem {\ncluster_name: B\xfcro\n}\n", "f", of_node=True)


def test_the_longest_line_is_read_and_no_longer_one_is_written() -> None:
    value = "x" * (LINE_BYTES - len("totem: "))
    conf = parse(f"totem: {value}".encode(), "f")
    assert write(conf) == f"totem: {value}\n".encode()
    conf.root.entries[0].value += "x"
    with pytest.raises(BadDataError, match="gets longer"):
        write(conf)


def test_the_version_is_counted_outside_of_the_form() -> None:
    conf = parse(b"totem {\nconfig_version: 7\ntoken: 1\n}\n", "f")
    assert version_of(conf) == 7
    later = with_version(conf, 8)
    assert version_of(later) == 8
    assert version_of(conf) == 7
    assert write(canonical(later)) == b"totem {\n\ttoken: 1\n}\n"
    assert version_of(with_version(parse(b"", "f"), 3)) == 3


VERSIONS = {
    "5": 5,
    "007": 7,
    "+5": 5,
    "-1": 2**64 - 1,
    str(2**64 - 1): 2**64 - 1,
    str(2**64): None,
    "0x10": None,
    "12 13": None,
    "abc": None,
    "": None,
    "\N{FULLWIDTH DIGIT FIVE}": None,
}


@pytest.mark.parametrize("text", VERSIONS)
def test_a_version_that_corosync_aborts_at_is_none(text: str) -> None:
    conf = parse(f"totem {{\nconfig_version: {text}\n}}\n".encode(), "f")
    assert version_of(conf) == VERSIONS[text]


@pytest.mark.skipif(
    not shutil.which("corosync", path=SYSTEM_PATH), reason="no Corosync"
)
@pytest.mark.parametrize("text", VERSIONS)
def test_corosync_aborts_at_the_same(text: str, tmp_path: Path) -> None:
    file = tmp_path / "corosync.conf"
    version = f"totem {{\nconfig_version: {text}\n"
    file.write_bytes(WHOLE.replace(b"totem {\n", version.encode()))
    test = ["corosync", "-t", "-c", file]
    done = subprocess.run(
        test, cwd=tmp_path, env={"PATH": SYSTEM_PATH}, check=False, capture_output=True
    )
    assert (done.returncode == 0) is (VERSIONS[text] is not None)


NAMES = st.sampled_from(
    ["totem", "nodelist", "node", "interface", "logger_subsys", "uidgid", "quorum"]
)
KEYS = st.sampled_from(
    ["token", "linknumber", "subsys", "nodeid", "name", "uid", "x.y"]
)
VALUES = st.from_regex(re.compile(r"[a-z0-9é:#} ]{0,8}"), fullmatch=True).map(str.strip)
COMMENTS = st.lists(st.sampled_from(["#", "# a: b", "## {", "# }"]), max_size=2)
ENTRIES = st.builds(Entry, KEYS, VALUES, COMMENTS)
SECTIONS = st.recursive(
    st.builds(Section, NAMES, st.lists(ENTRIES, max_size=3), COMMENTS, COMMENTS),
    lambda inner: st.builds(
        Section, NAMES, st.lists(st.one_of(ENTRIES, inner), max_size=3), COMMENTS
    ),
    max_leaves=6,
)
CONFS = st.builds(
    Conf,
    st.builds(Section, st.just(""), st.lists(st.one_of(ENTRIES, SECTIONS), max_size=3)),
    COMMENTS,
)


@given(CONFS)
def test_written_and_read_it_says_the_same(conf: Conf) -> None:
    data = write(conf)
    assert settings(parse(data, "f")) == settings(conf)
    assert write(parse(data, "f")) == data


@given(CONFS)
@example(
    Conf(
        Section(
            "",
            [
                Section(
                    "nodelist",
                    [Section("totem"), Section("node", [Entry("token", "")])],
                )
            ],
        )
    )
)
def test_the_canonical_form_is_one_and_keeps_the_meaning(conf: Conf) -> None:
    form = canonical(conf)
    assert settings(form) == settings(conf)
    assert differences(settings(conf), settings(form)) == []
    assert write(canonical(form)) == write(form)
    assert write(canonical(parse(write(form), "f"))) == write(form)


@given(CONFS, st.randoms(use_true_random=False))
def test_the_order_of_sections_of_other_names_is_no_difference(
    conf: Conf, random: Random
) -> None:
    shuffled = conf.copy()
    groups: dict[str, list[Entry | Section]] = {}
    for item in shuffled.root.items:
        is_entry = isinstance(item, Entry)
        groups.setdefault(item.key if is_entry else f"{item.name} {{", []).append(item)
    names = list(groups)
    random.shuffle(names)
    shuffled.root.items = [item for name in names for item in groups[name]]
    assert write(canonical(shuffled)) == write(canonical(conf))
