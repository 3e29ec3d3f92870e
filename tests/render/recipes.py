"""The CIB that edits start from, the edits, and what makes two CIBs equal in meaning."""

import copy
import re
from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from cibgit.cib.canonical import canonical, pretty
from cibgit.cib.document import Cib, parse
from cibgit.compare.steps import object_key

Element = etree._Element
Edit = Callable[[Element], object]

BASE = """
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="0"
     admin_epoch="0">
 <configuration>
  <crm_config>
   <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="o1" name="stonith-enabled" value="true"/>
    <nvpair id="o2" name="maintenance-mode" value="true"/>
    <nvpair id="o3" name="no-quorum-policy" value="stop"/>
   </cluster_property_set>
  </crm_config>
  <nodes>
   <node id="1" uname="node1">
    <instance_attributes id="nodes-1">
     <nvpair id="nodes-1-rack" name="rack" value="r1"/>
    </instance_attributes>
   </node>
   <node id="2" uname="node2"/>
  </nodes>
  <resources>
   <primitive id="fence-a" class="stonith" type="fence_ipmilan">
    <instance_attributes id="fence-a-instance_attributes">
     <nvpair id="fa1" name="ip" value="10.0.9.1"/>
     <nvpair id="fa2" name="username" value="admin"/>
     <nvpair id="fa3" name="password" value="old secret"/>
     <nvpair id="fa4" name="pcmk_host_list" value="node1"/>
    </instance_attributes>
    <operations>
     <op id="fa5" name="monitor" interval="60s" timeout="20s"/>
    </operations>
   </primitive>
   <primitive id="fence-b" class="stonith" type="fence_ipmilan">
    <instance_attributes id="fence-b-instance_attributes">
     <nvpair id="fb1" name="ip" value="10.0.9.2"/>
     <nvpair id="fb2" name="username" value="admin"/>
     <nvpair id="fb4" name="pcmk_host_list" value="node2"/>
    </instance_attributes>
    <operations>
     <op id="fb5" name="monitor" interval="60s" timeout="20s"/>
    </operations>
   </primitive>
   <primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
    <instance_attributes id="vip-attrs">
     <nvpair id="vip-ip" name="ip" value="10.0.0.1"/>
     <nvpair id="vip-nic" name="nic" value="eth0"/>
    </instance_attributes>
    <meta_attributes id="vip-meta">
     <nvpair id="vip-prio" name="priority" value="1"/>
    </meta_attributes>
    <operations>
     <op id="vip-mon" name="monitor" interval="10s" timeout="20s"/>
     <op id="vip-start" name="start" interval="0s" timeout="60s"/>
    </operations>
   </primitive>
   <primitive id="solo" class="ocf" provider="pacemaker" type="Dummy">
    <operations><op id="solo-mon" name="monitor" interval="10s" timeout="20s"/></operations>
    <utilization id="solo-u"><nvpair id="solo-cpu" name="cpu" value="2"/></utilization>
   </primitive>
   <group id="web">
    <primitive id="web-fs" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m1" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
    <primitive id="web-ip" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m2" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
    <primitive id="web-app" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m3" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
   </group>
   <group id="db">
    <primitive id="db-fs" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m4" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
    <primitive id="db-app" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m5" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
   </group>
   <clone id="ping-clone">
    <meta_attributes id="ping-clone-meta">
     <nvpair id="ping-il" name="interleave" value="true"/>
    </meta_attributes>
    <primitive id="ping" class="ocf" provider="pacemaker" type="Dummy">
     <operations><op id="m6" name="monitor" interval="10s" timeout="20s"/></operations>
    </primitive>
   </clone>
   <clone id="state-clone">
    <meta_attributes id="state-clone-meta">
     <nvpair id="state-pr" name="promotable" value="true"/>
    </meta_attributes>
    <primitive id="state" class="ocf" provider="pacemaker" type="Stateful">
     <operations>
      <op id="m7" name="monitor" interval="10s" timeout="20s" role="Promoted"/>
      <op id="m8" name="monitor" interval="11s" timeout="20s" role="Unpromoted"/>
     </operations>
    </primitive>
   </clone>
   <bundle id="box">
    <docker image="registry.example.com/box:1" replicas="2"/>
    <network ip-range-start="192.168.122.131">
     <port-mapping id="box-port" port="80"/>
    </network>
    <storage>
     <storage-mapping id="box-srv" source-dir="/srv/box" target-dir="/srv" options="rw"/>
    </storage>
   </bundle>
  </resources>
  <constraints>
   <rsc_location id="loc-web" rsc="web" node="node1" score="100"/>
   <rsc_location id="loc-rule" rsc="solo">
    <rule id="loc-rule-r" score="50">
     <expression id="loc-rule-e" attribute="rack" operation="eq" value="r1"/>
    </rule>
   </rsc_location>
   <rsc_colocation id="col-web-db" rsc="web" with-rsc="db" score="INFINITY"/>
   <rsc_order id="ord-db-web" first="db" then="web" kind="Mandatory"/>
  </constraints>
  <rsc_defaults>
   <meta_attributes id="rsc-options">
    <nvpair id="rd1" name="resource-stickiness" value="1"/>
   </meta_attributes>
  </rsc_defaults>
  <op_defaults>
   <meta_attributes id="op-options">
    <nvpair id="od1" name="timeout" value="60s"/>
   </meta_attributes>
  </op_defaults>
  <fencing-topology>
   <fencing-level id="fl1" target="node1" index="1" devices="fence-a"/>
  </fencing-topology>
  <acls>
   <acl_role id="operator" description="on call">
    <acl_permission id="operator-read" kind="read" xpath="//nodes"/>
   </acl_role>
   <acl_role id="viewer">
    <acl_permission id="viewer-read" kind="read" xpath="/cib"/>
   </acl_role>
   <acl_target id="alice"><role id="operator"/></acl_target>
  </acls>
  <tags>
   <tag id="apps"><obj_ref id="vip"/><obj_ref id="solo"/></tag>
  </tags>
  <alerts>
   <alert id="mail" path="/usr/local/bin/mail.sh">
    <meta_attributes id="mail-meta">
     <nvpair id="mail-timeout" name="timeout" value="15s"/>
    </meta_attributes>
    <recipient id="mail-to" value="admin@example.com"/>
   </alert>
  </alerts>
 </configuration>
 <status/>
</cib>
"""


def base() -> Cib:
    """Return the CIB that all edits start from."""
    return parse(BASE.encode(), "old")


def edited(edit: Edit) -> Cib:
    """Return the CIB after one edit."""
    cib = base()
    edit(cib.root)
    return Cib(cib.root, "new")


# -- how edits are written ---------------------------------------------------------------


def find(root: Element, identity: str) -> Element:
    found = root.xpath(
        "//*[@id=$name][not(self::role or self::obj_ref)]", name=identity
    )
    assert isinstance(found, list)
    return found[0]


def put(parent: str, text: str, index: int | None = None) -> Edit:
    """Put new elements into an element, named by its id or its tag."""

    def edit(root: Element) -> None:
        home = root.find(f"configuration/{parent}")
        home = find(root, parent) if home is None else home
        for number, one in enumerate(etree.fromstring(f"<x>{text}</x>")):
            home.insert(len(home) if index is None else index + number, one)

    return edit


def value(identity: str, new: str, name: str = "value") -> Edit:
    return lambda root: find(root, identity).set(name, new)


def drop(*identities: str) -> Edit:
    def edit(root: Element) -> None:
        for identity in identities:
            element = find(root, identity)
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)

    return edit


def order(parent: str, *identities: str) -> Edit:
    """Bring the children of an element into this order."""

    def edit(root: Element) -> None:
        home = find(root, parent)
        home[:] = [find(root, identity) for identity in identities]

    return edit


def move(identity: str, parent: str, index: int) -> Edit:
    def edit(root: Element) -> None:
        home = root.find(f"configuration/{parent}")
        home = find(root, parent) if home is None else home
        home.insert(index, find(root, identity))

    return edit


def both(*edits: Edit) -> Edit:
    def edit(root: Element) -> None:
        for one in edits:
            one(root)

    return edit


class Case(NamedTuple):
    """One edit; ``pcs`` and ``crmsh``: whether that tool can do all of it."""

    name: str
    edit: Edit
    pcs: bool = True
    crmsh: bool = True


DUMMY = (
    '<primitive id="{0}" class="ocf" provider="pacemaker" type="Dummy"><operations>'
    '<op id="{0}-m" name="monitor" interval="10s" timeout="20s"/></operations></primitive>'
)

CASES = [
    Case("parameter changed", value("vip-ip", "10.0.0.9")),
    Case(
        "parameter added",
        put("vip-attrs", '<nvpair id="n" name="cidr_netmask" value="24"/>'),
    ),
    Case("parameter removed", drop("vip-nic")),
    Case("parameter with quotes", value("vip-nic", 'it\'s "q" $HOME `x`; a\\b & <c>')),
    Case("parameter in another script", value("vip-nic", "Köln")),
    Case("meta changed", value("vip-prio", "7")),
    Case(
        "meta added",
        put("vip-meta", '<nvpair id="n" name="is-managed" value="false"/>'),
    ),
    Case("meta of a clone", value("ping-il", "false")),
    Case(
        "meta of a promotable clone",
        put("state-clone-meta", '<nvpair id="n" name="promoted-max" value="1"/>'),
    ),
    Case(
        "meta of a group",
        put(
            "web",
            '<meta_attributes id="wm"><nvpair id="n" name="priority" value="3"/>'
            "</meta_attributes>",
        ),
    ),
    Case(
        "meta inside a clone",
        put(
            "ping",
            '<meta_attributes id="wm"><nvpair id="n" name="priority" value="3"/>'
            "</meta_attributes>",
        ),
    ),
    Case("utilization changed", value("solo-cpu", "4")),
    Case(
        "utilization added",
        put("solo-u", '<nvpair id="n" name="memory" value="2048"/>'),
    ),
    Case("utilization removed", drop("solo-cpu"), crmsh=True),
    Case("operation timeout", value("vip-mon", "35s", "timeout")),
    Case("operation interval", value("vip-mon", "35s", "interval")),
    Case(
        "operations added",
        both(
            lambda root: (
                find(root, "vip")
                .find("operations")
                .append(
                    etree.Element(
                        "op", id="n", name="stop", interval="0s", timeout="9s"
                    )
                )
            ),
            lambda root: (
                find(root, "solo")
                .find("operations")
                .append(
                    etree.Element(
                        "op",
                        {
                            "id": "k",
                            "name": "monitor",
                            "interval": "33s",
                            "timeout": "8s",
                            "on-fail": "standby",
                        },
                    )
                )
            ),
        ),
    ),
    Case(
        "operation with a check level",
        put(
            "vip-mon",
            '<instance_attributes id="ia"><nvpair id="ib" name="OCF_CHECK_LEVEL"'
            ' value="10"/></instance_attributes>',
        ),
    ),
    Case("operation removed", drop("vip-start")),
    Case("roles of operations", value("m8", "15s", "interval")),
    Case(
        "resource created",
        put(
            "resources",
            '<primitive id="disk" class="ocf" provider="heartbeat" type="Filesystem">'
            '<instance_attributes id="d1"><nvpair id="d2" name="device" value="/dev/x"/>'
            '<nvpair id="d3" name="directory" value="/srv/my data"/>'
            '<nvpair id="d4" name="fstype" value="xfs"/></instance_attributes>'
            '<meta_attributes id="d5"><nvpair id="d6" name="target-role"'
            ' value="Stopped"/></meta_attributes>'
            '<operations><op id="d7" name="monitor" interval="20s" timeout="40s"/>'
            '<op id="d8" name="start" interval="0s" timeout="60s"/>'
            '<op id="d9" name="stop" interval="0s" timeout="60s"/></operations>'
            '<utilization id="d10"><nvpair id="d11" name="cpu" value="1"/></utilization>'
            "</primitive>",
        ),
    ),
    Case(
        "resource without operations",
        put(
            "resources",
            '<primitive id="bare" class="ocf" provider="pacemaker" type="Dummy"/>',
        ),
    ),
    Case(
        "resource deleted",
        both(
            drop("solo"),
            drop("loc-rule"),
            lambda root: find(root, "apps").remove(find(root, "apps")[1]),
        ),
    ),
    Case(
        "fence device created",
        put(
            "resources",
            '<primitive id="fence-c" class="stonith" type="fence_ipmilan">'
            '<instance_attributes id="fc1"><nvpair id="fc2" name="ip" value="10.0.9.3"/>'
            '<nvpair id="fc3" name="password" value="n3w s\'ecret"/>'
            '<nvpair id="fc4" name="username" value="admin"/>'
            "</instance_attributes><operations>"
            '<op id="fc5" name="monitor" interval="30s"/></operations></primitive>',
        ),
    ),
    Case("fence password", value("fa3", "n3w s'ecret")),
    Case("fence device deleted", drop("fence-b")),
    Case("group member added", put("web", DUMMY.format("web-log"), 1)),
    Case("group member removed", drop("web-app")),
    Case("group reordered", order("web", "web-app", "web-fs", "web-ip")),
    Case("member to another group", move("web-ip", "db", 1)),
    Case("resource into a group", both(move("solo", "db", 0))),
    Case("resource out of a group", move("web-app", "resources", 99)),
    Case(
        "group created",
        put(
            "resources",
            f'<group id="mail-g">{DUMMY.format("mx1")}{DUMMY.format("mx2")}'
            '<meta_attributes id="gm"><nvpair id="gp" name="priority" value="2"/>'
            "</meta_attributes></group>",
        ),
    ),
    Case("group deleted", drop("web", "loc-web", "col-web-db", "ord-db-web")),
    Case(
        "group dissolved",
        both(
            drop("loc-web", "col-web-db", "ord-db-web"),
            move("db-fs", "resources", 99),
            move("db-app", "resources", 99),
            drop("db"),
        ),
    ),
    Case(
        "clone created",
        put(
            "resources",
            '<clone id="dlm-clone"><meta_attributes id="cm"><nvpair id="cn"'
            ' name="clone-max" value="2"/><nvpair id="co" name="promotable"'
            f' value="false"/></meta_attributes>{DUMMY.format("dlm")}</clone>',
        ),
    ),
    Case(
        "group cloned",
        put(
            "resources",
            f'<clone id="gg-clone"><group id="gg">{DUMMY.format("gg1")}'
            f"{DUMMY.format('gg2')}</group></clone>",
        ),
    ),
    Case(
        "resource cloned",
        both(
            put("resources", '<clone id="vip-clone"/>'),
            move("vip", "vip-clone", 0),
            value("loc-web", "vip-clone", "rsc"),
        ),
    ),
    Case("clone dissolved", both(move("ping", "resources", 99), drop("ping-clone"))),
    Case("clone deleted", drop("ping-clone")),
    Case(
        "bundle changed",
        both(
            lambda root: find(root, "box")[0].set(
                "image", "registry.example.com/box:2"
            ),
            put(
                "box",
                '<meta_attributes id="bm"><nvpair id="bn" name="priority"'
                ' value="4"/></meta_attributes>',
            ),
            lambda root: (
                find(root, "box")
                .find("network")
                .append(etree.Element("port-mapping", id="box-tls", port="443"))
            ),
        ),
    ),
    Case(
        "bundle created",
        put(
            "resources",
            '<bundle id="pod"><docker image="pod:1" replicas="1"'
            ' options="--env A=b -v"/><network ip-range-start="10.1.1.1"'
            ' control-port="3121"><port-mapping id="pod-p" port="80"/></network>'
            '<storage><storage-mapping id="pod-s" source-dir="/a" target-dir="/b"/>'
            f"</storage>{DUMMY.format('inside')}</bundle>",
        ),
    ),
    Case("bundle deleted", drop("box")),
    Case(
        "location changed",
        both(value("loc-web", "node2", "node"), value("loc-web", "-INFINITY", "score")),
    ),
    Case(
        "locations created",
        put(
            "constraints",
            '<rsc_location id="l1" rsc="vip" node="node2" score="-50"'
            ' resource-discovery="never"/>'
            '<rsc_location id="l2" rsc-pattern="^db-.*" node="node2" score="7"/>',
        ),
    ),
    Case(
        "location with rules",
        put(
            "constraints",
            '<rsc_location id="l3" rsc="state-clone">'
            '<rule id="l3r" score="-INFINITY" role="Promoted" boolean-op="or">'
            '<expression id="l3a" attribute="pingd" operation="not_defined"/>'
            '<expression id="l3b" attribute="pingd" operation="lt" value="100"'
            ' type="number"/></rule></rsc_location>'
            '<rsc_location id="l4" rsc="vip"><rule id="l4r" score="9">'
            '<date_expression id="l4a" operation="date_spec"><date_spec id="l4b"'
            ' hours="9-17" weekdays="1-5"/></date_expression>'
            '<date_expression id="l4c" operation="in_range" start="2025-01-01"'
            ' end="2035-12-31"/></rule></rsc_location>',
        ),
    ),
    Case("rule changed", value("loc-rule-e", "r2")),
    Case("location deleted", drop("loc-rule")),
    Case(
        "colocations",
        both(
            value("col-web-db", "-200", "score"),
            put(
                "constraints",
                '<rsc_colocation id="c1" rsc="vip" with-rsc="state-clone"'
                ' with-rsc-role="Promoted" score="50"/>',
            ),
        ),
    ),
    Case(
        "orders",
        both(
            value("ord-db-web", "Optional", "kind"),
            put(
                "constraints",
                '<rsc_order id="r1" first="state-clone" then="vip"'
                ' first-action="promote" then-action="start" symmetrical="false"/>',
            ),
        ),
    ),
    Case(
        "ticket",
        put(
            "constraints",
            '<rsc_ticket id="t1" rsc="state-clone"'
            ' rsc-role="Promoted" ticket="T1" loss-policy="demote"/>'
            '<rsc_ticket id="t2" rsc="vip" ticket="T1"/>',
        ),
    ),
    Case(
        "sets",
        put(
            "constraints",
            '<rsc_order id="s1" kind="Optional"><resource_set id="s1a"'
            ' sequential="false" require-all="false"><resource_ref id="vip"/>'
            '<resource_ref id="solo"/></resource_set><resource_set id="s1b">'
            '<resource_ref id="web"/></resource_set></rsc_order>'
            '<rsc_colocation id="s2" score="20"><resource_set id="s2a"'
            ' sequential="false"><resource_ref id="vip"/><resource_ref id="solo"/>'
            '</resource_set><resource_set id="s2b" role="Promoted">'
            '<resource_ref id="state-clone"/></resource_set></rsc_colocation>'
            '<rsc_ticket id="s3" ticket="T1" loss-policy="stop"><resource_set id="s3a">'
            '<resource_ref id="web"/><resource_ref id="db"/></resource_set></rsc_ticket>',
        ),
    ),
    Case(
        "constraints deleted", drop("loc-web", "col-web-db", "ord-db-web", "loc-rule")
    ),
    Case(
        "cluster options",
        both(
            value("o1", "false"),
            drop("o2"),
            put(
                "cib-bootstrap-options",
                '<nvpair id="n" name="stonith-timeout" value="90s"/>',
            ),
        ),
    ),
    Case(
        "node attributes",
        both(
            value("nodes-1-rack", "r 9"),
            put("nodes-1", '<nvpair id="n" name="site" value="A"/>'),
            put(
                "2",
                '<instance_attributes id="nodes-2"><nvpair id="n2" name="standby"'
                ' value="on"/></instance_attributes><utilization id="u2"><nvpair id="n3"'
                ' name="cpu" value="8"/></utilization>',
            ),
        ),
    ),
    Case("node attribute removed", drop("nodes-1-rack")),
    Case(
        "defaults",
        both(
            value("rd1", "200"),
            value("od1", "30s"),
            put("rsc-options", '<nvpair id="n" name="migration-threshold" value="3"/>'),
        ),
    ),
    Case(
        "default removed",
        both(
            drop("rd1"),
            put("rsc-options", '<nvpair id="n" name="priority" value="3"/>'),
        ),
    ),
    Case(
        "set of defaults",
        put(
            "rsc_defaults",
            '<meta_attributes id="more" score="10"><rule id="mr"'
            ' boolean-op="and"><rsc_expression id="me" class="ocf" type="pgsql"'
            ' provider="heartbeat"/></rule><nvpair id="mn" name="priority" value="5"/>'
            "</meta_attributes>",
        ),
        crmsh=False,
    ),
    Case(
        "plain set of defaults",
        put(
            "op_defaults",
            '<meta_attributes id="more"><nvpair id="mn" name="enabled"'
            ' value="true"/></meta_attributes>',
        ),
    ),
    Case(
        "fencing levels",
        both(
            value("fl1", "fence-b,fence-a", "devices"),
            put(
                "fencing-topology",
                '<fencing-level id="fl2" target="node1" index="2"'
                ' devices="fence-b"/><fencing-level id="fl3" target-pattern="spare.*"'
                ' index="1" devices="fence-b"/><fencing-level id="fl4"'
                ' target-attribute="rack" target-value="r1" index="1" devices="fence-a"/>',
            ),
        ),
    ),
    Case("fencing level deleted", drop("fl1")),
    Case(
        "tags",
        both(
            put("apps", '<obj_ref id="web"/>'),
            put("tags", '<tag id="fresh"><obj_ref id="db"/><obj_ref id="vip"/></tag>'),
        ),
    ),
    Case(
        "tag reordered",
        lambda root: find(root, "apps").insert(0, find(root, "apps")[1]),
    ),
    Case("tag deleted", drop("apps")),
    Case(
        "ACLs",
        both(
            put("operator", '<acl_permission id="p1" kind="write" reference="vip"/>'),
            put(
                "acls",
                '<acl_role id="root"><acl_permission id="p2" kind="deny"'
                " xpath=\"//*[@id='x y']\"/></acl_role>"
                '<acl_target id="bob"><role id="viewer"/></acl_target>'
                '<acl_group id="desk"><role id="viewer"/><role id="operator"/></acl_group>',
            ),
            put("alice", '<role id="viewer"/>'),
        ),
    ),
    Case("ACL deleted", drop("alice", "operator")),
    Case(
        "alerts",
        both(
            value("mail", "/usr/local/bin/mail2.sh", "path"),
            value("mail-timeout", "9s"),
            value("mail-to", "boss@example.com"),
            put("mail", '<recipient id="mail-2" value="b@example.com"/>'),
            put(
                "alerts",
                '<alert id="log" path="/bin/log" description="to the log">'
                '<instance_attributes id="li"><nvpair id="lj" name="level" value="3"/>'
                '</instance_attributes><recipient id="log-recipient-1" value="here"/></alert>',
            ),
        ),
    ),
    Case("alert deleted", drop("mail")),
    # what one of them, or neither, can do
    Case("empty value", value("vip-nic", ""), pcs=False),
    Case("control characters", value("vip-nic", "a\tb"), pcs=False, crmsh=False),
    Case("description", value("vip", "für den Laden", "description"), pcs=False),
    Case(
        "description of a group",
        value("web", "the 'web' shop", "description"),
        pcs=False,
    ),
    Case("another agent", value("solo", "Stateful", "type"), pcs=False),
    Case(
        "template",
        put(
            "resources",
            '<template id="tmpl" class="ocf"'
            ' provider="pacemaker" type="Dummy"><meta_attributes id="tm"><nvpair id="tn"'
            ' name="priority" value="2"/></meta_attributes></template>'
            '<primitive id="from-tmpl" template="tmpl"/>',
        ),
        pcs=False,
    ),
    Case(
        "another resource in a clone",
        both(drop("ping"), put("ping-clone", DUMMY.format("pong"))),
        pcs=False,
        crmsh=False,
    ),
    Case(
        "podman",
        put("resources", '<bundle id="pod"><podman image="pod:1"/></bundle>'),
        crmsh=False,
    ),
    Case(
        "several sets",
        put(
            "vip",
            '<instance_attributes id="v2" score="5"><rule'
            ' id="v2r" score="0"><expression id="v2e" attribute="rack" operation="defined"/>'
            '</rule><nvpair id="v2n" name="nic" value="eth9"/></instance_attributes>',
        ),
        pcs=False,
    ),
    Case(
        "sets by reference",
        put("solo", '<meta_attributes id-ref="vip-meta"/>'),
        pcs=False,
    ),
    Case(
        "a set that another refers to",
        both(
            put("solo", '<meta_attributes id-ref="vip-meta"/>'),
            drop("vip-prio"),
            put("vip-meta", '<nvpair id="n" name="is-managed" value="true"/>'),
        ),
        pcs=False,
    ),
    Case(
        "nested rule",
        put(
            "constraints",
            '<rsc_location id="l5" rsc="vip"><rule'
            ' id="l5r" score="9"><expression id="l5a" attribute="rack" operation="defined"/>'
            '<rule id="l5s" boolean-op="or"><expression id="l5b" attribute="site"'
            ' operation="eq" value="A"/><expression id="l5c" attribute="site"'
            ' operation="eq" value="B"/></rule></rule></rsc_location>',
        ),
    ),
    Case(
        "location with a role",
        put(
            "constraints",
            '<rsc_location id="l6"'
            ' rsc="state-clone" role="Promoted" node="node1" score="5"/>',
        ),
        pcs=False,
    ),
    Case(
        "location of a set",
        put(
            "constraints",
            '<rsc_location id="l7" node="node1"'
            ' score="5"><resource_set id="l7s"><resource_ref id="vip"/><resource_ref'
            ' id="solo"/></resource_set></rsc_location>',
        ),
        pcs=False,
    ),
    Case(
        "permissions by type",
        put(
            "operator",
            '<acl_permission id="p9" kind="deny" object-type="acls" attribute="id"/>',
        ),
        pcs=False,
    ),
    Case(
        "alert with a selection",
        put("mail", "<select><select_nodes/></select>"),
        pcs=False,
    ),
    Case(
        "node created",
        put("nodes", '<node id="3" uname="node3"/>'),
        pcs=False,
        crmsh=False,
    ),
    Case("order of resources", move("solo", "resources", 0), pcs=False, crmsh=False),
]


# -- what is equal -----------------------------------------------------------------------

GENERATED = frozenset(
    {
        *("acl_permission", "attribute", "date_expression", "date_spec", "duration"),
        *("expression", "fencing-level", "instance_attributes", "meta_attributes"),
        *("nvpair", "op", "op_expression", "operations", "resource_set"),
        *("rsc_expression", "rule", "utilization", "cluster_property_set"),
    }
)
NVSETS = frozenset(["instance_attributes", "meta_attributes", "cluster_property_set"])
ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


def announced(recipe: str) -> dict[str, list[str]]:
    """Return what ``# cannot be expressed`` lines say: address to reasons."""
    found: dict[str, list[str]] = {}
    for address, why in re.findall(
        r"^# cannot be expressed: (.*?): (.*)$", recipe, re.M
    ):
        found.setdefault(address, []).append(why)
    return found


def meaning(cib: Cib) -> str:
    """Return a text that is equal for two CIBs of equal meaning.

    Generated ids are masked unless referred to; words of which one is the new name of
    the other, and defaults that are written out, are made one. Everything else counts.
    """
    root = copy.deepcopy(canonical(cib).root)
    etree.strip_tags(root, etree.Comment)
    referred = {str(one) for one in root.xpath("//@id-ref")}  # type: ignore[union-attr]
    for element in list(root.iter(etree.Element)):
        _tidy(element)
        if element.tag in GENERATED and element.get("id") not in referred:
            element.attrib.pop("id", None)
    for element in list(
        root.iter("instance_attributes", "meta_attributes", "utilization", "operations")
    ):
        parent = element.getparent()
        if not len(element) and not element.attrib and parent is not None:
            parent.remove(element)
    _sort(root)
    return pretty(canonical(Cib(root, "meaning"))).decode()


def _tidy(element: Element) -> None:
    for name in ("role", "rsc-role", "with-rsc-role", "first-action", "then-action"):
        if element.get(name) in ROLES:
            element.set(name, ROLES[str(element.get(name))])
    if element.tag.startswith("rsc_") or element.tag == "rule":
        defaults = {
            "rsc-role": "Started",
            "with-rsc-role": "Started",
            "boolean-op": "and",
            "kind": "Mandatory",
        }
        for name, default in defaults.items():
            if element.get(name) == default:
                del element.attrib[name]
    # of these rules nobody asks the score
    if element.tag == "rule" and element.getparent().tag in (*NVSETS, "rule"):
        element.attrib.pop("score", None)
    if element.tag == "rsc_order" and element.get("first") is not None:
        first = element.get("first-action", "start")
        if element.get("then-action", first) == first:
            element.attrib.pop("then-action", None)
        if first == "start":
            element.attrib.pop("first-action", None)


def _sort(root: Element) -> None:
    """Sort what has an order only because it is written one after the other."""
    for home in root.xpath(
        "//acls | //tags | //alerts | //acl_role | //acl_target"
        " | //acl_group | //fencing-topology"
    ):
        home[:] = sorted(home, key=lambda one: (one.tag, sorted(one.items())))
    for home in root.iter(*NVSETS, "utilization"):
        # some commands of pcs sort the pairs of every set
        names = [one.get("name", one.get("id-ref")) for one in home]
        if len(set(names)) == len(names) and not home.findall("rule"):
            home[:] = sorted(home, key=lambda one: one.get("name", one.get("id-ref")))
    for section in root.xpath("/cib/configuration/*[not(*)]"):
        section.getparent().remove(section)


def without(cib: Cib, addresses: set[str]) -> Cib:
    """Return a copy without the objects that a recipe said it leaves alone.

    Containers lose what is theirs, not their members; ``resources`` loses its order.
    """
    root = copy.deepcopy(cib.root)
    for element in list(root.iter(etree.Element)):
        if " ".join(object_key(element)) not in addresses:
            continue
        parent = element.getparent()
        assert parent is not None
        for child in list(element):
            if child.tag in ("primitive", "group"):
                parent.insert(parent.index(element), child)
        parent.remove(element)
    for name in {"resources", "constraints"} & addresses:
        for section in root.findall(f"configuration/{name}"):
            section[:] = sorted(section, key=lambda one: str(one.get("id")))
    return Cib(root, cib.source)
