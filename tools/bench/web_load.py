#!/usr/bin/python3
"""Those that connect to the listener, for listener_part.py: one of its own so that they have their own processor time.

  web_load.py ask PORT CONNECTIONS SECONDS get|unregister     requests over connections that stay; prints JSON
  web_load.py hold PORT CONNECTIONS                           idle connections until standard input ends; prints one line when open
  web_load.py knock PORT SECONDS A-SECOND                     so many begin a TLS handshake a second; prints JSON
"""
import collections
import contextlib
import json
import os
import resource
import select
import socket
import ssl
import sys
import time

AT_ONCE = 200
TOKEN_END = '0123456789abcdeffedcba98765432105555aaaa5555aaaa'  # of the devices that answers.cpp makes
AT_A_TIME = 32  # requests of one address: fewer than its burst


def connect(port):
    made = socket.create_connection(('127.0.0.1', port), 5)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def request(kind, number):
    """As a reverse proxy passes them on, of ever new clients: what is measured is not the limits."""
    client = number // (1 if kind == 'unregister' else AT_A_TIME)
    who = f'10.{client >> 16 & 255}.{client >> 8 & 255}.{client & 255}'
    if kind == 'get':
        return f'GET /up HTTP/1.1\r\nHost: push.example.org\r\nX-Forwarded-For: {who}\r\nAccept: */*\r\n\r\n'.encode()
    body = '{"account":"user%d@example.org","provider":"tigase:messenger:apns:1","device-token":"%016x%s"}' % (
        number // 4, number, TOKEN_END)
    return (f'POST /unregister-device/push.example.org HTTP/1.1\r\nHost: push.example.org\r\nX-Forwarded-For: {who}\r\n'
            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode()


def ask(port, connections, seconds, kind):
    poll = select.epoll()
    sockets = {}
    for _ in range(connections):
        one = connect(port)
        sockets[one.fileno()] = one
        poll.register(one, select.EPOLLIN)
    asked = done = wrong = 0
    for one in sockets.values():
        one.sendall(request(kind, asked))
        asked += 1
    began = time.monotonic()
    until = began + seconds
    now = began
    while now < until:
        for number, _ in poll.poll(1):
            one = sockets[number]
            answer = one.recv(4096)
            if not answer:
                raise SystemExit('web_load: a connection ended')
            done += 1
            wrong += not answer.startswith(b'HTTP/1.1 200')
            one.sendall(request(kind, asked))
            asked += 1
        now = time.monotonic()
    return {'done': done, 'wrong': wrong, 'seconds': now - began}


def hold(port, connections):
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    held = [connect(port) for _ in range(connections)]
    print(json.dumps({'open': len(held)}), flush=True)
    sys.stdin.read()
    return {'open': len(held)}


def first_flight():
    """What a client says first, once for all of them: who floods does not compute."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers('ECDHE+AESGCM')
    context.set_ecdh_curve('prime256v1')
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname='push.example.org')
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def second_flight():
    """The base point of P-256 as a key (a good one), and a Finished that is none: the other side finds out after its work."""
    x, y = (bytes.fromhex(each) for each in ('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
                                             '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'))
    point = b'\4' + x + y
    key = b'\x10\0\0' + bytes([len(point) + 1, len(point)]) + point
    return b'\x16\3\3' + len(key).to_bytes(2, 'big') + key + b'\x14\3\3\0\1\1' + b'\x16\3\3\0\x28' + bytes(40)


def knock(port, seconds, rate):
    """Each says hello; when it is answered it goes on, and is found out. Never waits for the other side."""
    hello, rest = first_flight(), second_flight()
    poll = select.epoll()
    open_ones = collections.OrderedDict()
    tried = answered = worked = 0
    began = time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        while tried < (now - began) * rate:
            if len(open_ones) >= AT_ONCE:
                open_ones.popitem(last=False)[1].close()
            one = connect(port)
            one.setblocking(False)
            tried += 1
            with contextlib.suppress(OSError):
                one.send(hello)
            open_ones[one.fileno()] = one
            poll.register(one, select.EPOLLIN)
        time.sleep(1 / rate)
        for number, _ in poll.poll(0):
            one = open_ones[number]
            answer = b''
            with contextlib.suppress(OSError):
                answer = one.recv(8192)
                if answer[:1] == b'\x16':
                    answered += 1
                    one.send(rest)
                    continue
            worked += answer[:1] == b'\x15'  # its alert: the second half was worked on
            del open_ones[number]
            one.close()
    return {'tried': tried, 'answered': answered, 'worked': worked, 'seconds': time.monotonic() - began}


def main():
    deed, *words = sys.argv[1:]
    if deed == 'ask':
        answer = ask(int(words[0]), int(words[1]), float(words[2]), words[3])
    elif deed == 'hold':
        answer = hold(int(words[0]), int(words[1]))
    else:
        os.nice(19)  # the server stand-in on the same core keeps its pace
        answer = knock(int(words[0]), float(words[1]), int(words[2]))
    print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
