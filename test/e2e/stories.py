"""The end-to-end checks of the gateway, one behaviour each. `world` is world.World; a story that fails raises.

First the main road, then trouble at the provider, trouble between gateway and server, at last what the logs gave away.
"""
import asyncio
import json
import signal
import time

import lab
import provider_standin
from checks import expect, said, same, story, until
from clients import COMMANDS, DATA, PROVIDER, IqError, failure, field
from world import in_thread, now_ms


# --- the main road -------------------------------------------------------------------------------

@story('a client finds the gateway by service discovery')
async def discovery(world):
    world.need_gateway()
    async with world.guest() as user:
        expect((lab.COMPONENT, None) in await user.disco_items(lab.DOMAIN), 'the server does not list the component')
        identities, features = await user.disco_info()
        expect('pubsub/push' in identities, f'identities are {identities}')
        for wanted in ('urn:xmpp:push:0', PROVIDER, COMMANDS, 'http://jabber.org/protocol/disco#info'):
            expect(wanted in features, f'feature {wanted} is missing')
        commands = {node for _, node in await user.disco_items(node=COMMANDS)}
        expect({'register-device', 'unregister-device'} <= commands, f'commands are {commands}')


@story('a device registers, goes offline, gets a message: the provider receives exactly one right request')
async def message_rings(world):
    gateway = world.need_gateway()
    user, token = world.guest(), world.new_token()
    async with user:
        answer = await user.register_device(token)
        same(answer.get('status') or 'completed', 'completed', 'status')
        form = answer.find(f'{{{DATA}}}x')
        expect(form is not None and form.get('type') == 'result', 'the answer has no result form')
        node = field(answer, 'node')
        expect(node and len(node) >= 20, f'the node has too few characters to be a secret: {len(node or "")}')
        world.planted.add(node)
        features = form.find(f"{{{DATA}}}field[@var='features']")
        expect(features is not None and features.get('type') == 'text-multi', 'features is not a text-multi field')
        expect(500 < int(field(answer, 'max-payload-size')) < 4096, 'max-payload-size is out of range')
        same(field(await user.register_device(token), 'node'), node, 'node when registering again')
        await user.enable_as_siskin(node)
    mark, start = gateway.mark(), time.time()
    await world.message(user)
    request = (await world.rings_token(token))[0]
    await world.fence()
    same(len(world.standin.requests(token)), 1, 'requests')
    same((request['status'], request['why']), (200, ''), 'verdict of the provider')
    headers, payload = dict(request['headers']), json.loads(request['body'])
    same(headers[':path'], '/3/device/' + token.lower(), 'path')
    same((headers['apns-push-type'], headers['apns-priority']), ('alert', '10'), 'push type and priority')
    same(payload.get('account'), user.jid, 'account')
    same(payload['aps'].get('mutable-content'), 1, 'mutable-content')
    expect(abs(int(headers['apns-expiration']) - start - 86400) < 120, 'the expiration is not a day away')
    expect('authorization' in request['never_indexed'], 'authorization was put into the header table')
    expect('words that stay' not in request['body'], 'the body of the message went to the provider')
    event = await said(gateway, 'push', mark, verdict='delivered', provider='apns/siskin')
    expect(event.get('ref') and event.get('device') and event.get('ms') is not None, f'the log event lacks a field: {event}')


@story('the two-step form works by hand and through slixmpp, and gives the same node')
async def two_steps(world):
    world.need_gateway()
    user, token = world.guest(), world.new_token()
    async with user:
        form, answer = await user.register_in_two_steps(token)
        same(form.get('status'), 'executing', 'status of the form')
        fields = {f.get('var') for f in form.iter(f'{{{DATA}}}field')}
        expect({'provider', 'device-token'} <= fields, f'fields are {fields}')
        expect(PROVIDER in [v.text for v in form.iter(f'{{{DATA}}}value')], 'the form does not offer the provider')
        same(answer.get('status'), 'completed', 'status')
        node = field(answer, 'node')
        same(await user.register_by_library(token), node, 'node through the library')
        await user.enable(node)
    await world.message(user)
    await world.rings_token(token)


@story('a chat state or a call without text becomes the push the server asks for')
async def without_text(world):
    world.need_gateway()
    device = await world.device()
    ann = await world.ann()
    if world.server.kind == 'prosody':
        ann.send_chat_state(device.user.jid)
        request = (await world.rings(device))[0]
        same(dict(request['headers'])['apns-push-type'], 'background', 'push type of a chat state')
        ann.send_jingle_propose(device.user.jid)
        request = (await world.rings(device, 2))[1]
        same(dict(request['headers'])['apns-push-type'], 'alert', 'push type of a call')
    else:
        ann.send_chat_state(device.user.jid)  # ejabberd does not publish this
        ann.send_jingle_propose(device.user.jid)
        request = (await world.rings(device))[0]
        same(dict(request['headers'])['apns-push-type'], 'background', 'push type of a call')
        await world.fence()
        same(len(world.standin.requests(device.hex)), 1, 'requests')
    same((request['status'], request['why']), (200, ''), 'verdict of the provider')


@story('after unregister-device no request leaves')
async def unregister(world):
    gateway = world.need_gateway()
    device = await world.device()
    async with device.user as user:
        answer = await user.unregister_device(device.token)
        same(answer.get('status') or 'completed', 'completed', 'status')
    mark = gateway.mark()
    await world.message(device.user)
    await said(gateway, 'push', mark, verdict='unknown')
    await world.fence()
    same(len(world.standin.requests(device.hex)), 0, 'requests')


async def outcome(coroutine):
    """What an asker can tell: the words of the answer, without the session id."""
    try:
        answer = await coroutine
    except IqError as error:
        return failure(error)
    return answer.get('status'), answer.get('node'), len(list(answer))


@story('another account cannot unregister a device and learns nothing')
async def stranger(world):
    world.need_gateway()
    device = await world.device()
    async with world.guest() as other:
        known = await outcome(other.unregister_device(device.token))
        unknown = await outcome(other.unregister_device(world.new_token()))
        same(known, unknown, 'answers for a known and an unknown token')
    await world.message(device.user)
    await world.rings(device)


@story('disable at the server ends the publishes, enable brings them back')
async def disable_enable(world):
    world.need_gateway()
    device = await world.device()
    async with device.user as user:
        await user.disable(device.node)
    await world.message(device.user)
    await world.fence()
    same(len(world.standin.requests(device.hex)), 0, 'requests while disabled')
    async with device.user as user:
        await user.enable_as_siskin(device.node)
    await world.message(device.user)
    await world.rings(device)


# --- trouble at the provider ---------------------------------------------------------------------

def told_item_not_found(server, mark):
    return 'item-not-found' in server.log_since(mark) or not server.logs_conditions


@story('after a 410 that publish gets item-not-found and no further request leaves')
async def gone(world):
    gateway = world.need_gateway()
    device = await world.device()
    world.standin.behave(device.hex, **provider_standin.GONE)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(device.user)
    await said(gateway, 'push', mark, verdict='dead')
    await until('the server gets item-not-found', lambda: told_item_not_found(world.server, server_mark))
    await world.rings(device)
    world.standin.behave(device.hex, **provider_standin.ACCEPT)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(device.user)
    if world.server.kind == 'prosody':
        await said(gateway, 'push', mark, verdict='unknown')
        await until('the server gets item-not-found again', lambda: told_item_not_found(world.server, server_mark))
    await world.fence()
    if world.server.kind == 'ejabberd':
        same(len(gateway.events('push', mark, verdict='unknown')), 0, 'publishes after the drop')
    same(len(world.standin.requests(device.hex)), 1, 'requests')
    async with device.user as user:
        node = field(await user.register_device(device.token), 'node')
        expect(node != device.node, 'registering after a drop gave the dead node again')
        world.planted.add(node)
        await user.enable_as_siskin(node)
    await world.message(device.user)
    await world.rings(device, 2)


@story('a 410 from before the registration drops nothing')
async def stale_gone(world):
    gateway = world.need_gateway()
    device = await world.device()
    world.standin.behave(device.hex, **provider_standin.GONE, timestamp=now_ms() - 3600_000)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(device.user)
    await world.rings(device)
    await said(gateway, 'push', mark)
    await world.fence()
    expect('item-not-found' not in world.server.log_since(server_mark), 'the server was told item-not-found')
    same(len(gateway.events('push', mark, verdict='dead')), 0, 'devices declared dead')
    world.standin.behave(device.hex, **provider_standin.ACCEPT)


@story('a lost connection is made anew and the next message rings')
async def reconnect_provider(world):
    world.need_gateway()
    device = await world.device()
    await world.message(device.user)
    await world.rings(device)
    for count, how in enumerate((provider_standin.GOAWAY_UNPROCESSED, provider_standin.REFUSE, provider_standin.GOAWAY), start=2):
        world.standin.behave(device.hex, **how, times=1)
        await world.message(device.user)
        # Refused and unprocessed requests are sent again at once: one more than messages.
        await in_thread(world.standin.wait_requests, len(world.standin.requests(device.hex)) + 1, device.hex)
        await until('the message rings in the end', lambda count=count: len(
            [r for r in world.standin.requests(device.hex) if r['did'] in ('accept', 'goaway') and r['status'] == 200]) >= count)


@story('40 transient failures of the provider cost no registration')
async def transient_failures(world):
    gateway = world.need_gateway()
    kinds = (provider_standin.UNAVAILABLE, provider_standin.BROKEN, provider_standin.RESET, provider_standin.SILENCE,
             provider_standin.TOO_MANY, provider_standin.REFUSE, provider_standin.RST, provider_standin.GOAWAY_UNPROCESSED)
    devices = [await world.device() for _ in kinds]
    for device, how in zip(devices, kinds):
        world.standin.behave(device.hex, **how)
    mark, server_mark = gateway.mark(), world.server.log_size()
    for _ in range(5):
        for device in devices:
            await world.message(device.user)
    # Each publish is answered within 5 s, and the log has one line for each.
    await said(gateway, 'push', mark, count=40, timeout=30)
    expect('item-not-found' not in world.server.log_since(server_mark), 'the server was told item-not-found')
    expect(not world.server.took_offence(server_mark), 'the server counted an answer as fatal')
    for device in devices:
        expect(world.server.remembers(device.user.name, device.node) is not False, 'the server dropped a registration')
    same(gateway.stop(), 0, 'exit status')  # pushes that still wait for their retry end with it
    world.standin.forget()
    world.need_gateway()
    for device in devices:
        await world.message(device.user)
    for device in devices:
        await world.rings(device)


# --- trouble between the gateway and the server --------------------------------------------------

async def sent_after_restart(world, sig):
    gateway = world.need_gateway()
    device = await world.device()
    await world.forget_sessions()
    mark = gateway.mark()
    world.server.restart(sig)
    await said(gateway, 'component_up', mark, timeout=60)
    expect(gateway.events('component_down', mark), 'the log does not say component_down')
    if sig == signal.SIGKILL and world.server.kind == 'ejabberd':
        async with device.user as user:  # ejabberd itself loses what it wrote a moment ago; clients enable again when they log in
            await user.enable_as_siskin(device.node)
    await world.message(device.user)
    await world.rings(device)


@story('after a restart of the server the gateway connects again and pushes')
async def server_restart(world):
    await sent_after_restart(world, signal.SIGTERM)


@story('after kill -9 of the server the gateway connects again and pushes')
async def server_killed(world):
    await sent_after_restart(world, signal.SIGKILL)


@story('a wrong component secret: component_down, the gateway lives on and connects when the secret is right')
async def wrong_secret(world):
    if world.gateway:
        same(world.gateway.stop(), 0, 'exit status')
    gateway = world.make_gateway('wrong-secret', secret='an0ther-s3cr3t')
    mark = gateway.launch()
    event = await said(gateway, 'component_down', mark)
    expect(event.get('reason'), 'component_down has no reason')
    expect(gateway.alive(), 'the gateway ended')
    await world.forget_sessions()
    right, world.server.secret = world.server.secret, 'an0ther-s3cr3t'
    try:
        mark = gateway.mark()
        world.server.restart()
        await said(gateway, 'component_up', mark, timeout=90)
        same(gateway.stop(), 0, 'exit status')
    finally:
        world.server.secret = right
        world.server.restart()
    world.need_gateway()


@story('a domain the server does not know: component_down, the gateway lives on')
async def unknown_domain(world):
    gateway = world.make_gateway('unknown-domain', domain='nowhere.' + lab.DOMAIN)
    mark = gateway.launch()
    event = await said(gateway, 'component_down', mark)
    expect(event.get('reason'), 'component_down has no reason')
    expect(gateway.alive(), 'the gateway ended')
    same(gateway.stop(), 0, 'exit status')


@story('kill -9 of the gateway right behind the answer to a registration loses nothing')
async def gateway_killed(world):
    gateway = world.need_gateway()
    user, token = world.guest(), world.new_token()
    async with user:
        node = field(await user.register_device(token), 'node')
        gateway.stop(signal.SIGKILL)
        gateway.start()
        world.planted.add(node)
        same(field(await user.register_device(token), 'node'), node, 'node after the restart')
        await user.enable_as_siskin(node)
    await world.message(user)
    await world.rings_token(token)


@story('SIGTERM ends the gateway with status 0 within 5 seconds, also with a push in the air')
async def terminate(world):
    gateway = world.need_gateway()
    device = await world.device()
    world.standin.behave(device.hex, **provider_standin.SILENCE)
    await world.message(device.user)
    await world.rings(device)
    mark, start = gateway.mark(), time.monotonic()
    same(await asyncio.get_running_loop().run_in_executor(None, gateway.stop), 0, 'exit status')
    expect(time.monotonic() - start < 5.5, f'it took {time.monotonic() - start:.1f} s')
    expect(gateway.events('stopping', mark), 'the log does not say stopping')
    world.standin.behave(device.hex, **provider_standin.ACCEPT)
    world.need_gateway()


@story('a second gateway on the same registry exits 69 and disturbs nothing')
async def second_gateway(world):
    gateway = world.need_gateway()
    second = world.make_gateway('second', state=gateway.values['state'])
    mark = gateway.mark()
    second.launch()
    status = await until('the second gateway ends', lambda: (second.process.poll() is not None and [second.process.returncode]), 30)
    same(status, [69], 'exit status of the second')
    expect(str(gateway.process.pid) in lab.tail(second.log_file), 'its message does not name the pid that holds the registry')
    same(gateway.events('component_down', mark), [], 'component_down of the first')
    await world.fence()


@story('SIGHUP, SIGUSR1 and SIGUSR2 do not end the gateway')
async def harmless_signals(world):
    gateway = world.need_gateway()
    for sig in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        gateway.process.send_signal(sig)
    await world.fence()
    expect(gateway.alive(), 'the gateway ended')


# --- what was given away -------------------------------------------------------------------------

@story('no token, node, secret, key, JID or body stands in any log of the gateway, not even at debug')
async def clean_logs(world):
    world.need_gateway()
    await world.fence()
    for gateway in world.gateways:
        with open(gateway.log_file, encoding='utf-8', errors='replace') as file:
            for number, line in enumerate(file, start=1):
                for word in world.planted:
                    expect(word not in line, f'{gateway.log_file.rsplit("/", 2)[-2]}, line {number} holds a planted word of '
                           f'{len(word)} characters: {word[:6]}…')


@story('the provider found nothing to complain about')
async def no_faults(world):
    same(world.standin.faults(), [], 'faults')
    wrong = [r for r in world.standin.requests() if r['why'] not in ('', 'as told')]
    same([(r['status'], r['reason'], r['why']) for r in wrong], [], 'requests that broke a rule')
