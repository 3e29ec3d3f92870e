"""Options that several commands share."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="NAME", help="The cluster, where there are several."
    ),
]
DirectoryOption = Annotated[
    Path, typer.Option("-C", metavar="DIR", help="Work as if started in DIR.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="ADDRESS", help="Where the cluster lives: local: or dir:PATH."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show what would be done, and stop.")
]
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--as-version",
        metavar="X.Y.Z",
        help="Judge as that Pacemaker release; as the installed one by default.",
    ),
]


class EraChoice(Enum):
    """The eras of the on-disk digest, by name: :class:`cibgit.cib.eras.Era`."""

    HEARTBEAT = "heartbeat"
    V1_LIBXML = "v1-libxml"
    V1 = "v1"


ForceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--force", metavar="RULE", help="Relax one rule of the policy; repeatable."
    ),
]


class DiffFormat(Enum):
    """The forms in which ``diff`` can answer."""

    TEXT = "text"
    JSON = "json"
    PATCH = "patch"
    PCS = "pcs"
    CRMSH = "crmsh"


FormatOption = Annotated[
    DiffFormat,
    typer.Option("--format", metavar="FORMAT", help="text, json, patch, pcs or crmsh."),
]
HERE = Path()
