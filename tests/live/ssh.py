"""Real ssh between the nodes of a cluster: each has a server of its own, in its network.

The keys are made for the cluster and lie in its shared folder; nobody else can use them.
"""

import subprocess
from pathlib import Path

from .cluster import LiveCluster

_SERVER = """\
Port 22
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PidFile none
"""
_CLIENT = """\
Host *
  BatchMode yes
  ConnectTimeout 5
  IdentityFile {folder}/user
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""


def set_up(cluster: LiveCluster) -> Path:
    """Start a server on every node; return the configuration that clients need."""
    folder = cluster.shared / "ssh"
    folder.mkdir()
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(key, check=True)
    (folder / "server").write_text(_SERVER.format(folder=folder))
    client = folder / "client"
    client.write_text(_CLIENT.format(folder=folder))
    start(cluster, *cluster.nodes)
    return client


def start(cluster: LiveCluster, *nodes: str) -> None:
    """Start the servers of nodes that were powered on."""
    server = cluster.shared / "ssh/server"
    script = 'mkdir -p /run/sshd && exec "$(command -v sshd)" -f "$1"'
    for node in nodes:
        done = cluster.run(node, ["sh", "-c", script, "sh", server])
        assert done.returncode == 0, done.stderr
