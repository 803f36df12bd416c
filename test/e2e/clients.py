"""XMPP users with the habits of real clients, on unmodified slixmpp.

Every wait has a deadline.  `register_device` and `enable` write the stanzas as Siskin IM does, byte for byte where it matters:
a command without action and session, a form without FORM_TYPE, an enable without publish options.
"""
import asyncio
import contextlib
import inspect
import json
import logging
import xml.etree.ElementTree as ET

logging.getLogger('slixmpp').setLevel(logging.CRITICAL)  # before the import: it warns about a slower stringprep

import slixmpp  # noqa: E402
from slixmpp.exceptions import IqError, IqTimeout  # noqa: E402

import lab  # noqa: E402

COMMANDS = 'http://jabber.org/protocol/commands'
DATA = 'jabber:x:data'
PUSH = 'urn:xmpp:push:0'
INFO = 'http://jabber.org/protocol/disco#info'
ITEMS = 'http://jabber.org/protocol/disco#items'
CLIENT = 'jabber:client'
PROVIDER = 'tigase:messenger:apns:1'
FCM_PROVIDER = 'fcm-xmpp-api'  # as Stork names it
MODULE = 'monalProdiOS'  # as Monal names it
PATIENCE = 30.0  # two cores may be building something else meanwhile


def element(text):
    """Element from text; single quotes and defaults keep the stories readable."""
    return ET.fromstring(text)


def field(form, name):
    """The first value of a field, None without it."""
    found = form.find(f".//{{{DATA}}}field[@var='{name}']/{{{DATA}}}value") if form is not None else None
    return found.text if found is not None else None


def failure(error):
    """(type, condition) of an IqError, ('timeout', '') of an IqTimeout."""
    if isinstance(error, IqTimeout):
        return 'timeout', ''
    return error.iq['error']['type'], error.iq['error']['condition']


def submit(fields):
    return f"<x xmlns='{DATA}' type='submit'>" + ''.join(
        f"<field var='{name}' type='text-single'><value>{value}</value></field>" for name, value in fields) + '</x>'


def connect_plainly(client, port):
    """Clear text on loopback; slixmpp renamed its switches between Debian 12 and 13."""
    if 'disable_starttls' in inspect.signature(client.connect).parameters:
        client.connect(('127.0.0.1', port), use_ssl=False, force_starttls=False, disable_starttls=True)
    else:
        client.enable_direct_tls = client.enable_starttls = False
        client.enable_plaintext = True
        client.connect('127.0.0.1', port)


async def leave(client):
    """Ends the stream in order and waits until the server has closed it, too."""
    gone = asyncio.get_running_loop().create_future()
    client.add_event_handler('disconnected', lambda _: gone.done() or gone.set_result(None))
    client.disconnect()
    try:
        await asyncio.wait_for(gone, PATIENCE)
    except asyncio.TimeoutError:
        client.abort()
    for task in (getattr(client, '_run_out_filters', None), getattr(client, '_slow_tasks', None)):
        if isinstance(task, asyncio.Task):  # slixmpp leaves it behind
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class User:
    """One device of one account. `async with User(server, 'bob') as bob` is online inside."""

    def __init__(self, server, name, resource='phone', smacks=False):
        self.server = server
        self.name = name
        self.jid = f'{name}@{lab.DOMAIN}'
        self.resource = resource
        self.smacks = smacks
        self.client = None
        self.bodies = None

    async def online(self):
        client = slixmpp.ClientXMPP(f'{self.jid}/{self.resource}', f'pw-{self.name}',
                                    plugin_config={'feature_mechanisms': {'unencrypted_plain': True, 'unencrypted_scram': True}})
        for plugin in ('xep_0004', 'xep_0030', 'xep_0050') + (('xep_0198',) if self.smacks else ()):
            client.register_plugin(plugin)
        started = asyncio.get_running_loop().create_future()
        self.bodies = asyncio.Queue()
        client.add_event_handler('session_start', lambda _: started.done() or started.set_result(None))
        client.add_event_handler('failed_all_auth', lambda _: started.done() or started.set_exception(
            lab.LabError(f'{self.server.kind} does not let {self.jid} in')))
        client.add_event_handler('message', lambda message: self.bodies.put_nowait(message['body']))
        connect_plainly(client, self.server.c2s_port)
        self.client = client
        try:
            await asyncio.wait_for(started, PATIENCE)
        except asyncio.TimeoutError:
            client.abort()
            raise lab.LabError(f'{self.jid} could not log in at {self.server.kind} within {PATIENCE:g} s') from None
        client.send_presence()
        return self

    async def offline(self):
        """Logs out in order and waits until the server has closed the stream: from then on messages are stored."""
        client, self.client = self.client, None
        if client is None:
            return
        client.send_presence(ptype='unavailable')
        await leave(client)

    async def __aenter__(self):
        return await self.online()

    async def __aexit__(self, *_):
        await self.offline()

    async def ask(self, kind, payload, to=lab.COMPONENT):
        """One IQ; the payload of the answer or IqError."""
        iq = self.client.make_iq_get() if kind == 'get' else self.client.make_iq_set()
        if to:
            iq['to'] = to
        iq.append(element(payload))
        answer = await iq.send(timeout=PATIENCE)
        children = list(answer.xml)
        return children[0] if children else None

    # Discovery.

    async def disco_info(self, to=lab.COMPONENT):
        """(set of 'category/type', set of features)"""
        query = await self.ask('get', f"<query xmlns='{INFO}'/>", to)
        identities = {f"{i.get('category')}/{i.get('type')}" for i in query.findall(f'{{{INFO}}}identity')}
        return identities, {f.get('var') for f in query.findall(f'{{{INFO}}}feature')}

    async def disco_items(self, to=lab.COMPONENT, node=None):
        """Set of (jid, node)."""
        query = await self.ask('get', f"<query xmlns='{ITEMS}'" + (f" node='{node}'" if node else '') + '/>', to)
        return {(i.get('jid'), i.get('node')) for i in query.findall(f'{{{ITEMS}}}item')}

    # Registration at the gateway.

    async def command(self, node, fields=(), attributes=''):
        return await self.ask('set', f"<command xmlns='{COMMANDS}' node='{node}' {attributes}>"
                              + (submit(fields) if fields else '') + '</command>')

    async def register_device(self, token, provider=PROVIDER, second=None):
        """One step, as Siskin does it. Returns the <command/> of the answer; `field(answer, 'node')` is what enable needs."""
        fields = [('provider', provider), ('device-token', token)] + ([('device-second-token', second)] if second else [])
        return await self.command('register-device', fields)

    async def register_in_two_steps(self, token, provider=PROVIDER):
        """Asks for the form, fills it in. Returns (form, answer)."""
        form = await self.command('register-device', attributes="action='execute'")
        session = form.get('sessionid')
        answer = await self.command('register-device', [('provider', provider), ('device-token', token)],
                                    f"action='complete' sessionid='{session}'")
        return form, answer

    async def register_by_library(self, token, provider=PROVIDER):
        """Through slixmpp's own ad-hoc plugin. Returns the node."""
        outcome = asyncio.get_running_loop().create_future()
        adhoc = self.client['xep_0050']

        def done(iq, _session):
            if not outcome.done():
                outcome.set_result(iq['command']['form'].get_values().get('node'))

        def failed(iq, _session):
            if not outcome.done():
                outcome.set_exception(lab.LabError(f"the command was answered with {iq['error']['condition']}"))

        def fill(iq, session):
            form = self.client['xep_0004'].make_form(ftype='submit')
            form.add_field(var='provider', value=provider)
            form.add_field(var='device-token', value=token)
            session['payload'] = form
            session['next'] = done
            adhoc.complete_command(session)

        adhoc.start_command(lab.COMPONENT, 'register-device', {'next': fill, 'error': failed})
        return await asyncio.wait_for(outcome, PATIENCE)

    async def vapid_key(self):
        """What a web client subscribes with: from the form in the component's disco#info."""
        return field(await self.ask('get', f"<query xmlns='{INFO}'/>"), 'vapid-key')

    async def register_web_push(self, subscription):
        """`subscription` is what PushSubscription.toJSON() gives."""
        return await self.register_device(json.dumps(subscription), 'webpush')

    async def register_push_fcm(self, token, device):
        """As Conversations does it. Returns (node, secret)."""
        answer = await self.command('register-push-fcm', [('token', token), ('android-id', device)], "action='execute'")
        return field(answer, 'node'), field(answer, 'secret')

    async def unregister_device(self, token, provider=PROVIDER):
        return await self.command('unregister-device', [('provider', provider), ('device-token', token)])

    # At the user's own server.

    async def enable(self, node, secret=None, extensions='', **more):
        """Each of `more` is a publish option."""
        wanted = {**({} if secret is None else {'secret': secret}), **more}
        options = '' if not wanted else (
            f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
            + ''.join(f"<field var='{name}'><value>{value}</value></field>" for name, value in wanted.items()) + '</x>')
        await self.ask('set', f"<enable xmlns='{PUSH}' jid='{lab.COMPONENT}' node='{node}'>{extensions}{options}</enable>", to=None)

    async def enable_as_siskin(self, node):
        """With everything that Tigase's servers understand; others must ignore it."""
        await self.enable(node, extensions="<ignore-unknown xmlns='tigase:push:filter:ignore-unknown:0'/>"
                          "<groupchat xmlns='tigase:push:filter:groupchat:0'><room jid='tea@muc.example.org' allow='always'/></groupchat>"
                          "<muted xmlns='tigase:push:filter:muted:0'><item jid='bore@example.org'/></muted>"
                          "<priority xmlns='tigase:push:priority:0'/>"
                          "<encrypt xmlns='tigase:push:encrypt:0' alg='aes-128-gcm' max-size='3000'>MDEyMzQ1Njc4OWFiY2RlZg==</encrypt>"
                          "<jingle xmlns='tigase:push:jingle:0'/>")

    async def disable(self, node=None):
        await self.ask('set', f"<disable xmlns='{PUSH}' jid='{lab.COMPONENT}'" + (f" node='{node}'" if node else '') + '/>', to=None)

    # To other users.

    def send_body(self, to, text):
        self.client.send_message(mto=to, mbody=text, mtype='chat')

    def send_payload(self, to, payload):
        message = self.client.make_message(mto=to, mtype='chat')
        message.append(element(payload))
        message.send()

    def send_chat_state(self, to):
        self.send_payload(to, "<composing xmlns='http://jabber.org/protocol/chatstates'/>")

    def send_jingle_propose(self, to, session='call-1'):
        self.send_payload(to, f"<propose xmlns='urn:xmpp:jingle-message:0' id='{session}'>"
                          "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>")


__all__ = ['User', 'IqError', 'IqTimeout', 'field', 'failure', 'PROVIDER', 'FCM_PROVIDER', 'MODULE', 'COMMANDS', 'DATA']
