"""A measuring unit and a concentrator of pyPMU (IEEE C37.118.2).

usage: synchrophasor_pdc.py unit ADDRESS | concentrator ADDRESS
"""
import collections.abc
import sys
import time

# Where the library, which is older, looks for it.
collections.Sequence = collections.abc.Sequence

from synchrophasor.frame import ConfigFrame2, DataFrame
from synchrophasor.pdc import Pdc
from synchrophasor.pmu import Pmu

role, address = sys.argv[1:]
if role == "unit":
    unit = Pmu(pmu_id=7, ip=address, port=4712, data_rate=20)
    names = ["VA", "VB", "LOAD"] + ["BREAKER %d" % i for i in range(1, 17)]
    configuration = ConfigFrame2(7, 1000000, 1, "Line 7", 7, (True, True, True, False), 2, 1, 1, names,
                                 [(0, "v"), (0, "v")], [(1, "pow")], [(0x0000, 0xFFFF)], 50, 1, 20)
    unit.set_configuration(configuration)
    unit.set_header("Plant line 7, feeder 2")
    unit.run()
    turn = 0
    status = ("ok", True, "timestamp", False, False, False, 0, "<10", 0)
    while True:
        if unit.clients:
            turn += 1
            deviation = 10 * (turn % 5) + (500 if turn > 30 else 0)  # mHz
            unit.send(DataFrame(7, status, [(230.0 + turn % 3, 0.1), (231.0, -2.0)], deviation, 0, [7.5], [0x0001], configuration))
        time.sleep(0.05)
else:
    centre = Pdc(pdc_id=7, pmu_ip=address, pmu_port=4712)
    centre.run()
    centre.get_header()
    centre.get_config()
    centre.start()
    for _ in range(40):
        centre.get()
    centre.stop()
    centre.quit()
