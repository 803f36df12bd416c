#!/usr/bin/env python3
"""Makes test/unit/push/ece_vectors.h: Web Push messages (RFC 8291) from an implementation that is not ours.

    tools/make_ece_vectors.py > test/unit/push/ece_vectors.h

Each is sealed here with the cryptography package and opened again by a second way, from the receiver's side. The same
numbers come out every time.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIZES = (0, 1, 15, 16, 17, 31, 32, 100, 333, 1024, 2641, 3992, 3993)


def number(*what):
    return hashlib.sha256(repr(what).encode()).digest()


def private_key(*what):
    return ec.derive_private_key(int.from_bytes(number(*what), 'big') % (2**255), ec.SECP256R1())


def point_of(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def hkdf(salt, secret, info, size):
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)


def seal(ours, theirs, auth, salt, plain):
    shared = ours.exchange(ec.ECDH(), theirs.public_key())
    secret = hkdf(auth, shared, b'WebPush: info\0' + point_of(theirs) + point_of(ours), 32)
    key = hkdf(salt, secret, b'Content-Encoding: aes128gcm\0', 16)
    nonce = hkdf(salt, secret, b'Content-Encoding: nonce\0', 12)
    head = salt + (4096).to_bytes(4, 'big') + bytes([65]) + point_of(ours)
    return head + AESGCM(key).encrypt(nonce, plain + b'\2', None)


def open_again(theirs, auth, body):
    """The receiver's steps, with HMAC alone, as RFC 8291 section 3.4 writes them."""
    mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()  # noqa: E731
    salt, size, length = body[:16], int.from_bytes(body[16:20], 'big'), body[20]
    sender, record = body[21:21 + length], body[21 + length:]
    assert length == 65 and 17 <= len(record) <= size
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    pseudo = mac(auth, theirs.exchange(ec.ECDH(), public))
    secret = mac(pseudo, b'WebPush: info\0' + point_of(theirs) + sender + b'\1')
    pseudo = mac(salt, secret)
    key = mac(pseudo, b'Content-Encoding: aes128gcm\0\1')[:16]
    nonce = mac(pseudo, b'Content-Encoding: nonce\0\1')[:12]
    plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b'\0')
    assert plain.endswith(b'\2')
    return plain[:-1]


def main():
    print('// Web Push messages by another implementation; made by tools/make_ece_vectors.py. The plaintext is the first')
    print('// `size` bytes of 0, 7, 14 … (mod 251), a body is named by its SHA-256.')
    print('#pragma once\n\n#include <cstddef>\n\nnamespace tocsin::test {\n')
    print('struct EceVector {\n  size_t size;\n  const char* secret;  // ours, of this message')
    print('  const char* salt;\n  const char* keys;  // p256dh and auth\n  const char* body_sha256;\n};\n')
    print('inline constexpr EceVector ece_vectors[] = {')
    for size in SIZES:
        ours, theirs = private_key('ours', size), private_key('theirs', size)
        auth, salt = number('auth', size)[:16], number('salt', size)[:16]
        plain = bytes(7 * i % 251 for i in range(size))
        body = seal(ours, theirs, auth, salt, plain)
        assert open_again(theirs, auth, body) == plain
        secret = ours.private_numbers().private_value.to_bytes(32, 'big')
        texts = [secret, salt, point_of(theirs) + auth, hashlib.sha256(body).digest()]
        print(f'    {{{size},')
        for i, text in enumerate(texts):
            word = text.hex()
            parts = [word[at:at + 100] for at in range(0, len(word), 100)]
            print('\n'.join(f'     "{part}"' for part in parts) + ('},' if i == len(texts) - 1 else ','))
    print('};\n\n}  // namespace tocsin::test')


main()
