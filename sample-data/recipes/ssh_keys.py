#!/usr/bin/env python3
"""An SSH server and clients whose shared secrets are written down, with asyncssh.

usage: ssh_keys.py server ADDRESS
       ssh_keys.py clients ADDRESS KEYLOG

Each client session takes another key exchange, cipher and MAC. The key log has
Wireshark's lines: the client's cookie and the shared secret, in hex.
"""
import asyncio
import sys

import asyncssh
from asyncssh import connection

SESSIONS = [
    # key exchange, cipher, MAC, compression
    ("curve25519-sha256", "chacha20-poly1305@openssh.com", "hmac-sha2-256", "none"),
    ("ecdh-sha2-nistp256", "aes256-gcm@openssh.com", "hmac-sha2-256", "none"),
    ("ecdh-sha2-nistp384", "aes128-gcm@openssh.com", "hmac-sha2-256", "zlib@openssh.com"),
    ("ecdh-sha2-nistp521", "aes256-ctr", "hmac-sha2-512-etm@openssh.com", "none"),
    ("diffie-hellman-group14-sha256", "aes192-ctr", "hmac-sha1", "none"),
    ("diffie-hellman-group-exchange-sha256", "aes128-ctr", "hmac-sha2-256-etm@openssh.com", "zlib"),
    ("diffie-hellman-group14-sha1", "aes128-cbc", "hmac-md5", "none"),
    ("curve25519-sha256@libssh.org", "aes256-cbc", "hmac-sha2-256", "none"),
    ("curve25519-sha256", "aes128-ctr", "umac-64@openssh.com", "none"),
]
PASSWORD = "valve-17"


def write_down(path):
    """Has every client connection of this process add its key to the log."""
    send = connection.SSHConnection.send_newkeys

    def noted(self, k, h):
        if self.is_client():
            length = int.from_bytes(k[:4], "big")
            with open(path, "a") as log:
                log.write(f"{self._client_kexinit[1:17].hex()} {k[4:4 + length].hex()}\n")
        send(self, k, h)

    connection.SSHConnection.send_newkeys = noted


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return username == "operator" and password == PASSWORD


async def answer(process):
    if process.command:
        process.stdout.write(f"ran {process.command}\n")
        process.exit(0)
        return
    async for line in process.stdin:
        process.stdout.write(f"{line.strip()} done\n")
    process.exit(0)


def names(field):
    return sorted({session[field] for session in SESSIONS})


async def server(address):
    await asyncssh.create_server(
        Server, address, 22, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")], process_factory=answer,
        kex_algs=names(0), encryption_algs=names(1), mac_algs=names(2), compression_algs=names(3))
    await asyncio.Event().wait()


async def client(address, session, password=PASSWORD, **more):
    kex, cipher, mac, compression = session
    return await asyncssh.connect(
        address, 22, username="operator", password=password, known_hosts=None, client_keys=None, agent_path=None, config=None,
        kex_algs=[kex], encryption_algs=[cipher], mac_algs=[mac], compression_algs=[compression],
        preferred_auth="password", **more)


async def clients(address, log):
    write_down(log)
    for session in SESSIONS:
        async with await client(address, session) as conn:
            await conn.run("show status")
    # a password that is refused
    try:
        await client(address, SESSIONS[0], password="guess-1")
    except asyncssh.PermissionDenied:
        pass
    # a shell whose keys are changed midway
    async with await client(address, SESSIONS[3], rekey_bytes=1500) as conn:
        process = await conn.create_process()
        for number in range(20):
            process.stdin.write(f"read register {number} of the pump controller, please\n")
            await process.stdout.readline()
        process.stdin.write_eof()
        await process.wait()


asyncio.run({"server": server, "clients": clients}[sys.argv[1]](*sys.argv[2:]))
