"""What is registered with git, as text and as JSON."""

from typing import TYPE_CHECKING

from .json import dumps

if TYPE_CHECKING:
    from ..flow.git import Registration


def text(found: "Registration") -> str:
    """Render what is registered, and what to do about what is not."""
    lines = [f"For {found.scope}:"]
    lines += [f"  {name:<28} {state}" for name, state in found.settings.items()]
    rule = "ok" if found.attributes else "missing"
    lines.append(f"  {'rule in ' + found.file.name:<28} {rule}")
    lines.append(f"  {'cibgit on the PATH':<28} {found.program or 'missing'}")
    if found.is_complete:
        lines.append(
            f"Git uses the drivers. Commit {found.file.name} where it is new: all who"
            " share the repository need it."
        )
    elif found.program is None:
        lines.append("Git treats CIBs as text until a shell finds cibgit on the PATH.")
    else:
        lines.append("Git treats CIBs as text where something is missing:"
                     " cibgit git install")  # fmt: skip
    return "\n".join(lines)


def as_json(found: "Registration") -> str:
    """Return what is registered."""
    return dumps(
        "git",
        complete=found.is_complete,
        scope=found.scope,
        settings=found.settings,
        file=str(found.file),
        attributes=found.attributes,
        program=found.program,
    )
