"""Types into a Telnet client as one would: waits for a text, then answers.

usage: telnet_client.py HOST PORT [WAIT SAY]...
"""
import os
import pty
import sys
import time

host, port, *talk = sys.argv[1:]
pid, end = pty.fork()
if pid == 0:
    os.environ.update(TERM="vt100", USER="operator")
    os.execvp("telnet", ["telnet", "-K", host, port])
seen = b""
for wait, say in zip(talk[::2], talk[1::2]):
    while wait.encode() not in seen:
        got = os.read(end, 4096)
        if not got:
            sys.exit("closed before " + wait)
        seen += got
    seen = b""
    time.sleep(0.2)
    for key in say.encode() + b"\r":
        os.write(end, bytes([key]))
        time.sleep(0.02)
try:
    while os.read(end, 4096):
        pass
except OSError:
    pass
os.waitpid(pid, 0)
