#!/usr/bin/python3
"""Writes the seeds of the fuzzers into a folder for each below the one that is named.

    test/fuzz/make_seeds.py test/fuzz/seeds

replay: one small log for each thing that a log can hold; the first byte of a seed says how the target mends it (mend.h).
http: the requests of test/data/http1 that are not long, with how they are served and cut in front (http_fuzz.cpp).
proxy: a header of each kind.  What a fuzzer found later lies beside them as found-*; those are kept by hand.
"""
import hashlib
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
sys.dont_write_bytecode = True
from registry_file import ACCEPTED, CHANGED, REFRESHED, RELEASED, RegistryFile  # noqa: E402

MEND_RECORDS, MEND_HEADER, MEND_MARKS, MEND_END, LIVE_ON, COMPACT, BAD = 1, 2, 4, 8, 16, 32, 64
MEND = MEND_RECORDS | MEND_HEADER | MEND_MARKS | MEND_END
T = 1_750_000_000


def node(number):
    return bytes([number]) * 16


def moment(number, more=b'', time=T):
    return node(number) + struct.pack('>q', time) + more


def life():
    return (RegistryFile().registered(node(1), 'ann@example.org', T).registered(node(2), 'bob@example.net', T, b'\x01' * 32).mark()
            .record(REFRESHED, moment(1, time=T + 100_000)).record(ACCEPTED, moment(2, struct.pack('>I', 7))).mark()
            .held(node(2), T, 'BadDeviceToken').mark().record(RELEASED, moment(2)).mark()
            .registered(node(1), 'ann@example.org', T, b'\x02' * 64, kind=CHANGED).mark()
            .ended(node(2), T + 1, 'Unregistered', 'bob@example.net').mark())


def old_format():
    file = RegistryFile(version=1)
    return file.registered(node(1), 'ann@example.org', T).mark().ended(node(1), T, '', '').mark()


def many(devices):
    """The target's registry holds twelve."""
    file = RegistryFile(generation=3)
    for number in range(1, devices + 1):
        file.registered(node(number), f'ann{number % 5}@example.org', T, bytes([number]) * 8)
        if number % 5 == 0:
            file.mark()
    return file.mark().mark()


def damaged(data, at):
    spoiled = bytearray(data)
    spoiled[at] ^= 0x10
    return bytes(spoiled)


LIFE = life()
SEEDS = {
    'empty': b'',
    'header': RegistryFile().data,
    'life': LIFE.data,
    'torn': LIFE.data[:-20],
    'torn-header': LIFE.data[:30],
    'damaged': damaged(LIFE.data, LIFE.offsets[1] + 20),
    'damaged-mark': damaged(LIFE.data, LIFE.offsets[2] + 9),
    'old-format': old_format().data,
    'full': many(12).data,
    'too-many': many(13).data,
    'stray': RegistryFile().record(REFRESHED, moment(9)).held(node(9), T, 'word').mark().data,
    'newer-kind': RegistryFile().record(20, b'of a time to come').mark().data,
    'newer-format': RegistryFile(version=9).data,
    'text': b'This is not a registry at all, but a text.\n',
    'unmarked': RegistryFile().registered(node(1), 'ann@example.org', T).data,
}


def write(folder, name, data):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(data)


def requests():
    """Many lines of the table go one way through the parser with another word: one for each verdict and reason and way to be longer."""
    table = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'http1', 'requests.txt')
    with open(table, encoding='ascii') as file:
        lines = [line.rstrip('\n').split('\t') for line in file if not line.startswith('#')]
    seen = set()
    for fields in lines:
        escaped = fields[4]
        escaped = re.sub(r'\\\*(\d+);(\\x..|\\.|.)', lambda found: found[2] * int(found[1]), escaped)
        data = re.sub(rb'\\(x..|.)', lambda found: ESCAPES.get(found[1]) or bytes.fromhex(found[1][1:].decode()),
                      escaped.encode('latin-1'))
        kind = (fields[0], fields[1], fields[3], len(data) // 16)
        if len(data) <= REQUEST_BYTES_MAX and kind not in seen:
            seen.add(kind)
            yield data


ESCAPES = {b'r': b'\r', b'n': b'\n', b't': b'\t', b'\\': b'\\'}
REQUEST_BYTES_MAX = 400
WAYS = 32
PROXY_2 = b'\r\n\r\n\0\r\nQUIT\n'
PROXY = {
    'tcp4': b'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\nGET ',
    'tcp6': b'PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n',
    'unknown': b'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n',
    'binary4': PROXY_2 + b'\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\1\xdc\4\1\xbbGET ',
    'binary6': PROXY_2 + b'\x21\x21\0\x27' + bytes(range(39)),
    'local': PROXY_2 + b'\x20\0\0\0',
    'unix': PROXY_2 + b'\x21\x31\0\2ab',
    'long': PROXY_2 + b'\x21\x11\2\x08' + bytes(520),
    'none': b'GET / HTTP/1.1\r\n',
}


def main(folder):
    for name, data in SEEDS.items():
        for flags, suffix in ((LIVE_ON | COMPACT, ''), (MEND | LIVE_ON | COMPACT, '-mended'), (MEND | LIVE_ON | BAD, '-bad')):
            write(os.path.join(folder, 'replay'), name + suffix, bytes([flags]) + data)
    for number, data in enumerate(requests()):
        write(os.path.join(folder, 'http'), hashlib.sha256(data).hexdigest()[:12], bytes([number % WAYS, number % 40]) + data)
    for name, data in PROXY.items():
        write(os.path.join(folder, 'proxy'), name, data)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
