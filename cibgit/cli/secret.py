"""Commands about secrets; their values come from a prompt or standard input."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..exitcodes import ExitCode
from . import gather, keys
from .options import HERE, ClusterOption, DirectoryOption, JsonOption

app = typer.Typer(
    help="List, set and show secrets, and say who can open their vault.",
    rich_markup_mode=None,
)

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="OWNER/PARAMETER as in the list, or the id of the pair."
    ),
]


@app.command("list")
def list_(
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """List the secrets of cib.xml and where their values are; no value is shown.

    Exit 1: one stands there in clear, or cannot be had.

    \b
    Example:
      cibgit secret list
    """
    from ..flow.secret import secrets as run
    from ..render import json as as_json
    from ..render import text

    found = run(gather.site(directory, cluster, None))
    typer.echo(as_json.secrets(found) if json else text.secrets(found))
    bad = any(each.problem or each.where == "clear" for each in found)
    return ExitCode.DIFFERS if bad else ExitCode.OK


@app.command("set")
def set_(
    name: NameArgument,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Give a secret a value, and commit its placeholder with the vault.

    The value is asked for, or is what standard input holds. The device itself must be
    told the same password.

    \b
    Examples:
      cibgit secret set fence-a/passwd
      pass show fence-a | cibgit secret set fence-a/passwd
    """
    from ..flow.secret import set_value as run
    from ..render import json as as_json

    site = gather.site(directory, cluster, None)
    done = run(site, name, _value())
    if json:
        typer.echo(as_json.dumps("secret set", **vars(done)))
    else:
        short = site.repository.short(done.commit)
        which = "corosync " if done.about[0].startswith("corosync:") else ""
        hint = f"Push it with: cibgit {which}push"
        typer.echo(f"{done.about[0]} is set in commit {short}. {hint}")
    return ExitCode.OK


@app.command()
def show(
    name: NameArgument,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
) -> int:
    """Print the value of one secret, and nothing else.

    \b
    Example:
      cibgit secret show fence-a/passwd
    """
    from ..flow.secret import value_of as run

    typer.echo(run(gather.site(directory, cluster, None), name))
    return ExitCode.OK


@app.command()
def rotate(
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Give the vault a new key, and encrypt it anew to its recipients.

    Who could open an earlier vault keeps what was in it: change the passwords, too.

    \b
    Example:
      cibgit secret rotate
    """
    from ..flow.secret import rotate as run
    from ..render import json as as_json
    from ..render import text

    site = gather.site(directory, cluster, None)
    done = run(site)
    if json:
        typer.echo(as_json.dumps("secret rotate", **vars(done)))
    else:
        short = site.repository.short(done.commit)
        typer.echo(f"Rotated in commit {short}.\n{text.to_change(done.about)}")
    return ExitCode.OK


@app.command()
def recipients(
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="KEY", help="A public key, or a file with one."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="KEY", help="The same, to take out."),
    ] = None,
    cluster: ClusterOption = None,
    directory: DirectoryOption = HERE,
    json: JsonOption = False,
) -> int:
    """Show who can open the vault; let others in, or take them out.

    A KEY is a public key of age (age1...) or of ssh (ssh-ed25519 ...), of a person or of
    a node (/etc/ssh/ssh_host_ed25519_key.pub).

    \b
    Example:
      cibgit secret recipients --add node2.pub
    """
    from ..flow.secret import change_recipients
    from ..flow.secret import recipients as run
    from ..render import json as as_json
    from ..render import text

    site = gather.site(directory, cluster, None)
    changed = bool(add or remove)
    done = change_recipients(site, add or [], remove or []) if changed else None
    names = run(site)
    if json:
        commit = done.commit if done else None
        typer.echo(as_json.dumps("secret recipients", commit=commit, recipients=names))
    else:
        typer.echo(text.recipients(names, removed=bool(remove)))
    return ExitCode.OK


@app.command()
def merge(
    base: Annotated[Path, typer.Argument(metavar="BASE", help="The common ancestor.")],
    ours: Annotated[Path, typer.Argument(metavar="OURS", help="Gets the result.")],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS", help="The other side.")],
) -> int:
    """Merge two versions of a vault, secret by secret; git can call it as a driver.

    \b
    Example:
      cibgit secret merge base.age secrets.age theirs.age
    """
    from ..flow.secret import merge_files as run

    run(keys.AgeLater(), base, ours, theirs)
    return ExitCode.OK


def _value() -> str:
    from ..errors import BadDataError

    if sys.stdin.isatty():
        answer = typer.prompt("Secret", hide_input=True, confirmation_prompt=True)
        return str(answer)
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise BadDataError("standard input is no text in UTF-8") from None
