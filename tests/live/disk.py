"""What stands on a node's disk before it boots for the first time."""

from collections.abc import Mapping

# A new cluster waits dc-deadtime (20 s by default) before it elects its first DC, so it
# has to stand in the CIB that the nodes start with. The schema is one that every
# Pacemaker from 2.0 on knows.
SCHEMA = "pacemaker-3.0"
FIRST_CIB = f"""\
<cib admin_epoch="0" epoch="0" num_updates="0" validate-with="{SCHEMA}">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="dc-deadtime" name="dc-deadtime" value="200ms"/>
        <nvpair id="stonith-enabled" name="stonith-enabled" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
""".encode()

# With two_node, one of two nodes keeps quorum when it loses the other.
COROSYNC_CONF = """\
totem {{
  version: 2
  cluster_name: {cluster_name}
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: {token}
  token_coefficient: 0
}}
nodelist {{
{nodes}}}
quorum {{
  provider: corosync_votequorum
  two_node: {two_node}
  wait_for_all: 0
}}
system {{
  move_to_root_cgroup: no
  allow_knet_handle_fallback: yes
}}
logging {{
  to_logfile: yes
  to_syslog: no
  to_stderr: no
  timestamp: hires
  logfile: /var/log/corosync/corosync.log
}}
"""
COROSYNC_NODE = """\
  node {{
    ring0_addr: {address}
    name: {name}
    nodeid: {number}
  }}
"""


def first_files(
    cluster_name: str, token: int, nodes: Mapping[str, str]
) -> dict[str, str]:
    """Return path and text of the files that are the same on all nodes.

    ``nodes`` is the address of each; ``token`` the milliseconds after which a silent
    node is given up: 1000 are enough on a busy machine.
    """
    conf = COROSYNC_CONF.format(
        cluster_name=cluster_name,
        token=token,
        two_node=int(len(nodes) == 2),
        nodes="".join(
            COROSYNC_NODE.format(address=address, name=name, number=number)
            for number, (name, address) in enumerate(nodes.items(), 1)
        ),
    )
    hosts = "".join(f"{address} {name}\n" for name, address in nodes.items())
    return {
        "etc/hosts": f"127.0.0.1 localhost\n{hosts}",
        "etc/corosync/corosync.conf": conf,
    }
