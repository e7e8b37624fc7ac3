"""A workstation that asks and commands a controller over BACnet/IP.

usage: bacnet_client.py ADDRESS/LENGTH ADDRESS-OF-THE-CONTROLLER [foreign]
"""
import asyncio
import sys

from bacpypes3.apdu import (DeviceCommunicationControlRequest, ReinitializeDeviceRequest, TimeSynchronizationRequest,
                            WritePropertyRequest)
from bacpypes3.app import Application
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.basetypes import DateTime
from bacpypes3.pdu import Address, LocalBroadcast
from bacpypes3.primitivedata import CharacterString, Date, Null, ObjectIdentifier, Real, Time

THERE = Address(sys.argv[2])


async def tried(what):
    try:
        r = await asyncio.wait_for(what, 10)
        print("ok", r)
        return r
    except BaseException as e:
        print("refused", type(e).__name__, e)


async def workstation(app):
    await app.who_is()
    await app.who_is(1000, 1002)
    await app.who_has(object_name="supply fan") if hasattr(app, "who_has") else None
    for o, p in [("device,1001", "object-list"), ("device,1001", "vendor-name"), ("analog-input,1", "present-value"),
                 ("analog-input,9", "present-value"), ("analog-input,1", "priority-array")]:
        await tried(app.read_property(THERE, o, p))
    await tried(app.read_property_multiple(THERE, [
        "analog-input,1", ["object-name", "present-value", "units"],
        "analog-output,1", ["present-value", "priority-array"],
        "binary-output,1", ["present-value", "status-flags"]]))
    # a valve and a fan, commanded at two priorities, and let go
    await tried(app.write_property(THERE, "analog-output,1", "present-value", Real(80.0), None, 8))
    await tried(app.write_property(THERE, "analog-output,1", "present-value", Real(35.0), None, 16))
    await tried(app.read_property(THERE, "analog-output,1", "present-value"))
    await tried(app.write_property(THERE, "binary-output,1", "present-value", "active", None, 5))
    await tried(app.write_property(THERE, "analog-output,1", "present-value", Null(()), None, 8))
    await tried(app.read_property(THERE, "analog-output,1", "present-value"))
    # what cannot be written, and what can
    await tried(app.write_property(THERE, "analog-output,9", "present-value", Real(1.0), None, 8))
    await tried(app.request(WritePropertyRequest(
        objectIdentifier="analog-output,1", propertyIdentifier="present-value",
        propertyValue=CharacterString("open"), priority=8, destination=THERE)))
    await tried(app.write_property(THERE, "device,1001", "description", "supply air, hall 1"))
    # changes reported
    async with app.change_of_value(THERE, ObjectIdentifier("analog-input,1"), 7, True, 60) as scm:
        for _ in range(6):
            await scm.get_value()
    async with app.change_of_value(THERE, ObjectIdentifier("analog-input,1"), 8, False, 60) as scm:
        for _ in range(4):
            await scm.get_value()
    # clock, silence, restart
    await app.request(TimeSynchronizationRequest(
        time=DateTime(date=Date((126, 3, 1, 7)), time=Time((12, 0, 0, 0))), destination=LocalBroadcast()))
    for password in ("wrong", "line-one"):
        await tried(app.request(DeviceCommunicationControlRequest(
            timeDuration=1, enableDisable="disableInitiation", password=password, destination=THERE)))
    await tried(app.request(DeviceCommunicationControlRequest(
        enableDisable="enable", password="line-one", destination=THERE)))
    for state, password in (("coldstart", "wrong"), ("warmstart", None), ("coldstart", "line-one")):
        await tried(app.request(ReinitializeDeviceRequest(
            reinitializedStateOfDevice=state, password=password, destination=THERE)))


async def foreigner(app):
    await asyncio.sleep(0.5)
    await app.who_is()
    await tried(app.read_property(THERE, "analog-input,1", "object-name"))


async def main():
    away = sys.argv[3:]
    args = ["--address", sys.argv[1], "--name", "foreign" if away else "workstation",
            "--instance", "3001" if away else "2001", "--vendoridentifier", "999"]
    if away:
        args += ["--foreign", sys.argv[2], "--ttl", "30"]
    app = Application.from_args(SimpleArgumentParser().parse_args(args))
    await (foreigner if away else workstation)(app)
    await asyncio.sleep(0.5)
    app.close()


asyncio.run(main())
