"""A worker in Python, of a pool whose format is JSON. It knows three functions."""
import json
import os
import socket
import struct
import sys
import threading

HEAD = struct.Struct("<IBBBBQ")
SETUP, JOB, CANCEL, LEAVE, READY, BEGAN, VALUE, ERROR, PANIC, UNSENT = 1, 2, 3, 4, 16, 18, 19, 20, 21, 22

channel = socket.socket(fileno=os.dup(0))  # which no child inherits
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
cancelled = threading.Event()


class Failed(Exception):
    """The work's own error."""


def half(number):
    if number % 2:
        raise Failed(f"{number} is odd")
    return number // 2


def until(_):
    cancelled.wait()
    raise Failed("it was asked to stop")


FUNCTIONS = {"half": half, "until": until, "add": sum}


def say(kind, job, payload=b""):
    channel.sendall(HEAD.pack(len(payload), 1, kind, 2, 0, job) + payload)


def read(count):
    data = b""
    while len(data) < count:
        part = channel.recv(count - len(data))
        if not part:
            os._exit(1)  # the pool has gone, whatever this process does
        data += part
    return data


def run(job, payload):
    each, length = payload[8], int.from_bytes(payload[9:11], "little")
    name, arguments = payload[11:11 + length].decode(), payload[11 + length:]
    if name not in FUNCTIONS:
        return say(UNSENT, job, b"\1" + name.encode())
    say(BEGAN, job)
    try:
        function, arguments = FUNCTIONS[name], json.loads(arguments)
        value = [function(it) for it in arguments] if each else function(arguments)
        say(VALUE, job, json.dumps(value).encode())
    except Failed as error:
        say(ERROR, job, json.dumps(str(error)).encode())
    except Exception as error:
        say(PANIC, job, repr(error).encode())


while True:
    size, version, kind, _, _, job = HEAD.unpack(read(HEAD.size))
    payload = read(size)
    if kind == SETUP:
        say(READY, 0)
    elif kind == JOB:
        cancelled.clear()
        threading.Thread(target=run, args=(job, payload), daemon=True).start()
    elif kind == CANCEL:
        cancelled.set()
    elif kind == LEAVE:
        sys.exit(0)
