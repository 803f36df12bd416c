#!/usr/bin/python3
"""`tocsin registry` as an operator types it, and what the gateway says of a registry that it can not read.

    test/e2e/registry_test.py [--binary build/tocsin]
"""
import argparse
import os
import pty
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import lab
from registry_file import RegistryFile
from standin_keys import make_provider_key

BINARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tocsin')
DAY_ONE = 1_750_000_000  # 2025-06-15T15:06:40Z
ANN, BOB, OLD = (bytes([n]) + 15 * b'\x11' for n in (1, 2, 3))
CONF = '''[xmpp]
domain = push.example.org
secret = change-me
[state]
directory = {state}
[apns siskin]
provider = tigase:messenger:apns:1
key = {key}
team_id = DEF123GHIJ
topic = org.example.siskin
'''


def sample():
    return (RegistryFile().registered(ANN, 'ann@example.org', DAY_ONE).registered(BOB, 'bob@example.net', DAY_ONE).mark()
            .registered(OLD, 'ann@example.org', DAY_ONE).mark()
            .held(BOB, DAY_ONE + 86_400, 'BadDeviceToken')
            .ended(OLD, DAY_ONE + 2 * 86_400, 'Unregistered', 'ann@example.org').mark().mark())


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tocsin-registry-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.file = os.path.join(self.directory, 'devices.registry')
        self.gateway = None

    def write(self, data, name=None):
        with open(name or self.file, 'wb') as file:
            file.write(data)

    def read(self, name=None):
        with open(name or self.file, 'rb') as file:
            return file.read()

    def tocsin(self, *arguments, **more):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, check=False, **more)
        return done.returncode, done.stdout, done.stderr

    def registry(self, command, *options, file=None, **more):
        return self.tocsin('registry', command, *options, file or self.file, **more)

    def spoil(self, record):
        """A bit in the middle of that record."""
        content = sample()
        at = content.offsets[record]
        data = bytearray(content.data)
        data[at + 20] ^= 1
        self.write(data)
        return at

    # --- a gateway on this directory ---------------------------------------------------------------

    def conf(self):
        key = make_provider_key(self.directory, 'ABC123DEFG')
        conf = os.path.join(self.directory, 'tocsin.conf')
        with open(os.open(conf, os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='utf-8') as file:
            file.write(CONF.format(state=self.directory, key=key))
        return conf

    def start_gateway(self):
        log = os.path.join(self.directory, 'log')
        self.gateway = lab.spawn([BINARY, '-c', self.conf()], log)
        self.addCleanup(lab.end, self.gateway)
        lab.wait_for('ready', lambda: 'event=ready' in lab.tail(log))


class Looking(Case):
    def test_verify_reads_what_the_page_describes(self):
        self.write(sample().data)
        code, out, err = self.registry('verify')
        self.assertEqual((code, err), (0, ''))
        self.assertEqual(out, 'format=2 generation=0 batches=4 records=5 registered=3 changed=0 refreshed=0 accepted=0 held=1 released=0 '
                         'ended=1 devices=2 devices_held=1 bytes=651 dead_bytes=260 torn_bytes=0\n')
        self.assertEqual(os.listdir(self.directory), ['devices.registry'])

    def test_dump_has_a_line_for_each_device_and_each_end(self):
        self.write(sample().data)
        code, out, err = self.registry('dump')
        self.assertEqual((code, err), (0, ''))
        self.assertEqual(out.splitlines(), [
            'state=registered node=01111111... account=ann@example.org section=apns/siskin provider=tigase:messenger:apns:1 dialect=tigase '
            'registered=2025-06-15T15:06:40Z refreshed=2025-06-15T15:06:40Z',
            'state=held node=02111111... account=bob@example.net section=apns/siskin provider=tigase:messenger:apns:1 dialect=tigase '
            'registered=2025-06-15T15:06:40Z refreshed=2025-06-15T15:06:40Z word=BadDeviceToken since=2025-06-16T15:06:40Z',
            'state=ended node=03111111... account=ann@example.org section=apns/siskin registered=2025-06-15T15:06:40Z '
            'ended=2025-06-17T15:06:40Z reason=provider word=Unregistered'])
        _, secrets, _ = self.registry('dump', '--secrets')
        self.assertIn(' token_hex=deadbeef', secrets)
        self.assertIn(' node=AREREREREREREREREREREQ ', secrets)

    def test_a_torn_end_is_no_damage(self):
        self.write(sample().data[:-40])
        code, out, err = self.registry('verify')
        self.assertEqual((code, err), (0, ''))
        self.assertRegex(out, r' torn_bytes=\d+\n$')

    def test_damage_ends_with_65_the_offset_and_the_command(self):
        at = self.spoil(0)
        for command in ('verify', 'dump', 'compact'):
            code, out, err = self.registry(command)
            self.assertEqual((code, out), (65, ''))
            self.assertEqual(err, f'tocsin: {self.file}: the registry is damaged at byte {at} (a record fails its check); what is intact is '
                             f'kept by: tocsin registry repair {self.file}\n')

    def test_what_is_no_registry(self):
        self.assertEqual(self.registry('verify')[0], 66)
        self.assertEqual(self.registry('verify', file=self.directory)[0], 66)
        self.assertEqual(self.registry('verify', file=BINARY)[0], 65)
        self.assertEqual(self.registry('repair', file=BINARY)[0], 65)
        self.assertEqual(self.tocsin('registry', 'verify')[0], 64)
        self.assertEqual(self.tocsin('registry')[0], 64)

    def test_help(self):
        code, out, err = self.tocsin('registry', '--help')
        self.assertEqual((code, err), (0, ''))
        for command in ('verify', 'dump', 'compact', 'repair'):
            self.assertIn(f'tocsin registry {command} ', out)
        self.assertIn('registry verify|dump|compact|repair FILE', self.tocsin('--help')[1])

    def test_no_bar_where_it_is_quick(self):
        self.write(sample().data)
        parent, child = pty.openpty()
        done = subprocess.run([BINARY, 'registry', 'verify', self.file], stdout=subprocess.PIPE, stderr=child, timeout=60, check=False)
        os.close(child)
        with os.fdopen(parent, 'rb', buffering=0) as terminal:
            os.set_blocking(parent, False)
            try:
                shown = terminal.read() or b''
            except OSError:
                shown = b''
        self.assertEqual((done.returncode, shown), (0, b''))

    if os.geteuid() != 0:  # root may read everything
        def test_a_file_of_somebody_else(self):
            self.write(sample().data)
            os.chmod(self.file, 0)
            self.assertEqual(self.registry('verify')[0], 77)


class Mending(Case):
    def test_repair_and_its_last_words(self):
        at = self.spoil(0)
        before = self.read()
        code, out, err = self.registry('repair')
        self.assertEqual((code, err), (65, ''))
        self.assertEqual(self.read(), before)
        self.assertTrue(out.startswith(f'byte {at}: lost 116 bytes, a record that reads, rightly or not: registered account=ann@example.org '
                                       'section=apns/siskin time=2025-06-15T15:06:40Z\nbatch 1: 1 of its 2 records lost\n'))
        self.assertIn('kept 4 records (1 device, 1 ended) in ' + self.file + '.repaired, ', out)
        self.assertEqual(os.stat(self.file + '.repaired').st_mode & 0o777, 0o600)
        # The last line is the command that puts it in place.
        command = out.splitlines()[-1]
        subprocess.run(command, shell=True, check=True)
        self.assertEqual(self.read(self.file + '.damaged'), before)
        code, out, _ = self.registry('verify')
        self.assertEqual(code, 0)
        self.assertIn(' devices=1 devices_held=1 ', out)
        # Repaired again, and nothing is overwritten.
        self.write(before)
        self.assertEqual(self.registry('repair')[0], 65)
        code, _, err = self.registry('repair')
        self.assertEqual(code, 73)
        self.assertIn('nothing is overwritten', err)

    def test_the_command_survives_a_shell(self):
        name = os.path.join(self.directory, "ann's devices.registry")
        self.spoil(0)
        os.rename(self.file, name)
        code, out, _ = self.registry('repair', file=name)
        self.assertEqual(code, 65)
        self.assertEqual(shlex.split(out.splitlines()[-1]), ['mv', name, name + '.damaged', '&&', 'mv', name + '.repaired', name])

    def test_nothing_lost_and_nothing_to_do(self):
        self.spoil(2)  # a mark
        code, out, _ = self.registry('repair')
        self.assertEqual(code, 0)
        self.assertIn('no record is lost by it', out)
        self.write(sample().data, self.file + '-2')
        self.assertEqual(self.registry('repair', file=self.file + '-2'), (0, f'{self.file}-2: whole, nothing to repair\n', ''))

    def test_compact(self):
        self.write(sample().data)
        code, out, err = self.registry('compact')
        self.assertEqual((code, err), (0, ''))
        self.assertEqual(out, f'{self.file}: 651 bytes before, {os.path.getsize(self.file)} now, 2 devices\n')
        self.assertLess(os.path.getsize(self.file), 651)
        self.assertIn(' devices=2 devices_held=1 ', self.registry('verify')[1])

    if os.geteuid() == 0:
        def test_root_leaves_no_file_of_its_own(self):
            nobody = 65534
            os.chown(self.directory, nobody, nobody)
            self.spoil(0)
            os.chown(self.file, nobody, nobody)
            self.assertEqual(self.registry('repair')[0], 65)
            self.write(sample().data)
            self.assertEqual(self.registry('compact')[0], 0)
            owners = {name: os.stat(os.path.join(self.directory, name)).st_uid for name in os.listdir(self.directory)}
            self.assertEqual(owners, dict.fromkeys(owners, nobody))
            self.assertIn('devices.registry.repaired', owners)


class Beside(Case):
    def test_a_gateway_refuses_damage_with_the_offset_and_the_command(self):
        at = self.spoil(0)
        before = self.read()
        code, _, err = self.tocsin('-c', self.conf())
        self.assertEqual(code, 65)
        self.assertIn(f'{self.file}: the registry is damaged at byte {at} (a record fails its check); what is intact is kept by: '
                      f'tocsin registry repair {self.file}\n', err)
        self.assertEqual(self.read(), before)
        # Both together say how to go on.
        _, out, _ = self.registry('repair')
        subprocess.run(out.splitlines()[-1], shell=True, check=True)
        self.start_gateway()

    def test_a_working_gateway_is_only_looked_at(self):
        self.write(sample().data)
        self.start_gateway()
        pid = self.gateway.pid
        code, out, err = self.registry('verify')
        self.assertEqual((code, err), (0, ''))
        self.assertTrue(out.endswith(f' held_by={pid}\n'))
        code, out, err = self.registry('dump')
        self.assertEqual(code, 0)
        # The gateway's pseudonym key is beside it.
        self.assertRegex(out, r'^state=registered device=[0-9a-f]{10} node=')
        self.assertIn(f'held by process {pid}', err)
        for command in ('compact', 'repair'):
            code, _, err = self.registry(command)
            self.assertEqual(code, 69)
            self.assertIn(f'{self.file} is held by process {pid}; stop that gateway first', err)
        self.assertIsNone(self.gateway.poll())
        self.assertEqual(lab.end(self.gateway), 0)
        self.assertEqual(self.registry('compact')[0], 0)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--binary', default=BINARY)
    options, rest = parser.parse_known_args()
    BINARY = os.path.abspath(options.binary)
    outcome = unittest.main(argv=[sys.argv[0], *rest], exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    print('%d passed, %d failed' % (outcome.testsRun - wrong, wrong), flush=True)
    raise SystemExit(wrong != 0)
