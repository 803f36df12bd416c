#!/usr/bin/python3
"""A strict stand-in for Apple's push service, with --fcm for Google's, with --web-push for that of a browser: TLS, their rules and words.

It makes a certificate authority of its own at the start, checks every request against apns_rules.py, fcm_rules.py or webpush_rules.py,
records it, and can be told to misbehave for chosen device tokens (FCM's token endpoint is the device "token:EMAIL", a browser's that of
its endpoint's path).  HTTP/2 only, except for Web Push.  Nothing of it leaves the loopback interface.

As a command it prints one JSON line {"event":"listening","port":…,"control":…,"ca":…} and runs until it gets SIGTERM or its
standard input ends (with --follow-stdin).  The control port takes one JSON object a line and answers each with one:
  {"do":"behave","prefix":"aa01","how":{"do":"answer","status":503,"reason":"ServiceUnavailable","times":3}}
  {"do":"requests","device":"aa01"}   {"do":"faults"}   {"do":"forget"}   {"do":"stop"}
  {"do":"subscribe","name":"laptop","key":"…"}       a browser's subscription, for Web Push; key: what `tocsin vapid-key` says
As a module: `with Standin(...) as standin: standin.behave("aa01", **GONE); standin.wait_requests(1, "aa01")`.

Behaviours, chosen by the longest matching prefix of the device token (lower-case hex; "" is everybody; FCM's in any case).  All but `accept` may have
"times": N, after which they are forgotten; they apply only to requests that keep Apple's rules:
  accept                      200
  answer status reason        that answer; 410 adds a timestamp in ms: `timestamp`, or two seconds from now.
                              FCM: reason is an errorCode or a word of the token endpoint, which tell the status;
                              `html`: a page; may have `retry_after`
              Web Push: reason is a word of Apple's, `errno N` of Mozilla's, `mismatch` or `UnauthorizedRegistration` of Google's, or
              nothing; may have `retry_after` and `location`
  delay seconds               200, later
  silence                     never answers
  goaway processed            GOAWAY that covers this request (then 200) or not (then nothing), then closes
  refuse                      RST_STREAM REFUSED_STREAM
  rst                         RST_STREAM INTERNAL_ERROR
  reset                       a TCP reset; in HTTP/1.1 also what `refuse`, `rst` and `goaway` without `processed` come to
"""
import argparse
import asyncio
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import apns_rules  # noqa: E402
    import fcm_rules  # noqa: E402
    import webpush_rules  # noqa: E402
    from standin_connection import (ACCEPT, BAD_TOKEN, BROKEN, DEEDS, GOAWAY, GOAWAY_UNPROCESSED, GONE, REFUSE, RESET, RST,  # noqa: E402
                                    SILENCE, TOO_MANY, UNAVAILABLE, UNREGISTERED, Chooser)
    from standin_keys import NAMES, make_certificates, make_provider_key, make_service_account  # noqa: E402
except ModuleNotFoundError as missing:
    if __name__ != '__main__':
        raise
    sys.exit(f'provider_standin: {sys.executable} has no module {missing.name}; it is written for Debian\'s own:\n'
             f'    apt-get install python3-h2 python3-cryptography\n    /usr/bin/python3 {" ".join(sys.argv)}')

STREAMS_TRUSTED = 500
__all__ = ['ACCEPT', 'BAD_TOKEN', 'BROKEN', 'GOAWAY', 'GOAWAY_UNPROCESSED', 'GONE', 'REFUSE', 'RESET', 'RST', 'SILENCE', 'TOO_MANY',
           'UNAVAILABLE', 'UNREGISTERED', 'Standin', 'make_certificates', 'make_provider_key', 'make_service_account']


class Standin:
    """The whole provider, in a thread of its own. Every public method may be called from any thread."""

    def __init__(self, directory, rules, address='127.0.0.1', port=0, log=None, streams_max=STREAMS_TRUSTED, follow=None):
        self.directory = directory
        self.rules = rules
        self.address = address
        self.port = port
        self.ca_file = os.path.join(directory, 'ca.pem')
        self.streams_max = streams_max
        self.connections = set()
        self._log = open(log, 'a', encoding='utf-8') if log else None
        self._follow = follow  # called with each record
        self._changed = threading.Condition()
        self._requests = []
        self._faults = []
        self._cancelled = []
        self._behaviours = {}
        self._loop = None
        self._thread = None

    # Asking and telling.

    def behave(self, prefix, **how):
        if how.get('do') not in DEEDS:
            raise ValueError(f'no such behaviour: {how.get("do")!r}')
        with self._changed:
            self._behaviours[prefix.lower()] = dict(how)

    def forget(self):
        """Back to accepting everything, with no requests and no faults on record."""
        with self._changed:
            self._behaviours.clear()
            self._requests.clear()
            self._faults.clear()
            self._cancelled.clear()

    def requests(self, prefix=''):
        with self._changed:
            return [r for r in self._requests if r['device'].lower().startswith(prefix.lower())]

    def faults(self):
        """What a real provider might have tolerated and we do not want to see."""
        with self._changed:
            return list(self._faults)

    def wait_requests(self, count, prefix='', timeout=30.0):
        """The requests, as soon as there are `count` of them; TimeoutError with what there was otherwise."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [r for r in self._requests if r['device'].lower().startswith(prefix.lower())]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f'the provider saw {len(found)} of {count} requests for {prefix[:8]}… within {timeout:g} s')
                self._changed.wait(left)

    def drop_connections(self):
        """A TCP reset on every connection that is open now."""
        def drop():
            for connection in list(self.connections):
                connection.cut()
        self._loop.call_soon_threadsafe(drop)

    # Called by the connections, in the loop's thread.

    def take_behaviour(self, device):
        with self._changed:
            matching = [p for p in self._behaviours if device.lower().startswith(p)]
            if not matching:
                return ACCEPT
            prefix = max(matching, key=len)
            how = self._behaviours[prefix]
            if 'times' in how:
                how['times'] -= 1
                if how['times'] <= 0:
                    del self._behaviours[prefix]
            return how

    def record(self, request):
        if self._log:
            self._log.write(json.dumps(request) + '\n')
            self._log.flush()
        if self._follow:
            self._follow(request)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def note_fault(self, connection, words):
        with self._changed:
            self._faults.append(f'connection {connection}: {words}')

    def note_cancelled(self, connection, stream):
        with self._changed:
            self._cancelled.append((connection, stream))

    # Life.

    def __enter__(self):
        make_certificates(self.directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(os.path.join(self.directory, 'server.pem'), os.path.join(self.directory, 'server.key'))
        context.set_alpn_protocols(self.rules.alpn)
        if getattr(self.rules, 'clients_under', None):
            context.load_verify_locations(self.rules.clients_under)
            context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = self._check_name
        started = threading.Event()
        trouble = []

        def run():
            try:
                asyncio.run(self._serve(context, started))
            except OSError as error:
                trouble.append(error)
                started.set()

        self._thread = threading.Thread(target=run, name='provider', daemon=True)
        self._thread.start()
        started.wait()
        if trouble:
            raise trouble[0]
        return self

    def _check_name(self, _socket, name, _context):
        if name is not None and name not in NAMES:
            self.note_fault(0, f'server name {name!r} in the TLS handshake')
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    async def _serve(self, context, started):
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        # A handshake that fails is the client's affair (and sometimes the test): no traceback for it.
        self._loop.set_exception_handler(lambda _loop, words: self.note_fault(0, str(words.get('exception') or words['message'])))
        server = await self._loop.create_server(lambda: Chooser(self), self.address, self.port, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stopped.wait()
        server.close()
        for connection in list(self.connections):
            connection.transport.abort()

    def __exit__(self, *_):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(5)
        if self._log:
            self._log.close()


# --- the command ---------------------------------------------------------------------------------

def control_answer(standin, command):
    deed = command.get('do')
    if deed == 'behave':
        standin.behave(command['prefix'], **command['how'])
    elif deed == 'requests':
        return {'requests': standin.requests(command.get('device', ''))}
    elif deed == 'faults':
        return {'faults': standin.faults()}
    elif deed == 'subscribe':
        made = standin.rules.subscribe(command.get('name', 'browser'), f'https://localhost:{standin.port}', command.get('key', ''))
        return {'subscription': made.words}
    elif deed == 'forget':
        standin.forget()
    elif deed != 'stop':
        raise ValueError(f'no such command: {deed!r}')
    return {'ok': True}


def serve_control(listener, standin, stop):
    """One line in, one line out; one client at a time is all a test needs."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, client.makefile('r', encoding='utf-8') as lines:
            for line in lines:
                try:
                    command = json.loads(line)
                    answer = control_answer(standin, command)
                except (ValueError, KeyError, TypeError) as error:
                    command, answer = {}, {'error': str(error)}
                client.sendall(json.dumps(answer).encode() + b'\n')
                if command.get('do') == 'stop':
                    stop.set()
                    return


def make_apns(options):
    key_path = options.key or make_provider_key(options.directory, options.key_id)
    with open(key_path, 'rb') as file:
        public_key = apns_rules.load_public_key(file.read())
    return apns_rules.Rules(options.team_id, options.key_id, public_key, options.topic or ['org.example.siskin']), key_path


def make_fcm(options):
    if not os.path.exists(options.fcm):
        make_service_account(options.fcm, options.project)
    with open(options.fcm, encoding='utf-8') as file:
        return fcm_rules.Rules(file.read()), options.fcm


def main():
    arguments = argparse.ArgumentParser(description='A strict stand-in for the APNs provider API, or for FCM HTTP v1, on loopback.')
    arguments.add_argument('--directory', required=True, help='where ca.pem and the server certificate are made')
    arguments.add_argument('--key', help='the provider key (.p8 or its public half); default: one is made in the directory')
    arguments.add_argument('--key-id', default='ABC123DEFG')
    arguments.add_argument('--team-id', default='DEF123GHIJ')
    arguments.add_argument('--topic', action='append', help='bundle id, may repeat (default org.example.siskin)')
    arguments.add_argument('--fcm', metavar='JSON', help='be Google\'s services, for this service account; it is made where there is none')
    arguments.add_argument('--project', default='chat-example', help='of a service account that is made')
    arguments.add_argument('--web-push', action='store_true', help='be the push service of a browser')
    arguments.add_argument('--http1', action='store_true', help='with --web-push: without HTTP/2, as many services are')
    arguments.add_argument('--address', default='127.0.0.1')
    arguments.add_argument('--port', type=int, default=0)
    arguments.add_argument('--log', help='JSON-lines file of all requests')
    arguments.add_argument('--follow', action='store_true', help='print each request as one JSON line')
    arguments.add_argument('--follow-stdin', action='store_true', help='stop when standard input ends')
    options = arguments.parse_args()
    try:
        if options.web_push:
            rules, key_path = webpush_rules.Rules(options.http1), ''
        else:
            rules, key_path = make_fcm(options) if options.fcm else make_apns(options)
    except (OSError, ValueError) as error:
        sys.exit(f'provider_standin: {error}')

    def say(words):
        print(json.dumps(words), flush=True)

    follow = (lambda request: say({'event': 'request', **request})) if options.follow else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        standin = Standin(options.directory, rules, options.address, options.port, options.log, follow=follow)
        with standin, socket.create_server(('127.0.0.1', 0)) as listener:
            threading.Thread(target=serve_control, args=(listener, standin, stop), daemon=True).start()
            if options.follow_stdin:
                threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
            say({'event': 'listening', 'port': standin.port, 'control': listener.getsockname()[1], 'ca': standin.ca_file,
                 'key': key_path})
            stop.wait()
    except OSError as error:
        sys.exit(f'provider_standin: {error}')


if __name__ == '__main__':
    main()
