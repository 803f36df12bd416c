"""One user, a device of every dialect, one message."""
import hashlib
import json

from checks import expect, same, story, until
from clients import MODULE, User
from world import in_thread


async def phone_of_conversations(world, user):
    """(token, device id)"""
    token, device = world.new_fcm_token(), '92afd7a91cdba9a0'
    async with user:
        node, secret = await user.register_push_fcm(token, device)
        world.planted |= {node, secret}
        await user.enable(node, secret)
    return token, device


async def phone_of_monal(world, user):
    """Registers nothing: its node is the token."""
    token = world.new_token()
    async with user:
        await user.enable(token, pushModule=MODULE)
    return token


@story('one message rings a Tigase, a p2, an fpush and a Web Push device of one user, each once and in its own words')
async def all_dialects(world):
    world.need_gateway()
    guest = world.guest()
    as_on = lambda resource: User(world.server, guest.name, resource)  # noqa: E731
    siskin = await world.device(as_on('siskin'))
    conversations, android_id = await phone_of_conversations(world, as_on('conversations'))
    monal = await phone_of_monal(world, as_on('monal'))
    browser = await world.browser(as_on('browser'))
    old_browser = await world.browser(as_on('old-browser'), world.old_browsers)
    mark = world.gateway.mark()
    await world.message(guest)

    where = ((world.standin, siskin.hex), (world.fcm, conversations), (world.standin, monal), (browser.service, browser.token),
             (old_browser.service, old_browser.token))
    for standin, device in where:
        await in_thread(standin.wait_requests, 1, device)
    await world.fence()
    requests = []
    for standin, device in where:
        found = standin.requests(device)
        same([(r['status'] // 100, r['why']) for r in found], [(2, '')], 'requests for one device')
        requests.append(found[0])
    for request in requests[:3]:
        expect('words that stay' not in request['body'], 'the body of the message went to a provider')

    by_siskin, by_conversations, by_monal = (json.loads(r['body']) for r in requests[:3])
    same(by_siskin.get('account'), guest.jid, 'what Siskin reads')
    same(by_conversations['message']['data'], {'account': hashlib.sha1(f'{guest.jid}\0{android_id}'.encode()).hexdigest()},
         'what Conversations reads')
    same(set(by_monal), {'aps'}, 'what Monal reads')
    same(dict(requests[2]['headers'])['apns-push-type'], 'alert', 'push type of Monal')
    for request in requests[3:]:
        words = json.loads(request['plain'])
        same(words.get('account'), guest.jid, 'what the browser reads')
        expect('ew message' in words.get('body', '').lower(), f'what the browser reads: {words}')
        expect('words that stay' not in request['plain'], 'the server published the body')
    await until('all of them are answered', lambda: len(world.gateway.events('push', mark)) >= len(where))
    same([e for e in world.gateway.events('push', mark) if e.get('verdict') == 'retry'], [], 'publishes answered with trouble')
