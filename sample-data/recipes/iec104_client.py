"""A control centre that asks and commands a substation, by c104.

usage: iec104_client.py ADDRESS
"""
import datetime
import sys
import time

import c104

client = c104.Client(tick_rate_ms=100)
con = client.add_connection(ip=sys.argv[1], port=2404, init=c104.Init.NONE)
con.originator_address = 12
st = con.add_station(common_address=47)


def point(address, kind, mode=c104.CommandMode.DIRECT):
    return st.add_point(io_address=address, type=kind, command_mode=mode)


T, ACT = c104.Type, c104.Cot.ACTIVATION
for address, kind in [(1001, T.M_DP_TB_1), (1002, T.M_SP_NA_1), (2001, T.M_ME_NC_1), (2002, T.M_ME_NB_1),
                      (2003, T.M_ST_NA_1), (3001, T.M_IT_NA_1)]:
    point(address, kind)
voltage = st.get_point(2001)
lamp = point(5001, T.C_SC_NA_1)
breaker = point(5002, T.C_DC_NA_1, c104.CommandMode.SELECT_AND_EXECUTE)
locked = point(5003, T.C_SC_NA_1)
tap = point(5004, T.C_RC_NA_1)
second = point(5005, T.C_DC_TA_1)
target = point(6001, T.C_SE_NC_1, c104.CommandMode.SELECT_AND_EXECUTE)
limit = point(6002, T.C_SE_NB_1)
nowhere = point(7777, T.C_SC_NA_1)

client.start()
while not con.is_connected:
    time.sleep(0.05)
time.sleep(0.3)
assert con.interrogation(common_address=47)
assert con.clock_sync(common_address=47)
assert con.counter_interrogation(common_address=47)
con.test(common_address=47)
voltage.read()
time.sleep(2.5)
lamp.value = True
assert lamp.transmit(cause=ACT)
breaker.value = c104.Double.OFF
assert breaker.transmit(cause=ACT)
locked.value = True
assert not locked.transmit(cause=ACT)
tap.value = c104.Step.HIGHER
assert tap.transmit(cause=ACT)
second.info = c104.DoubleCmd(state=c104.Double.ON, recorded_at=datetime.datetime.now(datetime.timezone.utc))
assert second.transmit(cause=ACT)
target.value = 112.5
assert target.transmit(cause=ACT)
limit.value = c104.Int16(400)
assert limit.transmit(cause=ACT)
nowhere.value = True
assert not nowhere.transmit(cause=ACT)
# a station that is not there
con.add_station(common_address=48)
con.interrogation(common_address=48)
lamp.value = False
assert lamp.transmit(cause=ACT)
time.sleep(0.5)
client.stop()
