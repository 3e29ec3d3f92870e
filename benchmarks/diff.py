"""``cibgit diff`` beside the tools that show a difference or a configuration.

The sizes are numbers of resources; one in a hundred is edited, in all the ways that
``tests/generate.py`` knows. ``crm_diff`` takes minutes for the large ones.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import generate

from .measure import Comparison, Cost, compare, cost
from .startup import BIN, CIBGIT

XMLDIFF = str(BIN / "xmldiff")
REFERENCES = {*generate.REFERENCES, "id"}


def small() -> Iterator[Comparison]:
    """10, 100 and 1000 resources, against every peer: a minute."""
    with _Pairs() as pairs:
        for resources in (10, 100, 1000):
            old, new = pairs.edited(resources)
            diff = _run(CIBGIT, "diff", old, new)
            size = f"{resources} resources"
            yield compare(
                f"diff / crm_diff, {size}", diff, _run("crm_diff", "-o", old, "-n", new),
                runs=11, target=1.0 if resources == 1000 else None,
            )  # fmt: skip
            runs = 3 if resources < 1000 else 1
            target = 0.12 if resources < 1000 else None
            yield compare(
                f"diff / pcs -f FILE config, {size}", diff,
                _run("pcs", "-f", old, "config"), runs=runs, target=target,
            )  # fmt: skip
            target = 0.20 if resources < 1000 else None
            yield compare(
                f"diff / crm configure show, {size}", diff,
                _run("env", f"CIB_file={old}", "crm", "configure", "show"),
                runs=runs, target=target,
            )  # fmt: skip
        yield compare(
            f"diff / xmldiff by id, fast match, {size}", diff,
            _run(XMLDIFF, "--unique-attributes", "id", "--fast-match", old, new),
            runs=3, target=0.40,
        )  # fmt: skip


def large() -> Iterator[Comparison]:
    """10,000 resources, friendly and hostile, and growth to 50,000: half an hour."""
    with _Pairs() as pairs:
        old, new = pairs.edited(10000)
        ten = _run(CIBGIT, "diff", old, new)
        yield compare(
            "diff / crm_diff, 10000 resources", ten,
            _run("crm_diff", "-o", old, "-n", new),
            runs=1, target=0.10, memory_target=0.85, warm=False,
        )  # fmt: skip
        for resources, target in ((20000, 2.4), (50000, 6.0)):
            more = _run(CIBGIT, "diff", *pairs.edited(resources))
            yield compare(
                f"diff of {resources} / of 10000 resources", more, ten,
                runs=3, target=target,
            )  # fmt: skip
        for name, change in HOSTILE.items():
            other = pairs.changed(old, name, change)
            yield compare(
                f"diff / crm_diff, 10000 resources {name}",
                _run(CIBGIT, "diff", old, other),
                _run("crm_diff", "-o", old, "-n", other),
                runs=1, target=0.35, warm=False,
            )  # fmt: skip


def huge() -> Iterator[Comparison]:
    """20,000 resources against ``crm_diff``: some minutes."""
    with _Pairs() as pairs:
        old, new = pairs.edited(20000)
        yield compare(
            "diff / crm_diff, 20000 resources", _run(CIBGIT, "diff", old, new),
            _run("crm_diff", "-o", old, "-n", new), runs=1, target=0.05, warm=False,
        )  # fmt: skip


def _run(*argv: str) -> Callable[[], Cost]:
    return lambda: cost(argv)


class _Pairs:
    """Files to compare, in a folder that goes with the block."""

    def __enter__(self) -> "_Pairs":
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = Path(self._temporary.name)
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def edited(self, resources: int) -> tuple[str, str]:
        """Write a CIB and what some edits made of it."""
        old, new = (self._folder / f"{resources}-{side}.xml" for side in ("old", "new"))

        def write() -> None:
            data = generate.cib(resources, seed=1)
            old.write_bytes(data)
            edits = max(1, resources // 100)
            new.write_bytes(generate.mutate(data, seed=1, count=edits))

        if not new.exists():
            _apart(write)
        return str(old), str(new)

    def changed(
        self, old: str, name: str, change: Callable[[generate.Element], None]
    ) -> str:
        """Write what a change of everything made of a file."""
        file = self._folder / f"{name}.xml"

        def write() -> None:
            root = generate.parse(Path(old).read_bytes())
            change(root)
            file.write_bytes(generate.serialize(root))

        _apart(write)
        return str(file)


def _apart(work: Callable[[], None]) -> None:
    """Do it in a process of its own: what a process starts inherits its peak of memory."""
    worker = os.fork()
    if not worker:
        work()
        os._exit(0)
    os.waitpid(worker, 0)


def _reversed(root: generate.Element) -> None:
    for section in root.iterfind("configuration/*"):
        section[:] = reversed(section)


def _respelt(root: generate.Element) -> None:
    for element in root.iter("*"):
        attributes = list(element.items())
        element.attrib.clear()
        for name, value in reversed(attributes):
            element.set(name, value)


def _renamed(root: generate.Element) -> None:
    for element in root.iterfind("configuration//*"):
        for name in REFERENCES & set(element.keys()):
            element.set(name, f"new-{element.get(name)}")


def _unrelated(root: generate.Element) -> None:
    root[:] = generate.parse(generate.cib(10000, seed=99))


HOSTILE = {
    "reversed": _reversed,
    "with attributes in another order": _respelt,
    "renamed": _renamed,
    "unrelated": _unrelated,
}
