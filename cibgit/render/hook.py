"""What hooks say to whoever pushed: git shows each line after ``remote:``."""

from typing import TYPE_CHECKING

from ..exitcodes import ExitCode
from .difference import grouped, printable
from .text import pushed

if TYPE_CHECKING:
    from ..flow.hook import Deployment, Received


def received(found: "Received") -> str:
    """Render what is wrong with a push; nothing where nothing is."""
    lines = []
    for each in found.findings:
        one = each.finding
        place = f"{each.file}:{each.line}" if each.line else each.file
        lines.append(
            f"cibgit: {place}: {one.severity.value}: {one.sentence} [{one.rule}]"
        )
        lines += [f"    {one.hint}"] if one.hint else []
    lines += [f"cibgit: forced: {rule}" for rule in found.forced]
    if not found.is_accepted:
        lines.append("cibgit: refused. Nothing was accepted; mend it and push again.")
    return printable("".join(f"{line}\n" for line in lines))


def deployed(found: "Deployment") -> str:
    """Render what became of one cluster."""
    if found.pushed is not None:
        if not found.pushed.changes:
            return f"cibgit: {found.cluster} runs {found.pushed.commit[:10]} already."
        return (
            f"cibgit: {pushed(found.pushed, found.cluster, found.pushed.commit[:10])}"
        )
    error = found.error
    changes = getattr(error, "changes", [])
    lines = [f"cibgit: {found.cluster}: {getattr(error, 'message', '')}"]
    lines += [grouped(changes)] if changes else []
    lines += [getattr(error, "hint", "")]
    lines += [
        "The commit is accepted and not lost: cibgit hook post-receive takes it up."
    ]
    return printable("\n".join(line for line in lines if line))


def code(found: "Deployment") -> int:
    """Return the exit code of one cluster's push."""
    if found.error is not None:
        return int(found.error.code)
    proven = found.pushed is not None and found.pushed.is_proven
    return int(ExitCode.OK if proven else ExitCode.DIGEST)
