#!/usr/bin/python3
"""make install and tocsin setup: what setup prints is taken as it is, by tocsin check, Prosody, ejabberd and nginx.

    test/e2e/setup_test.py [--binary build/tocsin]
"""
import argparse
import http.client
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest

import lab
from standin_keys import make_provider_key, make_service_account

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BINARY = os.path.join(ROOT, 'build', 'tocsin')
DOMAIN, COMPONENT = 'example.org', 'push.example.org'
KINDS = ('unifiedpush', 'webpush', 'apns', 'fcm')
# No HTTPS, no site and no records.
WITH_HTTPS = ('unifiedpush', 'apns')
PARTS = ('tocsin.conf', 'setup-prosody.cfg.lua', 'setup-ejabberd.yml', 'setup-nginx.conf', 'setup-dns.zone')
NGINX = shutil.which('nginx', path=os.environ.get('PATH', '') + ':/usr/sbin')
lab.DOMAIN, lab.COMPONENT = DOMAIN, COMPONENT


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), 'w', encoding='utf-8') as file:
        file.write(text)


def parts_of(kind):
    return PARTS if kind in WITH_HTTPS else PARTS[:3]


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tocsin-setup-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def tocsin(self, *arguments):
        return run(BINARY, '-c', self.path('tocsin.conf'), *arguments)

    def write_parts(self, kind, domain=DOMAIN):
        """The files of --write; in a folder of their own for each kind."""
        self.directory = self.path(kind)
        os.mkdir(self.directory)
        done = self.tocsin('setup', kind, domain, '--write')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        return [read(self.path(part)) for part in parts_of(kind)]

    def faults(self):
        """Without what the conf of apns leaves out to begin with."""
        done = self.tocsin('check')
        return done.returncode, [line for line in done.stderr.splitlines()
                                 if 'checked as root' not in line and 'there is no [listen] section' not in line]


class Files(Case):
    def test_what_is_written_is_what_is_printed(self):
        for kind in KINDS:
            base = self.directory
            parts = self.write_parts(kind)
            printed = self.tocsin('setup', kind, DOMAIN).stdout
            secret = re.search(r'^secret = (.*)$', parts[0], flags=re.M).group(1)
            other = re.search(r'^secret = (.*)$', printed, flags=re.M).group(1)
            self.assertNotEqual(secret, other)
            for part in parts:
                self.assertIn(part.replace(secret, other), printed)
            self.assertEqual(set(os.listdir(self.directory)), set(parts_of(kind)))
            for name in parts_of(kind):
                self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o640)
            self.directory = base

    def test_nothing_is_overwritten(self):
        parts = self.write_parts('apns')
        done = self.tocsin('setup', 'unifiedpush', DOMAIN, '--write')
        self.assertEqual(done.returncode, 73)
        for name, text in zip(PARTS, parts):
            self.assertIn(f'{name}: exists already', done.stderr)
            self.assertEqual(read(self.path(name)), text)

    def test_a_link_that_leads_nowhere_is_not_followed(self):
        os.symlink(self.path('elsewhere'), self.path('tocsin.conf'))
        done = self.tocsin('setup', 'fcm', DOMAIN, '--write')
        self.assertEqual(done.returncode, 73)
        self.assertEqual(os.listdir(self.directory), ['tocsin.conf'])

    def test_hostile_domains_are_refused_with_a_sentence(self):
        for domain in ('', 'a"b.org', 'a b.org', 'Example.org', 'm\u00fcnchen.example', 'example.org.', '192.0.2.1', 'a' * 64 + '.org',
                       'a.' * 130 + 'org', 'a\nb.org', '$(id).org'):
            done = self.tocsin('setup', 'unifiedpush', domain, '--write')
            self.assertEqual((done.returncode, done.stdout), (64, ''), domain)
            self.assertRegex(done.stderr, r'^tocsin: ".*" \w.*\n$')
        self.assertEqual(os.listdir(self.directory), [])


class Install(Case):
    """make install into a folder. What it tells systemd and whom it adds, fresh machines show."""

    def make(self, *arguments):
        done = run('make', '-s', '-C', ROOT, '-o', 'all', *arguments, f'DESTDIR={self.directory}',
                   f'BUILD={os.path.dirname(os.path.abspath(BINARY))}', env={**os.environ, 'MAKEFLAGS': ''})
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))
        return sorted(os.path.relpath(os.path.join(folder, name), self.directory)
                      for folder, _, names in os.walk(self.directory) for name in names)

    def test_everything_lies_in_its_place_and_the_binary_has_no_symbols(self):
        found = self.make('install')
        self.assertEqual(found, ['usr/local/lib/systemd/system/tocsin.service', 'usr/local/lib/sysusers.d/tocsin.conf',
                                 'usr/local/sbin/tocsin', 'usr/local/share/doc/tocsin/deploy-hook',
                                 'usr/local/share/doc/tocsin/https.md', 'usr/local/share/doc/tocsin/tocsin.conf'])
        binary = self.path('usr/local/sbin/tocsin')
        self.assertIn('tocsin', run(binary, '--version').stdout)
        self.assertLess(os.path.getsize(binary), 1 << 20)
        unit = read(self.path('usr/local/lib/systemd/system/tocsin.service'))
        self.assertIn('ExecStart=/usr/local/sbin/tocsin -c /etc/tocsin/tocsin.conf', unit)
        self.assertNotIn('\nWants=', unit)
        self.make('install', 'STRIP=')
        self.assertEqual(os.path.getsize(binary), os.path.getsize(BINARY))

    def test_the_conf_s_folder_is_empty_so_that_setup_can_write_there(self):
        self.make('install')
        conf = self.path('etc/tocsin/tocsin.conf')
        done = run(self.path('usr/local/sbin/tocsin'), '-c', conf, 'setup', 'webpush', DOMAIN, '--write')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        text = read(conf)
        self.make('install')
        self.assertEqual(read(conf), text)

    def test_uninstall_leaves_what_is_the_operator_s_alone(self):
        self.make('install')
        write(self.path('etc/tocsin/tocsin.conf'), 'mine')
        write(self.path('usr/local/sbin/neighbour'), '')
        self.assertEqual(self.make('uninstall'), ['etc/tocsin/tocsin.conf', 'usr/local/sbin/neighbour'])
        self.assertFalse(os.path.exists(self.path('usr/local/share/doc/tocsin')))


class Tocsin(Case):
    def test_the_confs_without_a_vendor_are_good_as_they_are(self):
        for kind in ('unifiedpush', 'webpush'):
            base = self.directory
            self.write_parts(kind)
            self.assertEqual(self.faults(), (0, []))
            self.directory = base

    def test_what_only_the_operator_knows_is_missing_until_it_is_there(self):
        self.write_parts('apns')
        code, faults = self.faults()
        self.assertEqual((code, len(faults)), (66, 3), faults)
        for words in ('team_id: still', 'topic: still', 'AuthKey_YOURKEYID0.p8: no such file'):
            self.assertIn(words, '\n'.join(faults))
        make_provider_key(self.directory, 'ABC123DEFG')
        conf = read(self.path('tocsin.conf')).replace('YOURKEYID0', 'ABC123DEFG')
        write(self.path('tocsin.conf'), conf)
        self.assertEqual(self.faults()[0], 66)
        write(self.path('tocsin.conf'), conf.replace('YOURTEAMID', 'DEF123GHIJ').replace('your.bundle.id', 'org.example.chat'))
        self.assertEqual(self.faults(), (0, []))

    def test_the_service_account_is_missing_until_it_is_there(self):
        self.write_parts('fcm')
        code, faults = self.faults()
        self.assertEqual((code, len(faults)), (66, 1), faults)
        self.assertIn('service-account.json: no such file', faults[0])
        make_service_account(self.path('service-account.json'), 'chat-example')
        self.assertEqual(self.faults(), (0, []))


class Servers(Case):
    def test_prosody_takes_the_lines(self):
        for kind in KINDS:
            base = self.directory
            lines = self.write_parts(kind)[1]
            self.assertEqual(run(shutil.which('luac5.4') or shutil.which('luac') or 'luac5.4', '-p', self.path(PARTS[1])).returncode, 0)
            for folder in ('data', 'certs'):
                os.mkdir(self.path(folder))
            rest = lab.PROSODY_CONF[:lab.PROSODY_CONF.index('VirtualHost')].format(d=self.directory, component=5347, c2s=5222, domain='',
                                                                                name='', secret='')
            for module in re.findall(r'"(\w+)"', re.search(r'modules_enabled = (.*)', lines).group(1)):
                rest = re.sub(rf'"{module}";?', '', rest)
            conf = self.path('prosody.cfg.lua')
            write(conf, rest + lines)
            done = run('prosodyctl', '--config', conf, 'check', 'config')
            self.assertEqual(done.returncode, 0, done.stdout)
            self.directory = base

    def test_ejabberd_takes_the_lines_and_the_gateway_comes_up_with_the_conf(self):
        parts = {kind: [re.sub(r'[0-9a-f]{40}', 'SECRET', part) for part in self._parts_of(kind)] for kind in KINDS}
        for kind in KINDS[1:]:  # so one start speaks for all
            self.assertEqual(self._bare(parts[kind][2]), self._bare(parts[KINDS[0]][2]))
        self.directory = self.path('unifiedpush')
        lines = read(self.path(PARTS[2]))

        class Ejabberd(lab.Ejabberd):
            def configure(self):
                super().configure()
                text = lines
                listen = f'listen:\n  -\n    port: {self.c2s_port}\n    ip: "127.0.0.1"\n    module: ejabberd_c2s\n'
                for head, more in (('\nlisten:\n', '\n' + listen), ('\nmodules:\n', '\nmodules:\n  mod_disco: {}\n  mod_roster: {}\n')):
                    assert text.count(head) == 1
                    text = text.replace(head, more)
                text = text.replace('port: 5347', f'port: {self.component_port}')
                write(self.directory + '/ejabberd.yml', f'hosts: [{DOMAIN}]\nloglevel: debug\nlog_rotate_count: 0\n'
                      f'auth_method: [internal]\nacl:\n  local: {{user_regexp: ""}}\n' + text)

        with Ejabberd(self.directory, ()) as server:
            complaints = [line for line in server.log_since(0).split('\n')
                          if re.search(r'\[(error|warning)\]', line) and re.search(r'option|config|mod_|listener', line, re.I)
                          and 'Mnesia backend for mod_mam' not in line]
            self.assertEqual(complaints, [])
            log = self.path('gateway.log')
            gateway = lab.spawn([BINARY, '-c', self.path('tocsin.conf'), '-o', f'xmpp.server=127.0.0.1:{server.component_port}',
                                 '-o', f'state.directory={self.path("state")}', '-o', f'listen.address=127.0.0.1:{lab.choose_port(8085)}'],
                                log)
            try:
                lab.wait_for('the component is up', lambda: 'event=component_up' in read(log))
            finally:
                self.assertEqual(lab.end(gateway), 0, read(log))

    @staticmethod
    def _bare(text):
        return '\n'.join(line for line in text.split('\n') if not line.lstrip().startswith('#'))

    def _parts_of(self, kind):
        base = self.directory
        parts = self.write_parts(kind)
        self.directory = base
        return parts


@unittest.skipUnless(NGINX, 'nginx is not installed: `make setup` installs nginx-light')
class Nginx(Case):
    def configure(self, kind, domain=DOMAIN):
        """The vhost with a certificate that is there, in the shortest conf that an nginx has."""
        site = self.write_parts(kind, domain)[3]
        pair = {name: self.path(name) for name in ('fullchain.pem', 'privkey.pem')}
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
                        '/CN=x', '-addext', f'subjectAltName=DNS:{COMPONENT}', '-keyout', pair['privkey.pem'], '-out',
                        pair['fullchain.pem']], check=True, capture_output=True)
        for name, path in pair.items():
            self.assertEqual(site.count(f'/etc/letsencrypt/live/push.{domain}/{name}'), 1)
            site = site.replace(f'/etc/letsencrypt/live/push.{domain}/{name}', path)
        folders = ''.join(f'{name}_temp_path {self.directory}/{name};\n' for name in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        write(self.path('nginx.conf'), f'{"user root;" if os.geteuid() == 0 else ""}\ndaemon off;\nworker_processes 1;\n'
              f'pid {self.directory}/nginx.pid;\nerror_log {self.directory}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n'
              f'{folders}{site}}}\n')
        return [NGINX, '-p', self.directory, '-e', self.path('error.log'), '-c', self.path('nginx.conf')]

    def test_nginx_takes_the_site(self):
        for kind in WITH_HTTPS:
            base = self.directory
            done = run(*self.configure(kind), '-t')
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn('[warn]', done.stderr)
            self.directory = base

    def test_nginx_takes_the_longest_names(self):
        done = run(*self.configure('unifiedpush', '.'.join(['a' * 61] * 4)), '-t')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_through_the_site_both_unregister_paths_and_the_endpoints_reach_the_gateway(self):
        if not lab.private_network:
            self.skipTest('port 443 is not ours to take: a private network is not permitted here')
        nginx = self.configure('unifiedpush')
        log = self.path('gateway.log')
        gateway = lab.spawn([BINARY, '-c', self.path('tocsin.conf'), '-o', f'state.directory={self.path("state")}'], log)
        site = lab.spawn(nginx, self.path('nginx.log'))
        try:
            lab.wait_for('nginx listens', lambda: lab.accepts(443))
            lab.wait_for('the gateway listens', lambda: lab.accepts(8085))
            self.assertEqual(self.ask('GET', '/')[0], 200)
            self.assertEqual(self.ask('GET', '/up')[0], 200)
            self.assertIn('unifiedpush', self.ask('GET', '/up')[1])
            for path in ('/unregister-device/', '/rest/push/unregister-device/'):
                words = '{"account":"ann@example.org","provider":"x","device-token":"t"}'
                status, text = self.ask('POST', path + COMPONENT, words, 'application/json')
                self.assertEqual((status, text), (200, '{"result":"success"}'))
            self.assertEqual(self.ask('POST', '/up/nobody', 'hello')[0], 404)
            self.assertEqual(self.ask('GET', '/admin')[0], 404)
        finally:
            lab.end(site)
            self.assertEqual(lab.end(gateway), 0, read(log))

    @staticmethod
    def ask(method, path, body=None, kind='application/octet-stream'):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection('127.0.0.1', 443, timeout=20, context=context)
        connection.request(method, path, body, {'Host': COMPONENT, **({'Content-Type': kind} if body else {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text.strip()


def main():
    global BINARY
    parser = argparse.ArgumentParser(description='tocsin setup against those that read what it prints.')
    parser.add_argument('--binary', default=BINARY)
    options, rest = parser.parse_known_args()
    BINARY = os.path.abspath(options.binary)
    print(f'# {lab.isolate()}', flush=True)
    program = unittest.main(argv=[sys.argv[0], *rest], exit=False, verbosity=2)
    outcome = program.result
    wrong = len(outcome.failures) + len(outcome.errors)
    skipped = len(outcome.skipped)
    for case, reason in outcome.skipped:
        print(f'skipped: {case.id()}: {reason}')
    print('%d passed, %d failed' % (outcome.testsRun - wrong - skipped, wrong) + (f', {skipped} skipped' if skipped else ''), flush=True)
    sys.exit(wrong != 0)


if __name__ == '__main__':
    main()
