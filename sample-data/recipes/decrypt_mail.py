#!/usr/bin/env python3
"""A mail server that wants STARTTLS and a login, and a client that sends one mail.

usage: decrypt_mail.py server ADDRESS CERT KEY
       decrypt_mail.py client ADDRESS KEYLOG
"""
import smtplib
import socket
import ssl
import sys


def server(address, cert, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    listener = socket.create_server((address, 587))
    while True:
        sock, _ = listener.accept()
        try:
            serve(sock, tls)
        except OSError:
            pass


def serve(sock, tls):
    lines = sock.makefile("rb")

    def say(text):
        sock.sendall(text.encode() + b"\r\n")

    secure = False
    say("220 mail.plant.example ESMTP")
    while line := lines.readline():
        verb = line.split()[0].upper() if line.split() else b""
        if verb == b"EHLO":
            say("250-mail.plant.example")
            say("250 AUTH PLAIN" if secure else "250 STARTTLS")
        elif verb == b"STARTTLS":
            say("220 ready")
            sock = tls.wrap_socket(sock, server_side=True)
            lines, secure = sock.makefile("rb"), True
        elif verb == b"AUTH":
            say("235 welcome")
        elif verb == b"DATA":
            say("354 go on")
            while lines.readline() not in (b".\r\n", b""):
                pass
            say("250 kept")
        elif verb == b"QUIT":
            say("221 bye")
            return
        else:
            say("250 ok")


def client(address, keylog):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode, tls.keylog_filename = False, ssl.CERT_NONE, keylog
    with smtplib.SMTP(address, 587, local_hostname="hmi.plant.example") as smtp:
        smtp.starttls(context=tls)
        smtp.login("operator", "valve-17")
        smtp.sendmail("hmi@plant.example", ["shift@plant.example"],
                      "Subject: shift report\r\nFrom: hmi@plant.example\r\nTo: shift@plant.example\r\n\r\nAll quiet.\r\n")


{"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
