"""A station computer that asks and commands a bay controller over MMS.

usage: iec61850_client.py ADDRESS
"""
import os
import sys
import time

import pyiec61850.pyiec61850 as i
from pyiec61850.mms import MMSClient
from pyiec61850.mms.control import ControlClient
from pyiec61850.mms.files import FileClient


def tried(name, f, *a):
    try:
        print(name, "ok", f(*a))
    except Exception as e:
        print(name, "refused", type(e).__name__, e)


def main():
    with MMSClient() as c:
        c.connect(sys.argv[1], 102)
        tried("identity", c.get_server_identity)
        tried("devices", c.get_logical_devices)
        tried("nodes", c.get_logical_nodes, "BAY1CTRL")
        tried("objects", c.get_data_objects, "BAY1CTRL", "GGIO1")
        tried("watts", c.read_value, "BAY1CTRL/MMXU1.TotW.mag.f", i.IEC61850_FC_MX)
        tried("position", c.read_value, "BAY1CTRL/CSWI1.Pos.stVal", i.IEC61850_FC_ST)
        tried("nothing", c.read_value, "BAY1CTRL/GGIO1.SPCSO9.stVal", i.IEC61850_FC_ST)
        tried("data set", c.read_dataset, "BAY1CTRL/LLN0.Values")
        tried("write", c.write_value, "BAY1CTRL/MMXU1.TotW.mag.f", 1.0, i.IEC61850_FC_MX)

        # reports: switched on, asked for, and off again
        block = "BAY1CTRL/LLN0.Values01."
        for what, value in (("RptEna", True), ("GI", True)):
            tried(what, c.write_value, block + what, value, i.IEC61850_FC_RP)
        time.sleep(1.5)

        k = ControlClient(c)
        tried("lamp on", k.direct_operate, "BAY1CTRL/GGIO1.SPCSO1", True)
        tried("lamp 2 on", k.direct_operate, "BAY1CTRL/GGIO1.SPCSO2", True)
        tried("breaker without select", k.operate, "BAY1CTRL/CSWI1.Pos", True)
        tried("select", k.select, "BAY1CTRL/CSWI1.Pos")
        tried("operate", k.operate, "BAY1CTRL/CSWI1.Pos", True)
        tried("select again", k.select, "BAY1CTRL/CSWI1.Pos")
        tried("cancel", k.cancel, "BAY1CTRL/CSWI1.Pos")
        time.sleep(0.5)
        tried("reports off", c.write_value, block + "RptEna", False, i.IEC61850_FC_RP)

        f = FileClient(c)
        tried("files", f.list_files, "/")
        tried("file", c.download_file, "fault1.cfg", "fault1.got")
        tried("no file", c.download_file, "fault9.cfg", "fault9.got")
        tried("delete", f.delete_file, "fault1.cfg")
        k.release_all()
        c.disconnect()
    # the library does not survive the end of Python
    os._exit(0)


main()
