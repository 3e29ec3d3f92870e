"""Laws of hiding and revealing, over made-up CIBs of every shape."""

from pathlib import Path

import pytest

from cibgit.age import Age
from cibgit.cib.canonical import canonical, compact
from cibgit.cib.document import Cib, parse
from cibgit.cib.owned import marker_commit
from cibgit.cib.secrets import Rules, find
from cibgit.compare.unchanged import same
from cibgit.errors import BadConfigError
from cibgit.flow.files import written
from cibgit.flow.keeper import Keeper
from cibgit.flow.vaultfile import VaultFile

from ..generate import cib as generated


def refused(placeholder: str) -> str:
    raise BadConfigError(placeholder)


def keeper(folder: Path, rules: Rules | None = None) -> Keeper:
    lock = Age([folder / "key"], folder / "key", chosen=False)
    store = VaultFile(folder / "secrets.age", "secrets.age", lock)
    return Keeper(rules or Rules(), refused, store)


def save(kept: Keeper, hidden: Cib) -> None:
    for file, data in kept.files(hidden).items():
        file.write_bytes(data)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hide", [(), ("*",)])
def test_what_is_hidden_is_revealed(
    tmp_path: Path, seed: int, hide: tuple[str, ...]
) -> None:
    real = parse(generated(40, seed), "live")
    rules = Rules(hide=hide)
    first = keeper(tmp_path, rules)
    hidden = first.hidden(real)
    secrets = find(real, rules)
    assert secrets
    text = written(hidden).decode()
    assert text.count('"secret:v1:') >= len(find(canonical(real), rules))
    if not hide:  # else they stand elsewhere, too
        assert not [found for found in secrets if f'"{found.value}"' in text]
    assert compact(first.revealed(hidden)) == compact(real)
    save(first, hidden)

    # another run, which has the files and the key alone
    second = keeper(tmp_path, rules)
    read = parse(text.encode(), "HEAD")
    adopted, clear = second.adopted(read, second.store.read)
    assert clear == []
    assert compact(adopted) == compact(read)
    assert same(second.revealed(adopted), real)
    assert second.is_stored(adopted)
    assert same(second.hidden(real), read)
    assert second.files(adopted)[second.store.file] == second.store.read()


def test_no_pattern_hides_what_cibgit_itself_wrote(tmp_path: Path) -> None:
    pair = '<nvpair id="cibgit-commit" name="cibgit-commit" value="abc"/>'
    text = (
        "<cib><configuration><crm_config><cluster_property_set id='cibgit'>"
        f"{pair}</cluster_property_set></crm_config></configuration></cib>"
    )
    hidden = keeper(tmp_path, Rules(hide=("*",))).hidden(parse(text.encode(), "x"))
    assert marker_commit(hidden) == "abc"


def test_hiding_leaves_what_has_no_secret(tmp_path: Path) -> None:
    text = b"<cib><configuration><resources><primitive id='a'/></resources>"
    plain = parse(text + b"</configuration></cib>", "x")
    kept = keeper(tmp_path)
    assert kept.hidden(plain) is plain
    assert kept.revealed(plain) is plain
    assert kept.adopted(plain, lambda: None) == (plain, [])
    assert kept.files(plain) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_document_is_a_value(tmp_path: Path) -> None:
    real = parse(generated(10, 1), "live")
    before = compact(real)
    kept = keeper(tmp_path)
    hidden = kept.hidden(real)
    placeholders = compact(hidden)
    kept.revealed(hidden)
    assert (compact(real), compact(hidden)) == (before, placeholders)
