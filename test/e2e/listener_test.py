#!/usr/bin/python3
"""The HTTPS listener over real sockets: curl and openssl against the built binary, whose XMPP server is a tiny one.

    test/e2e/listener_test.py [--binary build/tocsin]
"""
import argparse
import filecmp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import lab
from tiny_server import TinyServer, node_of, publish, refusal_of, register

BINARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tocsin')
HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'conf', 'deploy-hook')
DOMAIN, SECRET = 'push.example.org', 'change-me'
TOKEN = f'{0xabc:064x}'
JSON = '{"account":"ann@example.org","provider":"snikket:apns:1","device-token":"%s"}' % TOKEN
SUCCESS = '{"result":"success"}'
CONF = '''[xmpp]
server = 127.0.0.1:{xmpp}
domain = push.example.org
secret = change-me
[state]
directory = {directory}/state
[apns siskin]
provider = tigase:messenger:apns:1
key = AuthKey_ABC123DEFG.p8
team_id = DEF123GHIJ
topic = org.example.siskin
[metrics]
address = 127.0.0.1:{metrics}
[listen]
{listen}
'''
TLS = 'address = *:{port}\ncertificate = fullchain.pem\nkey = privkey.pem\n'


def openssl(*arguments, **more):
    return subprocess.run(['openssl', *arguments], capture_output=True, text=True, timeout=30, check=True, **more)


def make_pair(directory, name=DOMAIN, kind='ec'):
    how = ['-newkey', 'rsa:2048'] if kind == 'rsa' else ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    openssl('req', '-x509', *how, '-nodes', '-days', '30', '-subj', '/CN=x', '-addext', f'subjectAltName=DNS:{name}', '-keyout',
            os.path.join(directory, 'privkey.pem'), '-out', os.path.join(directory, 'fullchain.pem'))
    os.chmod(os.path.join(directory, 'privkey.pem'), 0o600)


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tocsin-listener-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', self.path('AuthKey_ABC123DEFG.p8'))
        os.chmod(self.path('AuthKey_ABC123DEFG.p8'), 0o600)
        make_pair(self.directory)
        self.server = TinyServer(DOMAIN, SECRET)
        self.addCleanup(self.server.__exit__)
        self.port, self.metrics = lab.choose_port(1), lab.choose_port(2)
        self.process = None
        self.said = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def write_conf(self, listen=TLS):
        text = CONF.format(xmpp=self.server.port, directory=self.directory, metrics=self.metrics,
                           listen=listen.format(port=self.port, directory=self.directory))
        with open(os.open(self.path('t.conf'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            file.write(text)

    def start(self, listen=TLS):
        self.write_conf(listen)
        self.spawn()

    def spawn(self):
        self.process = subprocess.Popen([BINARY, '-c', self.path('t.conf')], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, self.process)
        threading.Thread(target=self.read, args=(self.process.stderr,), daemon=True).start()
        self.server.accept()

    def read(self, pipe):
        with pipe:
            for line in pipe:
                self.said.append(line)

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def wait_for(self, words, within=10):
        until = time.monotonic() + within
        while not any(words in line for line in self.said):
            self.assertLess(time.monotonic(), until, f'{words} not in {"".join(self.said)}')
            time.sleep(0.02)

    def curl(self, path, *arguments, scheme='https', ca='fullchain.pem'):
        """(status, body)"""
        command = ['curl', '-sS', '-m', '10', '-w', '\n%{http_code}', '--cacert', self.path(ca)]
        if scheme == 'https':
            command += ['--connect-to', f'{DOMAIN}:443:127.0.0.1:{self.port}']
            url = f'https://{DOMAIN}{path}'
        else:
            url = f'http://127.0.0.1:{self.port}{path}'
        done = subprocess.run([*command, *arguments, url], capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 0, done.stderr + ''.join(self.said))
        body, _, status = done.stdout.rpartition('\n')
        return int(status), body

    def unregister(self, path=f'/unregister-device/{DOMAIN}', **more):
        return self.curl(path, '-H', 'Content-Type: application/json', '-d', JSON, **more)

    def register(self):
        answer = self.server.ask(register('ann@example.org/phone', TOKEN))
        self.assertIsNone(refusal_of(answer))
        return node_of(answer)

    def refusal_of_publish(self, node):
        return refusal_of(self.server.ask(publish('example.org', node)))


class Unregister(Case):
    def test_the_user_is_offline_and_the_device_is_gone_even_if_we_are_killed_at_once(self):
        self.start()
        node = self.register()
        self.assertEqual(self.unregister(), (200, SUCCESS))
        self.process.kill()
        self.process.wait()
        self.spawn()
        self.assertEqual(self.refusal_of_publish(node), ('cancel', 'item-not-found'))
        done = subprocess.run([BINARY, 'registry', 'dump', self.path('state/devices.registry')], capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertIn('reason=https', done.stdout)

    def test_the_second_path_a_form_and_a_stranger(self):
        self.start()
        node = self.register()
        self.assertEqual(self.unregister(f'/unregister-device/{DOMAIN}.example.net')[0], 404)
        status, body = self.curl(f'/rest/push/unregister-device/{DOMAIN}', '--data-urlencode', 'account=ann@example.org',
                                 '--data-urlencode', f'device-token={TOKEN}', '-d', 'provider=x')
        self.assertEqual((status, body), (200, SUCCESS))
        self.assertEqual(self.refusal_of_publish(node), ('cancel', 'item-not-found'))
        self.wait_for('why=https')
        self.assertEqual(self.unregister(), (200, SUCCESS))
        self.assertEqual(self.curl(f'/unregister-device/{DOMAIN}')[0], 404)
        self.assertNotIn(TOKEN, ''.join(self.said))

    def test_chunked_and_expecting_clients_are_served(self):
        self.start()
        self.assertEqual(self.unregister()[0], 200)
        for field in ('Transfer-Encoding: chunked', 'Expect: 100-continue'):
            status, _ = self.curl(f'/unregister-device/{DOMAIN}', '-H', field, '-H', 'Content-Type: application/json', '-d', JSON)
            self.assertEqual(status, 200)

    def test_too_large_a_body_is_told_so(self):
        self.start()
        self.assertEqual(self.curl(f'/unregister-device/{DOMAIN}', '-d', 'x' * 5000)[0], 413)


class Tls(Case):
    def connect(self, *arguments):
        done = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{self.port}', '-servername', DOMAIN, *arguments],
                              input='', capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_only_good_versions_and_suites_are_spoken(self):
        for kind in ('ec', 'rsa'):
            with self.subTest(kind):
                make_pair(self.directory, kind=kind)
                self.start()
                for old in ('-tls1', '-tls1_1'):
                    code, said = self.connect(old, '-cipher', 'ALL:@SECLEVEL=0')
                    self.assertNotEqual(code, 0)
                    self.assertIn('Cipher is (NONE)', said)
                listed = openssl('ciphers', '-s', '-tls1_2', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0').stdout.strip().split(':')
                good = [name for name in listed if name.startswith('ECDHE') and 'ARIA' not in name and ('GCM' in name or 'CHACHA20' in name)]
                self.assertGreater(len(listed), 50)
                taken = []
                for name in listed:
                    code, said = self.connect('-tls1_2', '-cipher', f'{name}:@SECLEVEL=0')
                    if code == 0 and f'Cipher is {name}' in said:
                        taken.append(name)
                mine = 'ECDSA' if kind == 'ec' else 'RSA'
                self.assertEqual(sorted(taken), sorted(name for name in good if f'ECDHE-{mine}-' in name))
                code, said = self.connect('-alpn', 'http/1.1')
                self.assertIn('ALPN protocol: http/1.1', said)
                self.assertNotIn('Reused', said)
                self.assertIn('Verify return code', said)
                self.end(self.process)

    def test_a_renewed_pair_is_shown_after_hup_and_a_bad_one_is_not(self):
        self.start()
        self.assertEqual(self.unregister()[0], 200)
        shutil.copy(self.path('fullchain.pem'), self.path('old.pem'))
        with open(self.path('privkey.pem'), 'w', encoding='utf-8') as file:
            file.write('no key')
        self.process.send_signal(signal.SIGHUP)
        self.wait_for('certificate_refused')
        self.assertEqual(self.unregister(ca='old.pem')[0], 200)
        make_pair(self.directory)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for('certificate_loaded')
        self.assertEqual(self.unregister()[0], 200)
        self.assertFalse(filecmp.cmp(self.path('old.pem'), self.path('fullchain.pem'), shallow=False))

    def test_the_deploy_hook_brings_a_pair_that_is_used(self):
        os.mkdir(self.path('live'))
        make_pair(self.path('live'))
        group = subprocess.run(['id', '-gn'], capture_output=True, text=True, check=True).stdout.strip()
        environment = {**os.environ, 'TOCSIN_TLS': self.path('tls'), 'TOCSIN_GROUP': group, 'TOCSIN_CONF': self.path('t.conf'),
                       'TOCSIN_RELOAD': 'true'}
        listen = TLS.replace('= fullchain', '= tls/fullchain').replace('= privkey', '= tls/privkey')
        self.write_conf(listen)
        subprocess.run([HOOK, self.path('live')], env=environment, check=True, timeout=20)
        self.assertEqual(os.stat(self.path('tls/privkey.pem')).st_mode & 0o777, 0o640)
        self.start(listen)
        self.assertEqual(self.unregister(ca='live/fullchain.pem')[0], 200)
        make_pair(self.path('live'))
        # As certbot calls it for another certificate, and then for ours.
        for domains, loaded in (('other.example.org', False), (f'www.example.org {DOMAIN}', True)):
            subprocess.run([HOOK], check=True, timeout=20,
                           env={**environment, 'RENEWED_LINEAGE': self.path('live'), 'RENEWED_DOMAINS': domains,
                                'TOCSIN_RELOAD': f'kill -HUP {self.process.pid}'})
            same = filecmp.cmp(self.path('live/fullchain.pem'), self.path('tls/fullchain.pem'), shallow=False)
            self.assertEqual(same, loaded)
        self.wait_for('certificate_loaded')
        self.assertEqual(self.unregister(ca='live/fullchain.pem')[0], 200)
        self.assertEqual(subprocess.run([HOOK, self.path('nowhere')], env=environment, capture_output=True, check=False).returncode, 66)


class Doors(Case):
    def test_behind_a_proxy_and_by_a_unix_socket(self):
        self.start('address = 127.0.0.1:{port}, unix:{directory}/http.sock\ntls = no\nsocket_mode = 0600\n')
        self.assertEqual(self.unregister(scheme='http'), (200, SUCCESS))
        self.assertEqual(self.unregister(scheme='http', path=f'/rest/push/unregister-device/{DOMAIN}'), (200, SUCCESS))
        status, body = self.curl(f'/unregister-device/{DOMAIN}', '--unix-socket', self.path('http.sock'), '-H',
                                 'Content-Type: application/json', '-d', JSON, scheme='http')
        self.assertEqual((status, body), (200, SUCCESS))
        self.assertEqual(os.stat(self.path('http.sock')).st_mode & 0o777, 0o600)

    def test_a_proxy_header_is_read_where_it_is_due(self):
        self.start(TLS + 'proxy_protocol = yes\n')
        status, _ = self.curl('/', '--haproxy-protocol')
        self.assertEqual(status, 404)
        with socket.create_connection(('127.0.0.1', self.port)) as plain:
            plain.sendall(b'GET / HTTP/1.1\r\n\r\n')
            plain.settimeout(5)
            try:
                self.assertEqual(plain.recv(100), b'')
            except ConnectionResetError:
                pass

    def test_health_says_how_we_are(self):
        self.start()

        def health(path='/health'):
            done = subprocess.run(['curl', '-sS', '-m', '5', '-w', '%{http_code}', f'http://127.0.0.1:{self.metrics}{path}'],
                                  capture_output=True, text=True, timeout=20, check=True)
            return done.stdout
        self.assertEqual(health(), 'ok\n200')
        self.assertTrue(health('/metrics').endswith('404'))
        self.server.drop()
        self.server.listener.close()
        until = time.monotonic() + 10
        while health() != 'not connected to the XMPP server\n503':
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def test_a_port_in_use_is_a_sentence_and_69(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            self.port = taken.getsockname()[1]
            self.write_conf('address = 127.0.0.1:{port}\ntls = no\n')
            done = subprocess.run([BINARY, '-c', self.path('t.conf')], capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn(f'cannot listen at 127.0.0.1:{self.port}: another program listens there', done.stderr)


class Check(Case):
    def check(self, *more):
        done = subprocess.run([BINARY, '-c', self.path('t.conf'), 'check', *more], capture_output=True, text=True, timeout=20,
                              check=False)
        return done.returncode, done.stderr

    def test_a_certificate_for_somebody_else_is_a_fault_that_stops_nothing(self):
        make_pair(self.directory, 'www.example.org')
        self.write_conf()
        code, said = self.check()
        self.assertEqual(code, 78, said)
        self.assertIn('the certificate does not cover domain of [xmpp]', said)
        self.spawn()

    def test_what_can_not_be_used_stops(self):
        self.write_conf()
        os.chmod(self.path('privkey.pem'), 0o644)
        code, said = self.check()
        self.assertEqual(code, 78)
        self.assertIn('can be read by every user', said)
        os.chmod(self.path('privkey.pem'), 0o600)
        shutil.copy(self.path('AuthKey_ABC123DEFG.p8'), self.path('privkey.pem'))
        code, said = self.check()
        self.assertEqual(code, 78)
        self.assertIn('another key than that of the first certificate', said)
        os.remove(self.path('fullchain.pem'))
        self.assertEqual(self.check()[0], 66)

    @unittest.skipUnless(os.geteuid() == 0, 'only root can be somebody else')
    def test_what_hides_a_key_is_named(self):
        os.chmod(self.directory, 0o755)
        os.mkdir(self.path('live'), 0o700)
        make_pair(self.path('live'))
        self.write_conf(TLS.replace('= privkey', '= live/privkey'))
        os.chmod(self.path('t.conf'), 0o600)
        nobody = pwd.getpwnam('nobody')
        for name in ('t.conf', 'AuthKey_ABC123DEFG.p8', 'fullchain.pem'):
            os.chown(self.path(name), nobody.pw_uid, nobody.pw_gid)
        code, said = self.check('--as', 'nobody')
        self.assertEqual(code, 77, said)
        self.assertIn(f'{self.path("live")} is 0700 root', said)


class Crowds(Case):
    def test_a_thousand_idle_connections_are_turned_away_without_harm(self):
        self.start()
        node = self.register()
        idle = []
        for _ in range(1000):
            try:
                idle.append(socket.create_connection(('127.0.0.1', self.port), timeout=5))
            except OSError:
                break
        self.assertGreater(len(idle), 500)
        self.addCleanup(lambda: [each.close() for each in idle])
        self.assertIsNotNone(self.server.ask(publish('example.org', node)))
        time.sleep(2.5)  # whoever has said nothing for so long makes room
        self.assertEqual(self.unregister(), (200, SUCCESS))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--binary', default=BINARY)
    options, rest = parser.parse_known_args()
    BINARY = os.path.abspath(options.binary)
    outcome = unittest.main(argv=[sys.argv[0], *rest], exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    raise SystemExit(wrong != 0)
