"""Ask a Modbus/TCP device everything the sample should show.

usage: modbus_client.py ADDRESS ADDRESS-OF-THE-SECOND-DEVICE
"""
import socket
import struct
import sys
import time

from pymodbus.client import ModbusTcpClient


def frame(tid, unit, pdu):
    return struct.pack(">HHHB", tid, 0, len(pdu) + 1, unit) + pdu


def raw(address, data, answers):
    """Send bytes as they are and wait for so many answers."""
    with socket.create_connection((address, 502), timeout=3) as s:
        s.sendall(data)
        got = b""
        while answers:
            part = s.recv(512)
            if not part:
                break
            got += part
            while len(got) >= 6 and len(got) >= 6 + struct.unpack(">H", got[4:6])[0]:
                got = got[6 + struct.unpack(">H", got[4:6])[0]:]
                answers -= 1


def main():
    address = sys.argv[1]
    c = ModbusTcpClient(address, port=502, timeout=1, retries=0)
    assert c.connect()
    # reads: functions 1, 2, 3, 4
    assert c.read_coils(0, count=16, slave=1).bits[:4] == [True, False, True, True]
    c.read_discrete_inputs(0, count=8, slave=1)
    assert c.read_holding_registers(0, count=10, slave=1).registers[0] == 1500
    c.read_input_registers(0, count=4, slave=1)
    # single writes: functions 5 and 6
    c.write_coil(1, True, slave=1)
    c.write_register(0, 1750, slave=1)
    assert c.read_holding_registers(0, count=1, slave=1).registers == [1750]
    # multiple writes: functions 15 and 16
    c.write_coils(8, [True, False, True, True, False], slave=1)
    c.write_registers(20, [11, 22, 33, 44], slave=1)
    # mask write: function 22; read and write: function 23
    c.mask_write_register(address=2, and_mask=0x00F2, or_mask=0x0025, slave=1)
    c.readwrite_registers(
        read_address=20, read_count=4, write_address=30, values=[901, 902], slave=1
    )
    # diagnostics and identity: functions 8, 17, 43/14 (basic, regular, one object)
    c.diag_query_data(b"\x12\x34", slave=1)
    c.report_slave_id(slave=1)
    c.read_device_information(read_code=1, object_id=0, slave=1)
    c.read_device_information(read_code=2, object_id=0, slave=1)
    c.read_device_information(read_code=4, object_id=1, slave=1)
    # exceptions: illegal address on a read and on a write
    assert c.read_holding_registers(5000, count=2, slave=1).exception_code == 2
    assert c.write_register(6000, 1, slave=1).exception_code == 2
    # a few polls of the same registers
    for _ in range(5):
        c.read_holding_registers(0, count=3, slave=1)
        time.sleep(0.2)
    c.close()

    # the second device, asked with plain bytes
    edge = sys.argv[2]
    # a function the device does not know: exception 1
    raw(edge, frame(700, 1, b"\x65\x00\x00"), 1)
    # an illegal address, an illegal quantity (0 registers), busy: 2, 3 and 6
    raw(edge, frame(701, 1, b"\x03\x00\x63\x00\x02"), 1)
    raw(edge, frame(702, 1, b"\x03\x00\x00\x00\x00"), 1)
    raw(edge, frame(703, 1, b"\x10\x00\x00\x00\x01\x02\x05\xdc"), 1)
    # two requests in one segment, two answers in one segment
    raw(
        edge,
        frame(704, 1, b"\x03\x00\x00\x00\x02") + frame(705, 1, b"\x04\x00\x00\x00\x02"),
        2,
    )
    # one request in two segments
    data = frame(706, 1, b"\x03\x00\x01\x00\x01")
    with socket.create_connection((edge, 502), timeout=3) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(data[:5])
        time.sleep(0.2)
        s.sendall(data[5:])
        s.recv(100)
    # a unit nobody answers for
    with socket.create_connection((edge, 502), timeout=1) as s:
        s.sendall(frame(707, 9, b"\x03\x00\x00\x00\x01"))
        try:
            s.recv(100)
        except TimeoutError:
            pass


main()
