"""The end-to-end checks of FCM sections: registration in Tigase's words, Google's token endpoint and FCM HTTP v1."""
import json

import provider_standin
from checks import expect, said, same, story, until
from clients import FCM_PROVIDER
from world import PROJECT, in_thread


async def rings(world, device, count=1):
    return await in_thread(world.fcm.wait_requests, count, device.token)


def tokens_fetched(world):
    return len([r for r in world.fcm.requests('token:') if r['status'] == 200])


@story('an Android device registers, goes offline, gets a message: FCM receives exactly one right request')
async def fcm_rings(world):
    gateway = world.need_gateway()
    async with world.guest() as user:
        _, features = await user.disco_info()
        expect(FCM_PROVIDER in features, 'the provider id of the section is missing in disco')
    device = await world.android()
    mark = gateway.mark()
    await world.message(device.user)
    request = (await rings(world, device))[0]
    await world.fence()
    same(len(world.fcm.requests(device.token)), 1, 'requests')
    same((request['status'], request['why']), (200, ''), 'verdict of the provider')
    headers, message = dict(request['headers']), json.loads(request['body'])['message']
    same(headers[':path'], f'/v1/projects/{PROJECT}/messages:send', 'path')
    same(message['token'], device.token, 'token')
    same((message['android']['priority'], message['android']['ttl']), ('HIGH', '86400s'), 'priority and ttl')
    same(message['data']['account'], device.user.jid, 'account')
    expect('words that stay' not in request['body'], 'the body of the message went to the provider')
    expect('authorization' in request['never_indexed'], 'authorization was put into the header table')
    event = await said(gateway, 'push', mark, verdict='delivered', provider='fcm/play')
    expect(event.get('ref', '').startswith(f'projects/{PROJECT}/messages/'), f'the log event has no name of FCM: {event}')


@story('one access token serves many pushes')
async def fcm_token(world):
    gateway = world.need_gateway()
    device = await world.android()
    await world.message(device.user)
    await rings(world, device)
    before, mark = tokens_fetched(world), gateway.mark()
    for count in (2, 3):
        await world.message(device.user)
        await rings(world, device, count)
    same(tokens_fetched(world), before, 'tokens fetched for two more pushes')
    same(gateway.events('provider_down', mark), [], 'troubles')


@story('after UNREGISTERED that publish gets item-not-found and no further request leaves')
async def fcm_gone(world):
    gateway = world.need_gateway()
    device = await world.android()
    world.fcm.behave(device.token, **provider_standin.UNREGISTERED)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(device.user)
    event = await said(gateway, 'push', mark, verdict='dead')
    same(event.get('reason', 'UNREGISTERED'), 'UNREGISTERED', 'reason')
    await until('the server gets item-not-found', lambda: 'item-not-found' in world.server.log_since(server_mark)
                or not world.server.logs_conditions)
    await world.message(device.user)
    await world.fence()
    same(len(world.fcm.requests(device.token)), 1, 'requests')


@story('trouble with our own credentials ends no registration and is said')
async def fcm_trouble(world):
    gateway = world.need_gateway()
    held, shut = await world.android(), await world.android()
    world.fcm.behave(held.token, do='answer', reason='SENDER_ID_MISMATCH')
    world.fcm.behave(shut.token, do='answer', reason='SERVICE_DISABLED', times=1)
    mark, server_mark = gateway.mark(), world.server.log_size()
    await world.message(held.user)
    await said(gateway, 'push', mark, verdict='held')
    await world.message(shut.user)
    event = await said(gateway, 'provider_down', mark, provider='fcm/play')
    expect('enable' in event.get('check', ''), f'provider_down does not say what to do: {event}')
    await said(gateway, 'push', mark, verdict='config')
    await world.fence()
    expect('item-not-found' not in world.server.log_since(server_mark), 'the server was told item-not-found')
    expect(not world.server.took_offence(server_mark), 'the server counted an answer as fatal')
    same(gateway.stop(), 0, 'exit status')  # the section rests for a quarter of an hour
    world.need_gateway()
    await world.message(shut.user)
    await rings(world, shut, 2)


@story('Google found nothing to complain about')
async def fcm_faults(world):
    same(world.fcm.faults(), [], 'faults')
    wrong = [r for r in world.fcm.requests() if r['why'] not in ('', 'as told')]
    same([(r['status'], r['reason'], r['why']) for r in wrong], [], 'requests that broke a rule')
