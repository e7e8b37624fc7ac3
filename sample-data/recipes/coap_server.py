"""A sensor that speaks CoAP, by aiocoap.

usage: coap_server.py ADDRESS
"""
import asyncio
import sys

import aiocoap
import aiocoap.resource as resource


class Temperature(resource.ObservableResource):
    def __init__(self):
        super().__init__()
        self.value = 21.5

    async def run(self):
        while True:
            await asyncio.sleep(0.4)
            self.value += 0.5
            self.updated_state()

    async def render_get(self, request):
        return aiocoap.Message(payload=b"%.1f" % self.value)


class Store(resource.Resource):
    def __init__(self, content):
        super().__init__()
        self.content = content

    async def render_get(self, request):
        return aiocoap.Message(payload=self.content)

    async def render_put(self, request):
        self.content = request.payload
        return aiocoap.Message(code=aiocoap.CHANGED)

    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CREATED, payload=b"done")

    async def render_delete(self, request):
        return aiocoap.Message(code=aiocoap.DELETED)


class Slow(resource.Resource):
    async def render_get(self, request):
        await asyncio.sleep(1)
        return aiocoap.Message(payload=b"at last")


async def main():
    root = resource.Site()
    root.add_resource([".well-known", "core"], resource.WKCResource(root.get_resources_as_linkheader))
    temperature = Temperature()
    root.add_resource(["temperature"], temperature)
    root.add_resource(["setpoint"], Store(b"20.0"))
    root.add_resource(["firmware"], Store(b"image " * 400))
    root.add_resource(["slow"], Slow())
    await aiocoap.Context.create_server_context(root, bind=(sys.argv[1], 5683))
    await temperature.run()


asyncio.run(main())
