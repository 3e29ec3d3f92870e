from pathlib import Path

import pytest

from cibgit.cib import digest
from cibgit.cib.canonical import canonical
from cibgit.errors import UnsafeError
from cibgit.flow.export import export
from cibgit.flow.plan import plan
from cibgit.flow.push import push

from .embedded import Embedded


def test_first_export_commits_the_canonical_form(embedded: Embedded) -> None:
    site = embedded.site()
    result = export(site)
    assert result.outcome == "committed"
    text = embedded.file.read_text()
    assert text.startswith(
        '<cib admin_epoch="0" epoch="0" num_updates="0" validate-with='
    )
    assert "dc-version" not in text
    assert "update-user" not in text
    assert text.endswith("</cib>\n")
    assert site.repository.read(result.commit, site.path) == embedded.file.read_bytes()


def test_author_and_trailers_say_who_changed_the_cib(embedded: Embedded) -> None:
    site = embedded.site()
    result = export(site)
    live = site.live()
    assert site.repository.trailers(result.commit) == {
        "CIB-Version": "0.5.0",
        "CIB-Digest": digest.on_disk(canonical(live).root, site.cluster.dialect()),
        "CIB-Changed-By": str(live.last_change),
        "CIB-Changed-At": live.last_change.at,
    }
    [entry] = site.repository.log(site.path, 1)
    assert entry.author == "root"


def test_second_export_makes_no_commit(embedded: Embedded) -> None:
    site = embedded.site()
    first = export(site)
    second = export(site)
    assert second.outcome == "unchanged"
    assert second.commit == first.commit == site.repository.head()


def test_a_change_that_waits_in_git_is_not_overwritten(embedded: Embedded) -> None:
    site = embedded.site()
    exported = export(site)
    embedded.edit('score="100"', 'score="200"')
    waiting = embedded.commit()
    embedded.change_live("vip-monitor@interval", "10s")
    result = export(site)
    assert result.outcome == "recorded"
    assert "not pushed" in result.obstacle
    assert site.repository.head() == waiting
    assert site.repository.get_ref("refs/cibgit/prod/live") == result.commit
    assert site.repository.is_ancestor(exported.commit, result.commit)
    assert export(site).commit == result.commit


def test_after_merging_what_was_recorded_a_push_brings_both(embedded: Embedded) -> None:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    embedded.commit()
    embedded.change_live("vip-monitor@interval", "10s")
    export(site)
    embedded.git("merge", "--no-edit", "refs/cibgit/prod/live")
    head = site.repository.head()
    assert head
    push(plan(site, site.desired(), head))
    assert 'score="200"' in embedded.live_text()
    assert 'interval="10s"' in embedded.live_text()


def test_uncommitted_edits_survive(embedded: Embedded) -> None:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    embedded.change_live("vip-monitor@interval", "10s")
    result = export(site)
    assert result.outcome == "recorded"
    assert 'score="200"' in embedded.file.read_text()


def test_an_untracked_file_is_not_overwritten(embedded: Embedded) -> None:
    embedded.file.parent.mkdir(parents=True, exist_ok=True)
    embedded.file.write_text("<cib/>")
    with pytest.raises(UnsafeError, match="not committed"):
        export(embedded.site())
    assert embedded.file.read_text() == "<cib/>"


def test_live_behind_git_makes_no_commit(embedded: Embedded) -> None:
    site = embedded.site()
    export(site)
    embedded.edit('score="100"', 'score="200"')
    head = embedded.commit()
    result = export(site)
    assert (result.outcome, result.unpushed) == ("unchanged", True)
    assert site.repository.head() == head


def test_export_into_a_detached_head(embedded: Embedded) -> None:
    site = embedded.site()
    first = export(site)
    embedded.git("checkout", "--quiet", "--detach")
    embedded.change_live("vip-monitor@interval", "10s")
    result = export(site)
    assert result.outcome == "committed"
    assert site.repository.branch() is None
    assert site.repository.is_ancestor(first.commit, result.commit)


def test_the_demo_folder_may_have_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a b 'c' é"
    folder.mkdir()
    assert export(Embedded.create(folder).site()).outcome == "committed"
