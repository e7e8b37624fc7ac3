"""The operator panel: reads ten registers and eight coils every second.

usage: plant_hmi.py ADDRESS SECONDS
"""
import sys
import time

from pymodbus.client import ModbusTcpClient


def main():
    c = ModbusTcpClient(sys.argv[1], port=502, timeout=2)
    c.connect()
    begin = time.monotonic()
    for n in range(int(sys.argv[2])):
        time.sleep(max(0, begin + n - time.monotonic()))
        c.read_holding_registers(0, count=10, slave=1)
        c.read_coils(0, count=8, slave=1)
    c.close()


main()
