"""The agent under the supervision of Corosync: ``watch --supervised``."""

from typing import TYPE_CHECKING, Annotated

import typer

from .options import LONGEST, a_number

if TYPE_CHECKING:
    from ..cluster.events import Events
    from ..cluster.sam import Supervised

SupervisedOption = Annotated[
    float | None,
    typer.Option(
        "--supervised",
        metavar="SECONDS",
        min=1,
        max=LONGEST,
        callback=a_number,
        help="Have Corosync start it again when it dies, or hangs for so long.",
    ),
]


def supervision(seconds: float | None) -> "Supervised | None":
    """Return what ties this process to its supervisor: it is a child from here on."""
    from ..cluster.sam import supervised

    return supervised(seconds) if seconds else None


def begin(found: "Supervised | None", events: "Events") -> None:
    """Begin to be supervised; after a failure only after a while."""
    if found is not None:
        found.stop = events.stop
        events.listen(found)
        events.wait(found.delay)
        found.start()


def end(found: "Supervised | None") -> None:
    """End in good order, and the supervisor with it."""
    if found is not None:
        found.end()
