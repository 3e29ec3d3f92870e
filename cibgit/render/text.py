"""Values as text for a terminal: one line a fact."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .difference import count, printable

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import ClusterConfig
    from ..flow.digest import Digests, Verified
    from ..flow.export import Exported
    from ..flow.push import Pushed
    from ..flow.secret import Listed
    from ..flow.status import Status


def exported(result: "Exported", name: str, short: str) -> str:
    """Render what an export did."""
    if result.outcome == "unchanged":
        line = f"{name} {result.version} is commit {short} already; nothing to export."
        if result.unpushed:
            line += "\nHEAD has changes that are not pushed: cibgit diff"
        return line
    summary = count(result.changes, planned=False)
    if result.outcome == "committed":
        line = f"Exported {name} {result.version} as {short}. {summary}"
        if result.sealed:
            line += (
                "\nThese stand in clear in earlier commits, so change them: "
                + printable(", ".join(map(str, result.sealed)))
            )
        return line
    return (
        f"{result.obstacle}, and live changed too. {summary}\n"
        f"The live state is commit {short} at {result.ref}; your branch is as it was.\n"
        f"Merge it: git merge {result.ref}"
    )


def new_vault(
    config: "ClusterConfig", recipients: Iterable[str], made: "Path | None"
) -> str:
    """Render that a vault was made, who can open it, and the key that was made for it."""
    names = [f"  {printable(each)}" for each in recipients]
    return "\n".join(
        [f"Secrets are kept in {config.vault}, encrypted to:", *names]
        + (
            [f"You had no key, so one was made: {made}. Keep a copy of it."]
            if made
            else []
        )
        + ["Let the other nodes and operators in: cibgit secret recipients --add KEY"]
    )


def pushed(result: "Pushed", name: str, short: str) -> str:
    """Render what a push did, and where its result was seen."""
    lines = [f"Pushed {short} to {name}: {result.before} -> {result.after}"]
    lines.append(f"configuration digest  {result.digest}")
    if result.moved_on:
        lines.append(
            f"changed again since by {printable(result.moved_on)}: cibgit status"
        )
    for proof in result.proofs:
        if proof.digest == result.digest:
            lines.append(f"  {proof.place:<18}  {proof.digest}  same")
        else:
            reason = proof.problem or f"it has {proof.digest}"
            lines.append(f"  {proof.place:<18}  NOT verified: {printable(reason)}")
    return "\n".join(lines)


def status(found: "Status", name: str, commits: dict[str, str]) -> str:
    """Render how both sides stand; ``commits`` gives the short form of commit ids."""
    live, applied = found.live, found.applied
    lines = [
        f"live      {name} {live.version}, changed by {live.last_change}"
        + (f", {live.last_change.at}" if live.last_change.at else ""),
        "applied   "
        + (
            f"{commits[applied.commit]} ({_FOUND[applied.found]})"
            if applied
            else "unknown"
        ),
        f"desired   {commits[found.head] if found.head else 'no commit yet'}",
    ]
    if found.missing:
        lines.append(f"The live CIB names commit {found.missing[:12]}, which this clone"
                     f" does not have: {found.fetching}")  # fmt: skip
    if not applied:
        lines.append("Nothing is known to be applied: cibgit export")
    if found.drift:
        lines.append(
            f"Drift: live differs from applied. {count(found.drift, planned=False)}"
        )
    if found.unpushed:
        lines.append(f"Not pushed: HEAD differs from applied. {count(found.unpushed)}")
    if found.edited:
        lines.append("Not committed: cib.xml is edited in the work tree.")
    if found.in_sync:
        lines.append("In sync, as far as it can be compared." if found.uncertain
                     else "In sync.")  # fmt: skip
    return printable("\n".join(lines))


def digests(found: "Digests") -> str:
    """Render the digests of one CIB, and what its signature says."""
    lines = [
        f"on-disk        {found.on_disk}  what cib.xml.sig holds",
        f"versioned      {found.versioned}  what a patchset holds",
        f"configuration  {found.configuration}  what a push announces",
        f"as Pacemaker   {found.dialect.value}",
    ]
    if found.signature is not None:
        verdict = "matches" if found.matches else "does NOT match"
        if not found.matches and found.signed_by:
            verdict += f", it was written by Pacemaker {found.signed_by.value}"
        lines.append(f"signature      {printable(found.signature)}  {verdict}")
    return "\n".join(lines)


def verified(found: "Verified", source: str) -> str:
    """Render who signed a file."""
    if found.signature is None:
        return printable(f"{source}: there is no signature; it would be {found.digest}")
    names = ", ".join(map(str, found.signed_by))
    if found.is_accepted:
        return printable(f"{source}: signed by {names}")
    by = f"signed by {names} only" if names else "signed by no release"
    return printable(
        f"{source}: {by}; the signature says {found.signature!a}, computed {found.digest}"
    )


_FOUND = {
    "content": "live is exactly that",
    "marker": "named by the live CIB",
    "ref": "known from this clone",
    "export": "the last export",
}


def secrets(found: Iterable["Listed"]) -> str:
    """Render the secrets of a file: place, where the value is, id; never a value."""
    rows = [
        (str(each.slot), each.where, each.slot.element, each.problem) for each in found
    ]
    if not rows:
        return "No secrets."
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        printable(f"{name:<{widths[0]}}  {where:<{widths[1]}}  {element}")
        + (f"\n    {printable(problem)}" if problem else "")
        for name, where, element, problem in rows
    )


def recipients(names: Iterable[str], *, removed: bool = False) -> str:
    """Render who can open a vault."""
    lines = [printable(name) for name in names]
    if not lines:
        return "Nobody yet: the first export that finds a secret makes the vault."
    if removed:
        lines.append("Who was taken out can still open earlier commits: change the"
                     " passwords, then cibgit secret rotate.")  # fmt: skip
    return "\n".join(lines)


def to_change(names: Iterable[str]) -> str:
    """Render what only a change on the devices revokes."""
    return printable(f"To revoke what was known before, change: {', '.join(names)}")
