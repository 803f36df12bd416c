"""What the servers do with each of the four replies that the gateway gives, answered by a component of our own.

These need no gateway: they prove the facts about Prosody and ejabberd that its choice of replies rests on.
"""
from checks import expect, same, story, until
from component import Scripted

ITEM_NOT_FOUND = ('cancel', 'item-not-found')
SERVICE_UNAVAILABLE = ('wait', 'service-unavailable')
SERVER_ERROR = ('wait', 'internal-server-error')
SENT_ERRORS = 20


async def publish_and_answer(world, node, reply, messages):
    """Sends messages to a user whose publishes get `reply`, one after the other; how many publishes came."""
    async with Scripted(world.server) as component:
        user = world.guest()
        async with user:
            await user.enable(node)
        watch = world.guest()
        async with watch:
            await watch.enable(node + '-watch')
        component.replies[node] = reply
        for number in range(messages):
            mark = world.server.log_size()
            before = component.count(node)
            await world.message(user)
            await world.message(watch)  # in one sender's order: when this one is through, the other was published or never will be
            await component.wait_count(node + '-watch', number + 1)
            if reply and reply[0] != 'wait' and component.count(node) > before and not ignores_errors(world.server):
                await until('the server has taken the error to heart', lambda mark=mark: world.server.took_offence(mark))
        return user, component.count(node)


def ignores_errors(server):
    return server.kind == 'prosody' and not server.counts_errors


@story('reply result: the server keeps publishing', needs='server')
async def result_keeps(world):
    user, count = await publish_and_answer(world, 'node-result', None, 3)
    same(count, 3, 'publishes')
    expect(world.server.remembers(user.name, 'node-result') is not False, 'the server dropped the registration')


@story('reply cancel/item-not-found: ejabberd drops the registration at once, Prosody 0.12 at the 16th, Prosody 13 never', needs='server')
async def item_not_found_drops(world):
    user, count = await publish_and_answer(world, 'node-gone', ITEM_NOT_FOUND, SENT_ERRORS)
    if world.server.kind == 'ejabberd':
        same(count, 1, 'publishes')
    else:
        same(count, 16 if world.server.counts_errors else SENT_ERRORS, 'publishes')
        same(world.server.remembers(user.name, 'node-gone'), not world.server.counts_errors, 'still in the store')


@story('reply wait/service-unavailable: the server keeps publishing', needs='server')
async def service_unavailable_keeps(world):
    user, count = await publish_and_answer(world, 'node-busy', SERVICE_UNAVAILABLE, SENT_ERRORS)
    same(count, SENT_ERRORS, 'publishes')
    expect(world.server.remembers(user.name, 'node-busy') is not False, 'the server dropped the registration')


@story('reply wait/internal-server-error: the server keeps publishing', needs='server')
async def server_error_keeps(world):
    user, count = await publish_and_answer(world, 'node-broken', SERVER_ERROR, SENT_ERRORS)
    same(count, SENT_ERRORS, 'publishes')
    expect(world.server.remembers(user.name, 'node-broken') is not False, 'the server dropped the registration')


@story('publish options given with enable come back with every publish', needs='server')
async def options_come_back(world):
    async with Scripted(world.server) as component:
        user = world.guest()
        async with user:
            await user.enable('node-options', secret='publish-secret-1')
        await world.message(user)
        await component.wait_count('node-options', 1)
        expect('publish-secret-1' in component.publishes['node-options'][0], 'the secret is missing in the publish')
