"""What the cluster itself writes into its CIB: never in git, always kept on push.

Source of the lists: the controller at DC takeover (``daemons/controld/controld_election.c``,
``do_dc_takeover``), ``controld_execd.c`` (``last-lrm-refresh``) and the CIB manager
(attributes of ``<cib>``). A push that removed these options would not be healed before
the next election (experiment, 2.1.5).
"""

import copy

from lxml import etree

from .document import Cib, Comment, Element

BOOTSTRAP_SET = "cib-bootstrap-options"
"""The property set that Pacemaker reads first and writes its own options to."""

OWNED_OPTIONS = frozenset(
    {"dc-version", "cluster-infrastructure", "have-watchdog", "last-lrm-refresh"}
)
"""Options in :data:`BOOTSTRAP_SET` that Pacemaker writes."""

MARKER_SET = "cibgit"
"""The property set in which cibgit remembers what it pushed."""

COMMIT_OPTION = "cibgit-commit"
"""The option in :data:`MARKER_SET` that names the pushed commit."""

PENDING = "cibgit-pending"
CONFIRM_BY = "cibgit-confirm-by"
RESTORES = "cibgit-restores"
TIMER_ON = "cibgit-timer"
PUSHED_BY = "cibgit-pushed-by"
REVERTED = "cibgit-reverted"

TRANSIENT = (PENDING, CONFIRM_BY, RESTORES, TIMER_ON, PUSHED_BY, REVERTED)
"""Options in :data:`MARKER_SET` of one push; the next one drops them (``pending``)."""

SUSPENDED_UNTIL = "cibgit-suspended-until"
SUSPENDED_BY = "cibgit-suspended-by"
SUSPENDED_FOR = "cibgit-suspended-for"

SUSPENDED = (SUSPENDED_UNTIL, SUSPENDED_BY, SUSPENDED_FOR)
"""Options in :data:`MARKER_SET` of a suspended cluster; pushes keep them (``suspension``)."""

VOLATILE_ROOT_ATTRIBUTES = frozenset(
    {
        "admin_epoch",
        "ccm_transition",
        "cib-last-written",
        "cib_feature_revision",
        "crm-debug-origin",
        "crm_feature_set",
        "dc-uuid",
        "dc_uuid",
        "epoch",
        "execution-date",
        "generated",
        "have-quorum",
        "have_quorum",
        "no-quorum-panic",
        "num_peers",
        "num_updates",
        "update-client",
        "update-origin",
        "update-user",
    }
)
"""Attributes of ``<cib>`` that say who, when and how often, not what. Those with an
underscore, but for the version's, are Heartbeat's."""


def strip(configuration: Element) -> None:
    """Remove everything cluster-owned from a ``<configuration>``, in place."""
    options = configuration.find("crm_config")
    if options is None:
        return
    for marker in _sets(options, MARKER_SET):
        _remove(_with_comments(marker))
    for bootstrap in _sets(options, BOOTSTRAP_SET):
        for pair in _owned_pairs(bootstrap):
            _remove(_with_comments(pair))
        # the cluster makes the set when it needs it: alone it means nothing
        if not len(bootstrap) and bootstrap.keys() == ["id"]:
            options.remove(bootstrap)


def carry_over(live: Element, target: Element, commit: str | None) -> None:
    """Put what the live ``<configuration>`` owns into ``target``, in place.

    ``commit`` is the full commit id that the marker shall name; None keeps the marker
    as it is live.
    """
    options = target.find("crm_config")
    live_options = live.find("crm_config")
    if options is None or live_options is None:
        return
    strip(target)
    for bootstrap in _sets(live_options, BOOTSTRAP_SET):
        for pair in _owned_pairs(bootstrap):
            _bootstrap_set(options).extend(copy.deepcopy(_with_comments(pair)))
    if commit is None:
        for marker in _sets(live_options, MARKER_SET):
            options.extend(copy.deepcopy(_with_comments(marker)))
    else:
        options.append(_marker(live_options, commit))


def marker_commit(cib: Cib) -> str | None:
    """Return the commit that the marker in a live CIB names, or None."""
    return marker_option(cib, COMMIT_OPTION)


def marker_option(cib: Cib, name: str) -> str | None:
    """Return an option that cibgit wrote into a live CIB, or None."""
    pair = cib.root.find(
        f"configuration/crm_config/cluster_property_set[@id='{MARKER_SET}']"
        f"/nvpair[@name='{name}']"
    )
    return None if pair is None else pair.get("value")


def set_marker(
    sets: Element, options: dict[str, str], instead_of: tuple[str, ...]
) -> None:
    """Put options into the marker, in place of some that are there."""
    found = _sets(sets, MARKER_SET)
    if not found and not options:
        return
    marker = (
        found[0]
        if found
        else etree.SubElement(sets, "cluster_property_set", id=MARKER_SET)
    )
    _drop(marker, instead_of)
    for name, value in options.items():
        etree.SubElement(marker, "nvpair", id=name, name=name, value=value)
    if not len(marker):
        sets.remove(marker)


def _drop(marker: Element, names: tuple[str, ...]) -> None:
    for pair in list(marker.iterchildren("nvpair")):
        if pair.get("name") in names:
            marker.remove(pair)


def _sets(options: Element, identity: str) -> list[Element]:
    return [
        found
        for found in options.iterchildren("cluster_property_set")
        if found.get("id") == identity
    ]


def _owned_pairs(bootstrap: Element) -> list[Element]:
    return [
        pair
        for pair in bootstrap.iterchildren("nvpair")
        if pair.get("name") in OWNED_OPTIONS
    ]


def _with_comments(element: Element) -> list[Element]:
    """Return an element and the comments before it, which belong to it."""
    run = [element]
    while isinstance(before := run[0].getprevious(), Comment):
        run.insert(0, before)
    return run


def _remove(run: list[Element]) -> None:
    for element in run:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)


def _bootstrap_set(options: Element) -> Element:
    for found in _sets(options, BOOTSTRAP_SET):
        return found
    created = etree.Element("cluster_property_set", id=BOOTSTRAP_SET)
    options.insert(0, created)
    return created


def _marker(live_options: Element, commit: str) -> Element:
    """Return the marker set as it is live, with another commit, and nothing pending."""
    for found in _sets(live_options, MARKER_SET):
        marker = copy.deepcopy(found)
        break
    else:
        marker = etree.Element("cluster_property_set", id=MARKER_SET)
    _drop(marker, TRANSIENT)
    for pair in marker.iterchildren("nvpair"):
        if pair.get("name") == COMMIT_OPTION:
            pair.set("value", commit)
            return marker
    etree.SubElement(
        marker, "nvpair", id=COMMIT_OPTION, name=COMMIT_OPTION, value=commit
    )
    return marker
