"""Findings count, and come in the order of their severity."""

from cibgit.policy.finding import Finding, Severity, count, worst_first

NOTE = Finding(Severity.NOTE, "n", "e", "s")
WARNING = Finding(Severity.WARNING, "w", "e", "s", "h")
ERROR = Finding(Severity.ERROR, "e", "e", "s")


def test_notes_do_not_count() -> None:
    assert count([NOTE, WARNING, ERROR, NOTE]) == 2
    assert count([NOTE]) == count([]) == 0


def test_the_worst_comes_first_and_order_is_kept_within() -> None:
    other = Finding(Severity.ERROR, "f", "e", "s")
    found = worst_first([NOTE, WARNING, ERROR, other])
    assert found == [ERROR, other, WARNING, NOTE]


def test_as_json_has_it() -> None:
    assert WARNING.to_dict() == {
        "severity": "warning",
        "rule": "w",
        "element": "e",
        "sentence": "s",
        "hint": "h",
    }
