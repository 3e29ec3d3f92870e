"""Init: a repository for one more cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..errors import UnsafeError, UsageError
from ..repository import Repository

ATTRIBUTES = ".gitattributes"

TEAM = ("README.md", "CODEOWNERS", ".pre-commit-config.yaml")
"""What a team needs besides, wherever it works."""

FORGES = {
    "github": tuple(
        f".github/workflows/cibgit-{name}.yml" for name in ("check", "push", "drift")
    ),
    "gitlab": (".gitlab-ci.yml",),
    "none": (),
}
"""The workflows for each forge."""

_PACKAGE = Path(__file__).parent.parent
_TEMPLATES = (_PACKAGE / "repo-template", _PACKAGE.parent / "repo-template")


@dataclass(frozen=True)
class Initialized:
    """What ``init`` laid down and committed: the folder, and its new or longer files."""

    root: Path
    files: list[str]


def init(
    folder: Path, cluster: config.ClusterConfig, extras: Sequence[str] = ()
) -> Initialized:
    """Create or extend a repository; what is there is kept, and each file committed.

    ``extras`` are further files of the template for a repository that is new here. They
    are laid down where git's top level is, for forges look nowhere else, and a file of
    that name stays as it is.

    Raises :class:`~cibgit.errors.UsageError` when the cluster is defined already, and
    :class:`~cibgit.errors.UnsafeError` when a file to be extended is being edited.
    """
    config.checked_name(cluster.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from None
    repository = Repository.create(folder)
    settings = folder / config.FILE
    is_first = not settings.exists() and folder.resolve() == repository.root.resolve()
    if settings.exists() and cluster.name in config.load(settings).clusters:
        raise UsageError(f"{settings} has a cluster {cluster.name!r} already")
    attributes = _extended(folder / ATTRIBUTES, _template(ATTRIBUTES))
    clusters = (
        _extended(settings, _template(config.FILE)) + f"\n{config.table(cluster)}"
    )
    new = {
        ATTRIBUTES: (attributes, "Keep the bytes of every cib.xml as they are"),
        config.FILE: (clusters, f"Add cluster {cluster.name}"),
    }
    top = folder.resolve().relative_to(repository.root.resolve())
    changed = []
    for name, (text, message) in new.items():
        path = (top / name).as_posix()
        if (folder / name).exists() and (folder / name).read_text() == text:
            continue
        if (folder / name).exists() and repository.is_dirty(path):
            raise UnsafeError(
                f"{path} has changes that are not committed", "Commit them."
            )
        repository.commit_file(path, text.encode(), message)
        changed.append(name)
    missing = [name for name in extras if is_first and not (folder / name).exists()]
    if missing:
        files = {name: _template(name).encode() for name in missing}
        repository.commit_new(files, "Add what a team needs: checks, plans, drift")
    changed += missing
    return Initialized(folder, changed)


def _extended(file: Path, template: str) -> str:
    """Return what a file says now, followed by the template where it is not in it."""
    if not file.exists():
        return template
    present = file.read_text(encoding="utf-8")
    rules = [line for line in template.splitlines() if line and line[0] != "#"]
    if all(rule in present.splitlines() for rule in rules):
        return present
    return present.rstrip("\n") + "\n\n" + template


def _template(name: str) -> str:
    folder = next(path for path in _TEMPLATES if path.is_dir())
    return (folder / name).read_text(encoding="utf-8")
