"""The entry point: ``cibgit`` and ``python -m cibgit``.

``--version`` is answered before anything else is imported, and what git starts for each
file does without the command line's libraries.
"""

import sys


def main() -> None:
    """Run the command line and exit; also when interrupted before it is imported."""
    try:
        _main()
    except KeyboardInterrupt:
        print("cibgit: interrupted", file=sys.stderr)
        sys.exit(130)


def _main() -> None:
    if sys.argv[1:] == ["--version"]:
        from . import __version__

        print(f"cibgit {__version__}")
        return
    if sys.argv[1:2] == ["driver"]:
        from .cli.drivers import main as driver

        sys.exit(driver(sys.argv[2:]))
    from .cli import direct
    from .cli.ending import leave

    code = direct.run(sys.argv[1:])
    if code is None:
        from .cli.app import run

        code = run(sys.argv[1:])
    leave(code)


if __name__ == "__main__":
    main()
