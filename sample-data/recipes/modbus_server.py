"""A small Modbus/TCP device for the recipes.

usage: modbus_server.py ADDRESS

Holding registers from 0: setpoint 1500, speed 1498, mode 2, then a counting
ramp. Coils from 0: pump on, valve off, ... The device answers for unit 1
only and knows its own name.
"""
import asyncio
import sys

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import StartAsyncTcpServer


class Block(ModbusSequentialDataBlock):
    """Data block whose first element has protocol address 0."""

    def __init__(self, values):
        super().__init__(1, values)


def main():
    holding = [1500, 1498, 2] + [100 + i for i in range(97)]
    inputs = [231, 417, 65535, 0] + [i * i for i in range(16)]
    coils = [True, False, True, True] + [False] * 28
    discrete = [True, True, False, True, False, False, True, False] * 4
    unit = ModbusSlaveContext(
        di=Block(discrete), co=Block(coils), hr=Block(holding), ir=Block(inputs)
    )
    who = ModbusDeviceIdentification(
        info_name={
            "VendorName": "Plant Example Works",
            "ProductCode": "PX-200",
            "MajorMinorRevision": "2.8",
            "VendorUrl": "http://plant.example/",
            "ProductName": "Line controller",
            "ModelName": "PX-200/4",
            "UserApplicationName": "line 1",
        }
    )
    context = ModbusServerContext(slaves={1: unit}, single=False)
    asyncio.run(
        StartAsyncTcpServer(context=context, identity=who, address=(sys.argv[1], 502))
    )


main()
