"""Secrets on their way between a live side, git and the vault; real git, real age."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cibgit.age import Age
from cibgit.cib.secrets import Rules
from cibgit.compare.diff import compare
from cibgit.config import Provider, SecretsConfig
from cibgit.errors import (
    BadConfigError,
    BadDataError,
    BusyError,
    CibgitError,
    NoInputError,
    PermissionDeniedError,
    UnsafeError,
    UsageError,
)
from cibgit.flow import secret
from cibgit.flow.export import export
from cibgit.flow.plan import DriftError, plan
from cibgit.flow.push import push
from cibgit.flow.rollback import commit_desired
from cibgit.flow.site import Site
from cibgit.flow.status import status

from .embedded import CIB, Embedded

PASSWORD = "tr0ub4dor&<3>\"'é"
FENCE = """\
<primitive id="fence" class="stonith" type="fence_ipmilan">
<instance_attributes id="fence-params">
<nvpair id="fence-ip" name="ip" value="192.0.2.1"/>
<nvpair id="fence-passwd" name="passwd" value="tr0ub4dor&amp;&lt;3&gt;&quot;'é"/>
</instance_attributes></primitive>
<primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem">
<instance_attributes id="fs-params">
<nvpair id="fs-options" name="options" value="username=u,password=quiet, please"/>
<nvpair id="fs-secret" name="secret" value="lrm://"/>
</instance_attributes></primitive>
</resources>"""
SECRETS = CIB.replace("</resources>", FENCE)


@pytest.fixture
def fenced(tmp_path: Path) -> Embedded:
    return Embedded.create(tmp_path, SECRETS)


def objects(embedded: Embedded) -> bytes:
    """Return everything that git stores, reachable or not."""
    return subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects"],
        cwd=embedded.root,
        check=True,
        capture_output=True,
    ).stdout


def stolen(embedded: Embedded) -> Iterator[str]:
    for value in (PASSWORD, "tr0ub4dor", "quiet, please"):
        if value.encode() in objects(embedded):
            yield value
        for path in embedded.root.rglob("*"):
            if path.is_file() and value.encode() in path.read_bytes():
                yield f"{value} in {path}"


def without_key(embedded: Embedded) -> Site:
    embedded.identity.unlink()
    embedded.identity.mkdir()  # nothing can be made there either
    return embedded.site()


def change_password(embedded: Embedded, value: str) -> None:
    embedded.change_live("fence-passwd@value", value)


class TestExport:
    def test_no_object_of_git_has_a_secret(self, fenced: Embedded) -> None:
        export(fenced.site())
        assert list(stolen(fenced)) == []
        text = fenced.file.read_text()
        assert 'name="passwd" value="secret:v1:' in text
        assert 'name="options" value="secret:v1:' in text
        assert 'name="secret" value="lrm://"' in text
        assert 'value="192.0.2.1"' in text

    def test_the_state_beside_the_branch_has_its_vault(self, fenced: Embedded) -> None:
        export(fenced.site())
        fenced.edit('score="100"', 'score="200"')
        fenced.commit()
        change_password(fenced, "another one")
        recorded = export(fenced.site())
        assert recorded.outcome == "recorded"
        assert b"another one" not in objects(fenced)
        fenced.git("merge", "--no-edit", recorded.ref)
        site = fenced.site()
        assert secret.value_of(site, "fence/passwd") == "another one"

    def test_the_vault_changes_only_with_its_content(self, fenced: Embedded) -> None:
        site = fenced.site()
        export(site)
        vault = site.keeper.store.file.read_bytes()
        assert export(fenced.site()).outcome == "unchanged"
        fenced.change_live("vip-monitor@interval", "10s")
        assert export(fenced.site()).outcome == "committed"
        assert site.keeper.store.file.read_bytes() == vault
        change_password(fenced, "new")
        export(fenced.site())
        assert site.keeper.store.file.read_bytes() != vault

    def test_no_writer_can_forget_to_hide(self, fenced: Embedded) -> None:
        site = fenced.site()
        site.commit(site.read(), "a real CIB")
        assert list(stolen(fenced)) == []
        assert status(fenced.site()).in_sync

    def test_a_cluster_without_secrets_has_no_vault(self, embedded: Embedded) -> None:
        site = embedded.site()
        export(site)
        assert not site.keeper.store.file.exists()
        assert not site.keeper.store.recipients_file.exists()
        assert not embedded.identity.exists()

    def test_what_stood_in_clear_is_sealed_and_told(self, fenced: Embedded) -> None:
        fenced.file.parent.mkdir(parents=True)
        fenced.file.write_text(SECRETS)
        fenced.commit("as it was done before")
        result = export(fenced.site())
        assert result.outcome == "committed"
        assert [str(slot) for slot in result.sealed] == ["fence/passwd", "fs/options"]
        assert result.changes == []
        assert "tr0ub4dor" not in fenced.file.read_text()
        assert export(fenced.site()).outcome == "unchanged"

    def test_a_lost_vault_is_made_anew(self, fenced: Embedded) -> None:
        export(fenced.site())
        fenced.git("rm", "-q", "clusters/prod/secrets.age")
        fenced.git("commit", "-q", "--amend", "-m", "Lost\n\nCIB-Version: 0.5.0")
        for ref in ("applied", "live"):
            fenced.git("update-ref", "-d", f"refs/cibgit/prod/{ref}")
        assert export(fenced.site()).outcome == "committed"
        assert secret.value_of(fenced.site(), "fence/passwd") == PASSWORD


class TestDrift:
    def test_a_changed_password_is_named_and_not_shown(self, fenced: Embedded) -> None:
        export(fenced.site())
        assert status(fenced.site()).in_sync
        change_password(fenced, "changed at night")
        found = status(fenced.site())
        [change] = found.drift
        assert "fence" in change.address
        assert "changed at night" not in repr(found.drift)
        [value] = change.attributes
        assert str(value.old).startswith("secret:v1:")
        assert str(value.new).startswith("secret:v1:")
        assert value.old != value.new

    def test_adopt_takes_it_and_revert_restores_it(self, fenced: Embedded) -> None:
        first = export(fenced.site()).commit
        change_password(fenced, "changed at night")
        with pytest.raises(DriftError) as refused:
            plan(fenced.site(), fenced.site().desired(), first)
        assert "changed at night" not in repr(refused.value.changes)
        export(fenced.site())
        assert secret.value_of(fenced.site(), "fence/passwd") == "changed at night"
        site = fenced.site()
        desired = site.desired(first)
        planned = plan(site, desired, None)
        commit = commit_desired(site, desired, "back", {})
        push(plan(site, site.desired(commit), commit))
        assert planned.changes
        assert "tr0ub4dor&amp;&lt;3&gt;&quot;'é" in fenced.live_text()
        assert status(fenced.site()).in_sync

    def test_a_file_of_git_loaded_past_cibgit_is_drift(self, fenced: Embedded) -> None:
        export(fenced.site())
        [placeholder] = [
            line.split('value="')[1].split('"')[0]
            for line in fenced.file.read_text().splitlines()
            if 'id="fence-passwd"' in line
        ]
        change_password(fenced, placeholder)
        assert len(status(fenced.site()).drift) == 1
        export(fenced.site())
        assert secret.value_of(fenced.site(), "fence/passwd") == placeholder

    def test_equal_passwords_do_not_look_equal(self, tmp_path: Path) -> None:
        twin = FENCE.replace("fence", "other").replace('id="fs', 'id="fs2')
        cib = SECRETS.replace("</resources>", twin)
        embedded = Embedded.create(tmp_path, cib)
        export(embedded.site())
        lines = [x for x in embedded.file.read_text().splitlines() if "passwd" in x]
        assert len({line.split("value=")[1] for line in lines}) == len(lines) == 2

    def test_another_vault_gives_other_fingerprints(self, tmp_path: Path) -> None:
        texts = set()
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            embedded = Embedded.create(tmp_path / name, SECRETS)
            export(embedded.site())
            texts.add(embedded.file.read_text())
        assert len(texts) == 2


class TestPush:
    def test_restores_the_password_exactly(self, fenced: Embedded) -> None:
        exported = export(fenced.site())
        change_password(fenced, "wrong")
        export(fenced.site())
        site = fenced.site()
        desired = site.desired(exported.commit)
        head = commit_desired(site, desired, "back", {})
        result = push(plan(site, desired, head))
        assert result.changes
        assert "tr0ub4dor&amp;&lt;3&gt;&quot;'é" in fenced.live_text()
        assert list(stolen(fenced)) == []

    def test_a_password_typed_into_the_file_is_sealed(self, fenced: Embedded) -> None:
        export(fenced.site())
        text = fenced.file.read_text()
        line = next(x for x in text.splitlines() if 'id="fence-passwd"' in x)
        typed = line.split("value=")[0] + 'value="typed by hand"/>'
        fenced.file.write_text(text.replace(line, typed))
        site = fenced.site()
        desired = site.edited()
        planned = plan(site, desired, None)
        assert "typed by hand" not in repr(planned.changes)
        head = commit_desired(site, desired, "new password", {})
        push(plan(site, site.desired(head), head))
        assert "typed by hand" in fenced.live_text()
        assert "typed by hand" not in fenced.file.read_text()
        assert b"typed by hand" not in objects(fenced)
        assert status(fenced.site()).in_sync

    def test_a_moved_resource_keeps_its_secret(self, fenced: Embedded) -> None:
        export(fenced.site())
        text = fenced.file.read_text()
        start, end = (
            text.index('      <primitive id="fs"'),
            text.index("    </resources>"),
        )
        group = f'<group id="g">{text[start:end]}</group>'
        fenced.file.write_text(text[:start] + group + text[end:])
        head = fenced.commit()
        site = fenced.site()
        push(plan(site, site.desired(), head))
        assert "quiet, please" in fenced.live_text()
        assert status(fenced.site()).in_sync


class TestWithoutTheKey:
    def test_everything_can_be_read(self, fenced: Embedded) -> None:
        export(fenced.site())
        fenced.change_live("vip-monitor@interval", "10s")
        site = without_key(fenced)
        found = status(site)
        assert len(found.drift) == 1
        assert {str(slot) for slot in found.uncertain} == {"fence/passwd", "fs/options"}
        assert "there is no key" in next(iter(found.uncertain.values()))
        planned = plan(site, site.live(), site.repository.head())
        assert planned.changes == []

    def test_nothing_is_written(self, fenced: Embedded) -> None:
        head = export(fenced.site()).commit
        live = fenced.live_text()
        fenced.edit('score="100"', 'score="200"')
        site = without_key(fenced)
        planned = plan(site, site.edited(), head)
        assert len(planned.changes) == 1
        for attempt in (
            lambda: push(planned),
            lambda: export(fenced.site()),
            lambda: secret.value_of(fenced.site(), "fence/passwd"),
            lambda: commit_desired(site, site.edited(), "x", {}),
        ):
            with pytest.raises(PermissionDeniedError):
                attempt()
        assert fenced.live_text() == live
        assert fenced.git("rev-parse", "HEAD").strip() == head

    def test_an_equal_push_does_not_claim_to_know(self, fenced: Embedded) -> None:
        head = export(fenced.site()).commit
        change_password(fenced, "changed at night")
        site = without_key(fenced)
        with pytest.raises(PermissionDeniedError):
            push(plan(site, site.desired(), head))

    def test_another_key_opens_nothing(self, fenced: Embedded) -> None:
        export(fenced.site())
        fenced.identity.unlink()
        Age([], fenced.identity, chosen=False).recipients()
        with pytest.raises(PermissionDeniedError, match="none of your keys fits"):
            secret.value_of(fenced.site(), "fence/passwd")


class TestDisagreement:
    @pytest.mark.parametrize("damage", ["cut", "flipped", "not age", "empty"])
    def test_a_damaged_vault_is_65(self, fenced: Embedded, damage: str) -> None:
        site = fenced.site()
        head = export(site).commit
        vault = site.keeper.store.file
        data = vault.read_bytes()
        flipped = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
        broken = {"cut": data[:-20], "flipped": flipped, "not age": b"x", "empty": b""}
        vault.write_bytes(broken[damage])
        live = fenced.live_text()
        fenced.git("commit", "-qam", "damage")
        site = fenced.site()
        assert status(site).uncertain
        with pytest.raises(BadDataError, match="damaged"):
            push(plan(site, site.desired(), head))
        with pytest.raises(CibgitError, match="damaged"):
            export(fenced.site())
        assert fenced.live_text() == live

    def test_a_vault_of_another_time_is_65(self, fenced: Embedded) -> None:
        site = fenced.site()
        export(site)
        old = site.keeper.store.file.read_bytes()
        change_password(fenced, "newer")
        export(fenced.site())
        site.keeper.store.file.write_bytes(old)
        fenced.git("commit", "-qam", "the wrong vault")
        fenced.edit('score="100"', 'score="200"')
        head = fenced.commit()
        site = fenced.site()
        with pytest.raises(BadDataError, match="does not have the value"):
            site.keeper.revealed(site.desired(head))

    def test_a_placeholder_opens_only_at_its_place(self, fenced: Embedded) -> None:
        export(fenced.site())
        text = fenced.file.read_text()
        line = next(x for x in text.splitlines() if 'id="fence-passwd"' in x)
        placeholder = line.split('value="')[1].split('"')[0]
        fenced.edit("192.0.2.1", placeholder)  # the agent would log its address
        fenced.commit()
        site = fenced.site()
        with pytest.raises(BadDataError, match="belongs to fence/passwd"):
            site.keeper.revealed(site.desired())

    @pytest.mark.parametrize("value", ["secret:v1:short", "secret:v2:x", "secret:"])
    def test_an_unknown_placeholder_is_never_a_password(
        self, fenced: Embedded, value: str
    ) -> None:
        export(fenced.site())
        fenced.edit("192.0.2.1", value)
        fenced.commit()
        site = fenced.site()
        with pytest.raises(BadDataError, match="no placeholder"):
            site.keeper.revealed(site.desired())


class TestRules:
    def test_patterns_of_the_user(self, fenced: Embedded) -> None:
        fenced.secrets = SecretsConfig(Rules(hide=("fence/ip", "sco*")))
        export(fenced.site())
        text = fenced.file.read_text()
        assert "192.0.2.1" not in text
        assert 'score="100"' in text  # what no parameter is cannot be matched by name

    def test_what_is_allowed_stays(self, fenced: Embedded) -> None:
        fenced.secrets = SecretsConfig(Rules(allow={"fs/options": "of a test"}))
        export(fenced.site())
        assert "quiet, please" in fenced.file.read_text()
        assert "tr0ub4dor" not in fenced.file.read_text()

    def test_what_was_secret_stays_secret(self, fenced: Embedded) -> None:
        """A pattern that is taken away again must not publish what it hid."""
        fenced.secrets = SecretsConfig(Rules(hide=("ip",)))
        export(fenced.site())
        fenced.secrets = SecretsConfig()
        fenced.change_live("fence-ip@value", "192.0.2.99")
        export(fenced.site())
        assert "192.0.2.99" not in fenced.file.read_text()


class TestProviders:
    @pytest.fixture
    def passing(self, fenced: Embedded) -> Embedded:
        store = fenced.root.parent / "store"
        store.mkdir()
        (store / "fence").write_text(PASSWORD + "\n")
        fenced.secrets = SecretsConfig(
            providers={
                "pass": Provider(command=("cat", f"{store}/{{}}")),
                "env": Provider(environment="SECRET_{}"),
            }
        )
        fenced.environment = {"PATH": "/usr/bin:/bin", "SECRET_FENCE": PASSWORD}
        export(fenced.site())
        return fenced

    def use(self, embedded: Embedded, reference: str) -> str:
        text = embedded.file.read_text()
        line = next(x for x in text.splitlines() if 'id="fence-passwd"' in x)
        new = line.split("value=")[0] + f'value="{reference}"/>'
        embedded.file.write_text(text.replace(line, new))
        return embedded.commit(f"use {reference}")

    @pytest.mark.parametrize("reference", ["secret:pass:fence", "secret:env:FENCE"])
    def test_gives_the_value(self, passing: Embedded, reference: str) -> None:
        head = self.use(passing, reference)
        assert status(passing.site()).in_sync
        push(plan(passing.site(), passing.site().desired(), head))
        change_password(passing, "drifted")
        assert len(status(passing.site()).drift) == 1
        export(passing.site())
        passing.git("revert", "--no-edit", "HEAD")
        site = passing.site()
        head = site.repository.head() or ""
        push(plan(site, site.desired(), head))
        assert "tr0ub4dor" in passing.live_text()
        assert status(passing.site()).in_sync
        assert export(passing.site()).outcome == "unchanged"

    def test_that_fails_stops_a_push(self, passing: Embedded) -> None:
        self.use(passing, "secret:pass:nothing")
        site = passing.site()
        assert status(site).uncertain
        with pytest.raises(PermissionDeniedError, match="cat ended with exit 1"):
            site.keeper.revealed(site.desired())
        with pytest.raises(PermissionDeniedError, match="cannot tell"):
            export(passing.site())
        self.use(passing, "secret:unknown:x")
        site = passing.site()
        with pytest.raises(BadConfigError, match="no such provider"):
            site.keeper.revealed(site.desired())


class TestSecret:
    def test_set_show_list(self, fenced: Embedded) -> None:
        export(fenced.site())
        done = secret.set_value(fenced.site(), "fence/passwd", "set by command")
        assert done.about == ["fence/passwd"]
        assert fenced.git("status", "--porcelain") == ""
        site = fenced.site()
        assert secret.value_of(site, "fence-passwd") == "set by command"
        listed = {str(x.slot): x.where for x in secret.secrets(site)}
        assert listed == {
            "fence/passwd": "vault",
            "fs/options": "vault",
            "fs/secret": "lrm",
        }
        push(plan(site, site.desired(), site.repository.head()))
        assert "set by command" in fenced.live_text()

    @pytest.mark.parametrize("value", ["", "a\nb", "a\r", "a\tb", "\x1b[0m", "lrm://"])
    def test_what_pacemaker_cannot_keep_is_refused(
        self, fenced: Embedded, value: str
    ) -> None:
        head = export(fenced.site()).commit
        with pytest.raises(BadDataError) as refused:
            secret.set_value(fenced.site(), "fence/passwd", value)
        assert not value or value == "lrm://" or value not in str(refused.value)
        assert fenced.site().repository.head() == head

    def test_names_that_are_none(self, fenced: Embedded) -> None:
        export(fenced.site())
        with pytest.raises(NoInputError, match="there is no"):
            secret.set_value(fenced.site(), "fence/nonsense", "x")
        with pytest.raises(NoInputError, match="holds no secret"):
            secret.value_of(fenced.site(), "fence/ip")
        with pytest.raises(NoInputError, match="each node itself"):
            secret.value_of(fenced.site(), "fs/secret")
        fenced.edit('score="100"', 'score="200"')
        with pytest.raises(UnsafeError, match="not committed"):
            secret.set_value(fenced.site(), "fence/passwd", "x")

    def test_a_name_that_is_several(self, fenced: Embedded) -> None:
        export(fenced.site())
        more = '<instance_attributes id="n"><nvpair id="n-p" name="passwd" value="x"/>'
        fenced.edit(
            '<instance_attributes id="fence-params">',
            f'{more}</instance_attributes><instance_attributes id="fence-params">',
        )
        site = fenced.site()
        site.commit(site.edited(), "two sets")
        with pytest.raises(UsageError, match="n-p, fence-passwd"):
            secret.set_value(fenced.site(), "fence/passwd", "y")
        secret.set_value(fenced.site(), "n-p", "y")

    def test_rotate_keeps_values_and_changes_all_else(self, fenced: Embedded) -> None:
        export(fenced.site())
        before = fenced.file.read_text()
        done = secret.rotate(fenced.site())
        assert done.about == ["fence/passwd", "fs/options"]
        assert fenced.file.read_text() != before
        site = fenced.site()
        assert secret.value_of(site, "fence/passwd") == PASSWORD
        assert status(site).in_sync
        assert compare(site.desired("HEAD~1"), site.desired("HEAD")) == []
        change_password(fenced, "after the rotation")
        assert len(status(fenced.site()).drift) == 1

    @pytest.mark.age
    def test_recipients_open_and_are_shut_out(
        self, fenced: Embedded, tmp_path: Path
    ) -> None:
        export(fenced.site())
        other = tmp_path / "other"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True
        )
        done = secret.change_recipients(fenced.site(), [f"{other}.pub"], [])
        assert len(done.about) == 2
        clear = subprocess.run(
            [
                "age",
                "--decrypt",
                "-i",
                other,
                fenced.root / "clusters/prod/secrets.age",
            ],
            check=True,
            capture_output=True,
        ).stdout
        assert b"tr0ub4dor" in clear
        secret.change_recipients(fenced.site(), [], [f"{other}.pub"])
        refused = subprocess.run(
            [
                "age",
                "--decrypt",
                "-i",
                other,
                fenced.root / "clusters/prod/secrets.age",
            ],
            check=False,
            capture_output=True,
        )
        assert refused.returncode
        [mine] = secret.recipients(fenced.site())
        with pytest.raises(UnsafeError):
            secret.change_recipients(fenced.site(), [f"{other}.pub"], [mine])
        with pytest.raises(UnsafeError):
            secret.change_recipients(fenced.site(), [], [mine])
        with pytest.raises(BadConfigError, match="private key"):
            secret.change_recipients(fenced.site(), [str(fenced.identity)], [])

    @pytest.mark.age
    def test_the_list_of_recipients_is_that_of_age(self, fenced: Embedded) -> None:
        """What the age tool encrypts to our list is a vault that we read."""
        export(fenced.site())
        folder = fenced.root / "clusters/prod"
        clear = subprocess.run(
            ["age", "--decrypt", "-i", fenced.identity, folder / "secrets.age"],
            check=True,
            capture_output=True,
        ).stdout
        new = clear.replace(b"quiet, please", b"louder, please")
        for armor in ([], ["--armor"]):
            subprocess.run(
                ["age", "-R", folder / "recipients", *armor, "-o", folder / "new"],
                input=clear,
                check=True,
            )
            (folder / "new").replace(folder / "secrets.age")
            fenced.git("commit", "-qam", "by age")
            assert secret.value_of(fenced.site(), "fence/passwd") == PASSWORD
        assert new != clear

    def test_two_branches_merge_secret_by_secret(
        self, fenced: Embedded, tmp_path: Path
    ) -> None:
        site = fenced.site()
        export(site)
        base = tmp_path / "base.age"
        base.write_bytes(site.keeper.store.file.read_bytes())
        fenced.git("switch", "-q", "-c", "other")
        secret.set_value(fenced.site(), "fs/options", "password=theirs")
        theirs = tmp_path / "theirs.age"
        theirs.write_bytes(site.keeper.store.file.read_bytes())
        fenced.git("switch", "-q", "-")
        secret.set_value(fenced.site(), "fence/passwd", "ours")
        driver = f"merge.vault.driver=merge() {{ cp '{theirs}' x; }}; false"
        fenced.git("-c", driver, "merge", "-q", "other", "--no-commit", check=False)
        secret.merge_files(site.keeper.store.lock, base, site.keeper.store.file, theirs)
        fenced.git("commit", "-qam", "merged")
        site = fenced.site()
        assert secret.value_of(site, "fence/passwd") == "ours"
        assert secret.value_of(site, "fs/options") == "password=theirs"
        assert all(not each.problem for each in secret.secrets(site))
        secret.set_value(fenced.site(), "fs/options", "password=again")
        with pytest.raises(BusyError, match="fs/options was changed on both sides"):
            secret.merge_files(
                site.keeper.store.lock, base, site.keeper.store.file, theirs
            )
