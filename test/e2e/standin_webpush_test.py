#!/usr/bin/python3
"""Is the stand-in as strict for Web Push as it says? Each rule is broken once, over HTTP/2 and where it matters over HTTP/1.1."""
import http.client
import json
import os
import secrets
import ssl
import tempfile
import time
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from standin_test import Client, b64

import provider_standin
import webpush_rules

CONTACT = 'mailto:ann@example.net'


def hkdf(salt, secret, info, size):
    return HKDF(algorithm=hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)


def seal(subscription, plain, size=4096, padding=b'\2', salt=None, ours=None, auth=None):
    """By the library's HKDF, which the stand-in does not use."""
    ours, salt = ours or ec.generate_private_key(ec.SECP256R1()), salt or secrets.token_bytes(16)
    theirs, own = (webpush_rules.point_of(key.public_key()) for key in (subscription.key, ours))
    secret = hkdf(auth or subscription.auth, ours.exchange(ec.ECDH(), subscription.key.public_key()), b'WebPush: info\0' + theirs + own, 32)
    key, nonce = hkdf(salt, secret, b'Content-Encoding: aes128gcm\0', 16), hkdf(salt, secret, b'Content-Encoding: nonce\0', 12)
    return salt + size.to_bytes(4, 'big') + b'\x41' + own + AESGCM(key).encrypt(nonce, plain + padding, None)


class Vapid:
    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public = b64(webpush_rules.point_of(self.key.public_key()))

    def header(self, origin, key=None, form='vapid t={}, k={}', **claims):
        claims = {'aud': origin, 'exp': int(time.time()) + 3600, 'sub': CONTACT, **claims}
        words = {'typ': 'JWT', 'alg': 'ES256'}
        return form.format(signed(key or self.key, words, {k: v for k, v in claims.items() if v is not None}), self.public)


def signed(key, header, claims):
    text = b64(json.dumps(header).encode()) + '.' + b64(json.dumps(claims).encode())
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    return text + '.' + b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))


class WebPushTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='standin-')
        cls.vapid = Vapid()
        cls.standins = []
        for http1 in (False, True):
            directory = os.path.join(cls.folder.name, str(http1))
            os.makedirs(directory)
            cls.standins.append(provider_standin.Standin(directory, webpush_rules.Rules(http1)).__enter__())
        cls.standin, cls.old = cls.standins
        cls.rules = cls.standin.rules

    @classmethod
    def tearDownClass(cls):
        for standin in cls.standins:
            standin.__exit__()
        cls.folder.cleanup()

    def setUp(self):
        for standin in self.standins:
            standin.forget()
        self.origin = f'https://localhost:{self.standin.port}'
        self.laptop = self.rules.subscribe('laptop', self.origin, self.vapid.public)
        self.client = Client(self.standin)

    def tearDown(self):
        self.client.close()

    def fields(self, subscription, **change):
        fields = {':method': 'POST', ':scheme': 'https', ':authority': 'localhost', ':path': subscription.path,
                  'authorization': self.vapid.header(self.origin), 'ttl': '86400', 'urgency': 'high', 'topic': 'a' * 32,
                  'content-encoding': 'aes128gcm', 'content-type': 'application/octet-stream'}
        fields.update({(':' if k in ('method', 'scheme', 'authority', 'path') else '') + k.replace('_', '-'): v for k, v in change.items()})
        return [(k, v) for k, v in fields.items() if v is not None]

    def post(self, body=None, subscription=None, **change):
        subscription = subscription or self.laptop
        stream = self.client.send(self.fields(subscription, **change), seal(subscription, b'{}') if body is None else body)
        while not (stream in self.client.answers and self.client.answers[stream][2]):
            self.client.turn()
        return self.client.answers[stream]

    def refused(self, status, errno, *arguments, **change):
        answer = self.post(*arguments, **change)
        self.assertEqual((answer[0], json.loads(answer[1])['errno']), (status, errno), change)

    def test_a_right_request_is_accepted_and_opened(self):
        status, body, _, headers = self.post(seal(self.laptop, '{"body":"é"}'.encode()))
        self.assertEqual((status, body), (201, b''))
        self.assertTrue(headers['location'].startswith(self.origin + '/m/'))
        request, = self.standin.requests('laptop')
        self.assertEqual((request['plain'], request['why']), ('{"body":"é"}', ''))
        self.assertEqual(self.standin.faults(), [])

    def test_sizes(self):
        for size in (0, 1, 2, 15, 16, 17, 4096 - 103):
            plain = ('x' * size).encode()
            self.assertEqual(self.post(seal(self.laptop, plain))[0], 201)
            self.assertEqual(self.standin.requests('laptop')[-1]['plain'], plain.decode())
        self.refused(413, 104, seal(self.laptop, b'x' * (4097 - 103)))

    def test_an_empty_message_only_wakes(self):
        self.assertEqual(self.post(b'', content_encoding=None, content_type=None)[0], 201)
        self.assertIsNone(self.standin.requests('laptop')[-1]['plain'])
        self.refused(400, 110, b'')

    def test_distributors_without_keys(self):
        phone = self.rules.subscribe('phone', self.origin, encrypted=False)
        strict = self.rules.subscribe('strict', self.origin, encrypted=False, empty_refused=True)
        nothing = {'content_encoding': None, 'content_type': None}
        self.assertEqual(self.post(b'', phone, **nothing)[0], 201)
        self.assertEqual(self.post(b'{}', phone, content_encoding=None)[0], 201)
        self.refused(400, 110, b'{"account":"ann@example.org"}', phone, content_encoding=None)
        self.refused(400, 110, b'{}', phone)
        self.refused(400, 999, b'', strict, **nothing)
        self.assertEqual(self.post(b'{}', strict, content_encoding=None)[0], 201)

    def test_headers(self):
        for errno, change in ((111, {'ttl': None}), (112, {'ttl': '1.5'}), (112, {'ttl': '-1'}), (112, {'ttl': str(webpush_rules.TTL_MAX + 1)}),
                              (999, {'urgency': None}), (999, {'urgency': 'High'}), (113, {'topic': 'a' * 33}), (113, {'topic': ''}),
                              (113, {'topic': 'a=b'}), (110, {'content_encoding': 'aesgcm'}), (110, {'content_encoding': None}),
                              (110, {'content_type': 'text/plain'}), (110, {'content_type': None})):
            self.refused(400, errno, **change)
        self.assertEqual(self.post(topic=None, ttl='0', urgency='very-low')[0], 201)
        self.refused(405, 999, method='PUT')
        self.refused(404, 102, path='/wpush/v2/')
        self.refused(410, 103, path='/wpush/v2/nobody')
        self.assertEqual(self.standin.faults(), [])
        self.assertEqual(self.post(crypto_key='dh=x')[0], 201)
        self.assertEqual(self.standin.faults(), [f"connection {self.standin.requests()[-1]['connection']}: unknown header 'crypto-key'"])

    def test_credentials(self):
        now, other = int(time.time()), Vapid()
        header = self.vapid.header
        for bad in ('', 'WebPush x', header(self.origin, form='vapid k={1}, t={0}'), header(self.origin, form='vapid t={}'),
                    header(self.origin + '/'), header('https://localhost'), header(self.origin, aud=None), header(self.origin, sub=None),
                    header(self.origin, exp=now + 86400 + 60), header(self.origin, exp=now - 1), header(self.origin, exp=str(now + 60)),
                    header(self.origin, sub='mailto:ann@localhost'), header(self.origin, sub='mailto:ann@printer.local'),
                    header(self.origin, sub='ann@example.net'), header(self.origin, iat=now), header(self.origin, key=other.key),
                    header(self.origin)[:-1], header(self.origin).replace(', k=B', ', k=C')):
            self.refused(401, 109, authorization=bad)
        for change in ({'alg': 'ES256'}, {'typ': 'JWT', 'alg': 'none'}):
            jwt = signed(self.vapid.key, change, {'aud': self.origin, 'exp': now + 60, 'sub': CONTACT})
            self.refused(401, 109, authorization=f'vapid t={jwt}, k={self.vapid.public}')
        self.refused(403, 109, authorization=other.header(self.origin))  # good, but bound to another
        free = self.rules.subscribe('free', self.origin)
        self.assertEqual(self.post(seal(free, b'x'), free, authorization=other.header(self.origin))[0], 201)
        self.assertEqual(self.post(authorization=header(self.origin, sub='https://example.net/contact'))[0], 201)

    def test_bodies(self):
        good = seal(self.laptop, b'{"body":"a"}')
        for bad in (good[:85], good[:102], good[:-1], good + b'x', good[:20] + b'\x40' + good[21:], seal(self.laptop, b'x', size=17),
                    seal(self.laptop, b'x' * 100, size=100), seal(self.laptop, b'x', padding=b'\1'), seal(self.laptop, b'x', padding=b''),
                    seal(self.laptop, b'x', auth=b'0' * 16), good[:21] + b'\x05' + good[22:], seal(self.laptop, b'\xff')):
            self.refused(400, 110, bad)
        for at in (0, 86, len(good) - 1):  # one bit anywhere
            self.refused(400, 110, good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        self.assertEqual(self.post(seal(self.laptop, b'x', padding=b'\2\0\0\0'))[0], 201)

    def test_keys_and_salts_are_for_one_message(self):
        key, salt = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        first = seal(self.laptop, b'one', salt=salt, ours=key)
        self.assertEqual(self.post(first)[0], 201)
        self.assertEqual(self.post(first)[0], 201)  # a retry
        self.refused(400, 110, seal(self.laptop, b'two', salt=salt, ours=key))
        self.refused(400, 110, seal(self.laptop, b'two', salt=salt))
        self.refused(400, 110, seal(self.laptop, b'two', ours=key))

    def test_a_subscription_ends(self):
        self.rules.expire(self.laptop)
        self.refused(410, 103)

    def test_scripted_answers(self):
        for how, status, words in (({'status': 201}, 201, b''), ({'status': 404, 'reason': 'errno 102'}, 404, b'102'),
                                   ({'status': 410}, 410, b''), ({'status': 413, 'reason': 'errno 104'}, 413, b'104'),
                                   ({'status': 400, 'reason': 'VapidPkHashMismatch'}, 400, b'VapidPkHashMismatch'),
                                   ({'reason': 'mismatch'}, 403, b'do not correspond to the credentials'), ({'status': 401}, 401, b''),
                                   ({'reason': 'html', 'status': 503}, 503, b'<!DOCTYPE html>'), ({'status': 507}, 507, b'')):
            self.standin.behave('laptop', do='answer', times=1, **how)
            got = self.post()
            self.assertEqual(got[0], status)
            self.assertIn(words, got[1])
        self.standin.behave('laptop', do='answer', status=429, retry_after=120, times=1)
        self.assertEqual(self.post()[3]['retry-after'], '120')
        self.standin.behave('laptop', do='answer', status=307, location='https://example.net/', times=1)
        self.assertEqual(self.post()[3]['location'], 'https://example.net/')
        self.assertEqual(self.post()[0], 201)

    # HTTP/1.1.

    def http1(self, standin, alpn=('http/1.1',)):
        context = ssl.create_default_context(cafile=standin.ca_file)
        context.set_alpn_protocols(list(alpn))
        return http.client.HTTPSConnection('localhost', standin.port, timeout=5, context=context)

    def ask(self, connection, subscription, body=None, **change):
        body = seal(subscription, b'{}') if body is None else body
        connection.putrequest('POST', subscription.path, skip_accept_encoding=True)
        for name, value in self.fields(subscription, **{'content_length': str(len(body)), **change}):
            if not name.startswith(':'):
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def test_http1_for_who_wants_it_and_where_there_is_nothing_else(self):
        for standin, alpn in ((self.standin, ('http/1.1',)), (self.old, ('h2', 'http/1.1'))):
            self.origin = f'https://localhost:{standin.port}'
            laptop = standin.rules.subscribe('laptop', self.origin, self.vapid.public)
            connection = self.http1(standin, alpn)
            self.assertEqual(self.ask(connection, laptop), (201, b''))
            self.assertEqual(self.ask(connection, laptop, ttl='x')[0], 400)
            self.assertEqual(self.ask(connection, laptop, b'', content_encoding=None, content_type=None)[0], 201)
            self.assertEqual([(r['stream'], r['plain']) for r in standin.requests('laptop')], [(1, '{}'), (2, None), (3, None)])
            standin.behave('laptop', do='goaway', processed=True, times=1)
            self.assertEqual(self.ask(connection, laptop)[0], 201)
            self.assertIsNone(connection.sock)  # it said close
            standin.behave('laptop', do='reset', times=1)
            with self.assertRaises(OSError):
                self.ask(connection, laptop)
            connection.close()
            self.assertEqual(standin.faults(), [])

    def test_http1_needs_a_length_and_one_of_everything(self):
        for change in ({'content_length': None}, {'transfer_encoding': 'chunked'}, {'Host': 'localhost'}):
            connection = self.http1(self.old)
            with self.assertRaises(OSError):
                self.ask(connection, self.laptop, **change)
            connection.close()
        self.assertEqual(len(self.old.faults()), 3)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    raise SystemExit(wrong != 0)
