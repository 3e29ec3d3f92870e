"""Commands that only look: they answer 0 (same) or 1 (differs)."""

from pathlib import Path
from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import caring, corosync, gather
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    DiffFormat,
    DirectoryOption,
    EraChoice,
    FormatOption,
    JsonOption,
    VersionOption,
)


def status(
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show how git and the live cluster stand to each other.

    Exit 0: in sync; 1: they differ, or a push that was not confirmed is overdue.

    \b
    Example:
      cibgit status --cluster prod
    """
    import time

    from ..flow.status import status as run
    from ..render import corosync as layer
    from ..render import json as as_json
    from ..render import text
    from ..render.outcome import waiting

    site = gather.site(directory, cluster, at)
    found = run(site, caring.orders())
    below = corosync.beside(site, found.live)
    if json:
        values = layer.drift_values(below) if below else None
        typer.echo(as_json.status(found, site.name, values))
    else:
        ids = {found.head, found.applied.commit if found.applied else None} - {None}
        short = {str(commit): site.repository.short(str(commit)) for commit in ids}
        typer.echo(text.status(found, site.name, short))
        gather.note_uncertain()
        if more := waiting(found, time.time()):
            typer.echo(more)
        if below:
            typer.echo(layer.summary(below))
    is_well = found.in_sync and not found.is_overdue(time.time())
    if below and (below.is_drift or below.waiting):
        is_well = False
    return ExitCode.OK if is_well else ExitCode.DIFFERS


def diff(
    sides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OLD] [NEW]",
            help="live, a git revision, a file, or - (standard input).",
        ),
    ] = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    everything: Annotated[
        bool, typer.Option("--all", help="Show changes without meaning too.")
    ] = False,
    form: FormatOption = DiffFormat.TEXT,
    json: JsonOption = False,
) -> int:
    """Show what differs between two CIBs, and what it means.

    Without arguments: from live to cib.xml in the work tree, which is what a push would
    change. With one: from live to that. Changes without meaning (20s for 20, another
    comment or id) are only counted. Exit 0: no difference; 1: there is one, even if it
    has no meaning.

    \b
    Examples:
      cibgit diff
      cibgit diff --all HEAD~3 live
      cibadmin -Q | cibgit diff clusters/prod/cib.xml -
      cibgit diff --format patch | cibadmin --patch -p
      cibgit diff --format pcs HEAD~1 HEAD
    """
    from ..errors import UsageError
    from .differences import show

    if json and form not in (DiffFormat.TEXT, DiffFormat.JSON):
        raise UsageError(f"--json and --format {form.value} exclude each other")
    return show(
        sides or [],
        cluster,
        at,
        directory,
        "json" if json else form.value,
        everything=everything,
    )


def digest(
    what: Annotated[
        str, typer.Argument(metavar="FILE|live", help="A CIB file, - or live.")
    ] = gather.LIVE,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Say who signed FILE; exit 1 if nobody did."),
    ] = False,
    era: Annotated[
        EraChoice | None,
        typer.Option(
            "--era",
            help="Print the digest of that era alone, or verify that it signed.",
        ),
    ] = None,
    version: VersionOption = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show the digests of a CIB, and check its signature.

    They are computed as the installed Pacemaker does, or another release.

    A FILE.sig beside FILE is checked too. Exit 1: it does not match.

    \b
    Examples:
      cibgit digest /var/lib/pacemaker/cib/cib.xml
      cibgit digest --verify /var/lib/heartbeat/crm/cib.xml
      cibgit digest --era v1 --as-version 2.1.9 cib.xml
    """
    import os

    from ..cib.digest import dialect_of
    from ..cib.document import parse
    from ..cluster.commands import installed_version
    from ..flow.digest import digests
    from ..render import json as as_json
    from ..render import text

    if version is not None:
        from ..cluster.release import Release

        Release.of(version)
    if verify or era:
        return _verify(what, verify, era, version, directory, json)
    signature = None
    if what == gather.LIVE:
        cib, _ = gather.live(directory, cluster, at)
    else:
        cib = parse(*gather.document(what, directory))
        signature = _signature(directory / what)
    release = version or installed_version(os.environ)
    found = digests(cib, dialect_of(release), signature)
    typer.echo(as_json.digests(found) if json else text.digests(found))
    return ExitCode.OK if found.matches else ExitCode.DIFFERS


def _verify(
    what: str,
    verify: bool,
    choice: EraChoice | None,
    version: str | None,
    directory: Path,
    json: bool,
) -> int:
    """Answer with the digest of an era, or with who signed a file."""
    from ..cib.eras import Era
    from ..errors import UsageError
    from ..flow import digest as run
    from ..render import json as as_json
    from ..render import text

    if what == gather.LIVE:
        raise UsageError("a signature is one of a file: name it")
    data, source = gather.document(what, directory)
    era = Era(choice.value) if choice else None
    if era and not verify:
        digits = run.era_digest(data, version, era)
        typer.echo(
            as_json.dumps("digest", era=era.value, on_disk=digits) if json else digits
        )
        return ExitCode.OK
    found = run.verify(data, _signature(directory / what), version, era)
    if json:
        typer.echo(as_json.verified(found, source))
    else:
        typer.echo(text.verified(found, source))
    return ExitCode.OK if found.is_accepted else ExitCode.DIFFERS


def _signature(file: Path) -> str | None:
    """Return what stands in the signature beside a file; Heartbeat kept cib.xml.last."""
    name = file.name.removesuffix(".last")
    beside = file.with_name(f"{name}.sig" + file.name[len(name) :])
    return beside.read_text(errors="replace") if beside.is_file() else None
