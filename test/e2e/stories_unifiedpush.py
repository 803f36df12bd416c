"""The end-to-end checks of UnifiedPush: a client that registers endpoints as Conversations does, application servers that post."""
import asyncio
import base64
import hashlib
import json
import os
import subprocess
import urllib.parse

import lab
from checks import expect, said, same, story
from clients import IqError, failure
from world import in_thread

NAMESPACE = 'http://gultsch.de/xmpp/drafts/unified-push'
PUSH = f'{{{NAMESPACE}}}push'


def name_of(*words):
    """As Conversations names an application, or an instance of one."""
    return base64.b64encode(hashlib.sha256('\0'.join(words).encode()).digest()).decode()


class Distributor:
    """The part of Conversations that registers endpoints and hands on what comes. `silent`: it answers nothing."""

    def __init__(self, user):
        self.user = user
        self.pushes = asyncio.Queue()
        self.unknown = False  # as after the app was removed
        self.silent = False

    def listen(self):
        """From each login on."""
        from slixmpp.xmlstream.handler import Callback
        from slixmpp.xmlstream.matcher import MatchXPath
        self.user.client.register_handler(Callback('unified push', MatchXPath(f'{{jabber:client}}iq/{PUSH}'), self.pushed))
        self.user.client.send_presence(pto=lab.COMPONENT)  # at bind, where there are endpoints

    def pushed(self, iq):
        push = iq.xml.find(PUSH)
        self.pushes.put_nowait((push.get('application'), push.get('instance'), base64.b64decode(push.text or '')))
        if self.silent:
            return
        answer = self.user.client.make_iq_result(iq['id'], ito=iq['from'])
        if self.unknown:
            answer = self.user.client.make_iq_error(iq['id'], type='cancel', condition='item-not-found', ito=iq['from'])
        answer.send()

    async def register(self, application, instance):
        answer = await self.user.ask('set', f"<register xmlns='{NAMESPACE}' application='{application}' instance='{instance}'/>")
        same(answer.tag, f'{{{NAMESPACE}}}registered', 'answer')
        expect(answer.get('expiration', '').endswith('Z'), f'the expiration is {answer.get("expiration")}')
        return answer.get('endpoint')

    async def got(self):
        return await asyncio.wait_for(self.pushes.get(), 30)


async def post(gateway, endpoint, body, *more):
    """(status, headers) of curl, which comes as through a reverse proxy."""
    parts = urllib.parse.urlsplit(endpoint)
    command = ['curl', '-s', '-i', '--max-time', '20', '--data-binary', '@-', '-H', f'Host: {parts.netloc}', *more,
               f'http://127.0.0.1:{gateway.values["web_port"]}{parts.path}']
    done = await in_thread(lambda: subprocess.run(command, input=body, capture_output=True, timeout=30))
    text = done.stdout.decode(errors='replace').replace('HTTP/1.1 100 Continue\r\n\r\n', '')
    expect(text.startswith('HTTP/1.1 '), f'curl ended with {done.returncode}: {text!r}')
    return int(text[9:12]), text


@story('Conversations registers an endpoint, and what is posted to it arrives, byte for byte')
async def endpoint_rings(world):
    gateway = world.need_gateway()
    application, instance = name_of('account', 'org.example.app'), name_of('account', 'instance')
    async with world.guest('Conversations.x') as user:
        _, features = await user.disco_info()
        expect(NAMESPACE in features, 'the feature is missing in disco')
        distributor = Distributor(user)
        distributor.listen()
        mark = gateway.mark()
        endpoint = await distributor.register(application, instance)
        expect(endpoint.startswith('https://up.example.org/up/'), f'the endpoint is {endpoint}')
        world.planted |= {endpoint, endpoint.rsplit('/', 1)[1], application, instance}
        await said(gateway, 'endpoint_registered', mark)
        same(await distributor.register(application, instance), endpoint, 'endpoint of a second registration')
        for body in (b'hello', bytes(range(256)), os.urandom(4096)):
            status, text = await post(gateway, endpoint, body, '-H', 'TTL: 0', '-H', 'Urgency: high',
                                      '-H', 'Content-Encoding: aes128gcm')
            same(status, 201, 'status')
            expect('\r\nTTL: 0\r\n' in text and '\r\nLocation: ' in text, f'the answer lacks a field: {text}')
            same(await distributor.got(), (application, instance, body), 'push')
        same((await post(gateway, endpoint, b''))[0], 400, 'status of an empty body')
        same((await post(gateway, endpoint, bytes(4097)))[0], 413, 'status of a body too long')
        same((await post(gateway, endpoint[:-1] + ('A' if endpoint[-1] != 'A' else 'Q'), b'x'))[0], 404, 'status of another name')
        for wrong in ('short', '', application[:-4] + 'AAA='):
            try:
                await distributor.register(wrong, instance)
                expect(wrong.startswith(application[:8]), f'{wrong!r} was taken for a name')
            except IqError as error:
                same(failure(error), ('modify', 'bad-request'), 'answer to a malformed name')
    got = await in_thread(lambda: subprocess.run(['curl', '-s', f'http://127.0.0.1:{gateway.values["web_port"]}/up'], capture_output=True))
    same(json.loads(got.stdout), {'unifiedpush': {'version': 1}}, 'answer to GET')


@story('an endpoint lives over a restart of the gateway and a new resource of its client')
async def endpoint_lives(world):
    gateway = world.need_gateway()
    application, instance = name_of('account', 'app'), name_of('account', 'two')
    user = world.guest('Conversations.x')
    distributor = Distributor(user)
    async with user:
        distributor.listen()
        endpoint = await distributor.register(application, instance)
        world.planted |= {endpoint.rsplit('/', 1)[1]}
        same(gateway.stop(), 0, 'exit status')
        gateway.start()
        same((await post(gateway, endpoint, b'after the restart'))[0], 201, 'status')
        same((await distributor.got())[2], b'after the restart', 'push')
    same((await post(gateway, endpoint, b'nobody is there'))[0], 503, 'status while the client is away')
    user.resource = 'Conversations.y'
    async with user:
        distributor.listen()
        for attempt in range(20):  # the presence is on its way
            status, _ = await post(gateway, endpoint, b'found again')
            if status == 201:
                break
            await asyncio.sleep(0.2)
        same(status, 201, 'status after the client came back under another name')
        same((await distributor.got())[2], b'found again', 'push')


@story('an endpoint whose app was removed is gone until it registers again')
async def endpoint_gone(world):
    gateway = world.need_gateway()
    application, instance = name_of('account', 'app'), name_of('account', 'three')
    async with world.guest('Conversations.x') as user:
        distributor = Distributor(user)
        distributor.listen()
        endpoint = await distributor.register(application, instance)
        world.planted |= {endpoint.rsplit('/', 1)[1]}
        distributor.unknown = True
        same((await post(gateway, endpoint, b'x'))[0], 404, 'status')
        await distributor.got()
        await asyncio.sleep(1)
        same((await post(gateway, endpoint, b'x'))[0], 404, 'status of the second')
        expect(distributor.pushes.empty(), 'the client was asked again')
        distributor.unknown = False
        same(await distributor.register(application, instance), endpoint, 'endpoint')
        same((await post(gateway, endpoint, b'x'))[0], 201, 'status of the third')


@story('an application that posts too much is told so, and others ring meanwhile')
async def endpoint_abuse(world):
    gateway = world.need_gateway()
    async with world.guest('Conversations.x') as user:
        distributor = Distributor(user)
        distributor.listen()
        loud = await distributor.register(name_of('account', 'loud'), name_of('account', 'loud'))
        calm = await distributor.register(name_of('account', 'calm'), name_of('account', 'calm'))
        world.planted |= {loud.rsplit('/', 1)[1], calm.rsplit('/', 1)[1]}
        statuses = [(await post(gateway, loud, b'again'))[0] for _ in range(100)]
        expect(429 in statuses and 201 in statuses, f'statuses are {sorted(set(statuses))}')
        same((await post(gateway, calm, b'calm'))[0], 201, 'status of another application')
