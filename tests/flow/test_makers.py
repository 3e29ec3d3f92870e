"""Who made a change: found in the recorded states, of which no more are read than needed."""

import re
from pathlib import Path

import pytest

from cibgit.cluster.directory import Directory
from cibgit.flow import makers
from cibgit.flow.adopt import adopt
from cibgit.flow.drift import drift
from cibgit.flow.export import export
from cibgit.flow.makers import attributed
from cibgit.flow.record import record

from .embedded import CIB, Embedded


def record_by(embedded: Embedded, epoch: int, user: str, old: str, new: str) -> None:
    """Let somebody change the cluster, and record it."""
    text = embedded.live_text().replace(old, new)
    text = re.sub(r' epoch="\d+"', f' epoch="{epoch}"', text)
    text = re.sub('update-user="[a-z]+"', f'update-user="{user}"', text)
    embedded.node = embedded.node.with_name(f"node{epoch}")
    Directory.create(embedded.node, text.encode())
    site = embedded.site()
    record(site, site.read())


def by_owner(embedded: Embedded) -> dict[str, str]:
    site = embedded.site()
    found = attributed(site, drift(site))
    return {
        str(each.change.owner): each.maker.user if each.maker else ""
        for each in found.entries
    }


def test_each_change_is_traced_as_far_as_states_are_read(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(embedded.site())
    record_by(embedded, 6, "alice", 'interval="30s"', 'interval="10s"')
    for epoch, user in enumerate(("bob", "carol", "dave"), 7):
        old = "100" if epoch == 7 else str(epoch - 1)
        record_by(embedded, epoch, user, f'score="{old}"', f'score="{epoch}"')
    assert by_owner(embedded) == {"resource vip": "alice", "constraint loc": "dave"}
    # what is older is nobody's, rather than the wrong one's
    monkeypatch.setattr(makers, "STATES", 2)
    assert by_owner(embedded) == {"resource vip": "", "constraint loc": "dave"}


def test_without_recorded_states_it_is_the_last_writer(tmp_path: Path) -> None:
    embedded = Embedded.create(tmp_path, CIB)
    export(embedded.site())
    embedded.change_live("loc@score", "1")
    assert by_owner(embedded) == {"constraint loc": "root"}


def test_what_the_controller_wrote_was_made_by_nobody_known(
    embedded: Embedded,
) -> None:
    """So it stands after a partition healed: the controller writes the joined CIB."""
    export(embedded.site())
    site = embedded.site()
    text = embedded.live_text().replace('score="100"', 'score="1"')
    text = re.sub(' epoch="5"', ' epoch="6"', text)
    text = re.sub('update-client="[a-z]+"', 'update-client="crmd"', text)
    text = re.sub('update-user="[a-z]+"', 'update-user="hacluster"', text)
    embedded.node = embedded.node.with_name("joined")
    Directory.create(embedded.node, text.encode())
    site.repository.drop_ref(site.ref("live"))
    commit_without_version(embedded)
    assert by_owner(embedded) == {"constraint loc": ""}
    adopt(embedded.site())
    assert embedded.git("log", "-1", "--format=%an <%ae>").strip() == (
        "unknown <unknown@localhost>"
    )


def commit_without_version(embedded: Embedded) -> None:
    """Let what is applied be a commit of which nobody knows the version, as of a push."""
    embedded.git("commit", "--amend", "--quiet", "-m", "pushed")
    site = embedded.site()
    site.repository.set_refs(
        site.refs(), embedded.git("rev-parse", "HEAD").strip(), "push"
    )
