"""Who hears of drift: a command, a web service, people by mail."""

import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..cluster import hook
from ..errors import NoInputError, UsageError
from ..flow.notify import Channel, News, Send
from ..render import watch as render


def channels(
    name: str,
    command: str | None,
    webhook: Path | None,
    addresses: Sequence[str],
    is_over: Callable[[], bool],
) -> list[Channel]:
    """Return the channels that were asked for; refuse now what could not work later.

    ``is_over`` says that the agent has to end.
    """
    found = []
    if command is not None:
        found.append(Channel("hook", _command(name, command, is_over)))
    if webhook is not None:
        found.append(Channel("webhook", _webhook(name, webhook)))
    if addresses:
        found.append(Channel("mail", _mail(name, addresses)))
    return found


def _command(name: str, command: str, is_over: Callable[[], bool]) -> Send:
    """Return what calls a command with what happened as JSON."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--hook: {error}") from None
    if not argv:
        raise UsageError("--hook names no command")
    if shutil.which(argv[0]) is None:
        raise NoInputError(f"--hook: {argv[0]} is not there, or no program")

    def send(event: News) -> None:
        told = {"CIBGIT_CLUSTER": name, "CIBGIT_EVENT": render.word(event)}
        data = render.notice(event, name).encode()
        hook.call(argv, {**os.environ, **told}, data, is_over=is_over)

    return send


def _webhook(name: str, file: Path) -> Send:
    """Return what posts the same JSON to the address in a file."""
    from .. import __version__
    from ..cluster.webhook import Webhook

    address = Webhook.load(file)

    def send(event: News) -> None:
        headers = {
            "User-Agent": f"cibgit/{__version__}",
            "X-Cibgit-Cluster": name,
            "X-Cibgit-Event": render.word(event),
        }
        address.post(render.notice(event, name).encode(), headers)

    return send


def _mail(name: str, addresses: Sequence[str]) -> Send:
    """Return what mails it to people."""
    from ..cluster import mail

    to = [mail.check_address(each) for each in addresses]
    program = mail.sendmail(os.environ)

    def send(event: News) -> None:
        text = mail.message(to, render.subject(event, name), render.body(event))
        mail.send(program, os.environ, text)

    return send
