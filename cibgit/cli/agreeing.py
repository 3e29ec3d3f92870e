"""The agent's part in what all nodes see: ``watch --agree``."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError

if TYPE_CHECKING:
    from ..flow.agree import Agreement
    from ..flow.site import Site

AgreeOption = Annotated[
    bool,
    typer.Option(
        "--agree", help="Compare with the agents of the other nodes what each node has."
    ),
]


def agreement(site: "Site", *, json: bool) -> "Agreement":
    """Return what has joined the agents of the other nodes."""
    from ..cluster.local import CIB_DIRECTORY, Local
    from ..flow.agree import Agreement, Apart, Told
    from ..render import agree as render

    if not isinstance(site.cluster, Local):
        raise UsageError(
            f"--agree needs a node of the cluster: {site.cluster.address} is none",
            "Run it on each node, with --at local:.",
        )

    def told(event: Told | Apart) -> None:
        form = render.json_line if json else render.line
        typer.echo(form(event, site.name))

    rules, live = site.keeper.rules, site.cluster.read
    found = Agreement(site.name, CIB_DIRECTORY, rules, live, told)
    found.join()
    return found
