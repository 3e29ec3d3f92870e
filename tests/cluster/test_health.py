"""What crm_mon says, as a value."""

import pytest

from cibgit.cluster.health import Failure, parse
from cibgit.errors import BadDataError

# as Pacemaker 2.1.5 prints it, shortened
MONITORED = b"""\
<pacemaker-result api-version="2.25" request="crm_mon -1 --output-as=xml">
<summary><current_dc present="true" version="2.1.5" name="n1" id="1" with_quorum="true"/>
</summary>
<nodes>
<node name="n1" id="1" online="true" standby="false" pending="false" unclean="false"/>
<node name="n2" id="2" online="true" standby="true" pending="false" unclean="false"/>
<node name="n3" id="3" online="false" standby="false" pending="false" unclean="true"/>
</nodes>
<resources>
<resource id="vip" role="Started" active="true" orphaned="false" blocked="false"
 managed="true" failed="false"><node name="n1" id="1" cached="true"/></resource>
<resource id="stuck" role="Started" active="true" orphaned="false" blocked="true"
 managed="false" failed="true"><node name="n1" id="1" cached="true"/></resource>
<resource id="typo" role="Stopped" active="false" orphaned="false" failed="false"/>
<resource id="old" role="Started" active="true" orphaned="true" failed="false">
<node name="n1" id="1" cached="true"/></resource>
<clone id="c" multi_state="true" unique="true">
<resource id="db:0" role="Promoted" active="true" orphaned="false" failed="false">
<node name="n1" id="1" cached="true"/></resource>
<resource id="db:1" role="Unpromoted" active="true" orphaned="false" failed="false">
<node name="n2" id="2" cached="true"/></resource>
</clone>
<group id="g" number_resources="1"><resource id="off" role="Stopped" target_role="Stopped"
 active="false" orphaned="false" failed="false"/></group>
</resources>
<node_history><node name="n1">
<resource_history id="typo" orphan="false" migration-threshold="1000000">
<operation_history call="8" task="probe" rc="5" rc_text="not installed"/>
<operation_history call="8" task="probe" rc="5" rc_text="not installed"/>
</resource_history>
<resource_history id="vip" orphan="false" migration-threshold="1000000">
<operation_history call="-1" task="start" rc="193" rc_text="unknown"/>
</resource_history>
</node></node_history>
<failures>
<failure op_key="stuck_stop_0" node="n1" exitstatus="error" exitreason="it hangs"
 exitcode="1" call="38" status="complete" task="stop"/>
<failure op_key="my_db_monitor_10000" node="n2" exitstatus="error" exitreason=""
 exitcode="1" call="40" status="Timed Out" task="monitor"/>
</failures>
<status code="0" message="OK"/>
</pacemaker-result>
"""


def test_what_crm_mon_says() -> None:
    health = parse(MONITORED)
    assert health.dc == "n1"
    assert health.nodes == {"n1", "n2", "n3"}
    assert health.joined == {"n1", "n2"}
    assert health.active == {"n1"}
    assert health.resources == {"vip", "stuck", "typo", "db", "off"}
    assert health.running == {"vip": {"n1"}, "db": {"n1", "n2"}}
    assert (health.promoted, health.unpromoted) == ({"db": {"n1"}}, {"db": {"n2"}})
    assert health.target_roles == {"off": "Stopped"}
    assert health.failures == (
        Failure("stuck", "stop", "n1", "error (it hangs)", "38"),
        Failure("my_db", "monitor", "n2", "error (Timed Out)", "40"),
    )
    assert health.refusals == (Failure("typo", "probe", "n1", "not installed", "8"),)
    assert health.under_way == ("start vip on n1",)
    assert health.broken == ["stuck", "typo"]


def test_a_cluster_that_has_no_dc() -> None:
    assert parse(b"<pacemaker-result><summary/></pacemaker-result>").dc == ""


def test_what_is_no_answer_is_refused() -> None:
    with pytest.raises(BadDataError):
        parse(b"Could not connect")
