"""Commands that write: into git, into a file, or into a cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    DirectoryOption,
    DryRunOption,
    ForceOption,
    JsonOption,
    YesOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flow.plan import Plan
    from ..flow.site import Site


def init(
    path: Annotated[Path, typer.Argument(help="The folder of the repository.")] = HERE,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="NAME", help="A name for the cluster.")
    ] = "main",
    at: Annotated[
        str,
        typer.Option(
            "--at",
            metavar="ADDRESS",
            help="Where the cluster lives: local: or dir:PATH.",
        ),
    ] = "local:",
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Create a repository, or add one more cluster to it.

    \b
    Example:
      cibgit init ~/clusters --cluster prod --at local:
    """
    import os

    from ..cluster.addresses import connect
    from ..config import ClusterConfig
    from ..flow.init import init as run
    from ..render import json as as_json

    folder = directory / path
    connect(at, folder, os.environ)
    done = run(folder, ClusterConfig(cluster, at))
    if json:
        typer.echo(as_json.dumps("init", root=str(done.root), files=done.files))
    else:
        typer.echo(f"{done.root} is ready for cluster {cluster} at {at}")
        typer.echo(
            f"Committed: {', '.join(done.files)}. Next: cibgit export -C {done.root}"
        )
    return ExitCode.OK


def export(
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="The commit message.")
    ] = "",
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Take the live configuration into git, as one commit.

    The author is whoever changed it. No commit is made where git has it already, and
    no change that waits in git is overwritten: then the live state is recorded beside
    the branch, to be merged.

    \b
    Example:
      cibgit export --cluster prod
    """
    from ..flow.export import export as run
    from ..render import json as as_json
    from ..render import text

    site = gather.site(directory, cluster, at)
    result = run(site, message)
    if json:
        typer.echo(as_json.exported(result))
    else:
        typer.echo(
            text.exported(result, site.name, site.repository.short(result.commit))
        )
        note_detached(site.repository.branch(), result.outcome == "committed")
    return ExitCode.DIFFERS if result.outcome == "recorded" else ExitCode.OK


def push(
    revision: Annotated[
        str,
        typer.Argument(
            metavar="[REV|PLAN]", help="The commit, or saved plan, to push."
        ),
    ] = "HEAD",
    message: Annotated[
        str | None,
        typer.Option(
            "--message", "-m", metavar="TEXT", help="Commit the edited cib.xml first."
        ),
    ] = None,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Make the cluster run what git says, and prove it.

    Shows the plan and asks. Nothing is written when live is not what git last knew
    (exit 103): export first. Nor when the policy refuses (107). A saved plan is carried
    out only if it would still do the same.

    \b
    Examples:
      cibgit push
      cibgit push -m "vip: monitor every 20 s" --yes
      cibgit push tonight.json --yes
    """
    saved = gather.saved_plan(directory / revision, message, force)
    site = gather.site(directory, cluster or (saved.cluster if saved else None), at)
    if saved:
        planned = gather.planned_again(site, saved)
        return carry_out(planned, lambda: saved.commit, yes, dry_run, json)
    if message is not None:
        planned, commit = _of_work_tree(site, revision, message, force or [])
    else:
        planned, commit = _of_commit(site, revision, force or [])
    return carry_out(planned, commit, yes, dry_run, json)


def _of_work_tree(
    site: "Site", revision: str, message: str, force: list[str]
) -> "tuple[Plan, Callable[[], str]]":
    """Plan for the edited file; it is committed once the plan is accepted."""
    from ..errors import UsageError
    from ..flow.plan import plan
    from ..flow.rollback import commit_desired

    if revision != "HEAD":
        raise UsageError("--message commits the work tree; it takes no revision")
    desired = site.edited()
    planned = plan(site, desired, None, force)
    return planned, lambda: commit_desired(site, desired, message, _forced(planned))


def _of_commit(
    site: "Site", revision: str, force: list[str]
) -> "tuple[Plan, Callable[[], str]]":
    """Plan for what is committed."""
    from ..errors import UnsafeError
    from ..flow.plan import plan

    if revision == "HEAD" and site.repository.is_dirty(site.path):
        raise UnsafeError(
            f"{site.path} has changes that are not committed",
            "Commit them with git, or at once with: cibgit push -m MESSAGE",
        )
    commit = site.repository.resolve(revision)
    return plan(site, site.desired(commit), commit, force), lambda: commit


def rollback(
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="The state to restore.")
    ],
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Restore an earlier state by a commit, and push it.

    \b
    Example:
      cibgit rollback HEAD~1
    """
    from ..errors import UnsafeError
    from ..flow.plan import plan
    from ..flow.rollback import commit_desired, rollback_message

    site = gather.site(directory, cluster, at)
    if site.repository.is_dirty(site.path):
        raise UnsafeError(
            f"{site.path} has changes that are not committed",
            "Commit or stash them: a rollback would overwrite them.",
        )
    desired = site.desired(revision)
    text, trailers = rollback_message(site, revision)
    planned = plan(site, desired, None, force or ())
    return carry_out(
        planned,
        lambda: commit_desired(site, desired, text, {**trailers, **_forced(planned)}),
        yes,
        dry_run,
        json,
    )


def carry_out(
    planned: "Plan",
    commit: "Callable[[], str]",
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Show a plan, ask, commit where that is still to be done, and push."""
    from dataclasses import replace

    from ..flow.plan import refuse_unsafe
    from ..flow.push import push as run
    from ..flow.push import rehearse
    from ..render import json, text
    from ..render.plan import plan as as_text

    site = planned.site
    if not as_json:
        commit_id = planned.commit
        wanted = site.repository.short(commit_id) if commit_id else "(new commit)"
        look = gather.terminal()
        typer.echo(as_text(planned, f"desired {wanted}", **look))
    refuse_unsafe(planned)
    if planned.commit is None:
        rehearse(planned)
    if dry_run:
        if as_json:
            typer.echo(json.planned("push", planned, dry_run=True))
        return ExitCode.OK
    if planned.changes:
        gather.confirm(f"Push to {site.name}?", yes=yes)
    result = run(replace(planned, commit=commit()))
    if as_json:
        typer.echo(json.pushed(result))
    elif planned.changes:
        typer.echo(
            "\n" + text.pushed(result, site.name, site.repository.short(result.commit))
        )
    else:
        typer.echo(
            f"Nothing to do: {site.name} runs {site.repository.short(result.commit)}."
        )
    return ExitCode.OK if result.is_proven else ExitCode.DIGEST


def _forced(planned: "Plan") -> dict[str, str]:
    """Return the trailer that says which rules were relaxed for a commit's push."""
    return {"CIB-Forced": ", ".join(planned.forced)}


def fmt(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="CIB files, or -.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit 1 if a file would change."),
    ] = False,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact",
            help="Print one FILE without white space, else as it is; write nothing.",
        ),
    ] = False,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Bring CIB files into canonical form.

    Without FILE it is the cluster's cib.xml.

    \b
    Examples:
      cibgit fmt --check clusters/*/cib.xml
      cibadmin -Q | cibgit fmt -
      cibgit fmt --compact cib.xml | cibadmin --replace --xml-pipe
    """
    import sys

    if compact:
        return _compact(files, directory, check or json)

    from ..flow.fmt import fmt as run
    from ..flow.fmt import fmt_bytes
    from ..render import json as as_json

    if files == [gather.STDIN]:
        data = sys.stdin.buffer.read()
        formatted = fmt_bytes(data, "standard input")
        if not check:
            sys.stdout.buffer.write(formatted)
        return ExitCode.DIFFERS if check and data != formatted else ExitCode.OK
    if not files:
        root, settings = gather.configured(directory, cluster)
        files = [str((root / settings.path).absolute())]
    results = [run(directory / name, check=check) for name in files]
    changed = [str(result.file) for result in results if result.changed]
    if json:
        typer.echo(as_json.dumps("fmt", check=check, changed=changed))
    else:
        verb = "would be formatted" if check else "formatted"
        for name in changed:
            typer.echo(f"{name}: {verb}")
        typer.echo(f"{len(changed)} of {len(results)} files {verb}.")
    return ExitCode.DIFFERS if check and changed else ExitCode.OK


def _compact(files: list[str] | None, directory: Path, has_others: bool) -> int:
    """Print one file, or standard input, without white space."""
    import sys

    from ..errors import UsageError
    from ..flow.fmt import compacted

    if has_others or len(files or []) != 1:
        raise UsageError("--compact prints one FILE (or -), without other options")
    data, source = gather.document((files or [])[0], directory)
    sys.stdout.buffer.write(compacted(data, source))
    return ExitCode.OK


def note_detached(branch: str | None, committed: bool) -> None:
    """Tell people that a commit belongs to no branch."""
    if committed and branch is None:
        typer.echo("HEAD is detached: keep the commit with git switch -c NAME.")
