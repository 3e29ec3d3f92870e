"""Keys and vaults, with the age tool and OpenSSH on the other side."""

import subprocess
from pathlib import Path

import pytest

from cibgit.age import Age
from cibgit.cib.secrets import Slot
from cibgit.errors import (
    BadConfigError,
    BadDataError,
    BusyError,
    NoInputError,
    PermissionDeniedError,
    UnsafeError,
)
from cibgit.vault import Vault, merge

pytestmark = pytest.mark.age

A, B = Slot("a", "a1", "passwd"), Slot("b", "b1", "passwd")


def ssh_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    argv = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(file)]
    subprocess.run(argv, check=True)
    return file


def age_key(file: Path) -> Path:
    subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
    return file


def vault(*recipients: str) -> Vault:
    return Vault(bytes(range(32)), {A: "x\"<&>'é", B: "y"}, recipients)


@pytest.mark.parametrize("kind", ["age", "ed25519", "rsa"])
def test_the_age_tool_reads_it(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "key"
    key = age_key(file) if kind == "age" else ssh_key(file, kind=kind)
    lock = Age([key], None, chosen=True)
    made = vault(*lock.recipients())
    data = lock.close(made, "v")
    assert lock.open(data, "v") == made
    done = subprocess.run(
        ["age", "--decrypt", "-i", key], input=data, check=True, capture_output=True
    )
    assert done.stdout == made.to_bytes()


@pytest.mark.parametrize("options", [[], ["--armor"]])
def test_it_reads_what_the_age_tool_writes(tmp_path: Path, options: list[str]) -> None:
    lock = Age([], tmp_path / "a/b/identity.txt", chosen=False)
    [public] = lock.recipients()
    made = vault(public)
    data = subprocess.run(
        ["age", "-r", public, *options],
        input=made.to_bytes(),
        check=True,
        capture_output=True,
    ).stdout
    assert lock.open(data, "v") == made


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "config/cibgit/identity.txt"
    first = Age([file], file, chosen=False)
    keys = first.recipients()
    assert first.made == file
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    again = Age([file], file, chosen=False)
    assert (again.recipients(), again.made) == (keys, None)
    printed = subprocess.run(
        ["age-keygen", "-y", file], check=True, capture_output=True, text=True
    )
    assert (printed.stdout.strip(),) == keys


def test_without_a_place_for_a_key(tmp_path: Path) -> None:
    with pytest.raises(PermissionDeniedError, match="no place to keep"):
        Age([], None, chosen=False).recipients()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PermissionDeniedError, match="cannot be kept"):
        Age([], blocked / "x", chosen=False).recipients()


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    protected = ssh_key(tmp_path / "protected", "passphrase")
    ecdsa = ssh_key(tmp_path / "ecdsa", kind="ecdsa")
    other = tmp_path / "other"
    other.write_text("nothing\n")
    for file, why in (
        (protected, "protected by a passphrase"),
        (ecdsa, "no ssh key that age knows"),
        (other, "no key that age knows"),
    ):
        with pytest.raises(BadConfigError, match=why):
            Age([file], None, chosen=True).recipients()
    with pytest.raises(NoInputError):
        Age([tmp_path / "absent"], None, chosen=True).recipients()
    good = Age([], tmp_path / "good", chosen=False)
    data = good.close(vault(*good.recipients()), "v")
    with pytest.raises(PermissionDeniedError, match="there is no key") as refused:
        Age([tmp_path / "absent", protected, other], None, chosen=False).open(data, "v")
    assert "protected by a passphrase" in refused.value.hint


def test_who_encrypts_must_be_able_to_open(tmp_path: Path) -> None:
    mine = Age([], tmp_path / "mine", chosen=False)
    mine.recipients()
    theirs = Age([], tmp_path / "theirs", chosen=False)
    with pytest.raises(UnsafeError, match="would be closed to you"):
        mine.close(vault(*theirs.recipients()), "v")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        "age1junk",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ecdsa-sha2-nistp256 A",
    ],
)
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(BadConfigError, match="no public key"):
        Age([], None, chosen=False).checked(text)


def test_content_that_is_none() -> None:
    good = vault("age1x").to_bytes()
    assert Vault.from_bytes(good, "v") == vault("age1x")
    for data in (
        *(b"", b"[]", b"{}", good[:-9], good.replace(b'"y"', b"7")),
        good.replace(b'"key": "AAEC', b'"key": "AA'),
        good.replace(b'"format": 1', b'"format": 2'),
    ):
        with pytest.raises(BadDataError) as refused:
            Vault.from_bytes(data, "v")
        assert "é" not in str(refused.value)
    assert "é" not in repr(vault())


def test_merge_by_element() -> None:
    base = vault("me", "you")
    ours = Vault(base.key, {**base.values, A: "new"}, ("me", "you", "them"))
    theirs = Vault(base.key, {A: base.values[A], Slot("c", "c", "p"): "z"}, ("me",))
    merged = merge(base, ours, theirs, "v")
    assert merged.values == {A: "new", Slot("c", "c", "p"): "z"}
    assert merged.recipients == ("me", "them")
    assert merge(base, base, base, "v") == base
    assert merge(None, base, base, "v") == base
    with pytest.raises(BusyError, match="a/passwd was changed on both sides"):
        merge(base, ours, Vault(base.key, {**base.values, A: "other"}), "v")
    with pytest.raises(BusyError, match="another key"):
        merge(None, base, Vault(bytes(32), base.values, base.recipients), "v")
