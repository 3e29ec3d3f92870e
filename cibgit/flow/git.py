"""Git: register the drivers that let git merge and show CIBs by meaning.

Git runs what is registered through a shell. Each entry falls back to what git itself
would have done when cibgit is missing, switched off, killed, or cannot read a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoInputError
from ..gitconfig import GitConfig
from ..repository import Repository
from .replace import replaced

NAME = "cibgit"
"""The name of the drivers, in git's configuration and in ``.gitattributes``."""

ATTRIBUTES = ".gitattributes"
PATTERN = "clusters/*/cib.xml"
RULE = f"{PATTERN} -text merge={NAME} diff={NAME}"

SETTINGS: Mapping[str, str] = {
    f"merge.{NAME}.name": "CIBs, merged by identity (cibgit)",
    f"merge.{NAME}.driver": (
        "cibgit driver merge %O %A %B %L %P; case $? in 0) ;; 1) exit 1 ;; *)"
        " git merge-file -L ours -L base -L theirs --marker-size=%L %A %O %B ;; esac"
    ),
    f"diff.{NAME}.command": (
        'f() { cibgit driver diff "$@" ||'
        ' git --no-pager diff --no-index --no-ext-diff -- "$2" "$5" || true; }; f'
    ),
    f"diff.{NAME}.textconv": 'f() { cibgit driver textconv "$1" || cat "$1"; }; f',
    f"diff.{NAME}.xfuncname": "^[a-z].*$",
    # what is left to people is edited; what they leave must be a CIB
    f"mergetool.{NAME}.cmd": (
        'cibgit merge --output "$MERGED" "$BASE" "$LOCAL" "$REMOTE" ||'
        ' eval "$(git var GIT_EDITOR) \\"\\$MERGED\\"" && cibgit fmt "$MERGED"'
    ),
    f"mergetool.{NAME}.trustExitCode": "true",
}

_SECTIONS = (f"merge.{NAME}", f"diff.{NAME}", f"mergetool.{NAME}")


@dataclass(frozen=True)
class Registration:
    """What is registered: each setting with ``ok``, ``missing`` or ``changed``.

    ``attributes`` says whether the rule stands in the file ``file``; ``program`` where
    the shell finds cibgit, None if it does not.
    """

    scope: str
    settings: dict[str, str]
    file: Path
    attributes: bool
    program: str | None

    @property
    def is_complete(self) -> bool:
        """Whether git would run the drivers."""
        found = set(self.settings.values()) == {"ok"}
        return found and self.attributes and self.program is not None


@dataclass(frozen=True)
class Machine:
    """What of a machine matters: where the shell finds cibgit, None if it does not.

    ``attributes`` is the user's attributes file where git's configuration names none.
    """

    program: str | None
    attributes: Path


def install(folder: Path | None, machine: Machine) -> Registration:
    """Register the drivers for the repository at ``folder``, or for the user (None).

    The rule goes to ``.gitattributes`` of
    the work tree, for all who share it, or to the user's own attributes file; it is
    not committed.
    """
    config, file = _places(folder, machine)
    for name, value in SETTINGS.items():
        config.set(name, value)
    text = _text(file)
    if not _has_rule(text):
        gap = "" if not text or text.endswith("\n") else "\n"
        file.parent.mkdir(parents=True, exist_ok=True)
        replaced(file, f"{text}{gap}{RULE}\n".encode())
    return status(folder, machine)


def uninstall(folder: Path | None, machine: Machine) -> Registration:
    """Take the drivers out of git's configuration.

    The rule in ``.gitattributes`` stays: others may use it, and without drivers git
    treats the files as text.
    """
    config, _ = _places(folder, machine)
    for section in _SECTIONS:
        config.remove(section)
    return status(folder, machine)


def status(folder: Path | None, machine: Machine) -> Registration:
    """Say what is registered; nothing is written."""
    config, file = _places(folder, machine)
    return Registration(
        "this user" if folder is None else str(file.parent),
        {name: _state(config.get(name), value) for name, value in SETTINGS.items()},
        file,
        _has_rule(_text(file)),
        machine.program,
    )


def _places(folder: Path | None, machine: Machine) -> tuple[GitConfig, Path]:
    if folder is None:
        config = GitConfig(None)
        file = config.path("core.attributesFile")
        return config, file or machine.attributes
    root = Repository.open(folder).root
    return GitConfig(root), root / ATTRIBUTES


def _state(found: str | None, wanted: str) -> str:
    if found is None:
        return "missing"
    return "ok" if found == wanted else "changed"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise NoInputError(f"{file} cannot be read: {error}") from None


def _has_rule(text: str) -> bool:
    """Say whether a line gives both drivers to the files of clusters."""
    for line in text.splitlines():
        pattern, *attributes = line.split() or [""]
        wanted = {f"merge={NAME}", f"diff={NAME}"}
        if pattern == PATTERN and wanted <= set(attributes):
            return True
    return False
