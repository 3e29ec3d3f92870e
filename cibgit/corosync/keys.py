"""The keys of ``corosync.conf``: which there are, and which only a restart changes.

From corosync.conf(5), votequorum(5), corosync-qdevice(8) and ``exec/coroparse.c``, 3.1.7.
"""

from ..cib.secrets import is_secret_name

# A line a section; # marks a number.
_TABLE = """\
totem: version# clear_node_high_bit crypto_model crypto_hash crypto_cipher crypto_type \
    secauth key keyfile link_mode netmtu# transport cluster_name config_version# token# \
    ip_version token_warning# token_coefficient# token_retransmit# hold# join# merge# \
    knet_compression_model knet_compression_threshold# knet_compression_level knet_mtu# \
    knet_pmtud_interval# token_retransmits_before_loss_const# send_join# consensus# \
    downcheck# fail_recv_const# seqno_unchanged_const# heartbeat_failures_allowed# \
    max_network_delay# window_size# max_messages# miss_count_const# nodeid# threads# \
    block_unlisted_ips rrp_mode cancel_token_hold_on_retransmit vsftype
totem.interface: linknumber# ringnumber# knet_link_priority knet_ping_interval \
    knet_ping_timeout knet_ping_precision knet_transport bindnetaddr broadcast mcastaddr \
    mcastport# ttl#
totem.interface.member: memberaddr
nodelist:
nodelist.node: nodeid# name quorum_votes# ring0_addr ring1_addr ring2_addr ring3_addr \
    ring4_addr ring5_addr ring6_addr ring7_addr
quorum: provider expected_votes# votes# two_node# wait_for_all# last_man_standing# \
    last_man_standing_window# auto_tie_breaker# auto_tie_breaker_node allow_downscale# \
    expected_votes_tracking leaving_timeout
quorum.device: model timeout sync_timeout votes master_wins
quorum.device.net: tls host port algorithm tie_breaker connect_timeout force_ip_version \
    keep_active_partition_tie_breaker
logging: timestamp fileline function_name blackbox to_stderr to_logfile to_syslog logfile \
    logfile_priority syslog_facility syslog_priority debug
logging.logger_subsys: to_stderr to_logfile to_syslog logfile logfile_priority debug \
    syslog_facility syslog_priority subsys
logging.logging_daemon: to_stderr to_logfile to_syslog logfile logfile_priority debug \
    syslog_facility syslog_priority subsys name
system: qb_ipc_type sched_rr priority move_to_root_cgroup allow_knet_handle_fallback \
    state_dir
uidgid: uid gid
nozzle: name ipaddr ipprefix macaddr
qb: ipc_type
"""
_WORDS = {
    section: words.split()
    for section, words in (line.split(":") for line in _TABLE.splitlines())
}

KNOWN = {
    section: frozenset(word.removesuffix("#") for word in words)
    for section, words in _WORDS.items()
}
"""The keys of each section, whose name is the path to it."""

NUMBERS = {
    section: frozenset(word[:-1] for word in words if word.endswith("#"))
    for section, words in _WORDS.items()
}
"""Those whose value is a number."""

FREE = ("quorum.device.heuristics", "resources")
"""Sections in which people choose the names of keys."""

RESTART = frozenset(
    {
        *(f"totem.{key}" for key in ("version", "threads", "ip_version", "rrp_mode")),
        *(f"totem.{key}" for key in ("netmtu", "transport", "cluster_name")),
        *(f"system.{key}" for key in KNOWN["system"]),
        "quorum.provider",
    }
)
"""Keys that a reload leaves as they are (``remove_ro_entries``, ``exec/cfg.c``)."""


def is_known(section: str, key: str) -> bool:
    """Say whether Corosync has a key of that name in that section."""
    return section.startswith(FREE) or key in KNOWN.get(section, ())


def is_secret(address: str) -> bool:
    """Say whether what stands at an address holds a secret, by its name.

    ``totem.key`` is the key of the cluster's encryption, also where the file says so
    outside of all sections (experiment, 3.1.7). A ``key`` elsewhere, or spelled in another
    way, may be the same, misplaced. ``token`` is a time, ``keyfile`` the name of a file.
    """
    section, _, key = address.rpartition(".")
    return key.lower() == "key" or (is_secret_name(key) and not is_known(section, key))


def needs_restart(address: str, transport: str) -> bool:
    """Say whether only a restart of Corosync brings a setting into effect.

    ``transport`` is the running one. Links of udp and udpu are static, although the map
    of keys shows the new value after a reload (corosync.conf(5)).
    """
    static = transport in ("udp", "udpu") and address.endswith("].ring0_addr")
    return address in RESTART or static
