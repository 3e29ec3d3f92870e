"""The command that judges what stands in git, without any cluster."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, DirectoryOption, JsonOption

if TYPE_CHECKING:
    from ..config import Config
    from ..flow.check import Report, Source


class ReportFormat(Enum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    JUNIT = "junit"


def check(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|REV]...", help="Files, folders, or one revision."
        ),
    ] = None,
    form: Annotated[
        ReportFormat, typer.Option("--format", help="How to answer.", show_default=True)
    ] = ReportFormat.TEXT,
    fix: Annotated[
        bool, typer.Option("--fix", help="Bring files into canonical form first.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="REV", help="Leave out what REV has, too."),
    ] = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Judge CIBs before anybody pushes them: form, schema, references, secrets, practice.

    Without arguments it is the cib.xml of every cluster in the work tree. No cluster is
    asked, and no Pacemaker is needed: checks that need one are left out, and named.
    Exit 0: nothing but notes; 1: findings.

    \b
    Examples:
      cibgit check
      cibgit check HEAD --since origin/main
      cibgit check --format github clusters
    """
    import datetime
    import os

    from ..cluster.tools import Tools
    from ..config import CheckConfig
    from ..errors import UsageError
    from ..flow.check import check as run
    from ..flow.check import without_old

    settings, sources = _sources(what or [], directory)
    if fix and any(source.file is None for source in sources):
        raise UsageError("--fix writes files; a commit or standard input is none")
    today = datetime.datetime.now(datetime.UTC).date()
    wanted = settings.check if settings else CheckConfig()
    tools = Tools(os.environ)
    report = run(sources, wanted, tools, today, fix=fix)
    if since is not None:
        before = _committed(settings, since, needed=False)
        report = without_old(report, run(before, wanted, tools, today))
    typer.echo(_written(report, ReportFormat.JSON if json else form))
    return ExitCode.OK if report.is_clean else ExitCode.DIFFERS


def _written(report: "Report", form: ReportFormat) -> str:
    from ..render import check as render

    return {
        ReportFormat.TEXT: render.text,
        ReportFormat.JSON: render.as_json,
        ReportFormat.SARIF: render.sarif,
        ReportFormat.GITHUB: render.github,
        ReportFormat.JUNIT: render.junit,
    }[form](report)


def _sources(what: list[str], directory: Path) -> "tuple[Config | None, list[Source]]":
    """Return what is to be checked, and the ``cibgit.toml`` that holds for it, if any."""
    import sys

    from .. import config
    from ..errors import NoInputError
    from ..flow import check as flow

    settings = None
    try:
        settings = config.load(config.find(directory))
    except NoInputError:
        if not what:
            raise
    if what == [gather.STDIN]:
        return settings, [flow.Source("standard input", sys.stdin.buffer.read())]
    is_revision = len(what) == 1 and not (directory / what[0]).exists()
    if settings is None or (what and not is_revision):
        return settings, flow.in_files(what, directory)
    if what:
        try:
            return settings, _committed(settings, what[0])
        except NoInputError as error:
            raise NoInputError(f"{what[0]!r} is no file, and {error.message}") from None
    return settings, flow.in_work_tree(settings)


def _committed(
    settings: "Config | None", revision: str, *, needed: bool = True
) -> "list[Source]":
    from ..errors import UsageError
    from ..flow.check import in_commit
    from ..repository import Repository

    if settings is None:
        raise UsageError("--since compares with a commit of a repository of cibgit")
    repository = Repository.open(settings.root)
    return in_commit(repository, revision, settings, needed=needed)
