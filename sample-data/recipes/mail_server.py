"""A submission server: aiosmtpd on port 587 that lets two people in."""
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PASSWORDS = {b"anna@plant.example": b"line-one", b"boris@plant.example": b"line-two"}


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and PASSWORDS.get(data.login) == data.password
    return AuthResult(success=known, handled=False)


address, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
Controller(
    Handler(), hostname=address, port=587, server_hostname="mail.plant.example", tls_context=context,
    authenticator=authenticate, auth_require_tls=False,
).start()
while True:
    time.sleep(60)
