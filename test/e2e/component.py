"""A component of our own that answers publishes as it is told: what do the servers do with each of our replies?

It stands in the gateway's place, so these checks need no gateway; they prove the facts about Prosody and ejabberd that the
gateway's choice of replies rests on.
"""
import asyncio
from xml.sax.saxutils import quoteattr

import clients  # first: it quiets slixmpp before it is loaded
import lab
import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

PUBSUB = 'http://jabber.org/protocol/pubsub'


class Scripted:
    """`async with Scripted(server) as component`; publishes are counted per node and answered by `replies[node]`.

    A reply is None (result) or (type, condition).
    """

    def __init__(self, server):
        self.server = server
        self.replies = {}
        self.publishes = {}  # node -> list of stanza texts
        self._changed = asyncio.Condition()

    async def __aenter__(self):
        component = slixmpp.ComponentXMPP(lab.COMPONENT, self.server.secret, '127.0.0.1', self.server.component_port)
        component.register_handler(Callback(
            'publish', MatchXPath(f'{{jabber:component:accept}}iq/{{{PUBSUB}}}pubsub/{{{PUBSUB}}}publish'), self._publish))
        started = asyncio.get_running_loop().create_future()
        component.add_event_handler('session_start', lambda _: started.done() or started.set_result(None))
        component.connect()
        self.component = component
        await asyncio.wait_for(started, 30)
        return self

    async def __aexit__(self, *_):
        await clients.leave(self.component)

    def _publish(self, iq):
        node = iq.xml.find(f'.//{{{PUBSUB}}}publish').get('node')
        reply = self.replies.get(node)
        # By hand: slixmpp puts <error/> into jabber:client, which Prosody does not read on a component's stream and counts as fatal.
        head = f'<iq id={quoteattr(iq["id"])} from={quoteattr(str(iq["to"]))} to={quoteattr(str(iq["from"]))}'
        if reply is None:
            self.component.send_raw(f"{head} type='result'/>")
        else:
            self.component.send_raw(f"{head} type='error'><error type='{reply[0]}'>"
                                    f"<{reply[1]} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
        self.publishes.setdefault(node, []).append(str(iq))
        asyncio.ensure_future(self._notify())

    async def _notify(self):
        async with self._changed:
            self._changed.notify_all()

    def count(self, node):
        return len(self.publishes.get(node, []))

    async def wait_count(self, node, count, timeout=30.0):
        async def enough():
            async with self._changed:
                await self._changed.wait_for(lambda: self.count(node) >= count)
        try:
            await asyncio.wait_for(enough(), timeout)
        except asyncio.TimeoutError:
            raise lab.LabError(f'{self.server.kind} published {self.count(node)} of {count} times to {node} within {timeout:g} s') from None
