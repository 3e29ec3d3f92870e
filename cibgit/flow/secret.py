"""Secret: list, set, show and rotate what the vault holds, and say who can open it."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..cib.document import Cib
from ..cib.placeholders import check_value, is_sealed, provided
from ..cib.secrets import LRM, PREFIX, Found, Slot, locate
from ..corosync.document import Conf
from ..corosync.secrets import OWNER
from ..errors import BadDataError, CibgitError, NoInputError, UnsafeError, UsageError
from ..repository import SavedFile
from ..vault import Lock, Vault, merge
from .files import read_file, written_conf
from .keeper import Found as Secret
from .site import Site
from .vaultfile import recipients_text


@dataclass(frozen=True)
class Listed:
    """One secret of ``cib.xml`` or ``corosync.conf`` in the work tree.

    ``where`` is ``vault``, ``lrm`` (a file of each node), the name of a provider, or
    ``clear`` (it stands there as it is). ``problem`` says why it cannot be had.
    """

    slot: Slot
    where: str
    problem: str = ""


def secrets(site: Site) -> list[Listed]:
    """Return the secrets of the work tree, in the order of the documents."""
    cib = read_file(site.file)
    listed = _listed(site, cib, site.edited())
    listed += [Listed(slot, "lrm") for slot in _lrm(cib)]
    return listed + (_listed(site, *site.edited_conf()) if _has_conf(site) else [])


def _has_conf(site: Site) -> bool:
    return site.conf_file.exists()


def _listed(site: Site, written: Cib | Conf, hidden: Cib | Conf) -> list[Listed]:
    problems = {
        found.slot: _problem(site, found, hidden.source)
        for found in site.keeper.find(hidden)
        if is_sealed(found.value)
    }
    return [
        Listed(found.slot, _where(found.value), problems.get(found.slot, ""))
        for found in site.keeper.find(written)
    ]


def _where(value: str) -> str:
    source = provided(value)
    if source:
        return source[0]
    return "vault" if value.startswith(PREFIX) else "clear"


def _problem(site: Site, found: Secret, source: str) -> str:
    try:
        site.keeper.value(found, source)
    except CibgitError as error:
        return error.message
    return ""


def _lrm(cib: Cib) -> list[Slot]:
    pairs = (
        pair for pair in cib.configuration.iter("nvpair") if pair.get("value") == LRM
    )
    return [locate(cib, pair.get("id", ""))[0].slot for pair in pairs]


@dataclass(frozen=True)
class Changed:
    """The commit that a command made, and what it is about."""

    commit: str
    about: list[str]


def set_value(site: Site, name: str, value: str) -> Changed:
    """Put a value into the vault and its placeholder into ``cib.xml``, in one commit.

    Raises ``BadDataError`` for a value that Pacemaker would not store as it is.
    """
    check_value(value)
    _refuse_edits(site)
    if _is_of_conf(name):
        return _set_in_conf(site, name, value)
    desired = site.desired().copy()
    found = _one(locate(desired, name), name)
    found.replace(site.keeper.placeholder(found.slot, value))
    commit = site.commit(desired, f"Set {found.slot}")
    return Changed(commit, [str(found.slot)])


def _is_of_conf(name: str) -> bool:
    return name.startswith(OWNER)


def _set_in_conf(site: Site, name: str, value: str) -> Changed:
    """Give the key of the cluster another value, where its file has one."""
    conf = site.conf(site.repository.resolve("HEAD"))[0].copy()
    found = _in_conf(site, conf, name)
    found.replace(site.keeper.placeholder(found.slot, value))
    files = site.conf_files(conf)
    commit = site.repository.commit_files(files, f"Set {found.slot}")
    return Changed(commit, [str(found.slot)])


def _in_conf(site: Site, conf: Conf, name: str) -> Secret:
    known = [each for each in site.keeper.find(conf) if str(each.slot) == name]
    if not known:
        raise NoInputError(f"there is no secret {name!r} in corosync.conf")
    return known[0]


def value_of(site: Site, name: str) -> str:
    """Return the value of one secret of the work tree."""
    if _is_of_conf(name):
        conf = site.edited_conf()[1]
        return site.keeper.value(_in_conf(site, conf, name), conf.source)
    cib = site.edited()
    found = _one(locate(cib, name), name)
    if found.value == LRM:
        raise NoInputError(
            f"{found.slot} is kept by each node itself (lrm://)",
            "On a node: cibsecret get RESOURCE PARAMETER",
        )
    known = [each for each in site.keeper.find(cib) if each.slot == found.slot]
    if not known:
        raise NoInputError(f"{found.slot} holds no secret")
    return site.keeper.value(known[0], cib.source)


def rotate(site: Site) -> Changed:
    """Give the vault a new key and encrypt it anew; return what people must change.

    Whoever could open the old vault has seen its values: only a change on the devices
    revokes them.
    """
    _refuse_edits(site)
    desired = site.desired()
    try:
        conf = site.conf(site.repository.resolve("HEAD"))[0]
    except NoInputError:  # it is not tracked
        conf = None
    slots = [
        found.slot
        for document in (desired, conf)
        if document
        for found in site.keeper.find(document)
        if is_sealed(found.value)
    ]
    if not slots:
        raise NoInputError(f"{site.path} has no secret in the vault")
    rotated, conf = site.keeper.rotate(desired, conf)
    files = site.files(rotated)
    if conf:
        files[site.conf_path] = written_conf(conf)
    commit = site.repository.commit_files(files, "Rotate the key of the secrets")
    return Changed(commit, [str(slot) for slot in slots])


def recipients(site: Site) -> tuple[str, ...]:
    """Return the public keys that the vault is encrypted to; none where there is none."""
    if not site.keeper.store.recipients_file.exists():
        return ()
    return site.keeper.store.read_recipients()[0]


def change_recipients(site: Site, add: list[str], remove: list[str]) -> Changed:
    """Let others open the vault, or no longer, and encrypt it anew; one commit.

    A key is a public key, or a file with one. Raises ``UnsafeError`` when whoever does it
    would be locked out.
    """
    _refuse_edits(site)
    keeper = site.keeper
    new = [keeper.store.lock.checked(_key(each)) for each in add]
    gone = [" ".join(_key(each).split()) for each in remove]
    present = recipients(site) or keeper.store.lock.recipients()
    for each in gone:
        if each not in map(_bare, present) and each not in present:
            raise NoInputError(f"{each} is no recipient")
    bare = {_bare(each) for each in gone}
    known = {_bare(each) for each in present}
    kept = [each for each in present if _bare(each) not in bare]
    kept += [each for each in new if _bare(each) not in known]
    if not kept:
        raise UnsafeError("nobody could open the vault any more")
    keeper.store.admit(kept, recipients_text(kept))
    path = (
        PurePosixPath(site.path).with_name(keeper.store.recipients_file.name).as_posix()
    )
    files = {path: recipients_text(kept)}
    if keeper.store.file.exists():
        files |= site.files(site.desired())
    commit = site.repository.commit_files(files, "Change who can open the secrets")
    return Changed(commit, kept)


def merge_files(lock: Lock, base: Path, ours: Path, theirs: Path) -> None:
    """Merge two vaults by element into ``ours``, as a merge driver of git does.

    ``base`` may be empty. Raises ``BusyError`` where both sides changed the same.
    """
    opened = [_opened(lock, file) for file in (base, ours, theirs)]
    old, mine, other = opened
    if mine is None or other is None:
        raise BadDataError(f"{ours if mine is None else theirs} is empty")
    merged = merge(old, mine, other, str(ours))
    if merged != mine:
        SavedFile(ours.absolute()).replace(lock.close(merged, str(ours)))


def _opened(lock: Lock, file: Path) -> Vault | None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NoInputError(f"{file}: {error.strerror}") from None
    return lock.open(data, str(file)) if data else None


def _refuse_edits(site: Site) -> None:
    conf = site.conf_path if _has_conf(site) else ""
    if site.is_dirty() or (conf and site.repository.is_dirty(conf)):
        also = f", {conf}" if conf else ""
        raise UnsafeError(
            f"{site.path}{also} or the vault has changes that are not committed",
            "Commit or restore them first.",
        )


def _one(found: list[Found], name: str) -> Found:
    if not found:
        raise NoInputError(
            f"there is no {name!r} in cib.xml",
            "Name it as cibgit secret list does: OWNER/PARAMETER.",
        )
    if len(found) > 1:
        ids = ", ".join(each.slot.element for each in found)
        raise UsageError(f"{name!r} is several: {ids}", "Name the id of one.")
    return found[0]


def _bare(key: str) -> str:
    """Return a public key without what people write after it."""
    return " ".join(key.split()[: 2 if key.startswith("ssh-") else 1])


def _key(text: str) -> str:
    file = Path(text)
    if text.startswith(("age1", "ssh-")) or not file.is_file():
        return text
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NoInputError(f"{file}: {error}") from None
    found = [line for line in lines if line.strip() and line[0] != "#"]
    if len(found) != 1:
        raise BadDataError(f"{file} holds {len(found)} keys, not one")
    return found[0]
