"""A station that asks and sets a sensor by CoAP, by aiocoap.

usage: coap_client.py ADDRESS
"""
import asyncio
import sys

from aiocoap import DELETE, GET, NON, POST, PUT, Context, Message

BASE = "coap://%s/" % sys.argv[1]


async def main():
    c = await Context.create_client_context()

    async def ask(code, path, payload=b"", **more):
        r = await asyncio.wait_for(c.request(Message(code=code, uri=BASE + path, payload=payload, **more)).response, 20)
        print(code, path, r.code, len(r.payload))

    await ask(GET, ".well-known/core")
    await ask(GET, "temperature")
    await ask(GET, "temperature", _mtype=NON)
    await ask(PUT, "setpoint", b"22.5", content_format=0)
    await ask(GET, "setpoint")
    await ask(POST, "setpoint?mode=eco", b"go")
    await ask(DELETE, "setpoint")
    await ask(GET, "nowhere")
    await ask(PUT, "temperature", b"0")
    await ask(GET, "slow")
    # in blocks, both ways
    await ask(GET, "firmware")
    await ask(PUT, "firmware", b"newer image " * 200)
    r = c.request(Message(code=GET, uri=BASE + "temperature", observe=0))
    await r.response
    n = 0
    async for x in r.observation:
        n += 1
        if n == 3:
            break
    r.observation.cancel()
    await asyncio.sleep(0.6)
    await c.shutdown()


asyncio.run(main())
