"""``cibgit.toml``: which clusters there are and where they live. Defaults stand here."""

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from .cib.secrets import Rules
from .compare.ignore import Rule
from .compare.ignore import rules as ignore_rules
from .errors import BadConfigError, NoInputError, UsageError
from .policy.settings import Limit, Policy, changed
from .policy.suppress import Ignore, ignores

FILE = "cibgit.toml"

CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names of clusters: they become directory and ref names."""

RELEASE = re.compile(r"\d+\.\d+\.\d+")

_PROVIDER_NAME = re.compile(r"(?!v\d+$)[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Provider:
    """Where secrets live outside of the vault.

    ``{}`` in the words of ``command``, or in the name of the ``environment`` variable,
    stands for the reference of the placeholder.
    """

    command: tuple[str, ...] = ()
    environment: str = ""


@dataclass(frozen=True)
class SecretsConfig:
    """The table ``[secrets]``: what else is secret, what is not, who else has secrets."""

    rules: Rules = field(default_factory=Rules)
    providers: dict[str, Provider] = field(default_factory=dict)


DEFAULT_POLICY = Policy(
    protected=(),
    keep=(),
    max_deleted=Limit(50, is_percent=True),
    max_restarted=Limit(100, is_percent=True),
    never_empty=("nodes", "resources"),
    guard_fencing=True,
    guard_quorum=True,
    guard_maintenance=True,
    no_fencing_action=True,
    windows=(),
    timezone="",
    all_nodes=True,
    references=True,
    agents=True,
    agent_parameters=True,
    verify=True,
)
"""What holds where ``[policy]`` says nothing."""


@dataclass(frozen=True)
class CorosyncConfig:
    """The table ``[clusters.NAME.corosync]``: how to reach a node, and its file there.

    ``reach`` are the words before a command that is to run on another node; ``{node}``
    in them is its name, or else its first address.
    """

    reach: tuple[str, ...] = (
        *("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"),
        "{node}",
    )
    file: str = "/etc/corosync/corosync.conf"


@dataclass(frozen=True)
class ClusterConfig:
    """One cluster of ``cibgit.toml``; ``secrets`` is of all clusters.

    ``at`` is the address of the live side. ``marker`` says whether a push names its
    commit in the live CIB. ``pacemaker`` is the release that will read the files of a
    ``dir:`` cluster, where it is not the installed one. ``policy`` is what a plan must
    keep to, ``ignore`` which differences are meant to be.
    """

    name: str
    at: str = "local:"
    marker: bool = True
    pacemaker: str | None = None
    policy: Policy = DEFAULT_POLICY
    secrets: SecretsConfig = field(default_factory=SecretsConfig)
    ignore: tuple[Rule, ...] = ()
    corosync: CorosyncConfig = CorosyncConfig()

    @property
    def path(self) -> str:
        """Where its CIB stands, relative to ``cibgit.toml``."""
        return f"clusters/{self.name}/cib.xml"

    @property
    def conf_path(self) -> str:
        """Where its ``corosync.conf`` stands, if that is tracked."""
        return f"clusters/{self.name}/corosync.conf"

    @property
    def vault(self) -> str:
        """Where its vault stands, if it has one."""
        return f"clusters/{self.name}/secrets.age"


@dataclass(frozen=True)
class CheckConfig:
    """``[check]``: what ``check`` does not tell, and the oldest release that runs."""

    ignore: tuple[Ignore, ...] = ()
    pacemaker: str | None = None


@dataclass(frozen=True)
class Config:
    """The whole of ``cibgit.toml``; ``root`` is the folder it stands in."""

    root: Path
    clusters: dict[str, ClusterConfig]
    check: CheckConfig = CheckConfig()

    def cluster(self, name: str | None) -> ClusterConfig:
        """Return the cluster of that name, or the only one there is.

        Raises :class:`~cibgit.errors.UsageError` when the name is unknown, or missing
        although there are several.
        """
        known = ", ".join(self.clusters)
        if name is None:
            if len(self.clusters) == 1:
                return next(iter(self.clusters.values()))
            raise UsageError(
                f"{FILE} names several clusters: {known}", "Choose one with --cluster."
            )
        if name not in self.clusters:
            raise UsageError(f"{FILE} names no cluster {name!r}; there is: {known}")
        return self.clusters[name]


def find(start: Path) -> Path:
    """Return the nearest ``cibgit.toml`` in ``start`` or above it.

    Raises :class:`~cibgit.errors.NoInputError` when there is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise NoInputError(
        f"there is no {FILE} in {start} or above it",
        "Create a repository with: cibgit init PATH --cluster NAME",
    )


def load(path: Path) -> Config:
    """Read ``cibgit.toml``.

    Raises :class:`~cibgit.errors.BadConfigError` for anything that is not understood: a
    misspelt option must not silently be a default.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoInputError(f"{path}: {error.strerror}") from None
    return loads(data, path)


def loads(text: bytes, path: Path) -> Config:
    """Read what stands, or stood, in ``path``; see :func:`load`."""
    try:
        data = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfigError(f"{path}: {error}") from None
    check = _check(data.pop("check", {}), f"{path}: [check]")
    clusters = data.pop("clusters", {})
    policy = changed(DEFAULT_POLICY, data.pop("policy", {}), f"{path}: [policy]")
    secrets = _secrets(data.pop("secrets", {}), f"{path}: [secrets]")
    ignore = ignore_rules(data.pop("ignore", []), f"{path}: [[ignore]]")
    if data:
        raise BadConfigError(f"{path}: unknown option {next(iter(data))!r}")
    if not isinstance(clusters, dict) or not clusters:
        raise BadConfigError(
            f"{path}: no cluster is defined",
            'Add a table such as [clusters.prod] with at = "local:".',
        )
    return Config(
        path.parent,
        {
            name: replace(_cluster(name, table, path, policy, ignore), secrets=secrets)
            for name, table in clusters.items()
        },
        check,
    )


def table(cluster: ClusterConfig) -> str:
    """Return the table that ``init`` writes for one cluster."""
    # a basic string of TOML is written as JSON writes one; a dot in a bare key nests
    name = json.dumps(cluster.name) if "." in cluster.name else cluster.name
    return f"[clusters.{name}]\nat = {json.dumps(cluster.at)}\n"


def checked_name(name: str) -> str:
    """Return a cluster name, or raise :class:`~cibgit.errors.UsageError`."""
    if (
        not CLUSTER_NAME.fullmatch(name)
        or ".." in name
        or name.endswith((".", ".lock"))
    ):
        raise UsageError(
            f"{name!r} cannot be the name of a cluster",
            "Use letters, digits, '-', '_' and '.', beginning with a letter or digit.",
        )
    return name


def _check(values: object, where: str) -> CheckConfig:
    if not isinstance(values, dict):
        raise BadConfigError(f"{where} must be a table")
    values = dict(values)
    found = ignores(values.pop("ignore", []), where)
    pacemaker = _release(values.pop("pacemaker", None), where)
    if values:
        raise BadConfigError(f"{where} unknown option {next(iter(values))!r}")
    return CheckConfig(found, pacemaker)


def _release(value: object, where: str) -> str | None:
    if value is None or (isinstance(value, str) and RELEASE.fullmatch(value)):
        return value
    raise BadConfigError(f'{where} pacemaker must be a release such as "2.1.5"')


def _cluster(
    name: str, values: object, path: Path, policy: Policy, ignore: tuple[Rule, ...]
) -> ClusterConfig:
    where = f"{path}: [clusters.{name}]"
    try:
        checked_name(name)
    except UsageError as error:
        raise BadConfigError(f"{path}: {error.message}", error.hint) from None
    if not isinstance(values, dict):
        raise BadConfigError(f"{where} must be a table")
    values = dict(values)
    own = f"{path}: [clusters.{name}.policy]"
    policy = changed(policy, values.pop("policy", {}), own)
    own = f"{path}: [[clusters.{name}.ignore]]"
    ignore += ignore_rules(values.pop("ignore", []), own)
    own = f"{path}: [clusters.{name}.corosync]"
    corosync = _corosync(values.pop("corosync", {}), own)
    at = values.pop("at", ClusterConfig.at)
    marker = values.pop("marker", ClusterConfig.marker)
    pacemaker = _release(values.pop("pacemaker", ClusterConfig.pacemaker), where)
    if values:
        raise BadConfigError(f"{where} unknown option {next(iter(values))!r}")
    if not isinstance(at, str) or not isinstance(marker, bool):
        raise BadConfigError(f"{where} at must be a text, marker true or false")
    return ClusterConfig(
        name, at, marker, pacemaker, policy, ignore=ignore, corosync=corosync
    )


def _corosync(values: object, where: str) -> CorosyncConfig:
    match values:
        case {"reach": [*words], **rest} if words:
            if not all(isinstance(word, str) and word for word in words):
                raise BadConfigError(f"{where} reach must be a list of words")
            if not any("{node}" in word for word in words):
                raise BadConfigError(f"{where} reach must say where {{node}} stands")
            reach = tuple(words)
        case {**rest} if "reach" not in rest:
            reach = CorosyncConfig.reach
        case _:
            raise BadConfigError(f"{where} reach must be a list of words")
    file = rest.pop("file", CorosyncConfig.file)
    if rest:
        raise BadConfigError(f"{where} unknown option {next(iter(rest))!r}")
    if not isinstance(file, str) or not re.fullmatch(r"/[^\x00-\x1f\x7f]+", file):
        raise BadConfigError(f"{where} file must be an absolute path")
    return CorosyncConfig(reach, file)


def _secrets(values: object, where: str) -> SecretsConfig:
    if not isinstance(values, dict):
        raise BadConfigError(f"{where} must be a table")
    values = dict(values)
    hide, allow = values.pop("hide", []), values.pop("allow", {})
    providers = values.pop("providers", {})
    if values:
        raise BadConfigError(f"{where} unknown option {next(iter(values))!r}")
    if not isinstance(hide, list) or not all(isinstance(each, str) for each in hide):
        raise BadConfigError(f"{where} hide must be a list of patterns")
    if not isinstance(allow, dict) or not isinstance(providers, dict):
        raise BadConfigError(f"{where} allow and providers must be tables")
    for name, reason in allow.items():
        if not isinstance(reason, str) or not reason.strip():
            raise BadConfigError(
                f"{where} allow: {name!r} needs a reason",
                'Write "OWNER/PARAMETER" = "why this is no secret".',
            )
    rules = Rules(tuple(hide), allow)
    found = {name: _provider(name, each, where) for name, each in providers.items()}
    return SecretsConfig(rules, found)


def _provider(name: str, values: object, where: str) -> Provider:
    where = f"{where} providers: {name!r}"
    if not _PROVIDER_NAME.fullmatch(name):
        raise BadConfigError(
            f"{where} cannot be the name of a provider",
            "Use lower-case letters, digits, '-' and '_'; not v1 and its like.",
        )
    match values:
        case {"command": [str(), *_] as words, **rest} if not rest:
            if all(isinstance(word, str) for word in words):
                return Provider(command=tuple(words))
        case {"environment": str() as variable, **rest} if not rest and variable:
            return Provider(environment=variable)
    raise BadConfigError(
        f'{where} needs either command = ["PROGRAM", "WORD", ...] or environment = "NAME"'
    )
