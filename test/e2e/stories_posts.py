"""The end-to-end checks of what comes through a reverse proxy: application servers of others, accounts that are gone."""
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

import lab
from checks import Skipped, expect, same, story
from reverse_proxy import Nginx
from stories_unifiedpush import Distributor, name_of
from webpush_rules import Rules
from world import in_thread

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, '..', '..', '.peers', 'npm')

# Python's requests as an application server: URL PORT CERTIFICATE, the body on standard input; the status on standard output.
BY_REQUESTS = '''
import sys
import requests, urllib3
url, port, certificate = sys.argv[1:]
connect = urllib3.util.connection.create_connection
urllib3.util.connection.create_connection = lambda _address, *more, **named: connect(('127.0.0.1', int(port)), *more, **named)
print(requests.post(url, data=sys.stdin.buffer.read(), headers={'TTL': '60', 'Urgency': 'high'}, verify=certificate, timeout=20).status_code)
'''


@contextlib.contextmanager
def nginx_before(gateway, unix=False):
    directory = os.path.join(tempfile.mkdtemp(prefix='nginx-', dir=gateway.directory), 'nginx')
    to = f'http://unix:{gateway.values["web_socket"]}' if unix else f'http://127.0.0.1:{gateway.values["web_port"]}'
    nginx = Nginx(directory, to)
    same(nginx.complaints(), [], "what nginx says of the page's words")
    with nginx:
        yield nginx


async def run(command, body=b''):
    done = await in_thread(lambda: subprocess.run(command, input=body, capture_output=True, timeout=40))
    expect(done.returncode == 0, f'{command[0]} ended with {done.returncode}: {done.stderr.decode(errors="replace")[-500:]}')
    return done.stdout.decode()


async def by_curl(nginx, url, body, *more):
    """(status, body)"""
    parts = urllib.parse.urlsplit(url)
    text = await run(['curl', '-sS', '--max-time', '20', '-w', '\n%{http_code}', '--cacert', nginx.certificate, '--connect-to',
                      f'{parts.hostname}:443:127.0.0.1:{nginx.port}', '--data-binary', '@-', *more, url], body)
    answer, _, status = text.rpartition('\n')
    return int(status), answer


async def by_requests(nginx, url, body):
    return int(await run([sys.executable, '-c', BY_REQUESTS, url, str(nginx.port), nginx.certificate], body))


async def ring_through(world, unix):
    gateway = world.need_gateway()
    application, instance = name_of('account', 'org.example.app'), name_of('account', 'nginx', str(unix))
    async with world.guest('Conversations.x') as user:
        distributor = Distributor(user)
        distributor.listen()
        endpoint = await distributor.register(application, instance)
        world.planted |= {endpoint.rsplit('/', 1)[1]}
        with nginx_before(gateway, unix) as nginx:
            for body in (b'hello', bytes(range(256)) * 16):
                same((await by_curl(nginx, endpoint, body))[0], 201, 'status that curl got')
                same(await distributor.got(), (application, instance, body), 'push of curl')
                same(await by_requests(nginx, endpoint, body), 201, 'status that requests got')
                same(await distributor.got(), (application, instance, body), 'push of requests')
            same(await by_requests(nginx, endpoint[:-4] + 'AAAA', b'x'), 404, 'status of another name')
            same((await by_curl(nginx, endpoint, bytes(4097)))[0], 413, 'status of a body too long')


@story('curl and Python\'s requests post through nginx as conf/https.md has it, and it arrives byte for byte')
async def posts_through_nginx(world):
    await ring_through(world, unix=False)


@story('the same where nginx reaches the gateway by a unix socket')
async def posts_through_nginx_and_a_socket(world):
    await ring_through(world, unix=True)


@story('npm\'s web-push posts through nginx, and the client opens it with the keys of its subscription')
async def web_push_posts(world):
    if not shutil.which('node') or not os.path.exists(os.path.join(PEERS, 'node_modules', 'web-push')):
        raise Skipped("npm's web-push is not in .peers; `make setup` fetches it where node and npm are")
    gateway = world.need_gateway()
    application, instance = name_of('account', 'org.example.web'), name_of('account', 'web-push')
    async with world.guest('Conversations.x') as user:
        distributor = Distributor(user)
        distributor.listen()
        endpoint = await distributor.register(application, instance)
        world.planted |= {endpoint.rsplit('/', 1)[1]}
        subscription = Rules().subscribe('app', 'https://push.example.net')
        with nginx_before(gateway) as nginx:
            for words in ('hello', 'grüße, 你好', 'x' * 3993):  # the longest that one record of 4,096 bytes holds
                answer = json.loads(await run(['node', os.path.join(HERE, 'post.mjs'), PEERS, str(nginx.port), nginx.certificate,
                                               json.dumps({**subscription.words, 'endpoint': endpoint}), words]))
                same(answer['status'], 201, 'status that web-push got')
                expect(answer['headers'].get('ttl') is not None and 'location' in answer['headers'], f'a field of RFC 8030 lacks: {answer}')
                same(subscription.open((await distributor.got())[2]).decode(), words, 'what the client opens')


@story('an account that is gone is unregistered through nginx, which says who asks: limits are the client\'s, not the proxy\'s')
async def unregister_through_nginx(world):
    gateway = world.need_gateway()
    device = await world.device()
    words = json.dumps({'account': device.user.jid, 'provider': 'snikket:apns:1', 'device-token': device.token}).encode()
    number = secrets.randbelow(60000)
    one, other = (f'127.{kind}.{number // 250}.{1 + number % 250}' for kind in (1, 2))

    async def unregister(nginx, client, *more):
        return await by_curl(nginx, f'https://{lab.COMPONENT}/unregister-device/{lab.COMPONENT}', words, '-H', 'Content-Type: application/json',
                             '--interface', client, *more)
    with nginx_before(gateway) as nginx:
        same(await unregister(nginx, one), (200, '{"result":"success"}'), 'answer')
        await world.message(device.user)
        await world.fence()
        same(world.standin.requests(device.hex), [], 'requests for the device that is gone')
        statuses = [(await unregister(nginx, one))[0] for _ in range(12)]
        expect(set(statuses) == {200, 429} and statuses[0] == 200, f'statuses are {statuses}')
        same((await unregister(nginx, one, '-H', 'X-Forwarded-For: 192.0.2.77'))[0], 429, 'status of who claims to be somebody else')
        same((await unregister(nginx, other))[0], 200, 'status of another client')
