"""Options that several commands share."""

from enum import Enum
from math import isnan
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
LONGEST = 86400
"""The most seconds that an option takes."""


def a_number(seconds: float | None) -> float | None:
    """Refuse ``nan``, which is neither below a bound nor above one."""
    if seconds is not None and isnan(seconds):
        raise typer.BadParameter("nan is no number of seconds")
    return seconds


JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
MessageOption = Annotated[
    str, typer.Option("--message", "-m", metavar="TEXT", help="The commit message.")
]
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


class DriftFormat(Enum):
    """How drift is told."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class DiffFormat(Enum):
    """The forms in which ``diff`` can answer."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    PATCH = "patch"
    PCS = "pcs"
    CRMSH = "crmsh"


FormatOption = Annotated[
    DiffFormat,
    typer.Option(
        "--format", metavar="FORMAT", help="text, json, markdown, patch, pcs, crmsh."
    ),
]
SettleOption = Annotated[
    str,
    typer.Option(
        "--settle-timeout",
        metavar="TIME",
        help="How long the cluster may take to come to rest: 90s, 10m.",
    ),
]
NoWaitOption = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait until the cluster is at rest.")
]
RollbackOption = Annotated[
    bool,
    typer.Option(
        "--rollback-on-failure", help="Go back if the cluster is not well afterwards."
    ),
]
MergeOption = Annotated[
    bool,
    typer.Option(
        "--merge",
        help="Take what live changed into git first, if no change of git conflicts.",
    ),
]
ConfirmWithinOption = Annotated[
    str | None,
    typer.Option(
        "--confirm-within",
        metavar="TIME",
        help="Put the cluster back unless cibgit confirm comes in time: 90s, 10m.",
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Where this node keeps its timers."),
]
HERE = Path()
