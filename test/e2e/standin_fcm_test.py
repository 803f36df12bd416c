#!/usr/bin/python3
"""Is the stand-in as strict for FCM as it says? Each rule is broken once, by the client of the checks for Apple's rules."""
import json
import tempfile
import time
import unittest
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from standin_test import Client, b64

import fcm_rules
import provider_standin

PROJECT = 'chat-example'
DEVICE = 'dKx0aaaaaaaaaaaaaaaa:APA91bAAA'


class FcmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='standin-')
        cls.account = provider_standin.make_service_account(cls.folder.name + '/account.json', PROJECT)
        words = json.loads(cls.account)
        cls.key = serialization.load_pem_private_key(words['private_key'].encode(), None)
        cls.email, cls.key_id, cls.token_uri = words['client_email'], words['private_key_id'], words['token_uri']
        cls.rules = fcm_rules.Rules(cls.account)
        cls.standin = provider_standin.Standin(cls.folder.name, cls.rules).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()
        cls.folder.cleanup()

    def setUp(self):
        self.standin.forget()
        self.client = Client(self.standin)

    def tearDown(self):
        self.client.close()

    def post(self, path, content_type, body, **headers):
        fields = [(':method', 'POST'), (':scheme', 'https'), (':authority', 'localhost'), (':path', path), ('content-type', content_type),
                  *headers.items()]
        stream = self.client.send(fields, body)
        while not (stream in self.client.answers and self.client.answers[stream][2]):
            self.client.turn()
        status, body = self.client.answers[stream][:2]
        return status, json.loads(body) if body.startswith(b'{') else body

    def assertion(self, key=None, header=None, **claims):
        now = int(time.time())
        header = {'alg': 'RS256', 'typ': 'JWT', 'kid': self.key_id, **(header or {})}
        claims = {'iss': self.email, 'scope': fcm_rules.SCOPE, 'aud': self.token_uri, 'iat': now, 'exp': now + 3600, **claims}
        text = b64(json.dumps(header).encode()) + '.' + b64(json.dumps({k: v for k, v in claims.items() if v is not None}).encode())
        return text + '.' + b64((key or self.key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))

    def ask_token(self, assertion, grant=fcm_rules.GRANT):
        form = urllib.parse.urlencode({'grant_type': grant, 'assertion': assertion})
        return self.post('/token', 'application/x-www-form-urlencoded', form.encode())

    def token(self):
        status, words = self.ask_token(self.assertion())
        self.assertEqual(status, 200)
        return words['access_token']

    def send(self, message, token=None, path=f'/v1/projects/{PROJECT}/messages:send', **more):
        body = json.dumps({'message': message, **more})
        return self.post(path, 'application/json', body.encode(), authorization='Bearer ' + (token or self.token()))

    def message(self, **change):
        message = {'token': DEVICE, 'android': {'priority': 'HIGH', 'ttl': '86400s'}, 'data': {'account': 'ann@example.org'}, **change}
        return {k: v for k, v in message.items() if v is not None}

    def refused(self, answer, status, code=None, field=None):
        self.assertEqual(answer[0], status)
        details = answer[1]['error'].get('details', [])
        self.assertEqual([d['errorCode'] for d in details if 'errorCode' in d], [code] if code else [])
        if field:
            self.assertEqual([v['field'] for d in details for v in d.get('fieldViolations', ())], [field])

    def test_a_right_request_is_accepted(self):
        status, words = self.send(self.message())
        self.assertEqual(status, 200)
        self.assertTrue(words['name'].startswith(f'projects/{PROJECT}/messages/'))
        self.assertEqual(len(self.standin.requests(DEVICE)), 1)
        self.assertEqual(self.standin.faults(), [])

    def test_bad_assertions(self):
        now = int(time.time())
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for bad in (self.assertion(stranger), self.assertion(header={'alg': 'ES256'}), self.assertion(header={'kid': 'other'}),
                    self.assertion(iss='somebody@example.org'), self.assertion(aud='https://example.org/token'),
                    self.assertion(iat=str(now)), self.assertion(sub='x'), self.assertion(exp=None), 'no.jwt'):
            self.assertEqual((self.ask_token(bad)[0], self.ask_token(bad)[1]['error']), (400, 'invalid_grant'))
        self.assertEqual(self.ask_token(self.assertion(scope='openid'))[1]['error'], 'invalid_scope')
        for clock in (self.assertion(iat=now - 3700, exp=now - 100), self.assertion(iat=now + 3000, exp=now + 4000),
                      self.assertion(exp=now + 3700)):
            self.assertIn('reasonable timeframe', self.ask_token(clock)[1]['error_description'])
        good = self.assertion(exp=now + 777)
        self.assertEqual(self.ask_token(good, 'password')[0], 400)
        self.assertEqual(self.ask_token(good)[0], 200)
        self.assertEqual(self.ask_token(good)[0], 200)  # of another program, within the same second
        self.rules.seen[good] -= 60
        self.assertEqual(self.ask_token(good)[0], 400)  # kept
        form = urllib.parse.urlencode({'grant_type': fcm_rules.GRANT, 'assertion': self.assertion(exp=now + 778)}).encode()
        self.assertEqual(self.post('/token', 'application/json', form)[0], 400)
        self.assertEqual(self.post('/token', 'application/x-www-form-urlencoded', form + b'&x=1')[0], 400)

    def test_bearers(self):
        self.refused(self.send(self.message(), 'nonsense'), 401)
        token = self.token()
        self.assertEqual(self.send(self.message(), token)[0], 200)
        self.rules.revoke()
        self.refused(self.send(self.message(), token), 401)

    def test_paths(self):
        self.refused(self.send(self.message(), path='/v1/projects/other/messages:send'), 404)
        self.assertEqual(self.send(self.message(), path='/fcm/send')[0], 404)

    def test_bad_messages(self):
        android = {'priority': 'HIGH', 'ttl': '86400s'}
        for field, bad in (('message.notification', self.message(notification={'body': 'x'})),
                           ('message.data', self.message(data=['x'])),
                           ('message.data[0].value', self.message(data={'unread-messages': 1})),
                           ('message.data[0].key', self.message(data={'from': 'x'})),
                           ('message.data[0].key', self.message(data={'google.x': 'x'})),
                           ('message.android.priority', self.message(android={'ttl': '1s'})),
                           ('message.android.priority', self.message(android={**android, 'priority': 'high'})),
                           ('message.android.ttl', self.message(android={**android, 'ttl': '86400'})),
                           ('message.android.ttl', self.message(android={**android, 'ttl': '2419201s'})),
                           ('message.android.collapse_key', self.message(android={**android, 'collapse_key': ''})),
                           ('message.android.collapseKey', self.message(android={**android, 'collapseKey': 'x'})),
                           ('message.topic', self.message(topic='x'))):
            self.refused(self.send(bad), 400, field=field)
        self.refused(self.send(self.message(), other=True), 400, field='other')
        self.refused(self.send(self.message(token='short')), 400, 'INVALID_ARGUMENT', 'message.token')
        self.assertEqual(self.send(self.message(data={'a': 'x' * 4095}))[0], 200)
        self.refused(self.send(self.message(data={'a': 'x' * 4096})), 400, 'INVALID_ARGUMENT', 'message')
        self.assertEqual(self.post(f'/v1/projects/{PROJECT}/messages:send', 'application/json', b'{"message":{},"message":{}}')[0], 400)

    def test_behaviours(self):
        for code, (status, *_) in fcm_rules.ERRORS.items():
            self.standin.behave(DEVICE, do='answer', reason=code, times=1)
            self.refused(self.send(self.message()), status, code.removeprefix('DEVICE_'))
        for code, (status, *_) in fcm_rules.WITHOUT_CODE.items():
            self.standin.behave(DEVICE, do='answer', reason=code, times=1)
            self.refused(self.send(self.message()), status)
        self.standin.behave(DEVICE, do='answer', reason='html', status=502, times=1)
        self.assertEqual(self.send(self.message())[0], 502)
        self.standin.behave('token:', do='answer', reason='clock', times=1)
        self.assertEqual(self.ask_token(self.assertion(exp=int(time.time()) + 999))[0], 400)
        self.assertEqual(self.send(self.message())[0], 200)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    raise SystemExit(wrong != 0)
