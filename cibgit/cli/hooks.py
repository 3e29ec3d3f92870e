"""What git runs on a server: check what is pushed, carry out what was accepted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exitcodes import ExitCode
from . import gather
from .options import HERE, DirectoryOption

if TYPE_CHECKING:
    from ..flow.site import Site

hook = typer.Typer(
    name="hook",
    help="Check pushes, and carry them out, in a bare repository.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@hook.command()
def install(
    path: Annotated[Path, typer.Argument(help="The bare repository.")] = HERE,
    branch: Annotated[
        str | None,
        typer.Option(
            "--branch", metavar="NAME", help="The desired state; HEAD's by default."
        ),
    ] = None,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Install pre-receive alone.")
    ] = False,
    directory: DirectoryOption = HERE,
) -> int:
    """Install both hooks into a bare repository. Hooks of others are never replaced.

    \b
    Example:
      cibgit hook install /srv/git/clusters.git --branch main
    """
    import shutil

    from ..bare import HOOKS
    from ..flow.hook import install as run

    program = shutil.which("cibgit") or "cibgit"
    wanted = HOOKS[:1] if check_only else HOOKS
    for file in run(directory / path, program, branch, wanted):
        typer.echo(f"installed {file}")
    return ExitCode.OK


@hook.command("pre-receive")
def pre_receive(directory: DirectoryOption = HERE) -> int:
    """Refuse a push that brings what check, or the policy, calls an error.

    Git runs it and tells the refs on standard input. Only what is new in exactly these
    refs counts. A rule of the policy is relaxed with: git push -o force=RULE

    \b
    Example:
      cibgit hook pre-receive < updates
    """
    import datetime
    import os
    import sys

    from ..bare import BareRepository
    from ..cluster.tools import Tools
    from ..flow import hook as flow
    from ..render import hook as render

    bare = BareRepository.open(directory)
    today = datetime.datetime.now(datetime.UTC).date()
    force = gather.forced_by_push_options(os.environ)
    updates = flow.updates(sys.stdin)
    received = flow.receive(bare, updates, Tools(os.environ), today, force)
    typer.echo(render.received(received), nl=False)
    return ExitCode.OK if received.is_accepted else ExitCode.UNSAFE


@hook.command("post-receive")
def post_receive(directory: DirectoryOption = HERE) -> int:
    """Plan and push the desired state to its clusters, with proof.

    Git runs it after a push. With no ref on standard input it catches up: what a cluster
    could not take then is pushed now. Drift stops it, as it stops a push. Rules that
    git push -o force=RULE names are relaxed.

    \b
    Example:
      cibgit hook post-receive -C /srv/git/clusters.git < /dev/null
    """
    import os
    import sys

    from ..bare import BareRepository
    from ..flow import hook as flow
    from ..render import hook as render

    bare = BareRepository.open(directory)
    force = gather.forced_by_push_options(os.environ)
    updates = [] if sys.stdin.isatty() else flow.updates(sys.stdin)
    code = int(ExitCode.OK)
    if flow.concerns(bare, updates):

        def site(work: Path, name: str) -> "Site":
            return gather.site(work, name, None)

        for each in flow.deploy(bare, site, force):
            typer.echo(render.deployed(each))
            code = code or render.code(each)
    return code
