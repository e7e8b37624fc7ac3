"""A bay controller that speaks MMS, GOOSE and sampled values, by libiec61850.

usage: iec61850_server.py INTERFACE
"""
import math
import os
import sys
import time

import pyiec61850.pyiec61850 as i
from pyiec61850.goose import GoosePublisher
from pyiec61850.sv import SVPublisher


def model():
    m = i.IedModel_create("BAY1")
    ld = i.LogicalDevice_create("CTRL", m)
    lln0 = i.LogicalNode_create("LLN0", ld)
    node = i.toModelNode
    i.CDC_ENS_create("Mod", node(lln0), 0)
    i.CDC_ENS_create("Health", node(lln0), 0)
    i.SettingGroupControlBlock_create(lln0, 1, 2)
    lphd = i.LogicalNode_create("LPHD1", ld)
    i.CDC_DPL_create("PhyNam", node(lphd), i.CDC_OPTION_DPL_SERNUM)
    breaker = i.LogicalNode_create("CSWI1", ld)
    i.CDC_DPC_create("Pos", node(breaker), 0, i.CDC_CTL_MODEL_SBO_NORMAL | i.CDC_CTL_OPTION_ORIGIN)
    lamps = i.LogicalNode_create("GGIO1", ld)
    i.CDC_SPC_create("SPCSO1", node(lamps), 0, i.CDC_CTL_MODEL_DIRECT_NORMAL)
    i.CDC_SPC_create("SPCSO2", node(lamps), 0, i.CDC_CTL_MODEL_DIRECT_ENHANCED)
    meter = i.LogicalNode_create("MMXU1", ld)
    i.CDC_MV_create("TotW", node(meter), 0, False)
    data = i.DataSet_create("Values", lln0)
    for entry in ("MMXU1$MX$TotW$mag$f", "GGIO1$ST$SPCSO1$stVal", "CSWI1$ST$Pos$stVal"):
        i.DataSetEntry_create(data, entry, -1, None)
    i.ReportControlBlock_create("Values01", lln0, "bay1-values", False, "Values", 1,
                                i.TRG_OPT_DATA_CHANGED | i.TRG_OPT_INTEGRITY | i.TRG_OPT_GI,
                                i.RPT_OPT_SEQ_NUM | i.RPT_OPT_TIME_STAMP | i.RPT_OPT_REASON_FOR_INCLUSION
                                | i.RPT_OPT_DATA_SET, 50, 0)
    return m


def find(m, name):
    return i.toDataAttribute(i.IedModel_getModelNodeByObjectReference(m, "BAY1CTRL/" + name))


def main():
    os.makedirs("vmd-filestore", exist_ok=True)
    with open("vmd-filestore/fault1.cfg", "w") as f:
        f.write("BAY1,1,1999\n3,2A,1D\n" * 20)
    m = model()
    watts = find(m, "MMXU1.TotW.mag.f")
    server = i.IedServer_create(m)
    i.IedServer_setServerIdentity(server, "Plant Example", "Bay controller", "1.0")
    i.IedServer_setFilestoreBasepath(server, "vmd-filestore/")
    i.IedServer_start(server, 102)
    if not i.IedServer_isRunning(server):
        sys.exit("the server does not run")

    goose = GoosePublisher(sys.argv[1])
    goose.set_go_cb_ref("BAY1CTRL/LLN0$GO$gcbTrip")
    goose.set_go_id("bay1-trip")
    goose.set_data_set("BAY1CTRL/LLN0$Trip")
    goose.set_app_id(0x1001)
    goose.set_dst_mac(bytes.fromhex("010ccd010001"))
    goose.set_vlan(0, 4)
    goose.set_time_allowed_to_live(2000)
    goose.start()
    sv = SVPublisher(sys.argv[1])
    sv.set_sv_id("BAY1MU01")
    sv.set_smp_rate(4000)
    sv.set_num_entries(8)
    sv.start()
    n = 0
    trip = False
    while True:
        time.sleep(0.1)
        n += 1
        if n % 5 == 0:
            i.IedServer_updateFloatAttributeValue(server, watts, 1500.0 + n)
        if n == 25:
            trip = True
            goose.increase_st_num()
        # a message at rest every second, and several after the trip
        if n % 10 == 0 or 25 <= n < 29:
            goose.publish([trip, 7 if trip else 0, 50.0])
        if 20 <= n < 24:
            for k in range(10):
                angle = 2 * math.pi * k / 80
                sv.publish_samples([int(1000 * math.sin(angle + p)) for p in (0, 2.09, 4.19, 0)]
                                   + [int(110000 * math.sin(angle + p)) for p in (0, 2.09, 4.19, 0)])


main()
