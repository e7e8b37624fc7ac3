"""HTTP/3 over QUIC and DNS over QUIC, both ends, with aioquic.

usage: quic_talk.py server ADDRESS CERTIFICATE KEY
       quic_talk.py client ADDRESS KEYLOG
"""
import asyncio
import ssl
import struct
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, StreamDataReceived
from aioquic.quic.packet import QuicProtocolVersion

PAGES = {b"/index.html": b"<html><body>line 7 is running</body></html>\n",
         b"/plan.txt": b"".join(b"step %d: valve %d to %d percent\n" % (i, i * 7 % 40, i % 100) for i in range(60))}
NAME = "web.plant.example"


def answer(question):
    """An address for the one name there is; otherwise: no such name."""
    known = b"\x03web\x05plant\x07example\x00\x00\x01\x00\x01" in question
    head = question[:2] + struct.pack(">HHHHH", 0x8580 | (0 if known else 3), 1, known, 0, 0)
    record = b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", 300, 4) + bytes([10, 20, 30, 10]) if known else b""
    return head + question[12:] + record


class Serving(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated) and event.alpn_protocol == "h3":
            self.http = H3Connection(self._quic)
        if self.http is None:
            if isinstance(event, StreamDataReceived) and event.end_stream:
                reply = answer(event.data[2:])
                self._quic.send_stream_data(event.stream_id, struct.pack(">H", len(reply)) + reply, end_stream=True)
                self.transmit()
            return
        for said in self.http.handle_event(event):
            if isinstance(said, HeadersReceived):
                headers = dict(said.headers)
                body = PAGES.get(headers[b":path"])
                status = b"404" if body is None else b"200"
                if headers[b":method"] == b"POST":
                    status, body = b"204", b""
                self.http.send_headers(said.stream_id, [(b":status", status), (b"server", b"plant"),
                                                        (b"content-type", b"text/plain")])
                self.http.send_data(said.stream_id, body or b"", end_stream=True)
        self.transmit()


class Asking(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic) if self._quic.configuration.alpn_protocols == ["h3"] else None
        self.waiting = {}

    async def ask(self, path, method=b"GET", body=b""):
        stream = self._quic.get_next_available_stream_id()
        self.waiting[stream] = asyncio.get_running_loop().create_future()
        self.http.send_headers(stream, [(b":method", method), (b":scheme", b"https"), (b":authority", NAME.encode()),
                                        (b":path", path), (b"user-agent", b"Plant browser/1.0")], end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()
        await self.waiting[stream]

    async def resolve(self, name):
        stream = self._quic.get_next_available_stream_id()
        self.waiting[stream] = asyncio.get_running_loop().create_future()
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
        question = struct.pack(">HHHHHH", 0, 0x0100, 1, 0, 0, 0) + labels + b"\x00\x01\x00\x01"
        self._quic.send_stream_data(stream, struct.pack(">H", len(question)) + question, end_stream=True)
        self.transmit()
        await self.waiting[stream]

    def quic_event_received(self, event):
        if self.http is None:
            if isinstance(event, StreamDataReceived) and event.end_stream:
                self.waiting[event.stream_id].set_result(None)
            return
        for said in self.http.handle_event(event):
            if isinstance(said, (DataReceived, HeadersReceived)) and said.stream_ended:
                self.waiting[said.stream_id].set_result(None)


async def server(address, certificate, key):
    for port, alpn, retry in ((443, "h3", False), (4433, "h3", True), (853, "doq", False)):
        configuration = QuicConfiguration(is_client=False, alpn_protocols=[alpn], max_datagram_size=1350,
                                          supported_versions=[QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2])
        configuration.load_cert_chain(certificate, key)
        tickets = {}
        await serve(address, port, configuration=configuration, create_protocol=Serving, retry=retry,
                    session_ticket_handler=lambda t: tickets.__setitem__(t.ticket, t),
                    session_ticket_fetcher=lambda label: tickets.pop(label, None))
    await asyncio.Event().wait()


async def client(address, keylog):
    ticket = []
    with open(keylog, "w") as log:
        def configured(alpn="h3", version=QuicProtocolVersion.VERSION_1, **more):
            return QuicConfiguration(alpn_protocols=[alpn], server_name=NAME, verify_mode=ssl.CERT_NONE, secrets_log_file=log,
                                     original_version=version, supported_versions=[version], max_datagram_size=1350, **more)

        async with connect(address, 443, configuration=configured(), create_protocol=Asking,
                           session_ticket_handler=ticket.append) as talk:
            await talk.ask(b"/index.html")
            await asyncio.gather(talk.ask(b"/plan.txt"), talk.ask(b"/nothing.html"))
            await talk.ask(b"/set", b"POST", b"speed=72.5&line=7")
        # Early data, on the ticket of the first.
        async with connect(address, 443, configuration=configured(session_ticket=ticket[-1]), create_protocol=Asking,
                           wait_connected=False) as talk:
            await talk.ask(b"/index.html")
        async with connect(address, 4433, configuration=configured(), create_protocol=Asking) as talk:
            await talk.ask(b"/index.html")
        async with connect(address, 443, configuration=configured(version=QuicProtocolVersion.VERSION_2), create_protocol=Asking) as talk:
            await talk.ask(b"/index.html")
        async with connect(address, 853, configuration=configured("doq"), create_protocol=Asking) as talk:
            await talk.resolve("web.plant.example")
            await talk.resolve("nothing.plant.example")
    # A version that nobody has: the server names its own.
    loop = asyncio.get_running_loop()
    sender, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(address, 443))
    sender.sendto(bytes([0xC0]) + bytes.fromhex("1a2a3a4a") + b"\x08" + bytes(range(8)) + b"\x08" + bytes(range(8, 16)) + bytes(1200))
    await asyncio.sleep(0.3)
    sender.close()


if sys.argv[1] == "server":
    asyncio.run(server(*sys.argv[2:]))
else:
    asyncio.run(client(*sys.argv[2:]))
