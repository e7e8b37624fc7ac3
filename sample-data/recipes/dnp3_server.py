"""An outstation that speaks DNP3, by yadnp3 (OpenDNP3).

usage: dnp3_server.py ADDRESS
"""
import sys
import time

import opendnp3 as o

OK = o.CommandStatus.SUCCESS


class Commands(o.ICommandHandler):
    def Begin(self):
        pass

    def End(self):
        pass

    def Select(self, command, index):
        return OK if index < 4 else o.CommandStatus.NOT_SUPPORTED

    def Operate(self, command, index, handler, kind):
        if index == 3:
            return o.CommandStatus.LOCAL
        return OK if index < 4 else o.CommandStatus.NOT_SUPPORTED


class Application(o.IOutstationApplication):
    timeless = True

    def GetApplicationIIN(self):
        iin = o.ApplicationIIN()
        iin.needTime = self.timeless
        return iin

    def SupportsWriteAbsoluteTime(self):
        return True

    def WriteAbsoluteTime(self, timestamp):
        self.timeless = False
        return True

    def ColdRestartSupport(self):
        return o.RestartMode.SUPPORTED_DELAY_FINE

    def ColdRestart(self):
        return 5000

    def WarmRestartSupport(self):
        return o.RestartMode.UNSUPPORTED

    def WarmRestart(self):
        return 0


class Listener(o.IChannelListener):
    def OnStateChange(self, state):
        pass


def main():
    manager = o.DNP3Manager(1)
    channel = manager.AddTCPServer("outstation", o.LogLevels(0), o.ServerAcceptMode.CloseExisting,
                                   o.IPEndpoint(sys.argv[1], 20000), Listener())
    config = o.OutstationStackConfig(o.DatabaseConfig(4))
    config.outstation.eventBufferConfig = o.EventBufferConfig.AllTypes(20)
    config.outstation.params.allowUnsolicited = True
    config.link.LocalAddr = 10
    config.link.RemoteAddr = 1
    keep = Commands(), Application()
    station = channel.AddOutstation("outstation", keep[0], keep[1], config)
    station.Enable()
    n = 0
    while True:
        time.sleep(0.7)
        n += 1
        b = o.UpdateBuilder()
        b.Update(o.Analog(110.0 + n), 0)
        b.Update(o.Counter(1000 + n), 1)
        if n % 2:
            b.Update(o.Binary(n % 4 == 1), 2)
        station.Apply(b.Build())


main()
