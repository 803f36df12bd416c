#!/usr/bin/python3
"""Is the provider stand-in as strict as it says? Right and wrong requests by a client of our own (python3-h2).

A stand-in that accepts everything would let every end-to-end check pass, so each rule is broken once here.
"""
import base64
import json
import os
import socket
import ssl
import sys
import tempfile
import time
import unittest

import h2.config
import h2.connection
import h2.events
import h2.settings
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))
import apns_rules  # noqa: E402
import provider_standin  # noqa: E402
from standin_keys import make_client_certificate  # noqa: E402

TEAM, KEY_ID, TOPIC = 'DEF123GHIJ', 'ABC123DEFG', 'org.example.siskin'
TOKEN = 'a1' * 32


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def make_jwt(key, header=None, claims=None, der=False):
    header = {'alg': 'ES256', 'kid': KEY_ID, **(header or {})}
    claims = {'iss': TEAM, 'iat': int(time.time()), **(claims or {})}
    text = b64(json.dumps(header).encode()) + '.' + b64(json.dumps(claims).encode())
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    if not der:
        r, s = utils.decode_dss_signature(signature)
        signature = r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
    return text + '.' + b64(signature)


class Client:
    """One HTTP/2 connection; `send` then `wait`, so that several streams can be open."""

    def __init__(self, standin, name='localhost', alpn=('h2',), own=None):
        context = ssl.create_default_context(cafile=standin.ca_file)
        context.set_alpn_protocols(list(alpn))
        if own:
            context.load_cert_chain(*own)
        plain = socket.create_connection(('127.0.0.1', standin.port), 5)
        try:
            self.socket = context.wrap_socket(plain, server_hostname=name)
        except OSError:
            plain.close()
            raise
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding='utf-8'))
        self.h2.initiate_connection()
        self.answers = {}  # stream -> [status, body] once ended
        self.resets = {}  # stream -> error code
        self.goaway = None
        self.pending = b''
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def events(self, data):
        """Frame by frame: h2 refuses answers that follow a GOAWAY, although RFC 9113 section 6.8 wants them read."""
        self.pending += data
        while len(self.pending) >= 9 and len(self.pending) >= 9 + int.from_bytes(self.pending[:3], 'big'):
            size = 9 + int.from_bytes(self.pending[:3], 'big')
            frame, self.pending = self.pending[:size], self.pending[size:]
            yield from self.h2.receive_data(frame)
            if frame[3] == 7:
                self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN

    def turn(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError('closed')
        for event in self.events(data):
            stream = getattr(event, 'stream_id', None)
            if isinstance(event, h2.events.ResponseReceived):
                self.answers[stream] = [int(dict(event.headers)[':status']), b'', False, dict(event.headers)]
            elif isinstance(event, h2.events.DataReceived):
                self.answers[stream][1] += event.data
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[stream][2] = True
            elif isinstance(event, h2.events.StreamReset):
                self.resets[stream] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = event
        self.flush()

    def streams_max(self):
        return self.h2.remote_settings.max_concurrent_streams

    def send(self, headers, body):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=not body)
        if body:
            while body:
                piece, body = body[:16384], body[16384:]
                self.h2.send_data(stream, piece, end_stream=not body)
        self.flush()
        return stream

    def wait(self, stream):
        while not (stream in self.answers and self.answers[stream][2]) and stream not in self.resets:
            self.turn()
        if stream in self.resets:
            return None, 'RST'
        status, body = self.answers[stream][:2]
        return status, json.loads(body) if body else None

    def close(self):
        self.socket.close()


class StandinTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='standin-')
        path = provider_standin.make_provider_key(self.folder.name, KEY_ID)
        with open(path, 'rb') as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        rules = apns_rules.Rules(TEAM, KEY_ID, self.key.public_key(), [TOPIC])
        self.standin = provider_standin.Standin(self.folder.name, rules)
        self.standin.__enter__()
        self.jwt = make_jwt(self.key)
        self.client = Client(self.standin)

    def tearDown(self):
        self.client.close()
        self.standin.__exit__()
        self.folder.cleanup()

    def headers(self, token=TOKEN, without=(), **change):
        fields = {
            ':method': 'POST', ':scheme': 'https', ':authority': 'localhost', ':path': '/3/device/' + token,
            'authorization': 'bearer ' + self.jwt, 'apns-topic': TOPIC, 'apns-push-type': 'alert', 'apns-priority': '10',
            'apns-expiration': str(int(time.time()) + 86400), 'apns-id': '123e4567-e89b-12d3-a456-4266554400a0',
        }
        fields.update({(':' if k in ('method', 'scheme', 'authority', 'path') else '') + k.replace('_', '-'): v for k, v in change.items()})
        return [(k, v) for k, v in fields.items() if k not in without]

    def ask(self, headers, payload=None, body=None):
        """In a connection of its own, as some rules remember the connection."""
        client = Client(self.standin)
        try:
            return client.wait(client.send(headers, json.dumps(payload or {'aps': {'alert': 'x'}}).encode() if body is None else body))
        finally:
            client.close()

    def refused(self, status, reason, headers, payload=None, body=None):
        got, words = self.ask(headers, payload, body)
        self.assertEqual((got, (words or {}).get('reason')), (status, reason))

    def test_right_requests_are_accepted(self):
        self.assertEqual(self.ask(self.headers()), (200, None))
        background = self.headers(apns_push_type='background', apns_priority='5', apns_expiration='0')
        self.assertEqual(self.ask(background, {'aps': {'content-available': 1}, 'account': 'ann@example.org'}), (200, None))
        voip = self.headers(apns_push_type='voip', apns_topic=TOPIC + '.voip')
        self.assertEqual(self.ask(voip, {'encrypted': 'AA', 'aps': {}}), (200, None))
        self.assertEqual(self.standin.faults(), [])
        self.assertEqual(len(self.standin.requests(TOKEN)), 3)

    def test_apns_id_is_echoed(self):
        stream = self.client.send(self.headers(), b'{"aps":{"sound":"default"}}')
        self.client.wait(stream)
        self.assertEqual(self.client.answers[stream][3]['apns-id'], '123e4567-e89b-12d3-a456-4266554400a0')

    def test_one_stream_until_the_first_good_token(self):
        while self.client.streams_max() != 1:
            self.client.turn()
        self.assertEqual(self.client.wait(self.client.send(self.headers(authorization='bearer no.no.no'), b'{}'))[0], 403)
        self.assertEqual(self.client.streams_max(), 1)
        self.client.wait(self.client.send(self.headers(), b'{"aps":{"alert":"x"}}'))
        while self.client.streams_max() != 500:
            self.client.turn()

    def test_a_second_stream_before_the_settings_is_a_violation(self):
        client = Client(self.standin)
        client.send(self.headers(), b'')
        self.standin.behave('', **provider_standin.SILENCE)
        with self.assertRaises(OSError):  # closed, reset, or an end of TLS, as the race goes
            for _ in range(3):
                client.send(self.headers(), b'{"aps":{"alert":"x"}}')
            while client.goaway is None:
                client.turn()
            raise ConnectionError
        self.assertTrue(self.standin.faults())
        client.close()

    def test_bad_provider_tokens(self):
        stranger = ec.generate_private_key(ec.SECP256R1())
        now = int(time.time())
        self.refused(403, 'MissingProviderToken', self.headers(without=('authorization',)))
        for wrong in ('Bearer ' + self.jwt, 'bearer ' + self.jwt[:-8], 'bearer ' + make_jwt(stranger), 'bearer ' + make_jwt(self.key, der=True),
                      'bearer ' + make_jwt(self.key, header={'alg': 'ES384'}), 'bearer ' + make_jwt(self.key, header={'kid': 'XXXXXXXXXX'}),
                      'bearer ' + make_jwt(self.key, claims={'iss': 'XXXXXXXXXX'}), 'bearer ' + make_jwt(self.key, claims={'iat': str(now)}),
                      'bearer ' + make_jwt(self.key, claims={'iat': now + 4000})):
            self.refused(403, 'InvalidProviderToken', self.headers(authorization=wrong))
        self.refused(403, 'ExpiredProviderToken', self.headers(authorization='bearer ' + make_jwt(self.key, claims={'iat': now - 3700})))

    def test_a_second_token_on_a_connection_is_too_many(self):
        body = b'{"aps":{"alert":"x"}}'
        self.client.wait(self.client.send(self.headers(), body))
        other = 'bearer ' + make_jwt(self.key, claims={'iat': int(time.time()) - 100})
        self.assertEqual(self.client.wait(self.client.send(self.headers(authorization=other), body)),
                         (429, {'reason': 'TooManyProviderTokenUpdates'}))

    def test_bad_headers(self):
        now = int(time.time())
        self.refused(405, 'MethodNotAllowed', self.headers(method='PUT'))
        self.refused(404, 'BadPath', self.headers(path='/3/devices/' + TOKEN))
        self.refused(400, 'MissingDeviceToken', self.headers(token=''))
        self.refused(400, 'BadDeviceToken', self.headers(token='zz' * 32))
        self.refused(400, 'BadDeviceToken', self.headers(token='aa'))
        self.refused(400, 'MissingTopic', self.headers(without=('apns-topic',)))
        self.refused(400, 'TopicDisallowed', self.headers(apns_topic='org.example.other'))
        self.refused(400, 'BadTopic', self.headers(apns_topic=TOPIC + '.voip'))
        self.refused(400, 'InvalidPushType', self.headers(without=('apns-push-type',)))
        self.refused(400, 'InvalidPushType', self.headers(apns_push_type='Alert'))
        self.refused(400, 'BadPriority', self.headers(apns_priority='7'))
        self.refused(400, 'BadPriority', self.headers(apns_push_type='background'), {'aps': {'content-available': 1}})
        self.refused(400, 'BadExpirationDate', self.headers(apns_expiration='-1'))
        self.refused(400, 'BadExpirationDate', self.headers(apns_expiration=str(now - 10)))
        self.refused(400, 'BadExpirationDate', self.headers(apns_expiration=str(now + 31 * 86400)))
        self.refused(400, 'BadMessageId', self.headers(apns_id='123E4567-E89B-12D3-A456-4266554400A0'))
        self.refused(400, 'BadCollapseId', self.headers(apns_collapse_id='c' * 65))
        self.refused(400, 'DuplicateHeaders', self.headers() + [('apns-priority', '10')])

    def test_bad_payloads(self):
        self.refused(400, 'PayloadEmpty', self.headers(), body=b'')
        self.refused(400, 'PayloadEmpty', self.headers(), body=b'{"aps":{"alert":"x"}')
        self.refused(400, 'PayloadEmpty', self.headers(), body=b'{"aps":{"alert":"x"},"a":1,"a":2}')
        self.refused(413, 'PayloadTooLarge', self.headers(), {'aps': {'alert': 'x' * 4096}})
        self.refused(400, 'InvalidPushType', self.headers(), {'aps': {'content-available': 1}})
        background = self.headers(apns_push_type='background', apns_priority='5')
        self.refused(400, 'InvalidPushType', background, {'aps': {'content-available': 1, 'alert': 'x'}})
        self.refused(400, 'InvalidPushType', background, {'aps': {}})

    def test_behaviours(self):
        body = b'{"aps":{"alert":"x"}}'
        self.standin.behave('a1', **provider_standin.GONE)
        status, words = self.ask(self.headers(), body=body)
        self.assertEqual((status, words['reason']), (410, 'Unregistered'))
        self.assertGreater(words['timestamp'], time.time() * 1000)
        self.standin.behave('a1', **provider_standin.UNAVAILABLE, times=1)
        self.refused(503, 'ServiceUnavailable', self.headers(), body=body)
        self.assertEqual(self.ask(self.headers(), body=body)[0], 200)
        self.standin.behave('a1', **provider_standin.REFUSE, times=1)
        self.assertEqual(self.ask(self.headers(), body=body), (None, 'RST'))
        self.standin.behave('a1', **provider_standin.RESET, times=1)
        with self.assertRaises(OSError):
            self.ask(self.headers(), body=body)
        self.standin.behave('a1', do='delay', seconds=0.05, times=1)
        self.assertEqual(self.ask(self.headers(), body=body)[0], 200)
        self.standin.behave('a1', **provider_standin.GOAWAY, times=1)
        stream = self.client.send(self.headers(), body)
        self.assertEqual(self.client.wait(stream)[0], 200)
        self.assertEqual((self.client.goaway.last_stream_id, self.client.goaway.additional_data), (stream, b'{"reason":"Shutdown"}'))
        self.standin.behave('a1', **provider_standin.GOAWAY_UNPROCESSED, times=1)
        other = Client(self.standin)
        other.send(self.headers(), body)
        while other.goaway is None:
            other.turn()
        self.assertEqual(other.goaway.last_stream_id, 0)
        other.close()
        self.assertEqual(self.standin.faults(), [])

    def test_without_alpn_nothing_is_served(self):
        with self.assertRaises(OSError):
            client = Client(self.standin, alpn=('http/1.1',))
            self.addCleanup(client.close)
            client.wait(client.send(self.headers(), b'{}'))

    def test_names_in_the_certificate(self):
        for name in ('localhost', '127.0.0.1', '::1', 'api.push.example.org'):
            Client(self.standin, name=name).close()
        with self.assertRaises(ssl.SSLError):
            Client(self.standin, name='api.example.net')


class CertificateTest(unittest.TestCase):
    """A client that shows a certificate needs no token, and may push only to what its certificate names."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='standin-')
        self.addCleanup(folder.cleanup)
        own, key, clients = make_client_certificate(folder.name, [TOPIC, TOPIC + '.voip'])
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        self.standin = provider_standin.Standin(folder.name, apns_rules.Rules(TEAM, KEY_ID, public, [TOPIC, 'org.example.other'], clients))
        self.standin.__enter__()
        self.addCleanup(self.standin.__exit__)
        self.own = own, key

    def ask(self, own, topic=TOPIC, **more):
        headers = [(':method', 'POST'), (':scheme', 'https'), (':authority', 'localhost'), (':path', '/3/device/' + TOKEN),
                   ('apns-topic', topic), ('apns-push-type', 'alert'), *more.items()]
        client = Client(self.standin, own=own)
        try:
            status, words = client.wait(client.send(headers, b'{"aps":{"alert":"x"}}'))
            return status, words and words['reason'], client.streams_max()
        finally:
            client.close()

    def test_certificates(self):
        self.assertEqual(self.ask(self.own), (200, None, 500))
        self.assertEqual(self.ask(self.own, 'org.example.other')[:2], (400, 'TopicDisallowed'))
        self.assertEqual(self.ask(self.own, authorization='bearer x.y.z')[:2], (403, 'InvalidProviderToken'))
        self.assertEqual(self.ask(None)[:2], (403, 'MissingProviderToken'))

    def test_a_certificate_of_nobody_is_refused_in_the_handshake(self):
        with tempfile.TemporaryDirectory(prefix='standin-') as folder:
            own, key, _ = make_client_certificate(folder, [TOPIC])
            with self.assertRaises(OSError):
                self.ask((own, key))


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    raise SystemExit(wrong != 0)
