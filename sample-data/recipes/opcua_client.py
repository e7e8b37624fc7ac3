"""An operator's station that uses an OPC UA server.

usage: opcua_client.py HOST
"""
import asyncio
import sys

from asyncua import Client, ua

URL = "opc.tcp://%s:4840/plant/" % sys.argv[1]


async def tried(name, what):
    try:
        print(name, "ok", await asyncio.wait_for(what, 10))
    except Exception as e:
        print(name, "refused", type(e).__name__, e)


class Seen:
    def datachange_notification(self, node, value, data):
        print("changed", value)


async def main():
    print(len(await Client(URL).connect_and_get_server_endpoints()))
    await tried("servers", Client(URL).connect_and_find_servers())
    # nobody in particular
    async with Client(URL) as c:
        idx = await c.get_namespace_index("urn:plant.example:process")
        line = await c.nodes.objects.get_child("%d:Line1" % idx)
        for n in await line.get_children():
            print(await n.read_browse_name())
        setpoint = await line.get_child("%d:Setpoint" % idx)
        temperature = await line.get_child("%d:Temperature" % idx)
        print(await temperature.read_value(), await setpoint.read_value())
        await tried("write what may be", setpoint.write_value(66.0))
        await tried("write what may not be", temperature.write_value(0.0))
        await tried("read what is not there", c.get_node("ns=%d;i=9999" % idx).read_value())
    # somebody with a wrong password, then with the right one
    for password in ("wrong", "line-one"):
        c = Client(URL)
        c.set_user("operator")
        c.set_password(password)
        try:
            async with c:
                line = await c.nodes.objects.get_child("%d:Line1" % idx)
                running = await line.get_child("%d:Running" % idx)
                setpoint = await line.get_child("%d:Setpoint" % idx)
                temperature = await line.get_child("%d:Temperature" % idx)
                await tried("write", c.write_values([setpoint, running], [72.5, False]))
                await tried("method", line.call_method("%d:StartBatch" % idx, "cola", 800))
                await tried("method refused", line.call_method("%d:StartBatch" % idx, "cola", 5000))
                sub = await c.create_subscription(200, Seen())
                handle = await sub.subscribe_data_change([temperature, setpoint])
                await asyncio.sleep(1.5)
                await sub.unsubscribe(handle)
                await sub.delete()
                await tried("history", temperature.read_raw_history(numvalues=2))
        except ua.UaError as e:
            print("no session:", e)


asyncio.run(main())
