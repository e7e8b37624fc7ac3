"""A controller of a building that speaks BACnet/IP, by bacpypes3.

usage: bacnet_server.py ADDRESS/LENGTH
"""
import asyncio
import sys

from bacpypes3.app import Application
from bacpypes3.apdu import SimpleAckPDU
from bacpypes3.argparse import SimpleArgumentParser
from bacpypes3.errors import ExecutionError
from bacpypes3.local.analog import AnalogInputObject, AnalogOutputObject
from bacpypes3.local.binary import BinaryOutputObject
from bacpypes3.service.device import DeviceCommunicationControlServices

HOST = sys.argv[1].split("/")[0]


class Controller(Application, DeviceCommunicationControlServices):
    _dcc_enable_handle = None

    async def do_ReinitializeDeviceRequest(self, apdu):
        if apdu.password != "line-one":
            raise ExecutionError(errorClass="security", errorCode="passwordFailure")
        await self.response(SimpleAckPDU(context=apdu))


async def main():
    args = SimpleArgumentParser().parse_args(
        ["--address", sys.argv[1], "--name", "ahu1", "--instance", "1001", "--vendoridentifier", "999",
         "--bbmd", HOST])
    app = Controller.from_args(args)
    app.smap = app.asap
    app.device_object._dcc_password = "line-one"
    fan = BinaryOutputObject(objectIdentifier=("binary-output", 1), objectName="supply fan", presentValue="inactive",
                             relinquishDefault="inactive")
    valve = AnalogOutputObject(objectIdentifier=("analog-output", 1), objectName="heating valve", presentValue=20.0,
                               relinquishDefault=20.0, units="percent", covIncrement=1.0)
    room = AnalogInputObject(objectIdentifier=("analog-input", 1), objectName="room temperature", presentValue=21.5,
                             units="degrees-celsius", covIncrement=0.2)
    for o in (fan, valve, room):
        app.add_object(o)
    t = 21.5
    while True:
        await asyncio.sleep(0.5)
        t += 0.3
        room.presentValue = t


asyncio.run(main())
