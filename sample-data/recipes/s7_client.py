"""An engineering station that reads, writes and controls S7 controllers.

usage: s7_client.py ADDRESS ADDRESS-OF-THE-SECOND-CONTROLLER
"""
import datetime
import struct
import sys

from snap7.client import Client
from snap7.type import Block


def tried(f, *a):
    """What a controller may refuse."""
    try:
        r = f(*a)
        print(f.__name__, a, "ok", r if not isinstance(r, (bytes, bytearray)) else len(r))
        return r
    except Exception as e:
        print(f.__name__, a, "refused:", e)


def main():
    c = Client()
    c.connect(sys.argv[1], 0, 2)
    # what it is
    tried(c.get_cpu_info)
    tried(c.get_order_code)
    tried(c.get_cp_info)
    tried(c.get_protection)
    tried(c.get_cpu_state)
    tried(c.list_blocks)
    tried(c.list_blocks_of_type, Block.DB, 10)
    tried(c.get_block_info, Block.DB, 1)
    # values
    assert c.db_read(1, 0, 8) == bytearray(range(8))
    c.db_write(1, 4, bytearray(struct.pack(">f", 72.5)))
    assert struct.unpack(">f", c.db_read(1, 4, 4))[0] == 72.5
    assert len(c.db_read(10, 0, 300)) == 300
    c.mb_write(10, 2, bytearray(b"\x01\x2c"))
    c.ab_write(0, bytearray(b"\x05"))
    tried(c.eb_read, 0, 4)
    tried(c.tm_read, 0, 2)
    tried(c.ct_read, 0, 2)
    tried(c.db_read, 99, 0, 4)
    tried(c.db_read, 1, 60, 10)
    # clock, password, blocks
    tried(c.get_plc_datetime)
    tried(c.set_plc_datetime, datetime.datetime(2026, 3, 1, 12, 0, 0))
    tried(c.set_session_password, "line-one")
    tried(c.clear_session_password)
    tried(c.upload, 1)
    tried(c.delete, Block.DB, 10)
    # mode
    tried(c.plc_stop)
    tried(c.get_cpu_state)
    tried(c.plc_hot_start)
    tried(c.plc_stop)
    tried(c.plc_cold_start)
    tried(c.compress, 1000)
    tried(c.copy_ram_to_rom, 1000)
    c.disconnect()

    c = Client()
    c.connect(sys.argv[2], 0, 1)
    tried(c.list_blocks)
    block = tried(c.full_upload, Block.DB, 1)
    # back into a larger block, with the mark and the foot that this server
    # leaves out and Snap7 insists on
    size = len(block[0]) + 36
    data = bytearray(b"pp") + block[0][2:6] + struct.pack(">HI", 10, size) + block[0][12:] + bytes(36)
    tried(c.download, data, 10)
    tried(c.db_read, 1, 0, 4)
    tried(c.plc_stop)
    c.disconnect()


main()
