"""The cluster layer: its file in git, in the vault, and on its way to the nodes."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cibgit.cib.secrets import Rules
from cibgit.cib.suspension import Suspension
from cibgit.cluster.ring import Copy
from cibgit.config import SecretsConfig
from cibgit.corosync.document import parse
from cibgit.corosync.keys import RESTART
from cibgit.errors import (
    BadDataError,
    BusyError,
    CibgitError,
    DigestError,
    NoInputError,
    NoQuorumError,
    PermissionDeniedError,
    RevertedError,
    StaleError,
    TimedOutError,
    UnknownOutcomeError,
    UnreachableError,
    UnsafeError,
    UsageError,
)
from cibgit.flow import secret
from cibgit.flow.check import Source, check, in_commit, in_work_tree
from cibgit.flow.corosync_drift import CorosyncDrift, drift
from cibgit.flow.corosync_export import export
from cibgit.flow.corosync_plan import CorosyncPlan, CorosyncPolicyError, plan
from cibgit.flow.corosync_proof import CorosyncPushed
from cibgit.flow.corosync_push import push
from cibgit.flow.export import export as export_cib
from cibgit.flow.layer import Layer, layer
from cibgit.flow.suspend import suspend
from cibgit.policy.finding import Severity
from cibgit.render import corosync as render

from .embedded import Embedded
from .ring import CAROL, CONF, KEY, FakeRing

WITH_KEY = CONF.replace("token: 1000", f"token: 1000\n\tkey: {KEY}")


def conf_of(embedded: Embedded) -> Path:
    return embedded.root / "clusters/prod/corosync.conf"


def change(embedded: Embedded, old: str, new: str) -> None:
    """Edit the file, and commit it."""
    text = conf_of(embedded).read_text()
    assert old in text
    conf_of(embedded).write_text(text.replace(old, new))
    embedded.git("commit", "-qam", "change")


def planned(embedded: Embedded, ring: FakeRing, *force: str) -> CorosyncPlan:
    found = Layer(embedded.site(), ring)
    commit = found.site.repository.resolve("HEAD")
    return plan(found, found.desired(), commit, found.site.live(), force)


def pushed(embedded: Embedded, ring: FakeRing, *force: str) -> CorosyncPushed:
    made = planned(embedded, ring, *force)
    return push(made, lambda: made.commit or "", lambda _: None)


def drifted(embedded: Embedded, ring: FakeRing) -> CorosyncDrift:
    return drift(Layer(embedded.site(), ring))


def rules(found: CorosyncDrift) -> list[str]:
    return sorted(each.rule for each in found.findings)


def failing(step: str, node: str, error: CibgitError) -> Callable[[str, str], None]:
    def before(now: str, where: str) -> None:
        if (now, where) == (step, node):
            raise error

    return before


def editing(
    ring: FakeRing, step: str, node: str, old: str, new: str
) -> Callable[[str, str], None]:
    def before(now: str, _: str) -> None:
        if now == step and old in ring.files[node].decode():
            ring.edit(node, old, new)

    return before


class TestExport:
    def test_begins_the_tracking_and_finds_what_it_has(
        self, embedded: Embedded, ring: FakeRing
    ) -> None:
        first = export(Layer(embedded.site(), ring))
        assert (first.outcome, first.first) == ("committed", True)
        again = export(Layer(embedded.site(), ring))
        assert (again.outcome, again.commit) == ("unchanged", first.commit)
        ring.edit("alice", "1000", "2000")
        moved = export(Layer(embedded.site(), ring), "by hand")
        said = [each.sentence for each in moved.changes]
        assert said == ["totem: token 1000 -> 2000"]
        assert embedded.git("log", "-1", "--format=%s").strip() == "by hand"

    def test_overwrites_nothing_that_waits(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.edit("alice", "1000", "2000")
        conf_of(tracked).write_text(conf_of(tracked).read_text() + "# more\n")
        with pytest.raises(UnsafeError, match="not committed"):
            export(Layer(tracked.site(), ring))
        tracked.git("checkout", "--", ".")
        change(tracked, "1000", "3000")
        with pytest.raises(UnsafeError, match="not pushed"):
            export(Layer(tracked.site(), ring))

    def test_a_broken_file_is_refused(self, embedded: Embedded, ring: FakeRing) -> None:
        ring.edit("alice", "totem {", "totem")
        with pytest.raises(BadDataError, match=r"corosync.conf:1: "):
            export(Layer(embedded.site(), ring))

    def test_an_empty_file_is_a_broken_one(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        """As a crash leaves it behind; Corosync would not start with it."""
        ring.files["alice"] = b"# nothing\n"
        with pytest.raises(BadDataError, match="is empty"):
            export(Layer(tracked.site(), ring))
        ring.files["alice"], ring.files["bob"] = ring.files["bob"], b""
        assert "corosync-broken" in rules(drifted(tracked, ring))
        pushed(tracked, ring)
        assert ring.files["bob"] == ring.files["alice"]

    def test_only_a_node_has_one(self, embedded: Embedded, ring: FakeRing) -> None:
        with pytest.raises(UsageError, match="on a node of the cluster"):
            layer(embedded.site(), ring)


class TestSecrets:
    @pytest.fixture
    def ring(self) -> FakeRing:
        return FakeRing.create(WITH_KEY)

    def test_the_key_goes_into_the_vault(self, tracked: Embedded) -> None:
        assert "key: secret:v1:" in conf_of(tracked).read_text()
        assert KEY not in tracked.git("log", "-p", "--all", "--full-history")
        site = tracked.site()
        assert secret.value_of(site, "corosync:totem/key") == KEY
        listed = secret.secrets(site)
        assert [(str(each.slot), each.where) for each in listed] == [
            ("corosync:totem/key", "vault")
        ]

    def test_the_vault_keeps_it_when_the_cib_is_exported(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        tracked.change_live("vip-monitor@interval", "10s")
        assert export_cib(tracked.site()).outcome == "committed"
        assert secret.value_of(tracked.site(), "corosync:totem/key") == KEY
        assert not drifted(tracked, ring).is_drift

    def test_rotate_renews_its_placeholder(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        before = conf_of(tracked).read_text()
        done = secret.rotate(tracked.site())
        assert done.about == ["corosync:totem/key"]
        assert conf_of(tracked).read_text() != before
        assert not drifted(tracked, ring).is_drift
        assert secret.value_of(tracked.site(), "corosync:totem/key") == KEY

    def test_an_edit_is_not_overwritten(self, tracked: Embedded) -> None:
        conf_of(tracked).write_text(conf_of(tracked).read_text() + "# more\n")
        with pytest.raises(
            UnsafeError, match=r"corosync.conf or the vault has changes"
        ):
            secret.rotate(tracked.site())

    def test_another_key_is_told_without_it_and_pushed(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        secret.set_value(tracked.site(), "corosync:totem/key", "another" * 8)
        found = drifted(tracked, ring)
        said = render.drift(found) + str(render.drift_values(found))
        assert "totem: key (secret) -> (secret)" in said
        assert KEY not in said and "another" * 8 not in said
        done = pushed(tracked, ring)
        assert not done.wrong
        assert b"another" * 8 in ring.files["bob"]
        assert ring.running["bob"]["totem.key"] == "another" * 8

    def test_a_key_changed_by_hand_is_drift(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.edit("bob", KEY, "another" * 8)
        found = drifted(tracked, ring)
        assert [each.nodes for each in found.moved] == [("bob",)]
        assert "another" * 8 not in render.drift(found)

    def test_nothing_is_written_without_the_key(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        tracked.identity.unlink()
        tracked.identity.mkdir()
        with pytest.raises(PermissionDeniedError):
            pushed(tracked, ring)

    def test_patterns_hide_more_where_they_are_meant_to(
        self, embedded: Embedded, ring: FakeRing
    ) -> None:
        embedded.secrets = SecretsConfig(
            Rules(("token", "corosync:totem/cluster_name"), {})
        )
        export(Layer(embedded.site(), ring))
        text = conf_of(embedded).read_text()
        assert "token: 1000" in text
        assert "cluster_name: secret:v1:" in text
        ring.edit("bob", "cluster_name: prod", "cluster_name: test")
        found = drifted(embedded, ring)
        said = render.drift(found) + str(render.drift_values(found))
        assert "prod" not in said and "test" not in said

    def test_none_stays_in_a_comment(self, embedded: Embedded, ring: FakeRing) -> None:
        ring.edit("alice", "version: 2", "# key: 0123456789\n\tversion: 2")
        with pytest.raises(BadDataError, match="a comment holds what looks"):
            export(Layer(embedded.site(), ring))


class TestDrift:
    def test_none(self, tracked: Embedded, ring: FakeRing) -> None:
        found = drifted(tracked, ring)
        assert not found.is_drift
        assert render.markdown(found) == "**corosync.conf: no drift.**"

    def test_what_is_not_tracked_has_none(
        self, embedded: Embedded, ring: FakeRing
    ) -> None:
        export_cib(embedded.site())
        with pytest.raises(NoInputError, match="is not in commit"):
            drifted(embedded, ring)

    def test_a_cluster_without_pacemaker_is_compared(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        (tracked.node / "cib.xml").unlink()
        found = drifted(tracked, ring)
        assert (found.is_drift, rules(found)) == (False, ["corosync-names"])

    def test_what_waits_in_git_is_none(self, tracked: Embedded, ring: FakeRing) -> None:
        change(tracked, "1000", "2000")
        found = drifted(tracked, ring)
        assert not found.is_drift
        assert [each.sentence for each in found.waiting] == [
            "totem: token 1000 -> 2000"
        ]

    def test_a_file_that_is_not_loaded(self, tracked: Embedded, ring: FakeRing) -> None:
        for node in ring.files:
            ring.edit(node, "1000", "2000")
            ring.edit(node, "cluster_name: prod", "cluster_name: test")
        found = drifted(tracked, ring)
        assert rules(found) == ["corosync-restart", "corosync-unloaded"]
        assert [each.nodes for each in found.moved] == [("alice", "bob")] * 2
        assert "alice, bob: in effect only after a restart" in render.drift(found)

    def test_a_hint_is_one_that_works(self, tracked: Embedded, ring: FakeRing) -> None:
        """A file that no commit has is not overwritten, so a push would not load it."""
        ring.edit("bob", "1000", "2000")
        [unloaded] = drifted(tracked, ring).findings
        assert "cibgit corosync export" in unloaded.hint
        with pytest.raises(StaleError):
            pushed(tracked, ring)
        change(tracked, "1000", "2000")
        [unloaded] = drifted(tracked, ring).findings
        assert "Load it with cibgit corosync push" in unloaded.hint
        assert pushed(tracked, ring).loaded == ["alice", "bob"]

    def test_a_file_for_root_only_is_told_as_that(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        unreadable = Copy(problem="corosync.conf cannot be read by this user")
        for_root = replace(ring, own=unreadable)
        for refused in (drifted, pushed):
            with pytest.raises(PermissionDeniedError, match="by this user") as caught:
                refused(tracked, for_root)
            assert "as root" in caught.value.hint
        with pytest.raises(PermissionDeniedError):
            export(Layer(tracked.site(), for_root))
        near = drift(Layer(tracked.site(), for_root), everywhere=False)
        assert "as root" in near.findings[0].hint

    def test_missing_broken_and_unread_files(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.files["bob"] = b"totem {"
        assert rules(drifted(tracked, ring)) == ["corosync-broken"]
        del ring.running["bob"]
        assert rules(drifted(tracked, ring)) == ["corosync-absent", "corosync-unread"]

    def test_versions_and_names(self, tracked: Embedded, ring: FakeRing) -> None:
        ring.versions["bob"] = 3
        tracked.change_live("2@uname", "robert")
        found = drifted(tracked, ring)
        assert rules(found) == ["corosync-names", "corosync-version"]
        assert "alice 0, bob 3" in render.drift(found)
        assert "node 2 is robert in the CIB, bob in corosync.conf" in render.drift(
            found
        )


class TestStrangeFiles:
    """What Corosync takes is never overwritten unseen."""

    def write(self, ring: FakeRing, node: str, old: bytes, new: bytes) -> None:
        assert old in ring.files[node]
        ring.files[node] = ring.files[node].replace(old, new)

    def test_a_comment_of_other_bytes_hides_no_change(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        self.write(ring, "bob", b"totem {", b"# B\xfcro-Ring\ntotem {")
        assert not drifted(tracked, ring).is_drift
        ring.files["bob"] = ring.files["bob"].replace(b"1000", b"1234")
        found = drifted(tracked, ring)
        assert rules(found) == ["corosync-unloaded"]
        assert [each.nodes for each in found.moved] == [("bob",)]
        change(tracked, "1000", "2000")
        with pytest.raises(StaleError, match=r"bob is not what git last knew.*-> 1234"):
            pushed(tracked, ring)

    def test_such_a_comment_is_put_back_as_it_was(
        self, tracked: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cibgit.flow.corosync_push.LOAD_SECONDS", 0.0)
        self.write(ring, "bob", b"totem {", b"# B\xfcro-Ring\ntotem {")
        change(tracked, "1000", "2000")

        def before(step: str, _: str) -> None:
            if step == "reload" and b"2000" in ring.files["bob"]:
                ring.files["bob"] = b"broken"

        ring.before.append(before)
        with pytest.raises(RevertedError):
            pushed(tracked, ring)
        assert b"# B\xfcro-Ring\n" in ring.files["bob"]

    def test_git_stores_none(self, tracked: Embedded, ring: FakeRing) -> None:
        self.write(ring, "alice", b"token: 1000", b"# \xfc\ntoken: 1234")
        with pytest.raises(BadDataError, match="a comment is no text in UTF-8"):
            export(Layer(tracked.site(), ring))

    @pytest.mark.parametrize("value", [b"B\xfcro", b"a\x1b[2J"])
    @pytest.mark.parametrize("node", ["alice", "bob"])
    def test_another_place_stops_a_push(
        self, tracked: Embedded, ring: FakeRing, node: str, value: bytes
    ) -> None:
        self.write(ring, node, b"name: prod", b"name: " + value)
        before = ring.files[node]
        assert "corosync-strange" in rules(drifted(tracked, ring))
        change(tracked, "1000", "2000")
        with pytest.raises(StaleError, match="although Corosync may take it") as caught:
            pushed(tracked, ring)
        assert "by hand" in caught.value.hint
        assert ring.files[node] == before

    def test_a_file_of_zeros_is_an_empty_one(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.files["bob"] = bytes(600)
        assert rules(drifted(tracked, ring)) == ["corosync-broken"]
        pushed(tracked, ring)
        assert ring.files["bob"] == ring.files["alice"]


BAD_VERSIONS = ["0x10", "12 13", "abc", "", "99999999999999999999", str(2**64)]
"""What makes Corosync abort when it reads it (tests/corosync/test_document.py)."""


class TestVersion:
    """What the files say of themselves: Corosync compares it when a node joins."""

    @pytest.fixture
    def counted(self, tracked: Embedded, ring: FakeRing) -> Embedded:
        """Have both nodes run with version 14, which their files say."""
        ring.edit("bob", "totem {", "totem {\n\tconfig_version: 13")
        change(tracked, "1000", "2000")
        pushed(tracked, ring)
        assert not drifted(tracked, ring).is_drift
        return tracked

    @pytest.mark.parametrize(
        ("version", "said"),
        [
            ("3", "would not start again"),
            ("15", "not loaded (15, not 14)"),
            *((each, "Corosync aborts") for each in BAD_VERSIONS),
        ],
    )
    def test_another_one_is_drift_and_mended(
        self, counted: Embedded, ring: FakeRing, version: str, said: str
    ) -> None:
        ring.edit("bob", "config_version: 14", f"config_version: {version}")
        found = drifted(counted, ring)
        assert (found.is_drift, rules(found)) == (True, ["corosync-counted"])
        assert said in render.drift(found)
        done = pushed(counted, ring)
        assert done.version == (16 if version == "15" else 15)
        assert not drifted(counted, ring).is_drift

    def test_a_file_without_one_starts_anywhere(
        self, counted: Embedded, ring: FakeRing
    ) -> None:
        ring.edit("bob", "\tconfig_version: 14\n", "")
        assert not drifted(counted, ring).is_drift

    @pytest.mark.parametrize("version", [str(2**64 - 1), "-1", str(2**64 - 2)])
    def test_the_highest_ones_are_never_counted_up(
        self, counted: Embedded, ring: FakeRing, version: str
    ) -> None:
        """Room is left to put the old file back, under a higher version still."""
        ring.edit("bob", "config_version: 14", f"config_version: {version}")
        assert pushed(counted, ring).version == 15

    def test_one_that_runs_and_that_none_can_follow_is_told(
        self, counted: Embedded, ring: FakeRing
    ) -> None:
        change(counted, "2000", "3000")
        ring.versions["bob"] = 2**64 - 1
        with pytest.raises(CorosyncPolicyError, match="none can follow it") as caught:
            pushed(counted, ring)
        assert "Stop Corosync on all nodes" in caught.value.hint

    @pytest.mark.parametrize("version", ["3", "abc"])
    def test_a_corosync_that_is_down_for_it_is_helped_up(
        self, counted: Embedded, ring: FakeRing, version: str
    ) -> None:
        ring.edit("bob", "config_version: 14", f"config_version: {version}")
        ring.down.add("bob")
        found = drifted(counted, ring)
        assert "corosync-counted" in rules(found)
        with pytest.raises(CorosyncPolicyError, match="bob is no member") as caught:
            pushed(counted, ring)
        told = {caught.value.hint, *(each.hint for each in found.findings)}
        assert all("by hand" in hint for hint in told if "config_version: 14" in hint)
        assert "write config_version: 14 there by hand" in caught.value.hint
        ring.edit("bob", f"config_version: {version}", "config_version: 14")
        ring.down.remove("bob")
        assert not drifted(counted, ring).is_drift


class TestPush:
    def test_counts_the_version_and_proves_it(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.versions["bob"] = 7
        change(tracked, "1000", "2000")
        done = pushed(tracked, ring)
        assert (done.version, done.loaded) == (8, ["alice", "bob"])
        assert ring.versions == {"alice": 8, "bob": 8}
        assert ring.running["bob"]["totem.token"] == "2000"
        assert not drifted(tracked, ring).waiting

    def test_an_old_file_of_git_is_no_conflict(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "1000", "2000")
        pushed(tracked, ring)
        ring.files["bob"] = CONF.encode()  # it was away
        change(tracked, "2000", "3000")
        assert pushed(tracked, ring).loaded == ["alice", "bob"]

    def test_an_unknown_one_is(self, tracked: Embedded, ring: FakeRing) -> None:
        ring.edit("bob", "1000", "1234")
        change(tracked, "1000", "2000")
        with pytest.raises(StaleError, match=r"bob is not what git last knew.*-> 1234"):
            pushed(tracked, ring)
        assert b"1000" in ring.files["alice"]

    def test_a_new_node_gets_the_file_and_is_not_waited_for(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        ring.files["carol"] = CONF.encode()
        change(tracked, "two_node: 1", "two_node: 0")
        text = conf_of(tracked).read_text()
        conf_of(tracked).write_text(
            text.replace("}\n}\n\nquorum", f"}}\n{CAROL}}}\n\nquorum")
        )
        tracked.git("commit", "-qam", "carol")
        done = pushed(tracked, ring)
        assert done.loaded == ["alice", "bob"]
        assert ring.files["carol"] == ring.files["alice"]

    def test_rules_that_can_be_forced(self, tracked: Embedded, ring: FakeRing) -> None:
        change(tracked, "cluster_name: prod", "cluster_name: test")
        with pytest.raises(CorosyncPolicyError, match="only a restart"):
            pushed(tracked, ring)
        done = pushed(tracked, ring, "restart")
        assert set(done.pending) == {"alice", "bob"}
        assert not done.wrong
        with pytest.raises(UsageError, match="no such rule"):
            pushed(tracked, ring, "everything")

    def test_back_to_what_runs_needs_no_force(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "cluster_name: prod", "cluster_name: test")
        pushed(tracked, ring, "restart")
        change(tracked, "cluster_name: test", "cluster_name: prod")
        assert not pushed(tracked, ring).pending

    def test_what_waits_for_a_restart_is_told_where_nothing_is_to_do(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "cluster_name: prod", "cluster_name: test")
        pushed(tracked, ring, "restart")
        made = planned(tracked, ring)
        assert not made.is_needed
        said = render.nothing(made, "abc")
        assert "alice still runs with another value until Corosync is restarted" in said
        assert "bob" in said and "cluster_name prod -> test" in said
        assert set(render.nothing_values(made, "abc")["pending"]) == {"alice", "bob"}
        change(tracked, "token: 1000", "token: 2000")
        assert set(pushed(tracked, ring).pending) == {"alice", "bob"}

    def test_what_an_interrupted_push_left_is_listed(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "token: 1000", "token: 2000")
        for node in ring.files:
            ring.edit(node, "1000", "2000")
        made = planned(tracked, ring)
        assert made.is_needed
        assert [each.sentence for each in made.changes] == ["totem: token 1000 -> 2000"]
        assert not pushed(tracked, ring).wrong
        assert not planned(tracked, ring).is_needed

    def test_an_earlier_commit_can_be_pushed(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "1000", "2000")
        pushed(tracked, ring)
        found = Layer(tracked.site(), ring)
        old = found.site.repository.resolve("HEAD~1")
        made = plan(found, found.desired(old), old, found.site.live())
        assert push(made, lambda: old, lambda _: None).version == 2
        assert ring.running["bob"]["totem.token"] == "1000"
        assert len(drifted(tracked, ring).waiting) == 1

    def test_what_a_reload_should_have_changed_is_told(
        self, tracked: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An older Corosync takes less at run time than this one."""
        more = {*RESTART, "totem.token"}
        monkeypatch.setattr("tests.flow.ring.RESTART", more)
        change(tracked, "1000", "2000")
        done = pushed(tracked, ring)
        assert set(done.wrong) == {"alice", "bob"}
        said = render.pushed(done, "abc")
        assert "! does not run with what its file says: totem: token" in said

    def test_nothing_is_pushed_while_the_cluster_is_suspended(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "token: 1000", "token: 2000")
        held = Suspension(int(time.time()) + 3600, "alice", "ticket 4711")
        suspend(tracked.site(), held)
        with pytest.raises(CorosyncPolicyError, match="by alice: ticket 4711"):
            pushed(tracked, ring)
        assert pushed(tracked, ring, "suspended").loaded

    def test_no_online_node_is_lost_by_chance(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        text = conf_of(tracked).read_text()
        bob = "\tnode {\n\t\tname: bob\n\t\tnodeid: 2\n\t\tring0_addr: 192.0.2.2\n\t}\n"
        change(tracked, bob, "")
        change(tracked, "two_node: 1", "two_node: 0")
        with pytest.raises(CorosyncPolicyError, match="bob is online"):
            pushed(tracked, ring)
        assert pushed(tracked, ring, "online-node").loaded == ["alice"]
        conf_of(tracked).write_text(text)

    def test_a_dead_node_can_be_taken_out(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        del ring.running["bob"]
        change(tracked, "1000", "2000")
        with pytest.raises(CorosyncPolicyError, match="bob could not be asked"):
            pushed(tracked, ring)
        bob = "\tnode {\n\t\tname: bob\n\t\tnodeid: 2\n\t\tring0_addr: 192.0.2.2\n\t}\n"
        change(tracked, bob, "")
        change(tracked, "two_node: 1", "two_node: 0")
        assert pushed(tracked, ring).loaded == ["alice"]

    def test_names_and_own_place_are_kept(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "name: bob", "name: robert")
        with pytest.raises(CorosyncPolicyError, match="bob in the CIB, robert in"):
            pushed(tracked, ring)
        change(tracked, "name: robert", "name: bob")
        change(tracked, "nodeid: 1", "nodeid: 9")
        with pytest.raises(CorosyncPolicyError):
            pushed(tracked, ring)

    def test_a_file_with_errors_is_refused(
        self, tracked: Embedded, ring: FakeRing
    ) -> None:
        change(tracked, "token: 1000", "token: 1s")
        with pytest.raises(CorosyncPolicyError, match="must be a number"):
            pushed(tracked, ring)


class TestFailures:
    """Wherever it stops, all nodes have one file, or it is said which do not."""

    @pytest.fixture
    def waiting(self, tracked: Embedded) -> Embedded:
        change(tracked, "1000", "2000")
        return tracked

    def test_no_quorum(self, waiting: Embedded, ring: FakeRing) -> None:
        ring.before.append(failing("quorum", "", NoQuorumError("no")))
        with pytest.raises(NoQuorumError):
            pushed(waiting, ring)

    def test_a_node_takes_no_new_file(self, waiting: Embedded, ring: FakeRing) -> None:
        ring.before.append(failing("stage", "bob", UnreachableError("disk full")))
        with pytest.raises(UnreachableError, match="disk full; nothing was changed on"):
            pushed(waiting, ring)
        assert ring.staged == {}
        assert set(ring.files.values()) == {CONF.encode()}

    def test_it_is_interrupted_before_a_file_is_in_place(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        found = Layer(waiting.site(), ring)
        made = plan(found, found.desired(), None, found.site.live())

        def interrupted() -> str:
            assert set(ring.staged) == {"alice", "bob"}
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            push(made, interrupted, lambda _: None)
        assert ring.staged == {}
        assert set(ring.files.values()) == {CONF.encode()}

    def test_git_takes_no_commit(self, waiting: Embedded, ring: FakeRing) -> None:
        found = Layer(waiting.site(), ring)
        made = plan(found, found.desired(), None, found.site.live())

        def refused() -> str:
            raise UnsafeError("a hook says no")

        with pytest.raises(UnsafeError, match="a hook says no"):
            push(made, refused)
        assert ring.staged == {}
        assert set(ring.files.values()) == {CONF.encode()}

    def test_a_file_changes_in_the_last_moment(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        def before(step: str, node: str) -> None:
            if (step, node) == ("install", "bob"):
                ring.edit("bob", "1000", "1234")

        ring.before.append(before)
        with pytest.raises(StaleError, match="bob was changed by somebody else"):
            pushed(waiting, ring)
        assert ring.files["alice"] == CONF.encode()
        assert b"1234" in ring.files["bob"]
        assert ring.staged == {}

    def test_a_node_has_no_room_for_the_old_file(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        ring.before.append(failing("install", "bob", BusyError("bob: full", "Room")))
        with pytest.raises(BusyError, match="bob: full; nothing was loaded") as caught:
            pushed(waiting, ring)
        assert "every other node has its old file" in caught.value.message
        assert set(ring.files.values()) == {CONF.encode()}
        assert (ring.staged, ring.kept) == ({}, {})

    def test_a_file_that_cannot_be_put_back_is_named(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        ring.before.append(failing("install", "bob", BusyError("bob: full")))
        ring.before.append(failing("restore", "alice", UnreachableError("lost")))
        with pytest.raises(
            UnknownOutcomeError, match="but alice may have the new file"
        ):
            pushed(waiting, ring)

    def test_a_node_is_lost_when_it_gets_the_file(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        def before(step: str, node: str) -> None:
            if (step, node) == ("installed", "bob"):
                del ring.running["bob"]
                raise UnreachableError("connection lost")

        ring.before.append(before)
        with pytest.raises(UnknownOutcomeError, match="bob may have the new file"):
            pushed(waiting, ring)
        assert ring.files["alice"] == CONF.encode()

    def test_a_node_does_not_load_it(
        self, waiting: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cibgit.flow.corosync_push.LOAD_SECONDS", 0.0)

        def before(step: str, _: str) -> None:
            if step == "reload" and b"2000" in ring.files["bob"]:
                ring.files["bob"] = b"broken"

        ring.before.append(before)
        with pytest.raises(RevertedError, match="bob did not load the file"):
            pushed(waiting, ring)
        assert ring.versions == {"alice": 2, "bob": 2}
        assert {n: r["totem.token"] for n, r in ring.running.items()} == {
            "alice": "1000",
            "bob": "1000",
        }
        assert parse(ring.files["bob"], "bob").nodes

    @pytest.mark.parametrize("step", ["reload", "reloaded"])
    def test_a_file_changes_between_its_replacement_and_the_proof(
        self, waiting: Embedded, ring: FakeRing, step: str
    ) -> None:
        """Its version stays, so the members say that they have loaded it."""
        ring.before.append(editing(ring, step, "bob", "2000", "1234"))
        with pytest.raises(DigestError, match=r"on bob \(totem: token 2000 -> 1234\)$"):
            pushed(waiting, ring)
        found = drifted(waiting, ring)
        assert [each.nodes for each in found.moved] == [("bob",)]

    def test_a_file_is_broken_or_gone_after_the_reload(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        def before(step: str, _: str) -> None:
            if step == "reloaded":
                ring.files["alice"], ring.files["bob"] = b"totem {", b""

        ring.before.append(before)
        with pytest.raises(DigestError, match=r"alice .*not closed.* bob .*is empty"):
            pushed(waiting, ring)

    @pytest.mark.parametrize("lost", ["bob", "alice"])
    def test_a_node_that_cannot_be_read_back_is_named(
        self, waiting: Embedded, ring: FakeRing, lost: str
    ) -> None:
        """It was proven to have loaded the version; what is in that, nobody can say."""
        ring.before.append(failing("read back", lost, UnreachableError("no route")))
        with pytest.raises(UnknownOutcomeError, match="no route") as caught:
            pushed(waiting, ring)
        assert lost == "alice" or "what bob (no route) runs" in caught.value.message

    def test_a_corosync_that_ends_after_the_reload_is_named(
        self, waiting: Embedded, ring: FakeRing
    ) -> None:
        def before(step: str, node: str) -> None:
            if (step, node) == ("read back", "bob"):
                ring.down.add("bob")

        ring.before.append(before)
        with pytest.raises(
            UnknownOutcomeError, match=r"bob \(Corosync does not answer"
        ):
            pushed(waiting, ring)

    def test_nobody_answers_any_more(self, waiting: Embedded, ring: FakeRing) -> None:
        ring.before.append(failing("reload", "", TimedOutError("no answer")))
        with pytest.raises(
            UnknownOutcomeError, match="no answer; every node has the new"
        ):
            pushed(waiting, ring)
        assert all(b"2000" in data for data in ring.files.values())

    def test_nor_the_old_one(
        self, waiting: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cibgit.flow.corosync_push.LOAD_SECONDS", 0.0)

        def before(step: str, _: str) -> None:
            if step == "reload":
                ring.files["bob"] = b"broken"

        ring.before.append(before)
        with pytest.raises(UnknownOutcomeError, match="bob did not load the old one"):
            pushed(waiting, ring)
        assert ring.running["alice"]["totem.token"] == "1000"

    def test_nor_is_the_old_one_proven_by_its_version_alone(
        self, waiting: Embedded, ring: FakeRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cibgit.flow.corosync_push.LOAD_SECONDS", 0.0)

        def before(step: str, _: str) -> None:
            if step == "reload" and b"2000" in ring.files["bob"]:
                ring.files["bob"] = b"broken"
            elif step == "reload":
                ring.edit("bob", "1000", "1234")

        ring.before.append(before)
        with pytest.raises(UnknownOutcomeError, match="bob: not the file that was put"):
            pushed(waiting, ring)


class TestCheck:
    def test_the_file_of_every_cluster_is_checked(self, tracked: Embedded) -> None:
        from cibgit import config

        settings = config.load(tracked.root / "cibgit.toml")
        names = [source.name for source in in_work_tree(settings)]
        assert names == ["clusters/prod/cib.xml", "clusters/prod/corosync.conf"]
        repository = tracked.site().repository
        assert [each.name for each in in_commit(repository, "HEAD", settings)] == names

    def test_it_is_fixed_and_findings_can_be_accepted(self, tmp_path: Path) -> None:
        from datetime import date

        from cibgit.cluster.tools import Tools
        from cibgit.config import CheckConfig
        from cibgit.policy.suppress import Ignore

        file = tmp_path / "corosync.conf"
        file.write_text(CONF.replace("token:", "tokne:"))
        source = Source("corosync.conf", file.read_bytes(), file)
        accepted = CheckConfig((Ignore("corosync", "not ours", "tokne"),))
        today = date(2026, 7, 1)
        report = check([source], accepted, Tools({}), today, fix=True)
        assert (report.fixed, report.findings) == (["corosync.conf"], [])
        assert report.suppressed == 1
        left = check([source], CheckConfig(), Tools({}), today).findings
        assert [each.finding.severity for each in left] == [Severity.WARNING] * 2
