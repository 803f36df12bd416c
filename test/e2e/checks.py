"""What the stories are written with: registering one, expecting, waiting beside the XMPP clients.

`@story(sentence)` registers a check; `needs='server'` marks those that get by without the gateway.  They run in the order in which
their files are imported and stand there.
"""
import lab
from world import in_thread

STORIES = []


class Failed(AssertionError):
    pass


class Skipped(Exception):
    """What the story needs is not here; says so."""


def story(sentence, needs='gateway'):
    def register(function):
        STORIES.append((sentence, needs, function))
        return function
    return register


def expect(condition, words):
    if not condition:
        raise Failed(words)


def same(got, wanted, what):
    expect(got == wanted, f'{what}: got {got!r}, wanted {wanted!r}')


async def said(gateway, name, mark=0, **more):
    """The newest log event of this name, as soon as it is there."""
    return await in_thread(lambda: gateway.wait_event(name, mark, **more))


async def until(what, condition, timeout=30.0):
    return await in_thread(lambda: lab.wait_for(what, condition, timeout))
