#!/usr/bin/python3
"""End-to-end checks: real Prosody, real ejabberd, real TLS, a strict provider stand-in, the built binary.

    test/e2e/run.py [--server prosody|ejabberd|both] [--binary build/tocsin] [-k WORDS] [--without-gateway] [--once] [--keep]

One line per check, `ok - …` or `not ok - …` (`again - …` before a second try); the last line counts. Exit status 0 only if all
passed.  Everything runs in a private network namespace where the kernel permits one, in a temporary folder that is removed
(--keep: kept and named).
"""
import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback

import lab

STORY_SECONDS_MAX = 150.0


def arguments():
    parser = argparse.ArgumentParser(description='End-to-end checks against real XMPP servers.')
    parser.add_argument('--server', choices=('prosody', 'ejabberd', 'both'), default='both')
    parser.add_argument('--binary', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build', 'tocsin'))
    parser.add_argument('-k', metavar='WORDS', default='', help='only checks whose sentence or function holds these words')
    parser.add_argument('--without-gateway', action='store_true', help='only what the servers do by themselves')
    parser.add_argument('--once', action='store_true', help='a story that failed is not told again')
    parser.add_argument('--keep', action='store_true', help='keep the logs and say where they are')
    parser.add_argument('--verbose', action='store_true', help='tracebacks and log tails of failures')
    return parser.parse_args()


async def attempt(world, function):
    """Nothing, or the exception by which the story failed."""
    try:
        await asyncio.wait_for(function(world), STORY_SECONDS_MAX)
    except Exception as error:  # a story may fail in any way; the others still run
        return error
    return None


def words_of(error):
    return (str(error) or type(error).__name__).replace('\n', '\n    ')


async def run_world(kind, options, stories, directory):
    """(passed, failed, skipped)

    A story that failed is told once more with users of its own, and that is said: real servers on a busy machine have hiccups
    which are not ours, and one that fails for a reason fails again."""
    from world import World
    from checks import Skipped
    passed = failed = skipped = 0
    with World(directory, lab.SERVERS[kind], os.path.abspath(options.binary)) as world:
        for sentence, _, function in stories:
            start = time.monotonic()
            error = await attempt(world, function)
            if error is not None and not options.once and not isinstance(error, Skipped):
                print(f'again - {kind}: {sentence}\n    {words_of(error)}')
                error = await attempt(world, function)
            if isinstance(error, Skipped):
                skipped += 1
                print(f'SKIPPED - {kind}: {sentence}\n    {words_of(error)}')
            elif error is not None:
                failed += 1
                print(f'not ok - {kind}: {sentence}\n    {words_of(error)}')
                if options.verbose:
                    traceback.print_exception(error)
                    if world.gateway:
                        print('    ' + lab.tail(world.gateway.log_file, 30).replace('\n', '\n    '))
            else:
                passed += 1
                print(f'ok - {kind}: {sentence} ({time.monotonic() - start:.1f} s)')
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            await world.forget_sessions()
    return passed, failed, skipped


def main():
    options = arguments()
    print(f'# {lab.isolate()}', flush=True)  # before any thread
    try:
        import stories_server  # noqa: F401  registers its checks, which come first
        import stories_fcm  # noqa: F401
        import stories_webpush  # noqa: F401
        import stories_together  # noqa: F401
        import stories_unifiedpush  # noqa: F401
        import stories_posts  # noqa: F401
        import stories  # noqa: F401
        from checks import STORIES
    except ImportError as error:
        sys.exit(f'run.py: {error}; `make setup` installs what the checks need')
    chosen = [s for s in STORIES if options.k.lower() in f'{s[0]} {s[2].__name__}'.lower()]
    if options.without_gateway:
        chosen = [s for s in chosen if s[1] == 'server']
    if not chosen:
        sys.exit('run.py: no check has these words')
    if any(s[1] == 'gateway' for s in chosen) and not os.access(options.binary, os.X_OK):
        sys.exit(f'run.py: {os.path.relpath(options.binary)} is not there; `make` builds it')
    passed = failed = skipped = 0
    for kind in ('prosody', 'ejabberd') if options.server == 'both' else (options.server,):
        directory = tempfile.mkdtemp(prefix=f'tocsin-e2e-{kind}-')
        try:
            more = asyncio.run(run_world(kind, options, chosen, directory))
            passed, failed, skipped = passed + more[0], failed + more[1], skipped + more[2]
        except (lab.LabError, OSError) as error:
            failed += 1
            print(f'not ok - {kind}: the laboratory\n    ' + str(error).replace('\n', '\n    '))
        finally:
            if options.keep:
                print(f'# logs of {kind} are in {directory}')
            else:
                shutil.rmtree(directory, ignore_errors=True)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
