"""What is done on the jump host: who are you, and a new setpoint.

usage: plant_jump.py ADDRESS
"""
import sys
import time

from pymodbus.client import ModbusTcpClient


def main():
    c = ModbusTcpClient(sys.argv[1], port=502, timeout=2)
    c.connect()
    c.read_device_information(read_code=1, object_id=0, slave=1)
    time.sleep(1)
    assert c.read_holding_registers(0, count=1, slave=1).registers == [1500]
    time.sleep(1)
    c.write_register(0, 2900, slave=1)
    time.sleep(0.5)
    c.write_coil(1, True, slave=1)
    time.sleep(0.5)
    assert c.read_holding_registers(0, count=1, slave=1).registers == [2900]
    c.close()


main()
