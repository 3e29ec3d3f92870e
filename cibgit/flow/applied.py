"""What is applied: the state that the last push or export made common to both sides.

Nothing of it need lie on this machine. Searched for, in this order:

1. the newest commit whose canonical ``cib.xml`` equals live: then nothing drifted;
2. the commit that the marker in the live CIB names;
3. the local ref ``refs/cibgit/<cluster>/applied``;
4. the newest commit that an export made (it has a ``CIB-Version`` trailer).

Of 2 to 4 the one counts that has the others in its history: an export after a push knows
more than the push's marker does. Not so where a push was lost (:func:`lost_push`).
"""

from dataclasses import dataclass

from ..cib.canonical import canonical, pretty
from ..cib.document import Cib
from ..cib.owned import marker_commit
from ..compare.unchanged import same
from .files import written
from .site import Site


@dataclass(frozen=True)
class Applied:
    """The applied commit, its CIB (what is ignored as it is live) and how it was found.

    ``found`` is ``content``, ``marker``, ``ref`` or ``export``; ``is_live`` says whether
    live still is exactly that.
    """

    commit: str
    cib: Cib
    found: str

    @property
    def is_live(self) -> bool:
        """Whether nobody changed the cluster since."""
        return self.found == "content"


def find_applied(site: Site, live: Cib) -> Applied | None:
    """Return what is applied, or None when no commit of this clone ever was."""
    head = site.repository.head()
    if head is None:
        return None
    at_head = _known(site, head, live)
    if at_head is not None and _is_form_of(at_head, live):
        return Applied(head, at_head, "content")
    blob = site.repository.blob_id(written(live))
    exact = site.repository.newest_commit_with(site.path, blob)
    if exact:
        return Applied(exact, canonical(live), "content")
    best: Applied | None = None
    ref = site.repository.get_ref(site.ref("applied"))
    for found, commit in {
        "marker": marker_commit(live),
        "ref": None if lost_push(site, live) else ref,
        "export": site.repository.newest_commit_with_trailer(site.path),
    }.items():
        if not commit or (best and commit == best.commit):
            continue
        cib = _known(site, commit, live)
        if cib is None:
            continue
        if same(cib, live):
            return Applied(commit, cib, "content")
        if best is None or site.repository.is_ancestor(best.commit, commit):
            best = Applied(commit, cib, found)
    return best


def _is_form_of(committed: Cib, live: Cib) -> bool:
    """Say whether a commit holds what is live; the bytes of its file tell most often."""
    return committed.is_written_as(pretty(canonical(live))) or same(committed, live)


def _known(site: Site, commit: str, live: Cib) -> Cib | None:
    """Return the CIB of a commit, what is ignored as it is live."""
    cib = site.committed(commit)
    return cib and site.ignoring(cib, live).cib


def lost_push(site: Site, live: Cib) -> str | None:
    """Return the commit that was pushed from here and is gone from the cluster, or None.

    When a partition heals, the side with the higher epoch wins whole, without a word:
    a push that the other side acknowledged vanishes from every node (experiment, 2.1.5).
    It is known by the marker, which then names an earlier commit again.
    """
    pushed = site.repository.get_ref(site.ref("applied"))
    named = marker_commit(live)
    if not site.config.marker or pushed is None or named is None or named == pushed:
        return None
    if not site.repository.has_commit(named):
        return None
    if not site.repository.reason(site.ref("applied")).startswith("push"):
        return None
    return pushed if site.repository.is_ancestor(named, pushed) else None


def missing_marker(site: Site, live: Cib) -> str | None:
    """Return the commit that the live CIB names although this clone does not have it."""
    commit = marker_commit(live)
    if commit is None or site.repository.has_commit(commit):
        return None
    return commit
