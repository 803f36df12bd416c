"""One connection of the provider stand-in, HTTP/2 or HTTP/1.1, and what it can be told to do wrong."""
import asyncio
import email.utils
import socket
import struct
import time
import uuid

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame
from standin_keys import ADDRESSES, NAMES

# As seen in a log of Apple's service: small header list. How many streams at first, the rules say.
FIRST_SETTINGS = {
    h2.settings.SettingCodes.HEADER_TABLE_SIZE: 4096,
    h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65535,
    h2.settings.SettingCodes.MAX_FRAME_SIZE: 16384,
    h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 8000,
}

ACCEPT = {'do': 'accept'}
UNREGISTERED = {'do': 'answer', 'reason': 'UNREGISTERED'}  # FCM's GONE
GONE = {'do': 'answer', 'status': 410, 'reason': 'Unregistered'}
BAD_TOKEN = {'do': 'answer', 'status': 400, 'reason': 'BadDeviceToken'}
TOO_MANY = {'do': 'answer', 'status': 429, 'reason': 'TooManyRequests'}
BROKEN = {'do': 'answer', 'status': 500, 'reason': 'InternalServerError'}
UNAVAILABLE = {'do': 'answer', 'status': 503, 'reason': 'ServiceUnavailable'}
SILENCE = {'do': 'silence'}
REFUSE = {'do': 'refuse'}
RST = {'do': 'rst'}
RESET = {'do': 'reset'}
GOAWAY = {'do': 'goaway', 'processed': True}
GOAWAY_UNPROCESSED = {'do': 'goaway', 'processed': False}
DEEDS = ('accept', 'answer', 'delay', 'silence', 'goaway', 'refuse', 'rst', 'reset')


class Connection(asyncio.Protocol):
    """What both have in common: a request is judged, put on record and answered. Lives in the stand-in's event loop."""
    count = 0
    transport = None

    def __init__(self, standin):
        Connection.count += 1
        self.number = Connection.count
        self.standin = standin
        self.jwt = ''
        self.jwt_since = 0.0

    def fault(self, words):
        self.standin.note_fault(self.number, words)

    def connection_made(self, transport):
        self.transport = transport
        self.standin.connections.add(self)

    def connection_lost(self, error):
        self.standin.connections.discard(self)

    def trust(self):
        pass

    def judge(self, headers, body, now):
        if not getattr(self.standin.rules, 'clients_under', None):
            return self.standin.rules.judge(headers, body, now)
        shown = self.transport.get_extra_info('ssl_object').getpeercert(binary_form=True)
        if shown:
            self.trust()
        return self.standin.rules.judge(headers, body, now, shown or b'')

    def hear(self, stream, headers, body, never_indexed=()):
        """Judges a request, tells what to do with it and what to answer. Headers are texts, with HTTP/2's pseudo-headers."""
        now = time.time()
        answer, device, jwt = self.judge(headers, body, now)
        plain = getattr(answer, 'plain', None)
        answer = self.judge_connection(headers, jwt, answer, now)
        how = self.standin.take_behaviour(device) if answer.status // 100 == 2 else ACCEPT
        if how['do'] == 'answer':
            answer = self.standin.rules.answer(how, now)
        self.standin.record({
            'time': now, 'connection': self.number, 'stream': stream, 'device': device, 'headers': headers,
            'never_indexed': list(never_indexed), 'body': body.decode('utf-8', 'replace'), 'plain': plain, 'did': how['do'],
            'status': answer.status, 'reason': answer.reason, 'why': answer.why,
        })
        return how, answer

    def judge_connection(self, headers, jwt, answer, now):
        fields = dict(headers)
        authority = fields.get(':authority') or fields.get('host', '')
        host = authority.rsplit(':', 1)[0] if authority.rstrip('0123456789').endswith(':') else authority
        if host.strip('[]') not in NAMES + ADDRESSES:
            self.fault(f':authority is {authority!r}')
        for name in fields.keys() - self.standin.rules.known_headers:
            self.fault(f'unknown header {name!r}')
        return self.standin.rules.connection_rules(self, headers, jwt, answer, now)

    def cut(self):
        """A TCP reset."""
        self.transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.transport.abort()


class Chooser(asyncio.Protocol):
    """Becomes what ALPN agreed on."""

    def __init__(self, standin):
        self.standin = standin

    def connection_made(self, transport):
        protocol = transport.get_extra_info('ssl_object').selected_alpn_protocol()
        one = protocol != 'h2' and 'http/1.1' in self.standin.rules.alpn
        chosen = (Http1Connection if one else Http2Connection)(self.standin)
        transport.set_protocol(chosen)
        chosen.connection_made(transport)


class Http1Connection(Connection):
    """HTTP/1.1 as our client writes it: a request at a time, its length said, nothing else."""

    def __init__(self, standin):
        super().__init__(standin)
        self.pending = b''
        self.requests = 0
        self.busy = False

    def data_received(self, data):
        self.pending += data
        if self.busy:
            self.fault('a request before the last one was answered')
        self.work()

    def work(self):
        head, end, rest = self.pending.partition(b'\r\n\r\n')
        if self.busy or not end:
            return
        try:
            first, *lines = head.decode('ascii').split('\r\n')
            method, path, version = first.split(' ')
            headers = [(name.lower(), value.strip()) for name, value in (line.split(':', 1) for line in lines)]
            fields = dict(headers)
            size = int(fields['content-length'])
            if version != 'HTTP/1.1' or 'host' not in fields or 'transfer-encoding' in fields or len(fields) != len(headers):
                raise ValueError('version, host or length')
        except (ValueError, KeyError) as trouble:
            self.fault(f'not a request: {trouble!r}')
            self.transport.abort()
            return
        if len(rest) < size:
            return
        body, self.pending, self.busy = rest[:size], rest[size:], True
        self.requests += 1
        pseudo = [(':method', method), (':scheme', 'https'), (':path', path), (':authority', fields['host'])]
        how, answer = self.hear(self.requests, pseudo + headers, body)
        self.perform(how, answer)

    def perform(self, how, answer):
        deed = how['do']
        if deed == 'silence':
            return
        if deed == 'delay':
            asyncio.get_running_loop().call_later(how['seconds'], self.answer, answer, False)
        elif deed in ('accept', 'answer') or deed == 'goaway' and how.get('processed'):
            self.answer(answer, deed == 'goaway')
        else:
            self.cut()

    def answer(self, answer, last):
        if self.transport.is_closing():
            return
        headers = [('Date', email.utils.formatdate(usegmt=True)), *answer.headers, ('Content-Length', str(len(answer.body)))]
        if last:
            headers.append(('Connection', 'close'))
        lines = [f'HTTP/1.1 {answer.status} Words', *(f'{name}: {value}' for name, value in headers), '', '']
        self.transport.write('\r\n'.join(lines).encode() + answer.body)
        self.busy = False
        if last:
            self.transport.close()
        else:
            self.work()


class Http2Connection(Connection):
    def __init__(self, standin):
        super().__init__(standin)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values={
            **FIRST_SETTINGS, h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: standin.rules.first_streams})
        self.streams = {}  # stream id -> [headers, body]
        self.trusted = False
        self.last_stream = None  # after a GOAWAY: streams above are not ours any more

    def connection_made(self, transport):
        super().connection_made(transport)
        tls = transport.get_extra_info('ssl_object')
        if tls.selected_alpn_protocol() != 'h2':
            self.fault('ALPN h2 was not offered')
            transport.abort()
            return
        cipher = tls.cipher()[0]
        if not (cipher.startswith('TLS_') or (cipher.startswith('ECDHE') and ('GCM' in cipher or 'CHACHA20' in cipher))):
            self.fault(f'cipher suite {cipher} is forbidden by RFC 9113 section 9.2.2')
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.TooManyStreamsError:
            self.fault('more streams at once than MAX_CONCURRENT_STREAMS')
            self.goaway(max(self.streams, default=0), h2.errors.ErrorCodes.REFUSED_STREAM,
                        b'Maximum active streams violated for this endpoint.')
            self.transport.close()
            return
        except h2.exceptions.ProtocolError as error:
            self.fault(f'protocol error: {type(error).__name__} {error}')
            self.flush()
            self.transport.close()
            return
        for event in events:
            self.handle(event)
        self.flush()

    def handle(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = [event.headers, bytearray()]
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.streams[event.stream_id][1] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            self.request(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.streams.pop(event.stream_id, None)
            self.standin.note_cancelled(self.number, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.fault('trailers in a request')

    def request(self, stream):
        if self.last_stream is not None and stream > self.last_stream:
            return  # was on its way when we said GOAWAY: the client must send it elsewhere
        headers, body = self.streams[stream]
        try:
            texts = [(name.decode('ascii'), value.decode('utf-8')) for name, value in headers]
        except UnicodeDecodeError:
            self.fault('a header is not text')
            self.h2.reset_stream(stream, h2.errors.ErrorCodes.PROTOCOL_ERROR)
            return
        never = [n.decode('ascii') for n, *_ in (h for h in headers if type(h).__name__ == 'NeverIndexedHeaderTuple')]
        how, answer = self.hear(stream, texts, bytes(body), never)
        self.perform(stream, how, answer, dict(texts).get('apns-id'))

    def trust(self):
        if not self.trusted:
            self.trusted = True
            self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.standin.streams_max})

    def perform(self, stream, how, answer, apns_id):
        deed = how['do']
        if deed == 'silence':
            return
        if deed == 'delay':
            asyncio.get_running_loop().call_later(how['seconds'], self.answer_late, stream, answer, apns_id)
        elif deed == 'refuse' or deed == 'rst':
            codes = h2.errors.ErrorCodes
            self.h2.reset_stream(stream, codes.REFUSED_STREAM if deed == 'refuse' else codes.INTERNAL_ERROR)
            self.streams.pop(stream, None)
        elif deed == 'reset':
            self.cut()
        elif deed == 'goaway' and not how.get('processed'):
            self.goaway(stream - 2 if stream > 1 else 0)
            self.transport.close()
        else:
            if deed == 'goaway':
                self.goaway(stream)
            self.answer(stream, answer, apns_id)
            if deed == 'goaway':
                self.transport.close()

    def answer_late(self, stream, answer, apns_id):
        if stream in self.streams and not self.transport.is_closing():
            self.answer(stream, answer, apns_id)

    def answer(self, stream, answer, apns_id):
        headers = [(':status', str(answer.status)), ('date', email.utils.formatdate(usegmt=True)), *answer.headers]
        if self.standin.rules.first_streams == 1:
            headers.append(('apns-id', apns_id or str(uuid.uuid4())))
        self.h2.send_headers(stream, headers, end_stream=not answer.body)
        if answer.body:
            self.h2.send_data(stream, answer.body, end_stream=True)
        self.streams.pop(stream, None)
        self.flush()

    def goaway(self, last_stream, code=h2.errors.ErrorCodes.NO_ERROR, words=b'{"reason":"Shutdown"}'):
        """By hand: h2 refuses to answer what is open after a GOAWAY of its own."""
        self.flush()
        self.last_stream = last_stream
        self.transport.write(GoAwayFrame(0, last_stream_id=last_stream, error_code=int(code), additional_data=words).serialize())
