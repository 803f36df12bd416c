"""The end-to-end checks of Web Push: browsers, services without HTTP/2, UnifiedPush distributors, endpoints with evil intent."""
import json
import os
import stat
import subprocess

import provider_standin
from checks import expect, said, same, story, until
from clients import IqError, failure, field
from world import in_thread


async def rings(device, count=1):
    return await in_thread(device.service.wait_requests, count, device.token)


def claims_of(request):
    from apns_rules import base64url
    jwt = dict(request['headers'])['authorization'].removeprefix('vapid t=').split(',')[0]
    return json.loads(base64url(jwt.split('.')[1])), jwt


@story('a browser registers, goes offline, gets a message: its push service receives exactly one right request')
async def browser_rings(world):
    gateway = world.need_gateway()
    async with world.guest() as user:
        _, features = await user.disco_info()
        expect('webpush' in features, 'the provider id of the section is missing in disco')
        same(len(await user.vapid_key()), 87, 'characters of the VAPID key in disco')
    device = await world.browser()
    mark = gateway.mark()
    await world.message(device.user)
    request = (await rings(device))[0]
    await world.fence()
    same(len(device.service.requests(device.token)), 1, 'requests')
    same((request['status'], request['why']), (201, ''), 'verdict of the push service')
    headers, words = dict(request['headers']), json.loads(request['plain'])
    same((headers['ttl'], headers['urgency']), ('86400', 'high'), 'TTL and urgency')
    same(words.get('account'), device.user.jid, 'account')
    expect('ew message' in words.get('body', '').lower(), f'the placeholder of the server is missing: {words}')
    expect('authorization' in request['never_indexed'], 'authorization was put into the header table')
    await said(gateway, 'push', mark, verdict='delivered', provider='webpush')


@story('a push service without HTTP/2 is rung over HTTP/1.1, many messages over one connection')
async def old_service(world):
    world.need_gateway()
    device = await world.browser(service=world.old_browsers)
    for count in (1, 2, 3):
        await world.message(device.user)
        await rings(device, count)
    await world.fence()
    requests = device.service.requests(device.token)
    same([(r['status'], r['why']) for r in requests], [(201, '')] * 3, 'verdicts of the push service')
    same(len({r['connection'] for r in requests}), 1, 'connections')
    same(len({claims_of(r)[1] for r in requests}), 1, 'VAPID tokens for one origin')


@story('distributors without keys are woken with an empty message, or the least one that they accept')
async def without_keys(world):
    world.need_gateway()
    for service in (world.browsers, world.old_browsers):
        lax, strict = await world.browser(service=service, encrypted=False), await world.browser(
            service=service, encrypted=False, empty_refused=True)
        await world.message(lax.user)
        await world.message(strict.user)
        same((await rings(lax))[0]['body'], '', 'body for a device without keys')
        requests = await rings(strict, 2)
        same([(r['status'], r['body']) for r in requests], [(400, ''), (201, '{}')], 'what a strict one got')


@story('two origins get a VAPID token of their own, which serves many pushes')
async def one_token_an_origin(world):
    world.need_gateway()
    seen = {}
    for service in (world.browsers, world.old_browsers, world.browsers):
        device = await world.browser(service=service)
        await world.message(device.user)
        claims, jwt = claims_of((await rings(device))[0])
        same((claims['aud'], claims['sub']), (f'https://localhost:{service.port}', 'mailto:ann@push.example.net'), 'claims')
        seen.setdefault(claims['aud'], set()).add(jwt)
    same([len(tokens) for tokens in seen.values()], [1, 1], 'tokens of each origin')


@story('after 410 that publish gets item-not-found and no further request leaves')
async def browser_gone(world):
    gateway = world.need_gateway()
    device = await world.browser()
    device.service.rules.expire(device.subscription)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(device.user)
    await said(gateway, 'push', mark, verdict='dead', provider='webpush')
    await until('the server gets item-not-found', lambda: 'item-not-found' in world.server.log_since(server_mark)
                or not world.server.logs_conditions)
    await world.message(device.user)
    await world.fence()
    same(len(device.service.requests(device.token)), 1, 'requests')


@story('a push service in trouble ends no registration and stops no other')
async def service_in_trouble(world):
    gateway = world.need_gateway()
    sick, well = await world.browser(), await world.browser(service=world.old_browsers)
    mark, server_mark = gateway.mark(), world.server.log_size()
    for how in ({'status': 401, 'reason': 'errno 109'}, {'status': 500}, {'status': 503, 'retry_after': 30}, {'status': 307,
                'location': f'https://localhost:{world.old_browsers.port}/stolen'}, {'reason': 'mismatch'}):
        sick.service.behave(sick.token, do='answer', **how)
        before = len(sick.service.requests(sick.token))
        await world.message(sick.user)
        await world.message(well.user)
        await rings(sick, before + 1)
        await rings(well, len(well.service.requests(well.token)))
    await world.fence()
    same([r for r in world.old_browsers.requests() if 'stolen' in str(r)], [], 'requests that followed a redirect')
    expect('item-not-found' not in world.server.log_since(server_mark), 'the server was told item-not-found')
    expect(not world.server.took_offence(server_mark), 'the server counted an answer as fatal')
    same(gateway.events('provider_down', mark, provider='webpush'), [], 'provider_down of the whole section')
    sick.service.behave(sick.token, **provider_standin.ACCEPT)


@story('new keys of a subscription update it, and JSON or URL unregister it')
async def new_keys(world):
    world.need_gateway()
    device = await world.browser()
    other = device.service.rules.subscribe('x', '').words['keys']
    async with device.user as user:
        again = await user.register_web_push({**device.subscription.words, 'keys': other})
        same(field(again, 'node'), device.node, 'node with new keys')
        same(field(await user.register_web_push(device.subscription.words), 'node'), device.node, 'node with the old ones again')
        answer = await user.unregister_device(device.subscription.endpoint, 'webpush')
        same(answer.get('status') or 'completed', 'completed', 'status of unregistering by URL')
        await user.register_web_push(device.subscription.words)
        await user.unregister_device(json.dumps(device.subscription.words), 'webpush')
    await world.message(device.user)
    await world.fence()
    same(len(device.service.requests(device.token)), 0, 'requests')


@story('endpoints that are none, or inside somebody\'s network, are refused')
async def evil_endpoints(world):
    gateway = world.need_gateway()
    keys = world.browsers.rules.subscribe('x', '').words['keys']
    async with world.guest() as user:
        for endpoint in ('http://push.example.net/x', 'https://user@push.example.net/x', 'https://push.example.net/x#y', 'ftp://push.example.net/',
                         'https://10.0.0.1/x', 'https://169.254.169.254/latest/meta-data', 'https://[fd00::1]/x', 'https://0x7f.1/x',
                         'https://[::ffff:192.168.0.1]/x', 'https://192.168.0.1:22/x', 'https:///x', 'nothing'):
            try:
                await user.register_web_push({'endpoint': endpoint, 'keys': keys})
            except IqError as error:
                expect(failure(error)[0] in ('modify', 'cancel'), f'{endpoint}: {failure(error)}')
            else:
                expect(False, f'{endpoint} was taken')
        for bad in ({'p256dh': keys['p256dh']}, {'p256dh': keys['p256dh'][:-2] + 'AA', 'auth': keys['auth']}, {'p256dh': 'x', 'auth': 'y'}):
            try:
                await user.register_web_push({'endpoint': 'https://push.example.net/x', 'keys': bad})
            except IqError as error:
                same(failure(error)[0], 'modify', 'type of the error')
            else:
                expect(False, f'keys {sorted(bad)} were taken')
    expect(gateway.alive(), 'the gateway ended')


@story('the VAPID key is made once, for nobody else to read, and tocsin vapid-key prints it')
async def vapid_key(world):
    gateway = world.need_gateway()
    path = os.path.join(gateway.values['state'], 'vapid.pem')
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600, 'mode of the key')
    device = await world.browser()
    same(gateway.stop(), 0, 'exit status')
    world.need_gateway()
    await world.message(device.user)
    same((await rings(device))[0]['status'], 201, 'verdict with the key after a restart')
    async with device.user as user:
        said_by_disco = await user.vapid_key()
    printed = subprocess.run([gateway.binary, '-c', gateway.conf, 'vapid-key'], capture_output=True, text=True, check=False)
    same((printed.returncode, printed.stdout.strip()), (0, said_by_disco), 'what tocsin vapid-key says')


@story('a VAPID key that is gone is not made anew while devices depend on it, and turns nothing else off')
async def lost_vapid_key(world):
    gateway = world.need_gateway()
    device, phone = await world.browser(), await world.device()
    same(gateway.stop(), 0, 'exit status')
    names = [os.path.join(gateway.values['state'], 'vapid.pem' + ending) for ending in ('', '.pub')]
    for name in names:
        os.rename(name, name + '.away')
    try:
        checked = subprocess.run([gateway.binary, '-c', gateway.conf, 'check'], capture_output=True, text=True, check=False)
        same(checked.returncode, 78, 'exit status of check')
        expect('the VAPID key is gone, and ' in checked.stderr and 'restore it from the backup' in checked.stderr, checked.stderr)
        mark = gateway.mark()
        gateway.start()
        await said(gateway, 'provider_off', mark, provider='webpush')
        expect(not any(os.path.exists(name) for name in names), 'a key was made')
        await world.message(phone.user)
        await said(gateway, 'push', mark, verdict='delivered')
        await world.message(device.user)
        await said(gateway, 'push', mark, verdict='config', provider='webpush')
        same(gateway.stop(), 0, 'exit status')
    finally:
        for name in names:
            os.rename(name + '.away', name)
    world.need_gateway()
    await world.message(device.user)
    same((await rings(device))[-1]['status'], 201, 'verdict with the restored key')


@story('no push service found anything to complain about')
async def webpush_faults(world):
    for service in (world.browsers, world.old_browsers):
        same(service.faults(), [], 'faults')
        wrong = [r for r in service.requests() if r['why'] not in ('', 'as told', 'no such subscription', 'an empty message')]
        same([(r['status'], r['reason'], r['why']) for r in wrong], [], 'requests that broke a rule')
