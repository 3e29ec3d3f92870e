"""Init: a repository for one more cluster."""

from dataclasses import dataclass
from pathlib import Path

from .. import config
from ..errors import UsageError
from ..repository import Repository

_PACKAGE = Path(__file__).parent.parent
_TEMPLATES = (_PACKAGE / "repo-template", _PACKAGE.parent / "repo-template")


@dataclass(frozen=True)
class Initialized:
    """What ``init`` laid down: the folder, and the files that are new or longer."""

    root: Path
    files: list[str]


def init(folder: Path, cluster: config.ClusterConfig) -> Initialized:
    """Create or extend a repository; nothing that is there is overwritten.

    Raises :class:`~cibgit.errors.UsageError` when the cluster is defined already.
    """
    config.checked_name(cluster.name)
    folder.mkdir(parents=True, exist_ok=True)
    Repository.create(folder)
    settings = folder / config.FILE
    known = config.load(settings).clusters if settings.exists() else {}
    if cluster.name in known:
        raise UsageError(f"{settings} has a cluster {cluster.name!r} already")
    files = [name for name in _lay_down(folder) if name != config.FILE]
    with settings.open("a", encoding="utf-8") as stream:
        stream.write("\n" + config.table(cluster))
    config.load(settings)
    (folder / "clusters" / cluster.name).mkdir(parents=True, exist_ok=True)
    return Initialized(folder, [config.FILE, *files])


def _lay_down(folder: Path) -> list[str]:
    """Copy the template's files that are not there yet."""
    template = next(path for path in _TEMPLATES if path.is_dir())
    created = []
    for source in sorted(template.rglob("*")):
        name = source.relative_to(template)
        target = folder / name
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            created.append(str(name))
    return created
