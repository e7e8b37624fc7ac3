"""A controller that speaks S7, by python-snap7 2 (the library Snap7) or 3.

usage: s7_server.py
"""
import ctypes
import time

from snap7.server import Server
from snap7.type import SrvArea

server = Server(log=False)
areas = []
for area, number, size in [(SrvArea.DB, 1, 64), (SrvArea.DB, 10, 300), (SrvArea.PE, 0, 16), (SrvArea.PA, 0, 16),
                           (SrvArea.MK, 0, 64), (SrvArea.TM, 0, 16), (SrvArea.CT, 0, 16)]:
    data = (ctypes.c_uint8 * size)(*(i % 256 for i in range(size)))
    areas.append(data)
    server.register_area(area, number, data)
server.start(102)
while True:
    time.sleep(1)
