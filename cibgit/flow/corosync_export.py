"""Corosync export: the ``corosync.conf`` of this node to git."""

from dataclasses import dataclass

from ..cib.secrets import Slot
from ..corosync.document import Conf, has_other_bytes
from ..corosync.meaning import Difference, differences, settings
from ..errors import BadDataError, NoInputError, UnsafeError
from .layer import Layer
from .members import Node, read_nodes, require_readable


@dataclass(frozen=True)
class Exported:
    """What an export did: ``unchanged`` or ``committed``, and the commit with the file.

    ``changes`` lead from what git had; ``first`` says that the tracking begins here.
    ``sealed`` are the secrets whose values went into the vault.
    """

    outcome: str
    commit: str
    changes: list[Difference]
    first: bool
    sealed: tuple[Slot, ...]


def export(layer: Layer, message: str = "") -> Exported:
    """Bring the file of this node into git; at most one commit.

    A change that waits in git is never overwritten: where both sides moved it is refused.
    """
    node = read_nodes(layer, everywhere=False)[0]
    conf = readable(node)
    layer.site.keeper.refuse_uncertain()
    repository = layer.site.repository
    head = repository.head()
    at_head = layer.committed(head) if head else None
    wanted = layer.site.conf_files(conf)
    slots = tuple(each.slot for each in layer.site.keeper.find(conf))
    if head and at_head and repository.read(head, layer.path) == wanted[layer.path]:
        repository.set_ref(layer.ref, head, "corosync export: unchanged")
        return Exported("unchanged", head, [], False, slots)
    _refuse_to_overwrite(layer)
    changes = differences(settings(at_head) if at_head else {}, settings(conf))
    text = message or f"Export corosync.conf of {layer.site.name}"
    commit = repository.commit_files(wanted, text)
    repository.set_ref(layer.ref, commit, "corosync export")
    return Exported("committed", commit, changes, at_head is None, slots)


def readable(node: Node) -> Conf:
    """Return the file of a node, or raise why there is none."""
    require_readable(node.copy)
    if node.broken:
        hint = "" if node.is_taken else "Corosync itself would not start with it."
        raise BadDataError(node.broken, hint)
    if node.conf is None:
        raise NoInputError(f"there is no corosync.conf on {node.name}")
    if any(map(has_other_bytes, node.conf.comments)):
        raise BadDataError(
            f"{node.conf.source}: a comment is no text in UTF-8, which git is to keep",
            "Write it in UTF-8 (iconv -f LATIN1 -t UTF-8), and export again.",
        )
    return node.conf


def _refuse_to_overwrite(layer: Layer) -> None:
    """Refuse where git has a change of the file that no push brought to the nodes."""
    if layer.file.exists() and layer.is_dirty:
        raise UnsafeError(
            f"{layer.path} has changes that are not committed, and the export would"
            " overwrite them",
            "Commit or restore them.",
        )
    if layer.is_waiting:
        raise UnsafeError(
            f"{layer.path} has changes that were not pushed, and the export would"
            " overwrite them",
            "Push them with cibgit corosync push, or put the file in git back first.",
        )
