"""A master that polls and commands an outstation, by yadnp3 (OpenDNP3).

usage: dnp3_client.py ADDRESS
"""
import sys
import time

import opendnp3 as o


class Seen(o.ISOEHandler):
    def BeginFragment(self, info):
        pass

    def EndFragment(self, info):
        pass

    def Process(self, info, values):
        pass

    def OnDeviceAttribute(self, info, set, variation, value):
        pass


class Application(o.IMasterApplication):
    def Now(self):
        return o.UTCTimestamp(int(time.time() * 1000))


class Listener(o.IChannelListener):
    def OnStateChange(self, state):
        print(state)


def main():
    manager = o.DNP3Manager(1)
    channel = manager.AddTCPClient("master", o.LogLevels(0), o.ChannelRetry.Default(),
                                   [o.IPEndpoint(sys.argv[1], 20000)], "0.0.0.0", Listener())
    config = o.MasterStackConfig()
    config.master.responseTimeout = o.TimeDuration.Seconds(2)
    config.master.timeSyncMode = o.TimeSyncMode.LAN
    config.master.disableUnsolOnStartup = True
    config.link.LocalAddr = 1
    config.link.RemoteAddr = 10
    keep = Seen(), Application()
    master = channel.AddMaster("master", keep[0], keep[1], config)
    master.Enable()
    time.sleep(3)

    def told(r):
        print(r.summary if hasattr(r, "summary") else r)

    def done(name, f, *a):
        try:
            f(*a)
            print(name)
        except Exception as e:
            print(name, "refused", e)
        time.sleep(0.6)

    crob = o.ControlRelayOutputBlock
    done("integrity", master.ScanClasses, o.ClassField.AllClasses(), keep[0])
    done("events", master.ScanClasses, o.ClassField.AllEventClasses(), keep[0])
    done("range", master.ScanRange, o.GroupVariationID(30, 5), 0, 2, keep[0])
    done("direct", master.DirectOperate, crob(o.OperationType.LATCH_ON), 0, told)
    done("select", master.SelectAndOperate, crob(o.OperationType.PULSE_ON, o.TripCloseCode.CLOSE), 1, told)
    done("local", master.SelectAndOperate, crob(o.OperationType.LATCH_OFF), 3, told)
    done("no point", master.SelectAndOperate, crob(o.OperationType.LATCH_ON), 9, told)
    done("analog", master.DirectOperate, o.AnalogOutputFloat32(72.5), 0, told)
    done("analog select", master.SelectAndOperate, o.AnalogOutputInt16(-5), 1, told)
    done("freeze", master.Freeze, o.FreezeType.FreezeAndClear, [o.Header.AllObjects(20, 0)])
    done("link", master.CheckLinkStatus, told)
    done("cold", master.Restart, o.RestartType.COLD, told)
    done("warm", master.Restart, o.RestartType.WARM, told)
    done("file", master.ReadFile, "/events.log", told)
    time.sleep(2)
    manager.Shutdown()


main()
