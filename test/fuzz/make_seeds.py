#!/usr/bin/python3
"""Writes the seeds of the fuzzers into the folder that is named: one small log for each thing that a log can hold.

    test/fuzz/make_seeds.py test/fuzz/seeds/replay

The first byte of a seed says how the target mends it (mend.h). What the fuzzer found later lies beside them as found-*; those are
kept by hand.
"""
import os
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


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for name, data in SEEDS.items():
        for flags, suffix in ((LIVE_ON | COMPACT, ''), (MEND | LIVE_ON | COMPACT, '-mended'), (MEND | LIVE_ON | BAD, '-bad')):
            with open(os.path.join(folder, name + suffix), 'wb') as file:
                file.write(bytes([flags]) + data)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
