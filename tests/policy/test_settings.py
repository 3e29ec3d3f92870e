"""``[policy]`` of ``cibgit.toml``: what it takes, what it refuses."""

from pathlib import Path

import pytest

from cibgit import config
from cibgit.errors import BadConfigError
from cibgit.policy import rules
from cibgit.policy.settings import Limit

CLUSTER = "[clusters.prod]\n"


def policy(folder: Path, text: str) -> config.Policy:
    file = folder / "cibgit.toml"
    file.write_text(text)
    return config.load(file).cluster("prod").policy


def test_a_cluster_has_the_last_word(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        f'{CLUSTER}[policy]\nmax-deleted = 2\nkeep = ["a"]\n'
        '[clusters.prod.policy]\nmax-deleted = "10%"\nagents = false\n',
    )
    assert found.max_deleted == Limit(10, is_percent=True)
    assert found.keep == ("a",)
    assert found.agents is False
    assert found.all_nodes is True
    assert policy(tmp_path, CLUSTER) == config.DEFAULT_POLICY


def test_every_rule_has_its_option_but_what_the_cluster_says() -> None:
    options = {name.replace("_", "-") for name in vars(config.DEFAULT_POLICY)}
    named = {rule.name for rule in rules.RULES} - {"quorum", "suspended"}
    assert options - {"timezone"} == named


def test_the_template_names_every_option_with_its_default(tmp_path: Path) -> None:
    template = Path(__file__).parents[2] / "repo-template/cibgit.toml"
    lines = template.read_text().partition("# [policy]\n")[2]
    lines = lines.partition("\n#\n")[0].splitlines()
    text = "".join(line.removeprefix("# ") + "\n" for line in lines)
    assert policy(tmp_path, f"{CLUSTER}[policy]\n{text}") == config.DEFAULT_POLICY
    for name in vars(config.DEFAULT_POLICY):
        assert f"\n{name.replace('_', '-')} =" in f"\n{text}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("max-delete = 2", "unknown option 'max-delete'"),
        ("max-deleted = -1", "a number such as 3"),
        ("max-deleted = true", "a number such as 3"),
        ('max-deleted = "101%"', "a number such as 3"),
        ('keep = "db"', "must be a list of texts"),
        ('keep = [""]', "must be a list of texts"),
        ('agents = "no"', "must be true or false"),
        ('never-empty = ["resource"]', "'resource' is no section"),
        ('windows = ["Mon 8-18"]', "must be days and hours"),
        ('windows = ["Mo 08:00-18:00"]', "must be days and hours"),
        ('windows = ["Mon 08:00-25:00"]', "must be days and hours"),
        ('timezone = "Vienna"', "'Vienna' is no time zone"),
        ('timezone = "../../etc/passwd"', "is no time zone"),
        ('timezone = "Europe"', "is no time zone"),
        ("timezone = 1", "must be a text"),
    ],
)
@pytest.mark.parametrize("table", ["[policy]", "[clusters.prod.policy]"])
def test_what_has_no_sense_is_an_error(
    line: str, told: str, table: str, tmp_path: Path
) -> None:
    with pytest.raises(BadConfigError) as caught:
        policy(tmp_path, f"{CLUSTER}{table}\n{line}\n")
    assert told in caught.value.message
    assert table in caught.value.message


def test_policy_must_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(BadConfigError, match="must be a table"):
        policy(tmp_path, f"policy = 1\n{CLUSTER}")
