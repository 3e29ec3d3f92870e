"""Commands that look after the files of a CIB manager: doctor and repair."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import (
    HERE,
    ClusterOption,
    DirectoryOption,
    DryRunOption,
    JsonOption,
    VersionOption,
    YesOption,
)

if TYPE_CHECKING:
    from ..flow.doctor import Patient
    from ..flow.site import Site

FolderArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]",
        help="A CIB directory or a copy of one; this node's by default.",
    ),
]
AsNodeOption = Annotated[
    bool,
    typer.Option(
        "--as-node", help="Judge owners and modes in a copied directory, too."
    ),
]


def doctor(
    folder: FolderArgument = None,
    version: VersionOption = None,
    before_upgrade: Annotated[
        str | None,
        typer.Option(
            "--before-upgrade",
            metavar="X.Y.Z",
            help="Tell what that release would not accept, too.",
        ),
    ] = None,
    as_node: AsNodeOption = False,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Foretell which configuration a node finds at its next start, and say why.

    Looks at cib.xml, its signature and all backups as Pacemaker would, in the order in
    which it would. Nothing is written. Exit 0: healthy; 1: there are findings.

    \b
    Examples:
      cibgit doctor
      cibgit doctor --before-upgrade 2.1.9
      cibgit doctor /tmp/copy-of-cib --as-version 3.0.2
    """
    from ..flow.doctor import doctor as run
    from ..render import care

    patient = _patient(folder, version, before_upgrade, as_node, cluster, directory)
    found = run(patient)
    if json:
        typer.echo(care.diagnosis_json(found))
    else:
        typer.echo(care.diagnosis(found, colour=gather.terminal()["colour"]))
    return ExitCode.OK if found.is_healthy else ExitCode.DIFFERS


def repair(
    folder: FolderArgument = None,
    use: Annotated[
        str | None,
        typer.Option(
            "--use",
            metavar="FILE",
            help="What shall be cib.xml: cib.xml as it is, a backup, or any file.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FOLDER",
            help="A new folder for copies; DIR.repair-TIME by default.",
        ),
    ] = None,
    version: VersionOption = None,
    as_node: AsNodeOption = False,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Put a CIB directory in order, so that the next start finds its configuration.

    On a stopped node cib.xml is signed where it is proved to be what was signed once, or
    has no signature; else the newest verified backup takes its place. While the cluster
    runs, the CIB manager writes the live configuration to its disk again; the live
    configuration itself is never changed. Shows what it would do and asks; keeps a copy
    of all that it touches; ends by asking the doctor. Exit 1: there are findings left.

    \b
    Examples:
      cibgit repair --dry-run
      cibgit repair --use cib.xml
      cibgit repair /tmp/copy-of-cib --use cib-41.raw --yes
    """
    from ..flow.prescribe import prescribe
    from ..flow.repair import repair as run
    from ..render import care

    patient = _patient(folder, version, None, as_node, cluster, directory)
    planned = prescribe(patient, use, keep and (directory / keep).absolute())
    if not json:
        typer.echo(care.treatment(planned))
    done = None
    if planned.is_needed and not dry_run:
        gather.confirm(f"Repair {patient.directory}?", yes=yes)
        done = run(planned)
    if json:
        typer.echo(care.repaired_json(planned, done))
    elif done:
        typer.echo("\n" + care.repaired(done, colour=gather.terminal()["colour"]))
    healthy = done is None or done.after.is_healthy
    return ExitCode.OK if healthy else ExitCode.DIFFERS


def _patient(
    folder: Path | None,
    version: str | None,
    before_upgrade: str | None,
    as_node: bool,
    cluster: str | None,
    directory: Path,
) -> "Patient":
    """Return the CIB directory that is meant, and who will read it."""
    import os

    from ..cluster.cibfiles import SYSTEM
    from ..cluster.commands import installed_version
    from ..cluster.local import Local
    from ..errors import UsageError
    from ..flow.doctor import Patient

    if cluster is not None:
        if folder is not None:
            raise UsageError("name a directory or --cluster, not both")
        folder, version = _of_cluster(directory, cluster, version)
    # variables that redirect Pacemaker's tools do not matter for a copy
    is_own = folder is None or (directory / folder).absolute() == SYSTEM
    return Patient(
        SYSTEM if folder is None else (directory / folder).absolute(),
        version,
        before_upgrade,
        installed_version(os.environ),
        as_node,
        Local(os.environ) if is_own else None,
    )


def patient_of(site: "Site") -> "Patient | None":
    """Return the CIB directory that a site is, or that is on this node beside it.

    None as well where this user may not read it, and so could not tell what is wrong.
    """
    import os

    from ..cluster.commands import installed_version
    from ..cluster.local import Local
    from ..cluster.succession import directory
    from ..flow.doctor import Patient

    path, cluster = directory(site.cluster), site.cluster
    if path is None:
        return None
    file = path / "cib.xml"
    if file.exists() and not os.access(file, os.R_OK):
        return None
    return Patient(
        path.absolute(),
        site.config.pacemaker,
        installed=installed_version(os.environ),
        node=cluster if isinstance(cluster, Local) else None,
    )


def _of_cluster(
    directory: Path, cluster: str, version: str | None
) -> tuple[Path, str | None]:
    """Return the files of a cluster of cibgit.toml, and the release that is named there."""
    from ..cluster.cibfiles import SYSTEM

    root, settings = gather.configured(directory, cluster)
    kind, _, rest = settings.at.partition(":")
    path = root / Path(rest).expanduser() if kind == "dir" else SYSTEM
    return path.absolute(), version or settings.pacemaker
