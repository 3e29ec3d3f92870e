"""The clusters that live tests share.

A test takes ``cluster1`` or ``cluster3``: one or three nodes, all online and idle, with
the configuration they had at first. Booting takes seconds, so there is one of each a
session, put back before each test. A test that wants other nodes boots its own
``LiveCluster``.
"""

import os
from collections.abc import Generator, Iterator

import pytest

from .cluster import LiveCluster, LiveClusterError


@pytest.fixture(scope="session")
def one_node() -> Iterator[LiveCluster]:
    """Boot the session's cluster of one node."""
    yield from _booted(1)


@pytest.fixture(scope="session")
def three_nodes() -> Iterator[LiveCluster]:
    """Boot the session's cluster of three nodes."""
    yield from _booted(3)


def _booted(size: int) -> Iterator[LiveCluster]:
    """Boot a cluster; on a machine that is too busy its nodes may need a second try."""
    try:
        cluster = LiveCluster(size).up()
    except LiveClusterError:
        cluster = LiveCluster(size).up()
    try:
        yield cluster
    finally:
        cluster.down()


@pytest.fixture
def cluster1(one_node: LiveCluster) -> LiveCluster:
    """Return a healthy cluster of one node with the first configuration."""
    return _as_new(one_node)


@pytest.fixture
def cluster3(three_nodes: LiveCluster) -> LiveCluster:
    """Return a healthy cluster of three nodes with the first configuration."""
    return _as_new(three_nodes)


def _as_new(cluster: LiveCluster) -> LiveCluster:
    cluster.renew()
    assert cluster.running == list(cluster.nodes)
    return cluster


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests of this folder."""
    item.add_marker("live")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest where several workers share the tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("live") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the nodes' logs with a failure; let no live test be skipped in CI."""
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    if skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"live tests must not be skipped in CI: {report.longrepr}"
    if report.failed:
        for cluster in getattr(item, "funcargs", {}).values():
            if isinstance(cluster, LiveCluster):
                _add_logs(report, cluster)
    return report


def _add_logs(report: pytest.TestReport, cluster: LiveCluster) -> None:
    for node in cluster.nodes:
        report.sections.append((f"logs of {node}", cluster.logs(node)))
