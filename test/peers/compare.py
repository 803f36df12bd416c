#!/usr/bin/python3
"""Do programs of others read what we send, and we what they send? Web Push (RFC 8188, 8291, 8292) and the JWTs for Apple and Google.

    test/peers/compare.py [--speaker build/speaker] [--every]

Our side is build/speaker, which is our translators and nothing else; theirs are peer.mjs (http_ece, jose, web-push, web-push-testing of
npm) and peer.py (http_ece, py_vapid of PyPI), which `make setup` fetches: where they are missing their checks are skipped, loudly.
The rules of the provider stand-in are a third side, on the cryptography package of the system.  The last line counts.
"""
import argparse
import json
import os
import random
import secrets
import shutil
import string
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
PEERS = os.path.join(ROOT, '.peers')
sys.path.insert(0, os.path.join(ROOT, 'tools'))
import apns_rules  # noqa: E402
import fcm_rules  # noqa: E402
import webpush_rules  # noqa: E402
from apns_rules import base64url, base64url_of  # noqa: E402
from webpush_rules import point_of  # noqa: E402

PLAIN_MAX = 3993  # RFC 8291 section 4
CONTACT = 'mailto:ann@example.net'
ORIGIN = 'https://push.example.net'


class Lines:
    """A program that answers each line with a line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f'{self.process.args[0]} ended with status {self.process.wait()} at: {line[:100]}')
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Refused(Exception):
    pass


class Speaker(Lines):
    def say(self, *words):
        answer = self.ask('\t'.join(str(word) for word in words))
        if 'error' in answer:
            raise Refused(answer['error'])
        return answer


class Peer(Lines):
    def do(self, deed, **more):
        answer = self.ask(json.dumps({'do': deed, **more}))
        if 'error' in answer:
            raise Refused(answer['error'])
        return answer['answer']


class Receiver:
    """A subscription, whose secret every reader may know."""

    def __init__(self):
        self.subscription = webpush_rules.Subscription('laptop', ORIGIN, '/wpush/v2/x', '', ec.generate_private_key(ec.SECP256R1()),
                                                       secrets.token_bytes(16))
        self.point = point_of(self.subscription.key.public_key())
        self.auth = self.subscription.auth.hex()
        self.keys = self.point.hex() + self.auth
        self.secret = hex_of(self.subscription.key)


def hex_of(key):
    return key.private_numbers().private_value.to_bytes(32, 'big').hex()


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Ours(unittest.TestCase):
    """What needs nobody else."""
    chance = random.Random(20250701)
    receivers = [Receiver() for _ in range(20)]
    messages = []  # receiver, plaintext, body

    @classmethod
    def seal(cls, every):
        sizes = {*range(0, 200), *range(0, PLAIN_MAX + 1, 1 if every else 17), *range(PLAIN_MAX - 40, PLAIN_MAX + 1)}
        for size in sorted(sizes):
            receiver, plain = cls.chance.choice(cls.receivers), cls.chance.randbytes(size)
            cls.messages.append((receiver, plain, speaker.say('seal', 'mbedtls', size, receiver.keys, plain.hex())['body']))

    def test_both_curves_seal_and_sign_the_same(self):
        try:
            speaker.say('seal', 'nettle', 0, self.receivers[0].keys, '00')
        except Refused as refusal:
            self.skipTest(f'SKIPPED: the speaker was built without nettle ({refusal})')
        for receiver, plain, body in self.messages:
            self.assertEqual(speaker.say('seal', 'nettle', len(plain), receiver.keys, plain.hex())['body'], body)
        for words in headers_wanted(100, self.chance):
            self.assertEqual(speaker.say('vapid', 'nettle', *words), speaker.say('vapid', 'mbedtls', *words))

    def test_the_stand_in_opens_all_sizes(self):
        for receiver, plain, body in self.messages:
            self.assertEqual(receiver.subscription.open(bytes.fromhex(body)), plain)

    def test_a_byte_more_than_fits_is_refused(self):
        with self.assertRaises(Refused):
            speaker.say('seal', 'mbedtls', 1, self.receivers[0].keys, '00' * (PLAIN_MAX + 1))

    def test_the_stand_in_takes_our_requests(self):
        rules = webpush_rules.Rules()
        for number in range(50):
            _, request, header, subscription = whole_request(rules, number, self.chance)
            answer = rules.judge(fields_of(request, header), bytes.fromhex(request['body']), time.time())[0]
            self.assertEqual((answer.status, answer.why), (201, ''))
            self.assertEqual(json.loads(answer.plain)['account'], 'ann@example.org')
            self.assertTrue(subscription.endpoint.endswith(request['path']))

    def test_apples_rules_take_our_token(self):
        for path, key_id, team, now, key in apple_keys(20, self.chance):
            rules = apns_rules.Rules(team, key_id, key.public_key(), [])
            rules.judge_token(speaker.say('apns', path, key_id, team, now)['authorization'], now)

    def test_googles_rules_take_our_assertion(self):
        for path, text, now, _ in google_accounts():
            form = urllib.parse.parse_qs(speaker.say('fcm', path, now)['body'])
            answer = fcm_rules.Rules(text).judge_jwt(form['assertion'][0], now)
            self.assertEqual((answer.status, answer.why), (200, ''))


class Theirs:
    """What every peer is asked; `peer` is one of them."""
    sealed_sizes = (0, 1, 15, 16, 17, 255, 256, 1000, 3993)

    def test_it_opens_all_sizes(self):
        for receiver, plain, body in self.messages:
            self.assertEqual(self.peer.do('open', body=body, secret=receiver.secret, auth=receiver.auth), plain.hex())

    def test_it_would_notice(self):
        receiver, _, body = self.messages[len(self.messages) // 2]
        for at in (0, 2 * 30, 2 * 86, len(body) - 2):
            spoilt = body[:at] + f'{int(body[at:at + 2], 16) ^ 1:02x}' + body[at + 2:]
            with self.assertRaises(Refused):
                self.peer.do('open', body=spoilt, secret=receiver.secret, auth=receiver.auth)
        with self.assertRaises(Refused):
            self.peer.do('open', body=body, secret=receiver.secret, auth='00' * 16)

    def test_what_it_seals_the_stand_in_opens(self):
        for size in self.sealed_sizes:
            receiver, plain = self.receivers[size % 20], self.chance.randbytes(size)
            body = self.peer.do('seal', plain=plain.hex(), own=hex_of(ec.generate_private_key(ec.SECP256R1())),
                                point=receiver.point.hex(), auth=receiver.auth)
            self.assertEqual(receiver.subscription.open(bytes.fromhex(body)), plain)


class FromPython(Theirs, Ours):
    sealed_sizes = Theirs.sealed_sizes[1:]  # it makes no record of nothing

    @classmethod
    def setUpClass(cls):
        python = os.path.join(PEERS, 'python', 'bin', 'python3')
        if not os.path.exists(os.path.join(PEERS, 'python', 'made-from')):
            raise unittest.SkipTest('SKIPPED: the peers from PyPI are not here; `make setup` fetches them')
        cls.peer = Peer([python, os.path.join(HERE, 'peer.py')])
        cls.addClassCleanup(cls.peer.close)

    def test_it_verifies_our_vapid_header(self):
        for words in headers_wanted(100, self.chance):
            header = speaker.say('vapid', 'mbedtls', *words)['authorization']
            self.assertTrue(self.peer.do('vapid good', authorization=header))
            jwt, key = header.split(', k=')
            other = jwt.split('.')
            other[2] = other[2][:-8] + ('AAAAAAAA' if not other[2].endswith('AAAAAAAA') else 'BBBBBBBB')
            try:
                self.assertFalse(self.peer.do('vapid good', authorization='.'.join(other) + ', k=' + key))
            except Refused:
                pass

    def test_the_stand_in_takes_its_vapid_header(self):
        rules = webpush_rules.Rules()
        subscription = rules.subscribe('laptop', ORIGIN)
        header = self.peer.do('vapid', secret=hex_of(subscription.key), audience=ORIGIN, exp=int(time.time()) + 3600, contact=CONTACT)
        rules.judge_credentials(header.replace(',k=', ', k='), subscription, time.time())


class FromNode(Theirs, Ours):
    @classmethod
    def setUpClass(cls):
        folder = os.path.join(PEERS, 'npm')
        if not shutil.which('node') or not os.path.exists(os.path.join(folder, 'made-from')):
            raise unittest.SkipTest('SKIPPED: the peers from npm are not here; `make setup` fetches them where there are node and npm')
        cls.peer = Peer(['node', os.path.join(HERE, 'peer.mjs'), folder])
        cls.addClassCleanup(cls.peer.close)

    def jwt(self, jwt, key, algorithm, audience, now):
        return self.peer.do('jwt', jwt=jwt, spki=spki(key), algorithm=algorithm, audience=audience, now=now)

    def test_jose_verifies_our_vapid_header(self):
        for secret, origin, contact, now in headers_wanted(100, self.chance):
            key = ec.derive_private_key(int(secret, 16), ec.SECP256R1())
            header = speaker.say('vapid', 'mbedtls', secret, origin, contact, now)['authorization']
            jwt, public = header.removeprefix('vapid t=').split(', k=')
            self.assertEqual(base64url(public), point_of(key.public_key()))
            found = self.jwt(jwt, key, 'ES256', origin, now)
            self.assertEqual(found, {'header': {'typ': 'JWT', 'alg': 'ES256'}, 'claims': {'aud': origin, 'exp': now + 18 * 3600, 'sub': contact}})
            for wrong in ((jwt, self.receivers[0].subscription.key, origin, now), (jwt, key, origin + '/', now),
                          (jwt, key, origin, now + 86400)):
                with self.assertRaises(Refused):
                    self.jwt(wrong[0], wrong[1], 'ES256', *wrong[2:])

    def test_jose_verifies_our_token_for_apple(self):
        for path, key_id, team, now, key in apple_keys(20, self.chance):
            jwt = speaker.say('apns', path, key_id, team, now)['authorization'].removeprefix('bearer ')
            self.assertEqual(self.jwt(jwt, key, 'ES256', None, now),
                             {'header': {'alg': 'ES256', 'kid': key_id}, 'claims': {'iss': team, 'iat': now}})

    def test_jose_verifies_our_assertion_for_google(self):
        for path, text, now, key in google_accounts():
            account = json.loads(text)
            form = urllib.parse.parse_qs(speaker.say('fcm', path, now)['body'])
            found = self.jwt(form['assertion'][0], key, 'RS256', account['token_uri'], now)
            self.assertEqual((found['header']['kid'], found['claims']['iss']), (account['private_key_id'], account['client_email']))
            self.assertLess(now, found['claims']['exp'])

    def test_the_stand_in_takes_what_web_push_sends_and_it_looks_like_ours(self):
        rules = webpush_rules.Rules()
        for number in range(20):
            secret, ours, header, subscription = whole_request(rules, number, self.chance)
            public = base64url_of(point_of(ec.derive_private_key(int(secret, 16), ec.SECP256R1()).public_key()))
            theirs = self.peer.do('request', subscription=subscription.words, plain='{"account":"é"}', contact=CONTACT, publicKey=public,
                                  privateKey=base64url_of(bytes.fromhex(secret)))
            headers = {name.lower(): str(value) for name, value in theirs['headers'].items()}
            del headers['content-length']
            answer = rules.judge(fields_of({**theirs, 'path': subscription.path, 'headers': headers}, headers.pop('authorization')),
                                 bytes.fromhex(theirs['body']), time.time())[0]
            self.assertEqual((answer.status, answer.why, answer.plain), (201, '', '{"account":"é"}'))
            self.assertEqual(set(ours['headers']), set(headers))
            for same in ('content-encoding', 'content-type', 'urgency'):
                self.assertEqual(ours['headers'][same], headers[same])
            self.assertTrue(header.startswith('vapid t='))

    def test_web_push_testing_takes_our_requests(self):
        for number in range(10):
            secret = hex_of(ec.generate_private_key(ec.SECP256R1()))
            public = base64url_of(point_of(ec.derive_private_key(int(secret, 16), ec.SECP256R1()).public_key()))
            made = self.peer.do('subscribe', key=public)
            keys = base64url(made['keys']['p256dh'].rstrip('=')).hex() + base64url(made['keys']['auth'].rstrip('=')).hex()
            text = ''.join(self.chance.choices(string.printable[:94] + 'äöü€😀', k=200)).replace('\t', ' ')
            request = speaker.say('push', 'mbedtls', number, made['endpoint'].replace('http:', 'https:'), keys, 'ann@example.org', text)
            header = speaker.say('vapid', 'mbedtls', secret, request['origin'], CONTACT, int(time.time()))['authorization']

            def push(authorization):
                return self.peer.do('push', endpoint=made['endpoint'], headers={**request['headers'], 'authorization': authorization},
                                    body=request['body'])['status']
            self.assertEqual(push(header), 201)
            other = speaker.say('vapid', 'mbedtls', '01' * 32, request['origin'], CONTACT, int(time.time()))['authorization']
            self.assertEqual(push(other), 400)
            received, = self.peer.do('received', client=made['clientHash'])
            self.assertEqual(json.loads(received), {'account': 'ann@example.org', 'sender': 'bob@example.net', 'body': text})
            self.peer.do('expire', client=made['clientHash'])
            self.assertEqual(push(header), 410)


# --- what is asked for ---------------------------------------------------------------------------

def headers_wanted(count, chance):
    """Secret, origin, contact, time."""
    for number in range(count):
        host = ''.join(chance.choices('abcdefghij0123456789', k=chance.randint(1, 60))) + '.example.net'
        port = f':{chance.randint(1, 65535)}' if number % 3 == 0 else ''
        contact = CONTACT if number % 2 else f'https://{host}/contact?to={"x" * chance.randint(0, 150)}'
        yield (hex_of(ec.generate_private_key(ec.SECP256R1())), f'https://{host}{port}', contact,
               chance.randint(1_710_000_000, 4_000_000_000))


def apple_keys(count, chance):
    """Path, key id, team, time, key."""
    for number in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        path = os.path.join(folder.name, f'{number}.p8')
        write_pem(path, key)
        yield path, ''.join(chance.choices('ABCDEFGHIJ0123456789', k=10)), 'DEF123GHIJ', chance.randint(1_710_000_000, 4_000_000_000), key


def google_accounts():
    """Path, text, time, key."""
    for bits in (2048, 3072, 4096):
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        text = fcm_rules.service_account('chat-example', key, 'https://oauth2.example.net/token')
        path = os.path.join(folder.name, f'{bits}.json')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        yield path, text, 1_751_364_000 + bits, key


def write_pem(path, key):
    with open(path, 'wb') as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def whole_request(rules, number, chance):
    """(secret of VAPID, our request, our header, the subscription)"""
    secret = hex_of(ec.generate_private_key(ec.SECP256R1()))
    public = base64url_of(point_of(ec.derive_private_key(int(secret, 16), ec.SECP256R1()).public_key()))
    subscription = rules.subscribe('laptop', ORIGIN, public)
    keys = point_of(subscription.key.public_key()).hex() + subscription.auth.hex()
    request = speaker.say('push', 'mbedtls', number, subscription.endpoint, keys, 'ann@example.org', 'x' * chance.randint(1, 600))
    header = speaker.say('vapid', 'mbedtls', secret, request['origin'], CONTACT, int(time.time()))['authorization']
    return secret, request, header, subscription


def fields_of(request, authorization):
    return [(':method', 'POST'), (':scheme', 'https'), (':path', request['path']), ('authorization', authorization),
            *request['headers'].items()]


def main():
    global speaker, folder
    arguments = argparse.ArgumentParser(description='Our Web Push and our signatures against programs of others.')
    arguments.add_argument('--speaker', default=os.path.join(ROOT, 'build', 'speaker'))
    arguments.add_argument('--every', action='store_true', help='every size of a message rather than some 450')
    options = arguments.parse_args()
    if not os.access(options.speaker, os.X_OK):
        sys.exit(f'compare.py: {os.path.relpath(options.speaker)} is not there; `make programs` builds it')
    folder = tempfile.TemporaryDirectory(prefix='peers-')
    speaker = Speaker([options.speaker])
    Ours.seal(options.every)
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for case in (Ours, FromPython, FromNode):
        names = [n for n in loader.getTestCaseNames(case) if case is Ours or not hasattr(Ours, n)]
        suite.addTest(loader.suiteClass([case(name) for name in names]))
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    speaker.close()
    folder.cleanup()
    wrong = len(outcome.failures) + len(outcome.errors)
    for _, why in outcome.skipped:
        print(why)
    skipped = len(outcome.skipped)
    ran = outcome.testsRun - sum(1 for case, _ in outcome.skipped if isinstance(case, unittest.TestCase))
    print(f'{max(0, ran - wrong)} passed, {wrong} failed' + (f', {skipped} skipped' if skipped else ''))
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
