import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cibgit.cib import digest, patchset
from cibgit.cib.canonical import compact
from cibgit.cib.document import Cib, Element, parse
from cibgit.cib.owned import marker_commit
from cibgit.cluster.directory import Directory
from cibgit.errors import (
    BusyError,
    DigestError,
    StaleError,
    StoppedError,
    UnknownOutcomeError,
    UnreachableError,
)
from cibgit.exitcodes import ExitCode
from cibgit.flow import push as pushing
from cibgit.flow import readback
from cibgit.flow.export import export
from cibgit.flow.plan import DriftError, Plan, plan
from cibgit.flow.push import push
from cibgit.flow.site import Site
from cibgit.flow.status import status

from .embedded import Embedded


def edited(
    embedded: Embedded, old: str = 'score="100"', new: str = 'score="200"'
) -> Plan:
    site = embedded.site()
    export(site)
    embedded.edit(old, new)
    return plan(site, site.edited(), embedded.commit())


def test_live_has_the_announced_digest_and_the_marker(embedded: Embedded) -> None:
    planned = edited(embedded)
    announced = planned.digest()
    result = push(planned)
    live = embedded.site().live()
    assert result.digest == announced
    assert announced == digest.on_disk(
        live.configuration, Directory(embedded.node).dialect()
    )
    assert marker_commit(live) == result.commit == planned.commit
    assert live.version == (0, 6, 0)
    assert {proof.place for proof in result.proofs} == {"live", "disk"}
    assert result.is_proven


def test_the_signature_matches_the_file(embedded: Embedded) -> None:
    push(edited(embedded))
    root = parse((embedded.node / "cib.xml").read_bytes(), "cib.xml").root
    signature = (embedded.node / "cib.xml.sig").read_text()
    assert digest.signature(root, signature)


def test_cluster_owned_parts_survive(embedded: Embedded) -> None:
    push(edited(embedded))
    assert embedded.site().live().option("dc-version") == "2.1.5"


def test_a_second_push_has_nothing_to_do(embedded: Embedded) -> None:
    planned = edited(embedded)
    push(planned)
    site = embedded.site()
    again = plan(site, site.desired(), planned.commit)
    assert again.changes == []
    result = push(again)
    assert (result.attempts, result.before) == (0, result.after)
    assert site.live().version == (0, 6, 0)


def test_export_after_a_push_makes_no_commit(embedded: Embedded) -> None:
    push(edited(embedded))
    assert export(embedded.site()).outcome == "unchanged"


def test_drift_stops_the_plan_and_is_shown(embedded: Embedded) -> None:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    commit = embedded.commit()
    before = embedded.change_live("vip-monitor@interval", "10s")
    with pytest.raises(DriftError) as caught:
        plan(site, site.desired(), commit)
    assert caught.value.code is ExitCode.STALE
    [change] = caught.value.changes
    assert change.address == "resources / primitive vip / operations / op vip-monitor"
    assert site.live().version == before.version


def test_a_change_between_plan_and_push_is_never_lost(embedded: Embedded) -> None:
    planned = edited(embedded)
    embedded.change_live("vip-monitor@interval", "10s")
    with pytest.raises(DriftError):
        push(planned)
    assert 'interval="10s"' in embedded.live_text()
    assert 'score="200"' not in embedded.live_text()


def test_without_an_export_nothing_is_pushed(embedded: Embedded) -> None:
    site = embedded.site()
    embedded.file.parent.mkdir(parents=True, exist_ok=True)
    text = embedded.live_text().replace('score="100"', 'score="300"')
    embedded.file.write_text(text)
    commit = embedded.commit()
    with pytest.raises(DriftError, match="no commit is known"):
        plan(site, site.desired(), commit)


class Churning(Directory):
    """A directory whose status moves between reading and writing, a few times."""

    left = 3

    def apply(self, patchset: patchset.Patchset) -> None:
        if self.left:
            self.left -= 1
            raise StaleError("moved")
        super().apply(patchset)


def test_status_churn_is_retried(embedded: Embedded) -> None:
    planned = edited(embedded)
    planned = replace(
        planned, site=replace(planned.site, cluster=Churning(embedded.node))
    )
    result = push(planned, sleep=lambda _: None)
    assert result.attempts == 4


def test_endless_churn_ends(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = edited(embedded)
    cluster = Churning(embedded.node)
    cluster.left = 10**6
    monkeypatch.setattr(pushing, "RETRY_SECONDS", 0.05)
    planned = replace(planned, site=replace(planned.site, cluster=cluster))
    with pytest.raises(BusyError, match="times in a row"):
        push(planned)
    assert 'score="200"' not in embedded.live_text()


class Uncertain(Directory):
    """A directory that loses its answer, after or before the change was applied."""

    applied = True

    def apply(self, patchset: patchset.Patchset) -> None:
        if self.applied:
            super().apply(patchset)
        raise UnknownOutcomeError("the connection was lost")


def uncertain(embedded: Embedded, *, applied: bool) -> Plan:
    planned = edited(embedded)
    cluster = Uncertain(embedded.node)
    cluster.applied = applied
    return replace(planned, site=replace(planned.site, cluster=cluster))


def test_a_lost_answer_is_found_out_by_reading(embedded: Embedded) -> None:
    result = push(uncertain(embedded, applied=True), sleep=lambda _: None)
    assert result.is_proven


def test_a_change_that_was_not_applied_is_said_so(embedded: Embedded) -> None:
    planned = uncertain(embedded, applied=False)
    with pytest.raises(UnreachableError, match="was not applied"):
        push(planned, sleep=lambda _: None)


class Lying(Directory):
    """A tool that returns 0 and applies nothing, as cibadmin does on some ways."""

    def apply(self, patchset: patchset.Patchset) -> None:
        pass


def test_exit_0_is_no_proof(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "COPY_SECONDS", 0.05)
    planned = edited(embedded)
    planned = replace(planned, site=replace(planned.site, cluster=Lying(embedded.node)))
    with pytest.raises(DigestError, match=r"what it was before: .* not applied"):
        push(planned)


def test_the_first_push_brings_live_into_canonical_order(tmp_path: Path) -> None:
    embedded = Embedded.create(tmp_path)
    planned = edited(embedded)
    result = push(planned)
    live = embedded.site().live()
    assert compact(Cib(live.configuration, "")) == compact(
        Cib(planned.target().configuration, "")
    )
    assert result.digest == planned.digest()


def test_without_marker_nothing_of_cibgit_stands_in_the_cib(embedded: Embedded) -> None:
    site = embedded.site(marker=False)
    export(site)
    embedded.edit('score="100"', 'score="200"')
    push(plan(site, site.edited(), embedded.commit()))
    assert "cibgit-commit" not in embedded.live_text()


def test_a_clone_without_refs_knows_what_is_applied(
    embedded: Embedded, tmp_path: Path
) -> None:
    push(edited(embedded))
    embedded.git("clone", "--quiet", str(embedded.root), str(tmp_path / "c"))
    site = embedded.site(tmp_path / "c")
    assert site.repository.get_ref(site.ref("applied")) is None
    found = status(site)
    assert found.in_sync
    assert found.applied
    assert found.applied.found == "content"
    embedded.change_live("vip-monitor@interval", "10s")
    found = status(site)
    assert found.applied
    assert found.applied.found == "marker"
    assert len(found.drift) == 1


def test_a_marker_of_an_unknown_commit_is_named(
    embedded: Embedded, tmp_path: Path
) -> None:
    export(embedded.site())
    embedded.git("clone", "--quiet", str(embedded.root), str(tmp_path / "c"))
    embedded.edit('score="100"', 'score="200"')
    site = embedded.site()
    push(plan(site, site.edited(), embedded.commit()))
    other = embedded.site(tmp_path / "c")
    assert status(other).missing == site.repository.head()
    with pytest.raises(DriftError) as caught:
        plan(other, changed(other), other.repository.head())
    assert caught.value.hint.endswith(": git fetch --all")


def test_a_shallow_clone_is_told_how_to_find_the_commit_it_lacks(
    embedded: Embedded, tmp_path: Path
) -> None:
    push(edited(embedded))
    embedded.edit('score="200"', 'score="300"')
    embedded.commit()
    words = ("clone", "--quiet", "--depth=1", embedded.root.as_uri())
    embedded.git(*words, str(tmp_path / "c"))
    shallow = embedded.site(tmp_path / "c")
    with pytest.raises(DriftError) as caught:
        plan(shallow, changed(shallow), shallow.repository.head())
    told = caught.value.hint.rpartition(": ")[2]
    assert told == status(shallow).fetching == "git fetch --unshallow"
    embedded.git("-C", str(tmp_path / "c"), *told.split()[1:])
    assert status(embedded.site(tmp_path / "c")).missing is None


def changed(site: Site) -> Cib:
    cib = site.desired().copy()
    cib.configuration.find(".//rsc_location").set("score", "1")  # type: ignore[union-attr]
    return cib


def test_two_pushes_at_once_one_wins(embedded: Embedded) -> None:
    planned = edited(embedded)
    rival = replace(planned, site=embedded.site())
    outcomes: list[str] = []

    def attempt(plan_of: Plan) -> Callable[[], None]:
        def run() -> None:
            try:
                push(plan_of)
                outcomes.append("pushed")
            except DriftError:
                outcomes.append("refused")

        return run

    threads = [threading.Thread(target=attempt(each)) for each in (planned, rival)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["pushed", "refused"],)
    assert embedded.site().live().version == (0, 6, 0)


class Forgetful(Directory):
    """A node whose disk no longer follows: after a hand edit its writes are off."""

    def read_copy(self, place: str) -> Element:
        copy = super().read_copy(place)
        copy.set("stale", "yes")
        return copy


def test_a_disk_that_does_not_follow_is_104(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = edited(embedded)
    monkeypatch.setattr(readback, "COPY_SECONDS", 0.05)
    planned = replace(
        planned, site=replace(planned.site, cluster=Forgetful(embedded.node))
    )
    result = push(planned, sleep=lambda _: None)
    assert not result.is_proven


class Busy(Directory):
    """A cluster in which somebody changes something while the proofs are read."""

    def read_copy(self, place: str) -> Element:
        if self.read().version == (0, 6, 0):
            live = self.read()
            other = live.copy()
            other.configuration.find(".//op").set("interval", "5s")  # type: ignore[union-attr]
            self.apply(patchset.build(live, other, self.dialect()))
        return super().read_copy(place)


def test_a_change_after_the_push_is_told_and_no_failure(embedded: Embedded) -> None:
    planned = edited(embedded)
    planned = replace(planned, site=replace(planned.site, cluster=Busy(embedded.node)))
    result = push(planned, sleep=lambda _: None)
    assert result.is_proven
    assert "0.7.0" in result.moved_on


class Dying(Directory):
    """A CIB manager that accepts a change, dies, and comes back without it."""

    dead = False

    def apply(self, patchset: patchset.Patchset) -> None:
        self.dead = True

    def read(self) -> Cib:
        if self.dead:
            self.dead = False
            raise UnreachableError("there is no CIB manager here")
        return super().read()


def test_a_change_that_died_with_the_cib_manager_is_said_so(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readback, "COPY_SECONDS", 0.05)
    planned = edited(embedded)
    cluster = Dying(embedded.node)
    planned = replace(planned, site=replace(planned.site, cluster=cluster))
    with pytest.raises(UnreachableError, match="is gone again"):
        push(planned, sleep=lambda _: None)


class Interrupted(Directory):
    """A live side at which somebody loses patience: at the write, or when read back."""

    at = "apply"
    is_written = False

    def apply(self, patchset: patchset.Patchset) -> None:
        super().apply(patchset)
        self.is_written = True
        if self.at == "apply":
            raise KeyboardInterrupt

    def read(self) -> Cib:
        if self.is_written and self.at == "read":
            raise KeyboardInterrupt
        return super().read()


@pytest.mark.parametrize(
    ("at", "told"), [("apply", "it may be applied"), ("read", "accepted the push")]
)
def test_an_interrupted_push_says_how_far_it_came(
    embedded: Embedded, at: str, told: str
) -> None:
    planned = edited(embedded)
    cluster = Interrupted(embedded.node)
    cluster.at = at
    planned = replace(planned, site=replace(planned.site, cluster=cluster))
    with pytest.raises(StoppedError, match=told) as caught:
        push(planned)
    assert caught.value.code == 130
    assert 'score="200"' in embedded.live_text()
