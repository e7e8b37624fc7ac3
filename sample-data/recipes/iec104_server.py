"""A substation that speaks IEC 60870-5-104, by c104.

usage: iec104_server.py ADDRESS
"""
import datetime
import sys
import time

import c104

ADDRESS = sys.argv[1]
server = c104.Server(ip=ADDRESS, port=2404, tick_rate_ms=100)
st = server.add_station(common_address=47)

breaker = st.add_point(io_address=1001, type=c104.Type.M_DP_TB_1)
breaker.value = c104.Double.OFF
door = st.add_point(io_address=1002, type=c104.Type.M_SP_NA_1)
door.value = False
voltage = st.add_point(io_address=2001, type=c104.Type.M_ME_NC_1)
voltage.value = 110.5
current = st.add_point(io_address=2002, type=c104.Type.M_ME_NB_1)
current.value = c104.Int16(320)
tap = st.add_point(io_address=2003, type=c104.Type.M_ST_NA_1)
tap.value = c104.Int7(3)
energy = st.add_point(io_address=3001, type=c104.Type.M_IT_NA_1)


def accept(point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage) -> c104.ResponseState:
    return c104.ResponseState.SUCCESS


def refuse(point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage) -> c104.ResponseState:
    return c104.ResponseState.FAILURE


def clock(server: c104.Server, ip: str, date_time: datetime.datetime) -> c104.ResponseState:
    return c104.ResponseState.SUCCESS


server.on_clock_sync(callable=clock)
for address, kind, mode, answer in [
        (5001, c104.Type.C_SC_NA_1, c104.CommandMode.DIRECT, accept),
        (5002, c104.Type.C_DC_NA_1, c104.CommandMode.SELECT_AND_EXECUTE, accept),
        (5003, c104.Type.C_SC_NA_1, c104.CommandMode.DIRECT, refuse),
        (5004, c104.Type.C_RC_NA_1, c104.CommandMode.DIRECT, accept),
        (5005, c104.Type.C_DC_TA_1, c104.CommandMode.DIRECT, accept),
        (6001, c104.Type.C_SE_NC_1, c104.CommandMode.SELECT_AND_EXECUTE, accept),
        (6002, c104.Type.C_SE_NB_1, c104.CommandMode.DIRECT, accept)]:
    p = st.add_point(io_address=address, type=kind, command_mode=mode)
    p.on_receive(callable=answer)
server.start()
while not server.has_active_connections:
    time.sleep(0.05)
time.sleep(1.2)
# what changes by itself
for v in (110.7, 111.4, 109.9):
    voltage.value = v
    voltage.transmit(cause=c104.Cot.SPONTANEOUS)
    time.sleep(0.3)
door.value = True
door.transmit(cause=c104.Cot.SPONTANEOUS)
breaker.value = c104.Double.ON
breaker.transmit(cause=c104.Cot.SPONTANEOUS)
current.transmit(cause=c104.Cot.PERIODIC)
while True:
    time.sleep(1)
