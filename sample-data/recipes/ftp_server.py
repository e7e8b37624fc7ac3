"""An FTP server of two accounts, in clear and behind AUTH TLS.

usage: ftp_server.py ADDRESS DIRECTORY CERTIFICATE
"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

address, directory, certificate = sys.argv[1:]
who = DummyAuthorizer()
who.add_user("operator", "line-one", directory, perm="elradfmwMT")
who.add_anonymous(directory)


def serve(handler, port, ports):
    handler.authorizer = who
    handler.banner = "Plant files"
    handler.passive_ports = ports
    handler.auth_failed_timeout = 0.2
    handler.use_gmt_times = True
    return ThreadedFTPServer((address, port), handler)


TLS_FTPHandler.certfile = certificate
clear = serve(FTPHandler, 21, range(40000, 40050))
safe = serve(TLS_FTPHandler, 2121, range(40100, 40150))
import threading

threading.Thread(target=safe.serve_forever, daemon=True).start()
clear.serve_forever()
