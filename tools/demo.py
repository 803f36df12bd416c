#!/usr/bin/python3
"""What `make demo` shows: a message to an offline user becomes a push.

A private Prosody, the built binary, a strict stand-in for Apple's push service, two XMPP users; everything on loopback and in a
temporary folder that is gone afterwards.  Exit status 0 only if the right push arrived.
"""
import asyncio
import base64
import json
import os
import shutil
import sys
import tempfile
import textwrap
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path.insert(0, os.path.join(ROOT, 'test', 'e2e'))
import lab  # noqa: E402

TEXT = 'Are you there? The tea is ready.'
PATIENCE = 15.0


def tell(words):
    print('\n' + textwrap.fill(words, 100, initial_indent='* ', subsequent_indent='  '), flush=True)


def show(text):
    print(textwrap.indent(text.rstrip('\n'), '      | '), flush=True)


def jwt_part(part):
    return base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)).decode()


def show_request(request):
    lines = []
    for name, value in request['headers']:
        if name == 'authorization':
            header, claims, signature = value.split(' ', 1)[1].split('.')
            value = f'{value[:30]}…  {jwt_part(header)} {jwt_part(claims)}, signature of {len(signature) * 3 // 4} bytes'
        lines.append(f'{name}: {value}')
    show('\n'.join(lines))
    show('\n' + json.dumps(json.loads(request['body']), indent=2, ensure_ascii=False))


async def demo(world):
    from clients import User, field
    server, standin = world.server, world.standin
    tell(f'Prosody {server.version.split("-")[0]} serves the domain {lab.DOMAIN} and waits for a component called {lab.COMPONENT}.')
    tell(f'A stand-in for Apple\'s push service listens on port {standin.port}: TLS, HTTP/2 only, Apple\'s rules.')
    gateway = world.need_gateway()
    tell('tocsin has connected to Prosody as that component. Its configuration:')
    with open(gateway.conf, encoding='utf-8') as file:
        show('\n'.join(line for line in file.read().replace(world.directory + '/', '').split('\n')[1:] if line))

    token = world.new_token()
    async with User(server, 'bob') as bob:
        answer = await bob.register_device(token)
        node = field(answer, 'node')
        tell(f'{bob.jid} logs in with a phone, as Siskin IM would, and registers the device token that Apple gave it:')
        show(f'register-device  provider      = tigase:messenger:apns:1\n                 device-token  = {token[:16]}…\n'
             f'answer           node          = {node}\n                 max-payload-size = {field(answer, "max-payload-size")}')
        await bob.enable_as_siskin(node)
        tell(f'The phone tells Prosody: when I am away, publish to that node of {lab.COMPONENT}. Then it goes offline.')

    start = time.time()
    await world.message(bob, TEXT)
    tell(f'ann@{lab.DOMAIN} writes to {bob.jid}: “{TEXT}”')
    try:
        request = (await world.rings_token(token, PATIENCE))[0]
    except TimeoutError as error:
        print(f'\ndemo: no push: {error}. The end of the log of tocsin:\n{lab.tail(gateway.log_file)}', file=sys.stderr)
        return False
    tell(f'{(request["time"] - start) * 1000:.0f} ms later the stand-in has this request (the text of the message is not in it):')
    show_request(request)
    if request['status'] != 200:
        print(f'\ndemo: the stand-in refused it: {request["status"]} {request["reason"]} ({request["why"]})', file=sys.stderr)
        return False
    if dict(request['headers'])[':path'] != '/3/device/' + token.lower() or json.loads(request['body']).get('account') != bob.jid:
        print('\ndemo: the push is for another device or account', file=sys.stderr)
        return False
    event = await asyncio.get_running_loop().run_in_executor(
        None, lambda: gateway.wait_event('push', timeout=PATIENCE, verdict='delivered'))
    tell('The stand-in found every rule kept and answered 200: the phone rings. tocsin answered Prosody and wrote to its log:')
    show(' '.join(f'{name}={value}' for name, value in event.items()))
    await world.forget_sessions()
    tell(f'tocsin ended with status {gateway.stop()}. The push arrived.')
    return True


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'tocsin')
    if not os.access(binary, os.X_OK):
        sys.exit(f'demo: {os.path.relpath(binary)} is not there; `make` builds it')
    print(f'tocsin, a demonstration {lab.isolate()}', flush=True)
    try:
        from world import World
    except ImportError as error:
        sys.exit(f'demo: {error}; `make setup` installs what the demo needs')
    directory = tempfile.mkdtemp(prefix='tocsin-demo-')
    try:
        with World(directory, lab.Prosody, os.path.abspath(binary), level='info') as world:
            arrived = asyncio.run(demo(world))
    except (lab.LabError, OSError) as error:
        sys.exit(f'demo: {error}')
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if arrived else 1)


if __name__ == '__main__':
    main()
