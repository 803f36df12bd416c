"""The gateway under test as a process, and everything around it: one XMPP server, the provider stand-in, users and devices."""
import asyncio
import contextlib
import dataclasses
import json
import os
import re
import secrets
import signal
import time

import lab
import apns_rules
import fcm_rules
import provider_standin
import webpush_rules
from clients import FCM_PROVIDER, MODULE, PROVIDER, User, field

PROJECT = 'chat-example'
TEAM_ID, KEY_ID, TOPIC = 'DEF123GHIJ', 'ABC123DEFG', 'org.example.siskin'
GUESTS = tuple(f'guest{number:02}' for number in range(160))
LOGFMT = re.compile(r'([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|\S*)')

CONF = '''# Written by the end-to-end checks.
[xmpp]
server = 127.0.0.1:{port}
domain = {domain}
secret = {secret}

[state]
directory = {state}

[limits]
device_interval = {device_interval}

[log]
level = {level}

[listen]
address = 127.0.0.1:{web_port}, unix:{web_socket}
tls = no
public_url = https://up.example.org

[unifiedpush]

[apns siskin]
provider = {provider}
key = {key}
team_id = {team}
topic = {topic}
modules = {module}
endpoint = https://localhost:{provider_port}
ca_file = {ca}

[fcm play]
provider = {fcm_provider}
service_account = {service_account}
endpoint = https://localhost:{fcm_port}
token_endpoint = https://localhost:{fcm_port}
ca_file = {fcm_ca}

[webpush]
contact = mailto:ann@push.example.net
allow_private = 127.0.0.0/8, ::1
ca_file = {webpush_ca}
'''


def parse_event(line):
    """One log line as a dict; quotes and escapes undone."""
    words = {}
    for name, value in LOGFMT.findall(line):
        if value.startswith('"'):
            value = re.sub(r'\\(.)', r'\1', value[1:-1])
        words[name] = value
    return words


class Gateway:
    """One tocsin process with a conf, a state directory and a log of its own. `change` replaces values of CONF."""

    def __init__(self, directory, binary, server, standin, key, fcm, service_account, **change):
        self.directory = directory
        self.binary = binary
        self.conf = os.path.join(directory, 'tocsin.conf')
        self.log_file = os.path.join(directory, 'tocsin.log')
        self.values = {
            'port': server.component_port, 'domain': lab.COMPONENT, 'secret': server.secret, 'state': os.path.join(directory, 'state'),
            'device_interval': '0', 'web_socket': os.path.join(directory, 'http.sock'), 'provider': PROVIDER, 'module': MODULE, 'key': key,
            'team': TEAM_ID, 'topic': TOPIC,
            'provider_port': standin.port, 'ca': standin.ca_file, 'fcm_provider': FCM_PROVIDER, 'fcm_port': fcm.port,
            'fcm_ca': fcm.ca_file, 'service_account': service_account, **change,
        }
        self.process = None
        os.makedirs(self.values['state'], exist_ok=True)
        with open(os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w', encoding='utf-8') as file:
            file.write(CONF.format(**self.values))

    def launch(self):
        """Starts it without waiting for anything; returns the mark of its first log line."""
        mark = self.mark()
        self.process = lab.spawn([self.binary, '-c', self.conf], self.log_file)
        return mark

    def start(self, timeout=30.0):
        """Starts it and waits until the server has taken it as the component."""
        self.wait_event('component_up', self.launch(), timeout=timeout)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, sig=signal.SIGTERM):
        """Its exit status (negative: the signal), None if it would not end within 10 s."""
        if self.process is None:
            return None
        status = lab.end(self.process, sig, 10)
        self.process = None
        return status

    def mark(self):
        return os.path.getsize(self.log_file) if os.path.exists(self.log_file) else 0

    def events(self, name=None, mark=0, **fields):
        """Log events since `mark` that have these fields, oldest first."""
        if not os.path.exists(self.log_file):
            return []
        with open(self.log_file, encoding='utf-8', errors='replace') as file:
            file.seek(mark)
            found = [parse_event(line) for line in file if line.endswith('\n')]
        wanted = {**({'event': name} if name else {}), **fields}
        return [e for e in found if all(e.get(k) == v for k, v in wanted.items())]

    def wait_event(self, name, mark=0, count=1, timeout=30.0, **fields):
        def enough():
            found = self.events(name, mark, **fields)
            if len(found) >= count:
                return found
            if not self.alive():
                raise lab.LabError(f'the gateway ended with status {self.process and self.process.poll()} before {name}:\n'
                                   + lab.tail(self.log_file))
            return None
        what = f'event={name} ' + ' '.join(f'{k}={v}' for k, v in fields.items()) + (f' {count} times' if count > 1 else '')
        return lab.wait_for(f'the log says {what.strip()}', enough, timeout)[-1]


@dataclasses.dataclass
class Device:
    user: User
    token: str  # as the client sends it: upper-case hex
    node: str

    @property
    def hex(self):
        """As the provider's records have it (FCM's tokens are none in hex and stay as they are)."""
        return self.token.lower()


@dataclasses.dataclass
class Browser(Device):
    subscription: webpush_rules.Subscription
    service: provider_standin.Standin


class World:
    """What the stories live in. Users are fresh for every story; `planted` are words no log may hold."""

    def __init__(self, directory, server_class, binary, level='debug'):
        self.directory = directory
        self.level = level
        self.binary = binary
        self.server = server_class(directory, ('ann', 'bob', 'watch') + GUESTS)
        self.key = provider_standin.make_provider_key(directory, KEY_ID)
        with open(self.key, 'rb') as file:
            self.key_text = file.read()
        rules = apns_rules.Rules(TEAM_ID, KEY_ID, apns_rules.load_public_key(self.key_text), [TOPIC])
        self.standin = provider_standin.Standin(directory, rules, log=os.path.join(directory, 'provider.jsonl'))
        fcm_directory = os.path.join(directory, 'fcm')
        os.makedirs(fcm_directory)
        self.service_account = os.path.join(fcm_directory, 'service-account.json')
        account = provider_standin.make_service_account(self.service_account, PROJECT)
        self.fcm_rules = fcm_rules.Rules(account)
        self.fcm = provider_standin.Standin(fcm_directory, self.fcm_rules, log=os.path.join(directory, 'fcm.jsonl'))
        self.browsers, self.old_browsers = (self._push_service(http1) for http1 in (False, True))
        self.webpush_ca = os.path.join(directory, 'webpush-ca.pem')
        self.gateway = None
        self.gateways = []
        self.planted = {self.server.secret} | set(self.key_text.decode().split('\n')[1:-2])
        self.planted |= set(json.loads(account)['private_key'].split('\n')[1:-2]) | {self.fcm_rules.email}
        self._guests = iter(GUESTS)
        self._ann = None
        self._watch = None
        self._rings = 0

    def _push_service(self, http1):
        directory = os.path.join(self.directory, 'webpush-old' if http1 else 'webpush')
        os.makedirs(directory)
        return provider_standin.Standin(directory, webpush_rules.Rules(http1), log=directory + '.jsonl')

    @property
    def standins(self):
        return self.standin, self.fcm, self.browsers, self.old_browsers

    def __enter__(self):
        with contextlib.ExitStack() as entered:
            for standin in self.standins:
                entered.enter_context(standin)
            with open(self.webpush_ca, 'w', encoding='ascii') as together:
                for standin in (self.browsers, self.old_browsers):
                    with open(standin.ca_file, encoding='ascii') as file:
                        together.write(file.read())
            entered.enter_context(self.server)
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *_):
        for gateway in self.gateways:
            gateway.stop(signal.SIGKILL)
        self._entered.close()

    def make_gateway(self, name, **change):
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        own = {'level': self.level, 'webpush_ca': self.webpush_ca, 'web_port': lab.choose_port(18085 + len(self.gateways)), **change}
        gateway = Gateway(directory, self.binary, self.server, self.standin, self.key, self.fcm, self.service_account, **own)
        self.planted.add(gateway.values['secret'])
        self.gateways.append(gateway)
        return gateway

    def need_gateway(self):
        """The main gateway, running."""
        if self.gateway is None:
            self.gateway = self.make_gateway('gateway')
        if not self.gateway.alive():
            self.gateway.start()
        return self.gateway

    # Users.

    def guest(self, resource='phone'):
        """A user of this server whom no other story has touched."""
        user = User(self.server, next(self._guests), resource)
        self.planted.add(user.jid)
        return user

    def new_token(self):
        token = secrets.token_hex(32).upper()
        self.planted |= {token, token.lower()}
        return token

    def new_fcm_token(self):
        token = secrets.token_urlsafe(16) + ':APA91b' + secrets.token_urlsafe(100)
        self.planted |= {token, token.lower()}
        return token

    async def ann(self):
        """The one who writes the messages; stays online."""
        if self._ann is None:
            self._ann = await User(self.server, 'ann', 'desk').online()
            self.planted.add(self._ann.jid)
        return self._ann

    async def forget_sessions(self):
        """After (or before) a server's end: whoever was online has to log in again."""
        ann, self._ann = self._ann, None
        if ann is not None:
            await ann.offline()

    async def message(self, user, text=None):
        self._rings += 1
        text = text or f'words that stay between us {self._rings}'
        self.planted.add(text)
        (await self.ann()).send_body(user.jid, text)

    async def device(self, user=None):
        """A user who registered, enabled and went offline."""
        user = user or self.guest()
        token = self.new_token()
        async with user:
            node = field(await user.register_device(token), 'node')
            if not node:
                raise lab.LabError('register-device was answered without a node')
            self.planted |= {node, user.jid}
            await user.enable_as_siskin(node)
        return Device(user, token, node)

    async def android(self, user=None):
        """The same with a phone that Google's service rings, as Tigase's clients register it."""
        user = user or self.guest()
        token = self.new_fcm_token()
        async with user:
            node = field(await user.register_device(token, FCM_PROVIDER), 'node')
            if not node:
                raise lab.LabError('register-device was answered without a node')
            self.planted |= {node, user.jid}
            await user.enable_as_siskin(node)
        return Device(user, token, node)

    async def browser(self, user=None, service=None, **how):
        """The same with a browser, or a phone with a UnifiedPush distributor: `how` goes to Rules.subscribe()."""
        user, service = user or self.guest(), service or self.browsers
        async with user:
            subscription = service.rules.subscribe('b' + secrets.token_hex(8), f'https://localhost:{service.port}', await user.vapid_key(), **how)
            node = field(await user.register_web_push(subscription.words), 'node')
            if not node:
                raise lab.LabError('register-device was answered without a node')
            self.planted |= {node, user.jid, subscription.path, *subscription.words.get('keys', {}).values()}
            await user.enable(node)
        return Browser(user, subscription.path.rsplit('/', 1)[1], node, subscription, service)

    # What the provider saw.

    async def rings(self, device, count=1, timeout=30.0):
        """Waits for that many requests in all for this device."""
        return await in_thread(self.standin.wait_requests, count, device.hex, timeout)

    async def rings_token(self, token, timeout=30.0):
        return await in_thread(self.standin.wait_requests, 1, token, timeout)

    async def fence(self):
        """Everything sent before is through once a message to a watching device has rung: servers keep one sender's order."""
        if self._watch is None:
            self._watch = await self.device(User(self.server, 'watch'))
        before = len(self.standin.requests(self._watch.hex))
        await self.message(self._watch.user)
        await self.rings(self._watch, before + 1)


async def in_thread(function, *arguments):
    """Blocking waits run beside the XMPP clients, not instead of them."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


def now_ms():
    return int(time.time() * 1000)
