"""A gateway of a plant that speaks OPC UA, by asyncua.

usage: opcua_server.py HOST
"""
import asyncio
import sys

from asyncua import Server, ua, uamethod
from asyncua.crypto.permission_rules import User, UserRole


class Users:
    def get_user(self, iserver, username=None, password=None, certificate=None):
        if username is None:
            return User(role=UserRole.User)
        if (username, password) == ("operator", "line-one"):
            return User(role=UserRole.User, name=username)
        return None


@uamethod
def start_batch(parent, recipe, litres):
    if litres > 1000:
        raise ua.UaStatusCodeError(ua.StatusCodes.BadOutOfRange)
    return "batch of %d litres by %s" % (litres, recipe)


async def main():
    server = Server(user_manager=Users())
    await server.init()
    server.set_endpoint("opc.tcp://%s:4840/plant/" % sys.argv[1])
    server.set_server_name("plant gateway")
    await server.set_application_uri("urn:gateway.plant.example")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken, ua.UserNameIdentityToken])
    idx = await server.register_namespace("urn:plant.example:process")
    line = await server.nodes.objects.add_object(idx, "Line1")
    temperature = await line.add_variable(idx, "Temperature", 61.5)
    setpoint = await line.add_variable(idx, "Setpoint", 65.0)
    running = await line.add_variable(idx, "Running", True)
    await line.add_variable(idx, "Name", "filling line 1")
    await setpoint.set_writable()
    await running.set_writable()
    await line.add_method(idx, "StartBatch", start_batch, [ua.VariantType.String, ua.VariantType.Int64],
                          [ua.VariantType.String])
    async with server:
        t = 61.5
        while True:
            await asyncio.sleep(0.4)
            t += 0.5
            await temperature.write_value(t)


asyncio.run(main())
