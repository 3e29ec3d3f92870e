"""What ``corosync-cmapctl`` prints, against a file."""

from cibgit.corosync.document import parse as parse_conf
from cibgit.corosync.keys import needs_restart
from cibgit.corosync.meaning import differences, settings
from cibgit.corosync.runtime import Runtime, parse

FILE = b"""\
totem {
	version: 2
	config_version: 4
	transport: knet
	token: 01000
	interface {
		linknumber: 1
		knet_link_priority: 5
	}
}
nodelist {
	node {
		nodeid: 2
		name: n2
	}
	node {
		nodeid: 7
		name: n7
	}
}
logging {
	logger_subsys {
		subsys: TOTEM
		debug: on
	}
}
uidgid {
	uid: hacluster
}
"""
CMAP = """\
config.reload_status (i32) = 1
logging.logger_subsys.TOTEM.debug (str) = on
nodelist.local_node_pos (u32) = 1
nodelist.node.0.name (str) = n2
nodelist.node.0.nodeid (u32) = 2
nodelist.node.1.name (str) = n7
nodelist.node.1.nodeid (u32) = 7
runtime.members.2.config_version (u64) = 3
runtime.members.2.ip (str) = r(0) ip(10.99.0.1)
runtime.members.2.status (str) = joined
runtime.members.7.config_version (u64) = 4
runtime.members.7.status (str) = left
totem.config_version (u64) = 4
totem.interface.0.bindnetaddr (str) = 10.99.0.1
totem.interface.1.knet_link_priority (str) = 5
totem.token (u32) = 1000
totem.transport (str) = knet
totem.version (u32) = 2
uidgid.config.uid.111 (u8) = 1
"""


def sentences(runtime: Runtime, file: bytes) -> list[str]:
    running, asked = runtime.compared(settings(parse_conf(file, "f")))
    return [each.sentence for each in differences(running, asked)]


def test_what_is_loaded_does_not_differ() -> None:
    assert sentences(parse(CMAP), FILE) == []


def test_what_is_not_loaded_is_told_by_node_and_link() -> None:
    file = FILE.replace(b"01000", b"3000").replace(b"name: n7", b"name: n8")
    file = file.replace(b"priority: 5", b"priority: 6").replace(b"version: 2\n", b"")
    assert sentences(parse(CMAP), file) == [
        "node 7 (n8): name n7 -> n8",
        "interface 1: knet_link_priority 5 -> 6",
        "totem: token 1000 -> 3000",
        "totem: version 2 removed",
    ]


def test_members_and_their_versions_are_read() -> None:
    runtime = parse(CMAP)
    members = runtime.members
    assert {n: (m.is_joined, m.version) for n, m in members.items()} == {
        "2": (True, 3),
        "7": (False, 4),
    }
    assert (runtime.nodeid, runtime.version, runtime.transport) == ("7", 4, "knet")


def test_the_key_of_the_cluster_is_never_told() -> None:
    runtime = parse(CMAP + "totem.key (str) = hunter2hunter2\n")
    assert sentences(runtime, FILE) == ["totem: key (secret) removed"]
    file = FILE.replace(b"totem {", b"totem {\nkey: other")
    assert sentences(runtime, file) == ["totem: key (secret) -> (secret)"]


def test_links_of_udp_are_static() -> None:
    address = "nodelist.node[3].ring0_addr"
    assert not needs_restart(address, "knet")
    assert needs_restart(address, "udpu")
    assert needs_restart("totem.cluster_name", "knet")
