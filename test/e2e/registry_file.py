"""A registry file written by hand, byte by byte as src/registry/README.md says: so the page and the program check each other."""
import struct

REGISTERED, CHANGED, REFRESHED, ACCEPTED, HELD, RELEASED, ENDED, MARK = 1, 2, 3, 4, 5, 6, 7, 128
PROVIDER_REASON = 3


def _table():
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        yield crc


TABLE = tuple(_table())


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def text(value, size='>H'):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(size, len(value)) + value


class RegistryFile:
    """`data` is the file; `offsets` where each record begins, marks included."""

    def __init__(self, creation_id=bytes(range(16)), generation=0, version=2):
        head = b'TOCSINR\n' + struct.pack('>HHI', version, 36, generation) + creation_id
        self.data = head + struct.pack('>I', crc32c(head))
        self.seed = crc32c(creation_id + (struct.pack('>I', generation) if version > 1 else b''))
        self.offsets = []
        self.number = 0
        self._begin()

    def _begin(self):
        self.start, self.sum, self.records = len(self.data), self.seed, 0

    def record(self, kind, payload):
        head = struct.pack('>BBH', 2 if kind in (REGISTERED, CHANGED, ENDED) else 1, kind, len(payload)) + payload
        crc = struct.pack('>I', crc32c(head))
        self.offsets.append(len(self.data))
        self.data += head + crc
        self.sum, self.records = crc32c(crc, self.sum), self.records + 1
        return self

    def registered(self, node, account, time, token=b'\xde\xad\xbe\xef', section='apns/siskin', kind=REGISTERED):
        return self.record(kind, node + struct.pack('>qqIH', time, time, 0, 0) + text(account) + text(section) +
                           text('tigase:messenger:apns:1') + text(token) + 4 * text('') + b'\0')

    def held(self, node, time, word):
        return self.record(HELD, node + struct.pack('>q', time) + text(word, '>B'))

    def ended(self, node, time, word, account, section='apns/siskin'):
        return self.record(ENDED, node + struct.pack('>qB', time, PROVIDER_REASON) + text(word, '>B') + text(account) + text(section))

    def mark(self):
        self.number += 1
        self.record(MARK, struct.pack('>QQIII', self.number, self.start, len(self.data) - self.start, self.records, self.sum))
        self._begin()
        return self
