"""Where the programs are that cibgit starts."""

import shutil


def found(name: str, path: str | None = None) -> str:
    """Return a program by its full name, or as it was named where there is none.

    ``path`` is what is searched instead of this process's ``PATH``. For a program that
    ``subprocess`` has to search for itself, CPython loses some hundred bytes at each start
    (experiment, 3.11.7): an agent that runs for months would feel it.
    """
    return shutil.which(name, path=path) or name
