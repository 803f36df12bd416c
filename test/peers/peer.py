"""Programs of others, from PyPI: one JSON object a line in, one out, like peer.mjs. For compare.py; see tools/peers.sh."""
import json
import sys

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02


def private_key(secret):
    return ec.derive_private_key(int(secret, 16), ec.SECP256R1())


def opened(what):
    return http_ece.decrypt(bytes.fromhex(what['body']), private_key=private_key(what['secret']), auth_secret=bytes.fromhex(what['auth']),
                            version='aes128gcm').hex()


def sealed(what):
    return http_ece.encrypt(bytes.fromhex(what['plain']), private_key=private_key(what['own']), dh=bytes.fromhex(what['point']),
                            auth_secret=bytes.fromhex(what['auth']), version='aes128gcm').hex()


def vapid_good(what):
    return Vapid02.verify(what['authorization'].replace(', k=', ',k='))  # it knows no blank behind the comma


def vapid(what):
    return Vapid02(private_key(what['secret'])).sign({'aud': what['audience'], 'exp': what['exp'], 'sub': what['contact']})['Authorization']


DEEDS = {'open': opened, 'seal': sealed, 'vapid good': vapid_good, 'vapid': vapid}

for line in sys.stdin:
    try:
        answer = {'answer': DEEDS[json.loads(line)['do']](json.loads(line))}
    except Exception as error:  # whatever they throw is their answer
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
