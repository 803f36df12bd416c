"""The XMPP server's side of one component stream (XEP-0114), over loopback and nothing more: for checks that want thousands of
stanzas and hundreds of reconnects, and no server behind them.

    with TinyServer('push.example.org', 'change-me') as server:
        …start the gateway with server.port…
        server.accept()
        iq = server.ask(register('ann@example.org/phone', token))
"""
import hashlib
import select
import socket
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

COMPONENT = '{jabber:component:accept}'
DATA = '{jabber:x:data}'
PROVIDER = 'tigase:messenger:apns:1'


class Gone(Exception):
    """The gateway's stream ended."""


def command(node, sender, token):
    fields = ''.join(f"<field var='{name}'><value>{value}</value></field>" for name, value in
                     (('provider', PROVIDER), ('device-token', token)))
    return sender, (f"<command xmlns='http://jabber.org/protocol/commands' node='{node}' action='execute'>"
                    f"<x xmlns='jabber:x:data' type='submit'>{fields}</x></command>")


def register(sender, token):
    return command('register-device', sender, token)


def unregister(sender, token):
    return command('unregister-device', sender, token)


def publish(sender, node):
    return sender, ("<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                    f"<publish node={quoteattr(node)}><item><notification xmlns='urn:xmpp:push:0'><x type='submit' xmlns='jabber:x:data'>"
                    "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
                    "<field var='message-count'><value>1</value></field><field var='last-message-body'><value>New message</value></field>"
                    "</x></notification></item></publish></pubsub>")


def node_of(iq):
    """The node that a registration was answered with; None if it was refused."""
    for field in iq.iter(DATA + 'field'):
        if field.get('var') == 'node':
            return field.findtext(DATA + 'value')
    return None


def refusal_of(iq):
    """('wait', 'service-unavailable'); None for a result."""
    error = iq.find(COMPONENT + 'error')
    if iq.get('type') != 'error' or error is None:
        return None
    return error.get('type'), error[0].tag.partition('}')[2]


class TinyServer:
    def __init__(self, domain, secret):
        self.domain, self.secret = domain, secret
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.connection = None
        self.asked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()
        self.listener.close()

    def drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def accept(self, within=15.0):
        """Lets the component in: returns when its handshake was right and answered."""
        self.drop()
        if not select.select([self.listener], [], [], within)[0]:
            raise Gone(f'no connection within {within:g} s')
        self.connection, _ = self.listener.accept()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parser = ET.XMLPullParser(['start', 'end'])
        self.depth = 0
        self.found = []
        self.connection.sendall(b"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
                                b"xmlns:stream='http://etherx.jabber.org/streams' id='one' from='" + self.domain.encode() + b"'>")
        right = hashlib.sha1(('one' + self.secret).encode()).hexdigest()
        handshake = self.stanza(within)
        if handshake.tag != COMPONENT + 'handshake' or handshake.text != right:
            raise Gone(f'a wrong handshake: {ET.tostring(handshake)}')
        self.connection.sendall(b'<handshake/>')

    def stanza(self, within=10.0):
        """The next one; pings are answered on the way. Gone when there will be none, TimeoutError when none comes."""
        until = time.monotonic() + within
        while True:
            while not self.found:
                left = until - time.monotonic()
                if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                    raise TimeoutError(f'no stanza within {within:g} s')
                self.read()
            stanza = self.found.pop(0)
            if stanza.find('{urn:xmpp:ping}ping') is None:
                return stanza
            self.connection.sendall((f"<iq type='result' from={quoteattr(stanza.get('to'))} to={quoteattr(stanza.get('from'))} "
                                     f"id={quoteattr(stanza.get('id'))}/>").encode())

    def read(self):
        try:
            data = self.connection.recv(65536)
        except ConnectionError:
            data = b''
        if not data:
            raise Gone('the stream ended')
        self.parser.feed(data)
        for event, element in self.parser.read_events():
            self.depth += 1 if event == 'start' else -1
            if event == 'end' and self.depth == 1:
                self.found.append(element)

    def send(self, stanza):
        """Asks; the id under which it will be answered."""
        sender, payload = stanza
        self.asked += 1
        name = f'q{self.asked}'
        try:
            self.connection.sendall(f"<iq type='set' id='{name}' from={quoteattr(sender)} to='{self.domain}'>{payload}</iq>".encode())
        except ConnectionError:
            raise Gone('the stream ended') from None
        return name

    def ask(self, stanza, within=10.0):
        """The answer to it; nothing else may be on its way."""
        name = self.send(stanza)
        answer = self.stanza(within)
        if answer.get('id') != name:
            raise Gone(f'an answer to something else: {ET.tostring(answer)}')
        return answer

    def rest(self):
        """What was sent before the other side died: what is on the way still counts."""
        found = []
        try:
            while True:
                found.append(self.stanza(10.0))
        except Gone:
            return found
