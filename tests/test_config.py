from pathlib import Path

import pytest

from cibgit import config
from cibgit.errors import BadConfigError, NoInputError, UsageError


def loaded(folder: Path, text: str) -> config.Config:
    file = folder / "cibgit.toml"
    file.write_text(text)
    return config.load(file)


def test_defaults(tmp_path: Path) -> None:
    [cluster] = loaded(tmp_path, "[clusters.prod]\n").clusters.values()
    assert cluster == config.ClusterConfig(
        "prod", "local:", marker=True, pacemaker=None
    )
    assert cluster.path == "clusters/prod/cib.xml"


def test_secrets(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
        [clusters.prod]
        [secrets]
        hide = ["licence*"]
        [secrets.allow]
        "proxy/secret" = "the path of a file"
        [secrets.providers]
        pass = { command = ["pass", "show", "{}"] }
        ci = { environment = "SECRET_{}" }
        """,
    )
    secrets = found.cluster("prod").secrets
    assert secrets.rules.hide == ("licence*",)
    assert secrets.rules.allow == {"proxy/secret": "the path of a file"}
    assert secrets.providers == {
        "pass": config.Provider(command=("pass", "show", "{}")),
        "ci": config.Provider(environment="SECRET_{}"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[secrets]]", "must be a table"),
        ("[secrets]\nhidden = []", "unknown option 'hidden'"),
        ("[secrets]\nhide = 'x'", "list of patterns"),
        ("[secrets]\nallow = ['x']", "must be tables"),
        ("[secrets.allow]\n'a/b' = ''", "needs a reason"),
        ("[secrets.providers]\nv1 = { environment = 'X' }", "cannot be the name"),
        ("[secrets.providers]\nx = { command = 'pass show' }", "needs either"),
        ("[secrets.providers]\nx = { command = [] }", "needs either"),
        (
            "[secrets.providers]\nx = { command = ['a'], environment = 'b' }",
            "needs either",
        ),
    ],
)
def test_bad_secrets(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadConfigError, match=message):
        loaded(tmp_path, f"{text}\n[clusters.prod]\n")


def test_what_init_writes_is_read_back(tmp_path: Path) -> None:
    odd = config.ClusterConfig("a.b-c_1", 'dir:/x "y" \\z')
    assert loaded(tmp_path, config.table(odd)).clusters == {"a.b-c_1": odd}
    assert loaded(tmp_path, config.table(odd)).cluster(None) == odd


def test_the_nearest_file_above_counts(tmp_path: Path) -> None:
    (tmp_path / "cibgit.toml").write_text("")
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    assert config.find(below) == tmp_path / "cibgit.toml"
    (tmp_path / "a/cibgit.toml").write_text("")
    assert config.find(below) == tmp_path / "a/cibgit.toml"


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"there is no cibgit\.toml"):
        config.find(tmp_path)


@pytest.mark.parametrize(
    "name", ["", "-x", ".", "..", "a..b", "a/b", "x.lock", "x.", "a b", "é", "x" * 65]
)
def test_names_that_git_could_not_keep(name: str) -> None:
    with pytest.raises(UsageError):
        config.checked_name(name)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "cibgit.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfigError):
        config.load(tmp_path / "cibgit.toml")


def test_several_clusters_need_a_name(tmp_path: Path) -> None:
    both = loaded(tmp_path, "[clusters.a]\n[clusters.b]\n")
    with pytest.raises(UsageError, match="a, b"):
        both.cluster(None)
    with pytest.raises(UsageError, match="no cluster 'c'"):
        both.cluster("c")
    assert both.cluster("b").name == "b"


def corosync_of(folder: Path, text: str) -> config.CorosyncConfig:
    found = loaded(folder, f"[clusters.prod.corosync]\n{text}\n")
    return found.cluster(None).corosync


def test_how_nodes_are_reached(tmp_path: Path) -> None:
    assert corosync_of(tmp_path, "") == config.CorosyncConfig()
    assert config.CorosyncConfig().reach[0] == "ssh"
    found = corosync_of(tmp_path, 'reach = ["on", "{node}.lan"]\nfile = "/x/y"')
    assert found == config.CorosyncConfig(("on", "{node}.lan"), "/x/y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reach = []", "reach must be a list"),
        ('reach = "ssh {node}"', "reach must be a list"),
        ('reach = ["ssh", 1, "{node}"]', "reach must be a list"),
        ('reach = ["ssh", "node"]', "where [{]node[}] stands"),
        ('file = "corosync.conf"', "absolute path"),
        ('file = "/a\\nb"', "absolute path"),
        ("files = []", "unknown option 'files'"),
    ],
)
def test_bad_ways_to_reach_them(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadConfigError, match=message):
        corosync_of(tmp_path, text)
