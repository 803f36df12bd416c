#!/usr/bin/python3
"""tocsin check --online: over real sockets, against the stand-ins, with everything wrong that can be.

    test/e2e/online_test.py [--binary build/tocsin]
"""
import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import lab
import apns_rules
import fcm_rules
import provider_standin
from standin_keys import make_certificates, make_client_certificate, make_service_account

BINARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tocsin')
TEAM_ID, KEY_ID, TOPIC = 'DEF123GHIJ', 'ABC123DEFG', 'org.example.siskin'
HEAD = '[xmpp]\nserver = 127.0.0.1:1\ndomain = push.example.org\nsecret = s3cr3t\n[state]\ndirectory = {directory}/state\n'
NOBODYS = '00' * 32


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tocsin-online-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def serve(self, rules):
        standin = provider_standin.Standin(self.directory, rules)
        standin.__enter__()
        self.addCleanup(standin.__exit__)
        return standin

    def check(self, conf, code, *words):
        """Runs it, holds exit status and words of the one line of each section against what it should be."""
        path = os.path.join(self.directory, 'tocsin.conf')
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            file.write(HEAD.format(directory=self.directory) + conf)
        done = subprocess.run([BINARY, '-c', path, 'check', '--online'], capture_output=True, text=True, timeout=90, check=False)
        said = f'{done.stdout}{done.stderr}'
        self.assertEqual(done.returncode, code, said)
        for word in words:
            self.assertIn(word, said)
        self.assertFalse(os.path.exists(os.path.join(self.directory, 'state')), 'it makes nothing')
        return said


class Apns(Case):
    def setUp(self):
        super().setUp()
        self.key = provider_standin.make_provider_key(self.directory, KEY_ID)

    def rules(self, key=None, **more):
        with open(key or self.key, 'rb') as file:
            return apns_rules.Rules(TEAM_ID, KEY_ID, apns_rules.load_public_key(file.read()), [TOPIC], **more)

    def conf(self, standin, topic=TOPIC, ca=None, host='localhost', port=None, credential=None):
        return (f'[apns siskin]\nprovider = a\n{credential or f"key = {self.key}{chr(10)}team_id = {TEAM_ID}"}\ntopic = {topic}\n'
                f'endpoint = https://{host}:{port or standin.port}\nca_file = {ca or standin.ca_file}\n')

    def test_all_is_well(self):
        standin = self.serve(self.rules())
        standin.behave(NOBODYS, **provider_standin.BAD_TOKEN)
        self.check(self.conf(standin), 0, 'apns/siskin: ok: Apple takes our requests (BadDeviceToken')
        request, = standin.requests()
        self.assertEqual(request['device'], NOBODYS)
        self.assertEqual(dict(request['headers'])['apns-push-type'], 'background')
        self.assertEqual(standin.faults(), [])

    def test_another_key(self):
        other = os.path.join(self.directory, 'other')
        os.mkdir(other)
        standin = self.serve(self.rules(provider_standin.make_provider_key(other, KEY_ID)))
        self.check(self.conf(standin), 78, 'refused: InvalidProviderToken; check key, key_id and team_id')
        self.assertEqual(len(standin.requests()), 1)

    def test_another_topic(self):
        standin = self.serve(self.rules())
        self.check(self.conf(standin, topic='org.example.other'), 78, 'refused: TopicDisallowed; check topic')

    def test_each_word_has_its_advice(self):
        standin = self.serve(self.rules())
        for status, reason, code, advice in ((403, 'BadEnvironmentKeyIdInToken', 78, 'check environment'),
                                             (400, 'DeviceTokenNotForTopic', 78, 'check topic'),
                                             (403, 'BadCertificate', 78, 'check the certificate'),
                                             (503, 'ServiceUnavailable', 75, 'try again later'),
                                             (429, 'TooManyRequests', 75, 'try again later'),
                                             (410, 'Unregistered', 0, 'ok')):
            standin.behave(NOBODYS, do='answer', status=status, reason=reason)
            self.check(self.conf(standin), code, reason, advice)

    def test_an_expired_token_is_made_anew_once(self):
        standin = self.serve(self.rules())
        standin.behave('', do='answer', status=403, reason='ExpiredProviderToken')
        self.check(self.conf(standin), 78, 'ExpiredProviderToken', 'clock')
        self.assertLessEqual(len(standin.requests()), 3)

    def test_nobody_answers(self):
        standin = self.serve(self.rules())
        self.check(self.conf(standin, port=lab.choose_port(1)), 69, 'no connection: ', 'firewall')
        self.check(self.conf(standin, host='nobody.invalid'), 69, 'can not be looked up', 'check the name in endpoint', 'DNS')
        standin.behave('', **provider_standin.RESET)
        self.check(self.conf(standin), 69, 'the connection was reset')

    def test_another_authority(self):
        standin = self.serve(self.rules())
        other = os.path.join(self.directory, 'other')
        os.mkdir(other)
        make_certificates(other)
        self.check(self.conf(standin, ca=os.path.join(other, 'ca.pem')), 69, 'signed by no root of ca_file', 'check ca_file')

    def test_not_even_tls(self):
        standin = self.serve(self.rules())
        with socket.create_server(('127.0.0.1', 0)) as listener:
            said = self.check_beside(listener, self.conf(standin, port=listener.getsockname()[1]))
        self.assertIn('does not speak TLS', said)

    def check_beside(self, listener, conf):
        def greet():
            try:
                while True:
                    client, _ = listener.accept()
                    client.sendall(b'SSH-2.0-x\r\n')
                    client.close()
            except OSError:
                pass
        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        return self.check(conf, 69, 'no connection')

    def test_a_section_that_is_off(self):
        standin = self.serve(self.rules())
        os.chmod(self.key, 0o644)
        self.check(self.conf(standin), 78, 'can be read by every user', 'apns/siskin: off; mend what is said')

    def test_certificates(self):
        own, key, clients = make_client_certificate(self.directory, [TOPIC, TOPIC + '.voip'])
        standin = self.serve(self.rules(clients_under=clients))
        standin.behave(NOBODYS, **provider_standin.BAD_TOKEN)
        by = f'certificate = {own}\ncertificate_key = {key}'
        self.check(self.conf(standin, credential=by), 0, 'ok: Apple takes our requests')
        request, = standin.requests()
        self.assertNotIn('authorization', dict(request['headers']))
        self.check(self.conf(standin, credential=by, topic='org.example.other'), 78,
                   f'certificate: {own}: it is for {TOPIC}, {TOPIC}.voip, not for the topic of this section')
        soon, key, _ = make_client_certificate(self.directory, [TOPIC], days=10, name='soon')
        self.check(self.conf(standin, credential=f'certificate = {soon}\ncertificate_key = {key}'), 69, 'warning: ', 'it ends on ',
                   'no connection: ')  # of another authority than the one that the stand-in asks for
        old, key, _ = make_client_certificate(self.directory, [TOPIC], days=-10, name='old')
        self.check(self.conf(standin, credential=f'certificate = {old}\ncertificate_key = {key}'), 78, 'it has expired, on ')
        self.check(self.conf(standin, credential=f'certificate = {own}\ncertificate_key = {key}'), 78,
                   'certificate_key: ', 'it is not the key of the certificate')


class Fcm(Case):
    def setUp(self):
        super().setUp()
        self.account = os.path.join(self.directory, 'account.json')

    def make(self):
        text = make_service_account(self.account, 'chat-example')
        self.standin = self.serve(fcm_rules.Rules(text))
        return (f'[fcm play]\nprovider = f\nservice_account = {self.account}\nendpoint = https://localhost:{self.standin.port}\n'
                f'token_endpoint = https://localhost:{self.standin.port}\nca_file = {self.standin.ca_file}\n')

    def test_all_is_well_and_nothing_is_sent(self):
        conf = self.make()
        self.check(conf, 0, 'fcm/play: ok: Google takes our requests', 'the app must be built with the project chat-example')
        messages = [r for r in self.standin.requests() if 'messages:send' in dict(r['headers'])[':path']]
        self.assertEqual([json.loads(r['body'])['validate_only'] for r in messages], [True])
        self.standin.behave('tocsin-check', do='answer', reason='INVALID_ARGUMENT')
        time.sleep(1.1)  # the stand-in takes no assertion twice, and there is one a second
        self.check(conf, 0, 'ok: Google takes our requests (INVALID_ARGUMENT for a token of nobody')

    def test_what_google_refuses(self):
        conf = self.make()
        self.standin.behave('token:', do='answer', reason='invalid_grant')
        self.check(conf, 78, 'no access token: invalid_grant', 'check service_account')
        self.standin.forget()
        self.standin.behave('tocsin-check', do='answer', reason='UNAVAILABLE')
        time.sleep(1.1)
        self.check(conf, 75, 'trouble at the provider: UNAVAILABLE')

    def test_the_token_endpoint_is_not_there(self):
        conf = self.make().replace(f'token_endpoint = https://localhost:{self.standin.port}',
                                   f'token_endpoint = https://localhost:{lab.choose_port(1)}')
        self.check(conf, 69, 'no access token: ', 'firewall')


def main():
    global BINARY
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('--binary', default=BINARY)
    options, rest = arguments.parse_known_args()
    BINARY = options.binary
    outcome = unittest.main(argv=[sys.argv[0], *rest], exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    return wrong != 0


if __name__ == '__main__':
    raise SystemExit(main())
