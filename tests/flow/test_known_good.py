import pytest

from cibgit.errors import NoInputError, UnsafeError, UsageError
from cibgit.flow.export import content_digest, export
from cibgit.flow.known_good import known_good, remove_known_good, set_known_good
from cibgit.flow.plan import plan
from cibgit.flow.push import push
from cibgit.flow.rollback import lost, restored

from .embedded import Embedded


def pushed(embedded: Embedded, old: int, new: int) -> str:
    site = embedded.site()
    embedded.edit(f'score="{old}"', f'score="{new}"')
    commit = embedded.commit(f"score {new}")
    push(plan(site, site.desired(commit), commit))
    return commit


def test_the_last_known_good_is_not_what_runs(embedded: Embedded) -> None:
    export(embedded.site())
    good = pushed(embedded, 100, 200)
    set_known_good(embedded.site(), good, "first")
    with pytest.raises(NoInputError, match="other than what runs now"):
        restored(embedded.site(), None)
    better = pushed(embedded, 200, 300)
    set_known_good(embedded.site(), better, "second")
    assert restored(embedded.site(), None) == good
    pushed(embedded, 300, 400)
    assert restored(embedded.site(), None) == better
    assert [each.subject for each in lost(embedded.site(), good)] == [
        "score 400",
        "score 300",
    ]


def test_a_tag_says_what_and_how(embedded: Embedded) -> None:
    export(embedded.site())
    site = embedded.site()
    live = site.live()
    set_known_good(site, "HEAD", "Measured", live.version)
    second = set_known_good(site, "HEAD", "Measured again")
    found = known_good(site)
    assert [each.reason for each in found] == ["Measured again", "Measured"]
    assert {each.commit for each in found} == {site.repository.head()}
    text = embedded.git("tag", "-l", "--format=%(contents)", found[1].tag)
    digest = content_digest(live, site.cluster.dialect())
    assert text.strip() == f"Measured\n\nCIB-Digest: {digest}\nCIB-Version: 0.5.0"
    assert remove_known_good(site, second.tag.rpartition("/")[2]) == second.tag
    assert [each.tag for each in known_good(site)] == [found[1].tag]


def test_tags_of_others_do_not_count(embedded: Embedded) -> None:
    export(embedded.site())
    embedded.git("tag", "known-good/prod/light")
    embedded.git("tag", "-a", "-m", "x", "known-good/production/20260101T000000Z")
    assert known_good(embedded.site()) == []
    with pytest.raises(NoInputError, match="no known-good state yet"):
        restored(embedded.site(), None)


@pytest.mark.parametrize("name", ["--all", "../../heads/main", "a b", "*"])
def test_names_that_are_no_tags(embedded: Embedded, name: str) -> None:
    export(embedded.site())
    head = embedded.git("rev-parse", "HEAD")
    with pytest.raises((UsageError, NoInputError)):
        remove_known_good(embedded.site(), name)
    assert embedded.git("rev-parse", "HEAD") == head


def test_only_what_could_be_pushed_is_known_good(embedded: Embedded) -> None:
    with pytest.raises(NoInputError, match="is not in commit"):
        set_known_good(embedded.site(), "HEAD", "x")


def test_edits_are_not_rolled_over(embedded: Embedded) -> None:
    export(embedded.site())
    embedded.edit('score="100"', 'score="200"')
    with pytest.raises(UnsafeError, match="not committed"):
        restored(embedded.site(), "HEAD")
