"""Commands that write: into git, into a file, or into a cluster."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UnsafeError, UsageError
from ..exitcodes import ExitCode
from . import caring, corosync, gather
from .options import (
    HERE,
    AtOption,
    ClusterOption,
    ConfirmWithinOption,
    DirectoryOption,
    DryRunOption,
    ForceOption,
    JsonOption,
    MergeOption,
    MessageOption,
    NoWaitOption,
    RollbackOption,
    SettleOption,
    YesOption,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flow.care import Care
    from ..flow.plan import Plan
    from ..flow.site import Site


def export(
    message: MessageOption = "",
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
    had_vault = site.keeper.store.file.exists()
    result = run(site, message)
    if json:
        typer.echo(as_json.exported(result))
    else:
        typer.echo(
            text.exported(result, site.name, site.repository.short(result.commit))
        )
        if not had_vault and site.keeper.store.file.exists():
            recipients, made = site.keeper.vault.recipients, site.keeper.store.lock.made
            typer.echo(text.new_vault(site.config, recipients, made))
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
    merge: MergeOption = False,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    settle_timeout: SettleOption = "5m",
    no_wait: NoWaitOption = False,
    rollback_on_failure: RollbackOption = False,
    confirm_within: ConfirmWithinOption = None,
    json: JsonOption = False,
) -> int:
    """Make the cluster run what git says, and prove it.

    Shows the plan and asks. Nothing is written when live is not what git last knew
    (exit 103): export first, or push with --merge. Nor when the policy refuses (107). A
    saved plan is carried out only if it would still do the same. Afterwards it waits
    until the cluster is at rest, and tells what is worse than before (113), or tags the
    commit as known-good.

    \b
    Examples:
      cibgit push
      cibgit push -m "vip: monitor every 20 s" --yes
      cibgit push --merge
      cibgit push tonight.json --yes
      cibgit push --rollback-on-failure
      cibgit push --confirm-within 10m
    """
    care = caring.care(settle_timeout, no_wait, rollback_on_failure, confirm_within)
    saved = gather.saved_plan(directory / revision, message, force)
    site = gather.site(directory, cluster or (saved.cluster if saved else None), at)
    if merge:
        if revision != "HEAD" or message is not None or dry_run:
            raise UsageError("--merge commits; it takes no REV, PLAN, -m or --dry-run")
        _take_along(site)
        site = gather.site(directory, cluster, at)
    if saved:
        planned = gather.planned_again(site, saved)
        return carry_out(planned, lambda: saved.commit, care, yes, dry_run, json)
    if message is not None:
        planned, commit = _of_work_tree(site, revision, message, force or [])
    else:
        planned, commit = _of_commit(site, revision, force or [])
    return carry_out(planned, commit, care, yes, dry_run, json)


def _take_along(site: "Site") -> None:
    """Take into git what live changed, and say so where it is no part of the answer."""
    from ..flow.adopt import adopt
    from ..render import drift as render

    done = adopt(site, operational=True)
    if done.commit:
        typer.echo(render.adopted(done) + "\n", err=True)


def _of_work_tree(
    site: "Site", revision: str, message: str, force: list[str]
) -> "tuple[Plan, Callable[[], str]]":
    """Plan for the edited file; it is committed once the plan is accepted."""
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
    from ..flow.plan import plan

    if revision == "HEAD" and site.is_dirty():
        raise UnsafeError(
            f"{site.path} has changes that are not committed",
            "Commit them with git, or at once with: cibgit push -m MESSAGE",
        )
    commit = site.repository.resolve(revision)
    return plan(site, site.desired(commit), commit, force), lambda: commit


def rollback(
    revision: Annotated[
        str | None, typer.Argument(metavar="[REV]", help="The state to restore.")
    ] = None,
    last_known_good: Annotated[
        bool,
        typer.Option(
            "--last-known-good",
            help="Restore the newest known-good state that does not run now.",
        ),
    ] = False,
    cluster: ClusterOption = None,
    at: AtOption = None,
    directory: DirectoryOption = HERE,
    force: ForceOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    settle_timeout: SettleOption = "5m",
    no_wait: NoWaitOption = False,
    json: JsonOption = False,
) -> int:
    """Restore an earlier state by a commit, and push it.

    Shows which commits it undoes, and the changes, and asks.

    \b
    Examples:
      cibgit rollback HEAD~1
      cibgit rollback --last-known-good
    """
    from ..flow.plan import plan
    from ..flow.rollback import commit_desired, lost, restored, rollback_message
    from ..render import outcome as text

    if (revision is None) is not last_known_good:
        raise UsageError("say how far to go back: either REV or --last-known-good")
    care = caring.care(settle_timeout, no_wait, False, None)
    site = gather.site(directory, cluster, at)
    commit = restored(site, revision)
    desired = site.desired(commit)
    message, trailers = rollback_message(site, commit)
    planned = plan(site, desired, None, force or ())
    if not json:
        typer.echo(text.lost(lost(site, commit), site.repository.short(commit)))
    told = {**trailers, **_forced(planned)}
    new = partial(commit_desired, site, desired, message, told)
    return carry_out(planned, new, care, yes, dry_run, json)


def carry_out(
    planned: "Plan",
    commit: "Callable[[], str]",
    care: "Care",
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Show a plan, ask, commit where that is still to be done, and push."""
    from ..flow.care import carry_out, check
    from ..flow.plan import refuse_unsafe
    from ..render import json
    from ..render.outcome import outcome_json, outcome_text
    from ..render.plan import plan as as_text

    site = planned.site
    if not as_json:
        commit_id = planned.commit
        wanted = site.repository.short(commit_id) if commit_id else "(new commit)"
        look = gather.terminal()
        typer.echo(as_text(planned, f"desired {wanted}", **look))
    refuse_unsafe(planned)
    check(planned, care)
    gather.note_uncertain()
    if dry_run:
        if as_json:
            typer.echo(json.planned("push", planned, dry_run=True))
        return ExitCode.OK
    if planned.changes:
        gather.confirm(f"Push to {site.name}?", yes=yes)
        _note_reboot(care)
    outcome = carry_out(planned, commit, care)
    if as_json:
        typer.echo(outcome_json(outcome))
    elif planned.changes:
        typer.echo("\n" + outcome_text(outcome, site.name, site.repository.short))
    else:
        short = site.repository.short(outcome.pushed.commit)
        typer.echo(f"Nothing to do: {site.name} runs {short}.")
    layer = corosync.tracked(site)
    if layer and layer.is_waiting:
        typer.echo("corosync.conf waits, too: cibgit corosync push", err=True)
    return outcome.code


def _note_reboot(care: "Care") -> None:
    """Say it where a reboot of this node would stop the timer of a confirmed push."""
    note = care.confirmation and caring.reboot_note(care.confirmation.orders)
    if note:
        typer.echo(f"A reboot of this node would stop the timer: {note}", err=True)


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
