#!/usr/bin/python3
"""Holds the README against the program: its snippets run, its tables are the program's, what it names is there.

    test/e2e/readme_check.py [--server prosody|ejabberd|both|none] [--binary build/tocsin] [--keep] [--verbose]

The conf of the README goes through `tocsin check`; its snippets for Prosody and ejabberd are started as they stand, around them only
what every server's conf has; then the three are put together and a message must become the payload that the README shows.
One line per check, `ok - …` or `not ok - …`; the last line counts. Exit status 0 only if all passed.
"""
import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import lab
import reverse_proxy
from readme_pages import CHECKS, ROOT, Failed, check, expect, conf_snippets, one_snippet, read, snippets, webpush_snippet

# The domains of the README's snippets; the other modules take them from lab when they are imported.
lab.DOMAIN, lab.COMPONENT, lab.SECRET = 'example.org', 'push.example.org', 'change-me'

ELSEWHERE = 'push.example.net'  # the README's component that is no subdomain


# --- the servers ---------------------------------------------------------------------------------

def inline(pattern):
    """A setting that the README gives within a sentence."""
    found = re.search(pattern, read('README.md').replace('\n', ' '))
    expect(found, f'the README says nothing like {pattern}')
    return found.group(1)


class ReadmeProsody(lab.Prosody):
    """Prosody with the README's snippet; what the snippet is there to bring is taken out of the rest."""

    def configure(self):
        super().configure()
        # Its names of folders escape dots.
        data = f'{self.directory}/data/'
        if not os.path.exists(data + lab.DOMAIN.replace('.', '%2e')):
            os.rename(data + lab.DOMAIN, data + lab.DOMAIN.replace('.', '%2e'))
        snippet = one_snippet('lua')
        rest = lab.PROSODY_CONF[:lab.PROSODY_CONF.index('VirtualHost')].format(
            d=self.directory, component=self.component_port, c2s=self.c2s_port, domain='', name='', secret='')
        for module in re.findall(r'"(\w+)"', snippet.split('Component')[0].split('modules_enabled')[1]):
            rest = re.sub(rf'"{module}";?', '', rest)
        self.conf = os.path.join(self.directory, 'prosody.cfg.lua')
        with open(self.conf, 'w', encoding='utf-8') as file:
            file.write(rest + inline(r'`(disco_items = [^`]*)`') + '\n' + snippet)

    def complaints(self):
        done = subprocess.run(['prosodyctl', '--config', self.conf, 'check', 'config'], capture_output=True, text=True, timeout=60,
                              check=False)
        log = [line for line in self.log_since(0).split('\n') if re.search(r'\t(error|warn)\t', line)]
        return ([] if done.returncode == 0 else done.stdout.split('\n')) + log


class ReadmeEjabberd(lab.Ejabberd):
    """ejabberd with the README's snippet, and beside it what users need to log in."""

    def configure(self):
        super().configure()
        snippet = one_snippet('yaml')
        listen = (f'listen:\n  -\n    port: {self.c2s_port}\n    ip: "127.0.0.1"\n    module: ejabberd_c2s\n')
        modules = f'modules:\n  mod_disco: {inline(r"`mod_disco: ([^`]*)`")}\n  mod_offline: {{}}\n  mod_roster: {{}}\n'
        for head, more in (('listen:\n', listen), ('modules:\n', modules)):
            expect(snippet.count(head) == 1, f'the snippet has no single {head.strip()}')
            snippet = snippet.replace(head, more)
        snippet = snippet.replace('port: 5347', f'port: {self.component_port}')
        with open(self.directory + '/ejabberd.yml', 'w', encoding='utf-8') as file:
            file.write(f'hosts: [{lab.DOMAIN}]\nloglevel: debug\nlog_rotate_count: 0\nauth_method: [internal]\n'
                       f'auth_password_format: plain\nacl:\n  local: {{user_regexp: ""}}\n' + snippet)

    def complaints(self):
        """It refuses to start with options that it does not know; what it only doubts it logs."""
        return [line for line in self.log_since(0).split('\n')
                if re.search(r'\[(error|warning)\]', line) and re.search(r'option|config|mod_|listener', line, re.I)
                and 'Mnesia backend for mod_mam' not in line]  # the README says so, too


@check('nginx takes what is there for it')
def nginx_accepts(_):
    with tempfile.TemporaryDirectory(prefix='tocsin-readme-nginx-') as directory:
        said = reverse_proxy.Nginx(os.path.join(directory, 'nginx'), stream=True).complaints()
    expect(said == [], '\n'.join(said))


SERVERS = {'prosody': ReadmeProsody, 'ejabberd': ReadmeEjabberd}


@check('the snippet is taken without a complaint', server=True)
async def server_accepts(world):
    expect(world.server.complaints() == [], '\n'.join(world.server.complaints()))


@check('with the three snippets together a message becomes the payload shown', server=True)
async def message(world):
    gateway, bob = world.need_gateway(), world.bob
    token = world.new_token()
    async with bob:
        found = {jid for jid, _ in await bob.disco_items(lab.DOMAIN)}
        expect({lab.COMPONENT, ELSEWHERE} <= found, f'the domain lists {found}')
        await bob.enable_as_siskin(world.node_of(await bob.register_device(token)))
    mark = gateway.mark()
    await world.message(bob)
    request = (await world.rings_token(token))[0]
    shown = snippets('json')[0].strip()
    if world.server.kind == 'ejabberd':  # sends no count
        shown = shown.replace(',"unread-messages":1', '')
    expect(request['body'] == shown, f'sent {request["body"]}')
    event = await world.said(gateway, 'push', mark, verdict='delivered')
    line = next(s for s in re.findall(r'^```\n(level=.*?)\n```$', read('README.md'), flags=re.M))
    names = [pair.split('=')[0] for pair in line.split()]
    expect([name for name in event if name in names] == names, f'the log line has the fields {list(event)}')
    if world.server.kind == 'prosody':  # ejabberd does not publish chat states
        (await world.ann()).send_chat_state(bob.jid)
        request = (await world.rings_token(token, 2))[1]
        expect(request['body'] == snippets('json')[1].strip(), f'sent {request["body"]}')


@check('a web client that sends what is shown is rung with the payload shown', server=True)
async def web_client(world):
    world.need_gateway()
    bob = world.user('bob', 'browser')
    register, enable = re.findall(r'<iq .*?</iq>', one_snippet('xml'), flags=re.S)
    inside = lambda stanza: re.fullmatch(r'<iq [^>]*>(.*)</iq>', stanza, flags=re.S).group(1).strip()  # noqa: E731
    async with bob:
        key = await bob.vapid_key()
        subscription = world.browsers.rules.subscribe('browser', f'https://localhost:{world.browsers.port}', key)
        answer = await bob.ask('set', inside(register).replace('SUBSCRIPTION', json.dumps(subscription.words)))
        await bob.ask('set', inside(enable).replace('NODE', world.node_of(answer)), to=None)
    await world.message(bob)
    request = (await world.rings_browser('browser-'))[0]
    shown = snippets('json')[-1].strip()
    if world.server.kind == 'ejabberd':  # sends no count, and the body of its own snippet
        shown = shown.replace(',"unread-messages":1', '').replace('New Message!', 'New message')
    expect(request['plain'] == shown, f'sent {request["plain"]}')
    async with bob:
        await bob.disable()


@check('without the gateway its server does with registrations what the README says', server=True)
async def away(world):
    """Runs last: the gateway is stopped, and one message comes."""
    gateway, bob = world.need_gateway(), world.bob
    token = world.new_token()
    async with bob:
        await bob.enable_as_siskin(world.node_of(await bob.register_device(token)))
    expect(gateway.stop() == 0, 'the gateway did not end with 0')
    log = world.server.log_size()
    await world.message(bob)
    words = 'Component unavailable|not-connected|remote-server-timeout|remote-server-not-found'
    await world.until('the server has noticed', lambda: re.search(words, world.server.log_since(log)))
    gateway = world.need_gateway()
    await world.fence()
    before = len(world.standin.requests(token.lower()))
    await world.message(bob)
    await world.fence()
    rang = len(world.standin.requests(token.lower())) > before
    expect(rang == (world.server.kind == 'prosody'), f'after it was back the next message {"rang" if rang else "did not ring"}')


# --- running them --------------------------------------------------------------------------------

class Paper:
    """What checks without a server get."""

    def __init__(self, directory, options):
        self._directory = directory
        self.options = options

    def directory(self, name):
        path = os.path.join(self._directory, name)
        os.makedirs(path, exist_ok=True)
        return path


def make_world(directory, kind, options):
    import checks
    import world as worlds
    from clients import User, field

    class ReadmeGateway(worlds.Gateway):
        """Runs the README's conf; only what the stand-in needs is put behind its last section."""

        def __init__(self, folder, binary, server, standin, key, *fcm, **change):
            super().__init__(folder, binary, server, standin, key, *fcm, **change)
            shutil.copy(key, folder)
            text = conf_snippets()[0].rstrip() + f'\nendpoint = https://localhost:{standin.port}\nca_file = {standin.ca_file}\n'
            text += f'[state]\ndirectory = {self.values["state"]}\n'
            text += webpush_snippet() + f'allow_private = 127.0.0.0/8, ::1\nca_file = {self.values["webpush_ca"]}\n'
            text = text.replace('[xmpp]\n', f'[xmpp]\nserver = 127.0.0.1:{server.component_port}\n')
            with open(self.conf, 'w', encoding='utf-8') as file:
                file.write(text)

    class ReadmeWorld(worlds.World):
        said = staticmethod(checks.said)
        until = staticmethod(checks.until)

        def __init__(self):
            super().__init__(directory, SERVERS[kind], options.binary)
            self.bob = User(self.server, 'bob')

        def user(self, name, resource):
            return User(self.server, name, resource)

        @staticmethod
        def node_of(answer):
            return field(answer, 'node')

        async def rings_token(self, token, count=1, timeout=30.0):
            return await worlds.in_thread(self.standin.wait_requests, count, token.lower(), timeout)

        async def rings_browser(self, device, count=1, timeout=30.0):
            return await worlds.in_thread(self.browsers.wait_requests, count, device, timeout)

    worlds.Gateway = ReadmeGateway
    return ReadmeWorld()


class Tally:
    def __init__(self, options):
        self.options = options
        self.passed = self.failed = 0

    def ok(self, sentence):
        self.passed += 1
        print(f'ok - {sentence}', flush=True)

    def not_ok(self, sentence, error):
        self.failed += 1
        print(f'not ok - {sentence}\n    ' + (str(error) or type(error).__name__).replace('\n', '\n    '), flush=True)
        if self.options.verbose:
            traceback.print_exception(error)


async def run_server(kind, directory, tally):
    with make_world(directory, kind, tally.options) as world:
        for sentence, server, function in CHECKS:
            if not server:
                continue
            try:
                await asyncio.wait_for(function(world), 90)
            except Exception as error:
                tally.not_ok(f'{kind}: {sentence}', error)
                if tally.options.verbose and world.gateway:
                    print(lab.tail(world.gateway.log_file, 20))
            else:
                tally.ok(f'{kind}: {sentence}')
        await world.forget_sessions()


def main():
    parser = argparse.ArgumentParser(description='Checks of the README.')
    parser.add_argument('--server', choices=('prosody', 'ejabberd', 'both', 'none'), default='both')
    parser.add_argument('--binary', default=os.path.join(ROOT, 'build', 'tocsin'))
    parser.add_argument('--keep', action='store_true', help='keep the folder and say where it is')
    parser.add_argument('--verbose', action='store_true', help='tracebacks and log tails of failures')
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    if not os.access(options.binary, os.X_OK):
        sys.exit(f'readme_check.py: {os.path.relpath(options.binary)} is not there; `make` builds it')
    print(f'# {lab.isolate()}', flush=True)  # before any thread
    tally = Tally(options)
    directory = tempfile.mkdtemp(prefix='tocsin-readme-')
    try:
        for sentence, server, function in CHECKS:
            if server:
                continue
            try:
                function(Paper(directory, options))
            except Exception as error:
                tally.not_ok(sentence, error)
            else:
                tally.ok(sentence)
        for kind in {'both': ('prosody', 'ejabberd'), 'none': ()}.get(options.server, (options.server,)):
            path = os.path.join(directory, kind)
            os.makedirs(path)
            try:
                asyncio.run(run_server(kind, path, tally))
            except (lab.LabError, OSError, Failed) as error:
                tally.not_ok(f'{kind}: the laboratory', error)
    finally:
        if options.keep:
            print(f'# everything is in {directory}')
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print(f'{tally.passed} passed, {tally.failed} failed')
    sys.exit(1 if tally.failed else 0)


if __name__ == '__main__':
    main()
