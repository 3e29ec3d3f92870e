"""``cibgit diff`` without options: started most of all, so it starts without Typer.

Typer takes half of the time that a diff of two small CIBs takes. Words alone need no
parser; whatever looks like an option is Typer's.
"""


def run(arguments: list[str]) -> int | None:
    """Run the command line and return its exit code, or None where Typer must read it."""
    command, *sides = arguments or [""]
    if command != "diff" or any(side.startswith("-") for side in sides):
        return None
    import gc

    from .differences import show
    from .ending import ended

    gc.disable()  # there are no cycles to collect, and a short life
    return ended(lambda: show(sides), as_json=False)
