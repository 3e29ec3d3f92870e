"""What every test stands on: the same git, no cluster by accident, honest skips."""

import os
from collections.abc import Iterator

import pytest

from .prerequisites import missing_for, must_run_all

# Tests start git, Pacemaker's tools and cibgit; what the caller has set for these must
# not change the outcome. Inside a git hook, GIT_DIR names the repository committed to.
FOREIGN = ("CIB_", "CIBGIT_", "PCMK_", "GIT_")
TERMINAL = (
    *("CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR", "PY_COLORS"),
    # Typer takes this for a terminal with colours.
    "GITHUB_ACTIONS",
    *("COLUMNS", "LINES"),
)
PINNED = {
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_AUTHOR_NAME": "An Author",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
    "GIT_COMMITTER_NAME": "A Committer",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


def _pin_environment() -> None:
    """Done at import: modules of tests may start git before any fixture runs."""
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name in TERMINAL:
            del os.environ[name]
    os.environ.update(PINNED)
    # Where only root has it in the path, Pacemaker's tools are still there for all.
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path += [folder for folder in ("/usr/sbin", "/sbin") if folder not in path]
    os.environ["PATH"] = os.pathsep.join(path)


_pin_environment()


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give tools an empty HOME: git reads more there than its configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run; where it ought to, fail.

    All skips come from the same line, so that the summary shows one line of them.
    """
    for marker in ("live", "pacemaker", "age"):
        if item.get_closest_marker(marker) and (missing := missing_for(marker)):
            reason = f"{marker} tests need {missing}"
            if must_run_all():
                pytest.fail(reason, pytrace=False)
            pytest.skip(f"left out: {reason}")
