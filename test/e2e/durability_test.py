#!/usr/bin/python3
"""What was acknowledged stays: a hundred kills in the middle of registrations, and disks that are full, for real.

    test/e2e/durability_test.py [--binary build/tocsin] [--kills 100]
"""
import argparse
import collections
import ctypes
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import lab
import apns_rules
import provider_standin
from tiny_server import Gone, TinyServer, node_of, publish, refusal_of, register, unregister

BINARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tocsin')
KILLS = 100
SEED = 20_250_615
TEAM_ID, KEY_ID, TOPIC = 'DEF123GHIJ', 'ABC123DEFG', 'org.example.siskin'
DOMAIN, SECRET = 'push.example.org', 'change-me'
CONF = '''[xmpp]
server = 127.0.0.1:{port}
domain = {domain}
secret = {secret}
[state]
directory = {state}
[registry]
max_devices = 20000
[limits]
device_interval = 0
[apns siskin]
provider = tigase:messenger:apns:1
key = {key}
team_id = {team}
topic = {topic}
endpoint = https://localhost:{provider_port}
ca_file = {ca}
'''
CLONE_NEWNS, CLONE_NEWUSER, MS_REC, MS_PRIVATE = 0x20000, 0x10000000, 0x4000, 0x40000


class Gateway:
    """One process after the other on one state directory. Its log is read through a pipe: no limit on files concerns it."""

    def __init__(self, directory, state, server, provider):
        self.server = server
        self.state = state
        self.file = os.path.join(state, 'devices.registry')
        self.conf = os.path.join(directory, 'tocsin.conf')
        self.log = collections.deque(maxlen=5000)
        self.process = None
        key, port, ca = provider
        with open(os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            file.write(CONF.format(port=server.port, domain=DOMAIN, secret=SECRET, state=state, key=key, team=TEAM_ID, topic=TOPIC,
                                   provider_port=port, ca=ca))

    def start(self):
        self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', '--', BINARY, '-c', self.conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True).start()
        try:
            self.server.accept()
        except Gone as error:
            raise lab.LabError(f'{error}; the gateway said:\n' + '\n'.join(list(self.log)[-10:])) from None

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                self.log.append(line.decode(errors='replace').rstrip('\n'))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            lab.end(self.process)

    def limit(self, size):
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def registry(self, command):
        done = subprocess.run([BINARY, 'registry', command, self.file], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise lab.LabError(f'registry {command}: exit status {done.returncode}: {done.stderr}')
        return done.stdout


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tocsin-durability-')
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.server = TinyServer(DOMAIN, SECRET)
        self.addCleanup(self.server.__exit__)

    def gateway(self, provider=None, state=None):
        """provider: None for one that is not there."""
        key = provider_standin.make_provider_key(self.directory, KEY_ID)
        if provider is None:
            facts = (key, lab.choose_port(1), '/etc/ssl/certs/ca-certificates.crt')
        else:
            with open(key, 'rb') as file:
                rules = apns_rules.Rules(TEAM_ID, KEY_ID, apns_rules.load_public_key(file.read()), [TOPIC])
            standin = provider(self.directory, rules)
            standin.__enter__()
            self.addCleanup(standin.__exit__)
            facts = (key, standin.port, standin.ca_file)
        gateway = Gateway(self.directory, state or os.path.join(self.directory, 'state'), self.server, facts)
        self.addCleanup(gateway.stop)
        return gateway


class Kills(Case):
    """A device is a number; its user and token follow from it."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.nodes = {}  # of devices whose registration was acknowledged last
        self.ended = {}  # nodes of devices whose end was acknowledged last
        self.last = 0
        self.acknowledged = 0
        self.on_the_way = 0

    @staticmethod
    def stanza(kind, device):
        return kind(f'user{device % 997}@example.org/phone', f'{device:064x}')

    def heard(self, waiting, answers):
        """Answers to what was asked; what is not among them may have happened or not."""
        for answer in answers:
            kind, device = waiting.pop(answer.get('id'))
            self.assertIsNone(refusal_of(answer), 'a registration or an end was refused')
            self.acknowledged += 1
            if kind is register:
                node = node_of(answer)
                self.assertIsNotNone(node)
                self.assertEqual(self.nodes.get(device, node), node, f'device {device} has another node')
                self.assertNotEqual(self.ended.get(device), node, f'device {device} ended, and its node is back')
                self.nodes[device] = node
            else:
                self.ended[device] = self.nodes.pop(device)

    def ask_all(self, requests):
        """In windows, until every one is answered."""
        waiting = {}
        for kind, device in requests:
            waiting[self.server.send(self.stanza(kind, device))] = (kind, device)
            if len(waiting) >= 64:
                self.heard(waiting, [self.server.stanza()])
        while waiting:
            self.heard(waiting, [self.server.stanza()])

    def registrations_until_killed(self, gateway, seconds):
        """New devices, and the ends of some, as fast as they are taken; then the kill, anywhere."""
        waiting = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            while len(waiting) < 24:
                busy = {device for _, device in waiting.values()}
                if self.nodes and self.random.random() < 0.4:
                    kind, device = unregister, self.random.choice(list(self.nodes))
                    if device in busy:
                        break
                else:
                    self.last += 1
                    kind, device = register, self.last
                waiting[self.server.send(self.stanza(kind, device))] = (kind, device)
            self.heard(waiting, [self.server.stanza()])
        gateway.kill()
        self.heard(waiting, self.server.rest())
        self.on_the_way += len(waiting)
        for kind, device in waiting.values():  # nobody knows
            if kind is unregister:
                self.nodes.pop(device)

    def test_a_hundred_kills_during_registrations_lose_nothing_that_was_acknowledged(self):
        gateway = self.gateway()
        for _ in range(KILLS):
            gateway.start()
            some = self.random.sample(list(self.nodes), min(20, len(self.nodes)))
            self.ask_all((register, device) for device in list(self.nodes)[-20:] + some)
            back = [device for device in list(self.ended)[-10:] if device not in self.nodes]
            self.ask_all((register, device) for device in back)  # a new node: heard() compares
            self.registrations_until_killed(gateway, self.random.uniform(0.0, 0.15))
        gateway.start()
        self.ask_all((register, device) for device in list(self.nodes))
        gateway.stop()
        verified = gateway.registry('verify')
        print(f'# {verified.rstrip()}')
        print(f'# {KILLS} kills, {self.acknowledged} acknowledged, {self.on_the_way} on the way when it died, '
              f'{len(self.nodes)} devices at the end', flush=True)
        self.assertGreater(self.acknowledged, 10 * KILLS)
        self.assertGreater(self.on_the_way, KILLS)
        self.assertIn(' torn_bytes=0', verified)
        self.assertIn(f' devices={gateway.registry("dump").count("state=registered ")} ', verified)
        if KILLS >= 100:
            self.assertNotIn(' generation=0 ', verified)  # compactions were hit as well


class FullDisk(Case):
    def ask_for(self, number):
        return self.server.ask(register(f'user{number}@example.org/phone', f'{number:064x}'))

    def publish(self, node):
        return self.server.ask(publish('example.org', node))

    def fill(self, first, limit=3000):
        """Registers until it is refused: {user: node}, and the first user who was turned away."""
        taken = {}
        for number in range(first, first + limit):
            answer = self.ask_for(number)
            node = node_of(answer)
            if node is None:
                self.assertEqual(refusal_of(answer)[0], 'wait')
                return taken, number
            taken[number] = node
        self.fail(f'{limit} devices fit where there is no room')

    def fills_refuses_and_recovers(self, gateway, make_room):
        """The gateway runs, its disk has hardly any room."""
        taken, number = self.fill(0)
        self.assertGreater(len(taken), 0)
        # It says so, refuses on, answers what needs no room, and pushes.
        refused = range(number, number + 20)
        for other in refused:
            answer = self.ask_for(other)
            self.assertEqual((refusal_of(answer) or ('result',))[0], 'wait')
        some = list(taken)[:10]
        for other in some:
            self.assertEqual(node_of(self.ask_for(other)), taken[other])
            self.assertIsNone(refusal_of(self.publish(taken[other])), 'a publish was refused')
        self.assertEqual(refusal_of(self.publish('AAAAAAAAAAAAAAAAAAAAAA')), ('cancel', 'item-not-found'))
        # By itself, as soon as there is room. (The first may still share the fate of a batch that was under way.)
        make_room()
        more = {4999: lab.wait_for('a registration is taken again', lambda: node_of(self.ask_for(4999)))}
        for other in range(5000, 5020):
            answer = self.ask_for(other)
            self.assertIsNone(refusal_of(answer), 'there is room again, and it is refused')
            more[other] = node_of(answer)
        taken.update(more)
        gateway.kill()
        self.assertEqual(self.registered(gateway), sorted(taken))
        gateway.start()
        for other, node in taken.items():
            self.assertEqual(node_of(self.ask_for(other)), node)
        gateway.stop()
        return refused

    @staticmethod
    def registered(gateway):
        return sorted(int(line.split(' account=user')[1].split('@')[0]) for line in gateway.registry('dump').splitlines()
                      if line.startswith('state=registered '))

    def test_a_file_that_may_not_grow(self):
        gateway = self.gateway(provider_standin.Standin)
        gateway.start()
        self.ask_for(9999)
        self.server.ask(unregister('user9999@example.org/phone', f'{9999:064x}'))
        gateway.limit(os.path.getsize(gateway.file) + 5001)  # in the middle of a record
        self.fills_refuses_and_recovers(gateway, lambda: gateway.limit(resource.RLIM_INFINITY))

    def test_a_full_file_system(self):
        state = os.path.join(self.directory, 'state')
        os.makedirs(state)
        if not mount_tmpfs(state, '64k'):
            self.skipTest('this machine lets nobody mount a file system')
        self.addCleanup(subprocess.run, ['umount', '-l', state], check=False)
        gateway = self.gateway(provider_standin.Standin, state)
        gateway.start()
        filler = os.path.join(state, 'filler')
        with open(filler, 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
            file.truncate(os.path.getsize(filler) - 8192)
        self.fills_refuses_and_recovers(gateway, lambda: os.unlink(filler))


def mount_tmpfs(path, size):
    """In a mount namespace of our own, so that nobody else sees it and it ends with us. False: not permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNS) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
            return False
        for name, text in (('setgroups', 'deny'), ('uid_map', f'{uid} {uid} 1'), ('gid_map', f'{gid} {gid} 1')):
            with open(f'/proc/self/{name}', 'w', encoding='ascii') as file:
                file.write(text)
    if libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) != 0:
        return False
    return libc.mount(b'none', path.encode(), b'tmpfs', 0, f'size={size},mode=700'.encode()) == 0


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--binary', default=BINARY)
    parser.add_argument('--kills', type=int, default=KILLS)
    options, rest = parser.parse_known_args()
    BINARY, KILLS = os.path.abspath(options.binary), options.kills
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    outcome = unittest.main(argv=[sys.argv[0], *rest], exit=False).result
    wrong = len(outcome.failures) + len(outcome.errors)
    skipped = len(outcome.skipped)
    for _, reason in outcome.skipped:
        print(f'skipped: {reason}')
    print('%d passed, %d failed' % (outcome.testsRun - wrong - skipped, wrong) + (f', {skipped} skipped' if skipped else ''), flush=True)
    raise SystemExit(wrong != 0)
