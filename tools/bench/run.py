#!/usr/bin/python3
"""The performance and footprint table: `make bench`.

A server stand-in publishes, a provider stand-in answers, both on loopback and on one core; the gateway has the
other. Beside it runs the floor: the same libraries with nothing in between. It only prints; nothing here passes or
fails on a time. Everything it starts it stops, and its folder goes away.

  run.py [BINARY] [--quick] [--only PART,PART] [--callgrind] [--json FILE] [--keep]

Parts: start, idle, latency, load, slow, apple, floor, warn, services, listener, registry.  --callgrind: instructions per notification under
valgrind (repeatable to about 0.1 %) instead of times; with --keep the profiles stay for callgrind_annotate.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from listener_part import ListenerPart  # noqa: E402
from processes import Child, Trouble, cpu_us, memory_kib, peak_rss_kib, pinned, switches  # noqa: E402
from registry_part import RegistryPart  # noqa: E402
from services_part import ServicesPart  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEVICES = 1000
MANY = {'max_inflight': 1024, 'max_pending': 1024}
CORES = sorted(os.sched_getaffinity(0))
GATEWAY_CORE = CORES[0]
OTHERS_CORE = CORES[-1]


class Bench:
    def __init__(self, binary, programs, folder, quick):
        self.binary = binary
        self.programs = programs
        self.folder = folder
        self.quick = quick
        self.children = []
        self.floor = None  # its own server, and itself
        self.figures = {}
        self.troubles = []

    # ---- processes

    def start(self, argv, core, **more):
        child = Child(argv, core, **more)
        self.children.append(child)
        return child

    def stop(self, *children):
        for child in children:
            child.stop()
            self.children.remove(child)

    def stop_all(self):
        self.stop(*reversed(self.children))

    def provider(self, *options):
        child = self.start([self.programs / 'provider', '--files', self.folder, *options], OTHERS_CORE)
        child.port = int(child.line().split()[1])
        return child

    def server(self):
        child = self.start([self.programs / 'server', '--domain', 'push.example.org'], OTHERS_CORE)
        child.port = int(child.line().split()[1])
        return child

    def conf(self, server, provider, limits=None, level='info', log=None, state=None, max_devices=DEVICES):
        state = state or self.folder / 'state'
        state.mkdir(mode=0o700, exist_ok=True)
        lines = ['[xmpp]', f'server = 127.0.0.1:{server.port}', 'domain = push.example.org', 'secret = bench',
                 '[state]', f'directory = {state}', '[registry]', f'max_devices = {max_devices}',
                 '[limits]', 'device_interval = 0', 'domain_interval = 0', *(f'{k} = {v}' for k, v in (limits or {}).items()),
                 '[log]', f'level = {level}', f'to = {log or "stderr"}',
                 '[apns siskin]', 'provider = tigase:messenger:apns:1', 'key = AuthKey_BENCH00001.p8',
                 'team_id = BENCHTEAM1', 'topic = org.example.siskin',
                 f'endpoint = https://127.0.0.1:{provider.port}', 'ca_file = root.pem', '']
        path = self.folder / 'tocsin.conf'
        path.write_text('\n'.join(lines), encoding='ascii')
        path.chmod(0o600)
        return path

    def gateway(self, server, provider, wrapper=(), core=GATEWAY_CORE, **conf):
        return self.start_gateway(self.conf(server, provider, log=self.folder / 'tocsin.log', **conf), server, wrapper, core)

    def start_gateway(self, path, server, wrapper=(), core=GATEWAY_CORE):
        child = self.start([*wrapper, self.binary, '-c', path], core, stderr=subprocess.DEVNULL if wrapper else None)
        server.ask('wait', 120)
        return child

    def trouble(self, sentence):
        self.troubles.append(sentence)
        print('  !', sentence, flush=True)

    # One order to the server, with what the gateway used meanwhile.
    def measure(self, name, server, gateway, order, provider=None):
        if provider:
            provider.ask('stats')
        before = cpu_us(gateway.pid)
        answer = server.ask(order, 60)
        used = cpu_us(gateway.pid) - before
        count = max(answer['results'], 1)
        answer['rate'] = answer['results'] / answer['seconds']
        answer['cpu'] = used / count
        answer['server_cpu'] = answer['cpu_us'] / count
        answer['busy'] = used / 1e4 / answer['seconds']
        if provider:
            seen = provider.ask('stats')
            answer['provider_cpu'] = seen['cpu_us'] / count
            answer['requests'] = seen['requests']
            answer['per_record'] = seen['requests'] / max(seen['records'], 1)
            if seen['requests'] != answer['sent']:
                self.trouble(f'{name}: {answer["sent"]} publishes became {seen["requests"]} requests')
        if gateway.process.poll() is not None:
            raise Trouble(f'{name}: the gateway ended with {gateway.process.returncode}')
        for word in ('errors', 'twice', 'strangers', 'lost'):
            if answer[word]:
                self.trouble(f'{name}: {answer[word]} {word} of {answer["sent"]} {answer["error"]}')
        self.figures[name] = answer
        return answer

    # ---- parts

    def show(self, name, answer, more):
        print(f'  {name:<34} {answer["rate"]:>9,.0f} /s  {answer["cpu"]:>6.2f} us CPU  '
              f'p50 {answer["p50_us"] / 1000:>7.3f}  p99 {answer["p99_us"] / 1000:>7.3f}  '
              f'max {answer["max_us"] / 1000:>8.3f} ms  ({more})', flush=True)

    # Machines that are shared with others are slow at times: of several rounds the cheapest counts, and the floor's
    # rounds lie between the gateway's, so that both meet the same neighbours.
    def window(self, name, server, gateway, provider, window, rounds, floor=False):
        floor = floor and self.floor is not None
        order = f'window {window} 4000000 1'
        answers, floors = [], []
        for _ in range(1 if self.quick else rounds):
            answers.append(self.measure(name, server, gateway, order, provider))
            if floor:
                floors.append(self.measure(f'floor: {name}', *self.floor, order, provider))
        for label, all_of in ((name, answers), (f'floor: {name}', floors)):
            if not all_of:
                continue
            best = dict(min(all_of, key=lambda a: a['cpu']))
            best['rate'] = max(a['rate'] for a in all_of)
            self.figures[label] = best
            self.show(label, best, f'busy {best["busy"]:.0f} %; server {best["server_cpu"]:.1f}, provider '
                      f'{best["provider_cpu"]:.1f} us; {best["per_record"]:.1f} requests per record')
        if floors:
            ratios = sorted(a['cpu'] / f['cpu'] for a, f in zip(answers, floors))
            self.figures[f'ratio: {name}'] = ratios[len(ratios) // 2]
            print(f'      gateway / floor: {ratios[len(ratios) // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})', flush=True)
        return self.figures[name]

    def rate(self, name, server, gateway, provider, rate, seconds):
        seconds = 1 if self.quick else seconds
        answer = self.measure(name, server, gateway, f'rate {rate} {rate * seconds}', provider)
        self.show(name, answer, f'sender at most {answer["late_us"] / 1000:.3f} ms late')
        return answer

    def enroll(self, server, devices, window=64):
        answer = server.ask(f'register {devices} {window}', 60)
        if answer['registered'] != devices:
            raise Trouble(f'only {answer["registered"]} of {devices} devices were registered ({answer["refused"]} refused)')
        return answer

    def target(self, text, value, shown, good):
        self.figures[text] = value
        print(f'  {text:<34} {shown:<22} {good}', flush=True)

    # The same libraries with nothing in between.
    def start_floor(self, provider, wrapper=()):
        server = self.server()
        floor = self.start([*wrapper, self.programs / 'floor', server.port, provider.port], GATEWAY_CORE)
        floor.line(60)
        server.ask('wait', 60)
        server.ask(f'nodes {DEVICES}')
        server.ask('window 64 1000 60', 90)
        return server, floor

    def binary_size(self):
        stripped = self.folder / 'stripped'
        try:
            subprocess.run(['strip', '-o', stripped, self.binary], check=True)
            self.target('binary, stripped', stripped.stat().st_size, f'{stripped.stat().st_size / 1024:,.0f} KiB', '')
            stripped.unlink()
        except (OSError, subprocess.CalledProcessError):
            print('  binary, stripped                   (no strip here)')

    def plan_total(self, path):
        plan = subprocess.run([self.binary, '-c', path, 'plan', '--json'], capture_output=True, check=False)
        try:
            rows = json.loads(plan.stdout)
            total = rows['total'] if isinstance(rows, dict) and 'total' in rows else sum(
                r['total'] for r in (rows if isinstance(rows, list) else rows['rows']))
        except (ValueError, KeyError, TypeError) as e:
            return self.trouble(f'tocsin plan --json: {e!r}')
        return self.target('plan, total', total, f'{total / 1024:,.0f} KiB', '')

    def ready_time(self, server, provider):
        """From fork to the line `ready`, best and median of seven."""
        path = self.conf(server, provider)
        times = []
        for _ in range(7):
            started = time.monotonic()
            process = subprocess.Popen([self.binary, '-c', path], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       preexec_fn=pinned(GATEWAY_CORE))
            text = b''
            while b'event=ready' not in text:
                part = os.read(process.stderr.fileno(), 65536)
                if not part:
                    process.wait()
                    process.stderr.close()
                    raise Trouble('the gateway did not start: ' + text.decode(errors='replace'))
                text += part
            times.append((time.monotonic() - started) * 1000)
            process.terminate()
            process.stderr.read()
            process.wait()
            process.stderr.close()
        times.sort()
        self.target('start to ready', times[3], f'{times[3]:.1f} ms (best {times[0]:.1f})', '<= 50 ms')

    def idle(self, gateway):
        seconds = 3 if self.quick else 10
        before, cpu = switches(gateway.pid), cpu_us(gateway.pid)
        time.sleep(seconds)
        per_second = (switches(gateway.pid) - before) / seconds
        used = cpu_us(gateway.pid) - cpu
        self.target('wake-ups when idle', per_second, f'{per_second:.2f} /s ({used:.0f} us in {seconds} s)', '< 1 /s')

    def memory(self, name, gateway, target=''):
        use = memory_kib(gateway.pid)
        use['peak'] = peak_rss_kib(gateway.pid)
        self.figures[name] = use
        print(f'  {name:<34} anonymous {use["Anonymous"]:,} KiB, resident {use["Rss"]:,} KiB, at most {use["peak"]:,} KiB   '
              f'{target}', flush=True)
        return use

    def run(self, parts):
        provider = self.provider()
        server = self.server()
        print('Footprint and start (default limits)')
        gateway = None
        if 'floor' in parts:
            self.floor = self.start_floor(provider)
        if 'start' in parts:
            self.binary_size()
            self.plan_total(self.conf(server, provider))
        if parts & {'start', 'idle', 'latency'}:
            gateway = self.gateway(server, provider)
            enrolled = self.enroll(server, DEVICES)
            pace = DEVICES / enrolled['seconds']
            self.target('registrations', pace, f'{pace:,.0f} /s', '(64 at a time, answered when synced)')
            server.ask('window 1 1 5')  # opens the connection to the provider
        if 'start' in parts:
            self.stop(gateway)
            self.ready_time(server, provider)
            gateway = self.gateway(server, provider)
            self.enroll(server, DEVICES)
            self.stop(gateway)
            gateway = self.gateway(server, provider)
            server.ask('window 1 1 5')
            self.memory('at rest, one connection, one root', gateway, 'anonymous < 2,560 KiB')
        if 'idle' in parts:
            self.idle(gateway)
        if 'latency' in parts:
            print('Default limits (64 in flight), log info to a file; latency as the server sees it')
            self.window('window 1', server, gateway, provider, 1, 2, floor=True)
            self.rate('100 a second', server, gateway, provider, 100, 5)
            answer = self.rate('1,000 a second', server, gateway, provider, 1000, 5)
            if self.floor:
                self.rate('floor: 1,000 a second', *self.floor, provider, 1000, 3)
            print(f'      p99 {answer["p99_us"] / 1000:.3f} ms, wanted < 1.5 ms')
            self.window('window 64', server, gateway, provider, 64, 3)
            self.memory('after load', gateway)
        if gateway:
            self.stop(gateway)
        if parts & {'load', 'slow'}:
            print('1,024 in flight, log info to a file')
            gateway = self.gateway(server, provider, limits=MANY)
            self.enroll(server, DEVICES)
            server.ask('window 64 1000 5')
            if 'load' in parts:
                self.window('1,024: window 64', server, gateway, provider, 64, 3, floor=True)
                answer = self.window('window 1000', server, gateway, provider, 1000, 5, floor=True)
                print(f'      wanted <= 18 us CPU and >= 50,000 /s: {answer["cpu"]:.2f} us, {answer["rate"]:,.0f} /s')
            if 'slow' in parts:
                provider.ask('delay 50')
                answer = self.window('50 ms provider, window 1000', server, gateway, provider, 1000, 3)
                provider.ask('delay 0')
                print(f'      wanted >= 15,000 /s: {answer["rate"]:,.0f} /s')
            self.memory('after load, 1,024 in flight', gateway)
            self.stop(gateway)
        if 'warn' in parts:
            print('1,024 in flight, log warn')
            gateway = self.gateway(server, provider, limits=MANY, level='warn')
            self.enroll(server, DEVICES)
            self.window('warn: window 64', server, gateway, provider, 64, 3)
            self.window('warn: window 1000', server, gateway, provider, 1000, 4, floor=True)
            self.stop(gateway)
        if 'apple' in parts:
            print("1,024 in flight, log warn, Apple's windows (65,535 bytes)")
            narrow = self.provider('--apple-windows')
            gateway = self.gateway(server, narrow, limits=MANY, level='warn')
            self.enroll(server, DEVICES)
            self.window('apple: window 1000', server, gateway, narrow, 1000, 2)
            narrow.ask('delay 50')
            self.window('apple: 50 ms, window 1000', server, gateway, narrow, 1000, 2)
            self.stop(gateway, narrow)
        if 'services' in parts:
            ServicesPart(self, DEVICES, MANY, GATEWAY_CORE).run(server)
        if 'listener' in parts:
            ListenerPart(self, DEVICES, MANY, OTHERS_CORE).run(server, provider)
        if 'registry' in parts:
            RegistryPart(self, OTHERS_CORE).run(server, provider)
        self.stop_all()

    # ---- instructions

    def count_instructions(self, name, server, child, out, window, count):
        """Between two marks, so that start and end do not count. The child goes on."""
        server.ask('window 64 1000 60', 90)

        def mark(what):
            subprocess.run(['callgrind_control', what, str(child.pid)], check=True, capture_output=True)

        mark('-z')
        answer = server.ask(f'window {window} {count} 60', 90)
        mark('-d')
        if answer['results'] != count:
            self.trouble(f'{name}: {answer}')
        dumps = sorted(out.parent.glob(f'{out.name}.*'), key=lambda f: int(f.suffix[1:]))
        each = self.instructions(dumps[-1]) / count
        self.figures[f'instructions, {name}'] = each
        print(f'  {name:<34} {each:>9,.0f} instructions per notification', flush=True)
        return each

    def callgrind(self, count=2000):
        provider = self.provider()
        server = self.server()

        gateway_each = {}
        for level, window in (('info', 64), ('info', 1000), ('warn', 1000)):
            out = self.folder / f'callgrind-{level}-{window}'
            gateway = self.gateway(server, provider, wrapper=self.under_callgrind(out), level=level, limits=MANY)
            self.enroll(server, DEVICES)
            gateway_each[level, window] = self.count_instructions(
                f'gateway, log {level}, window {window}', server, gateway, out, window, count)
            self.stop(gateway)
        for window in (64, 1000):
            out = self.folder / f'callgrind-floor-{window}'
            floor_server, floor = self.start_floor(provider, self.under_callgrind(out))
            each = self.count_instructions(f'floor, window {window}', floor_server, floor, out, window, count)
            self.stop(floor)
            print(f'      gateway / floor: {gateway_each["info", window] / each:.2f} (log info)')
        ServicesPart(self, DEVICES, MANY, GATEWAY_CORE).count_instructions(server, count)
        self.stop_all()

    @staticmethod
    def under_callgrind(out):
        return ['valgrind', '--quiet', '--tool=callgrind', f'--callgrind-out-file={out}']

    @staticmethod
    def instructions(out):
        for line in out.read_text(encoding='utf-8', errors='replace').splitlines():
            if line.startswith(('summary:', 'totals:')):
                return int(line.split()[1])
        raise Trouble(f'{out}: no totals')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('binary', nargs='?', default='build/tocsin')
    parser.add_argument('--quick', action='store_true', help='a second each')
    parser.add_argument('--only', default='start,idle,latency,load,slow,warn,apple,floor,services,listener,registry')
    parser.add_argument('--callgrind', action='store_true', help='instructions instead of times')
    parser.add_argument('--json', help='all figures into this file')
    parser.add_argument('--keep', action='store_true', help='leave the folder')
    options = parser.parse_args()
    binary = pathlib.Path(options.binary).resolve()
    build = os.path.relpath(binary.parent, ROOT)
    made = subprocess.run(['make', '-s', '-f', 'tools/bench/bench.mk', f'BUILD={build}', 'bench-programs'],
                          cwd=ROOT, check=False)
    if made.returncode != 0:
        return made.returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix='tocsin-bench-'))
    bench = Bench(binary, binary.parent / 'bench', folder, options.quick)
    started = time.monotonic()
    code = 0
    print(f'tocsin bench: gateway on core {GATEWAY_CORE}, server and provider stand-ins on core {OTHERS_CORE}; '
          f'load average {os.getloadavg()[0]:.1f}', flush=True)
    try:
        if options.callgrind:
            bench.callgrind()
        else:
            bench.run(set(options.only.split(',')))
    except Trouble as e:
        bench.trouble(str(e))
        code = 1
    except ProcessLookupError:
        bench.trouble('a process ended early: ' + ', '.join(
            f'{c.argv[0]} {c.process.returncode}' for c in bench.children if c.process.poll() is not None))
        code = 1
    finally:
        bench.stop_all()
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(bench.figures, indent=1) + '\n', encoding='ascii')
        if options.keep:
            print('kept:', folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f'took {time.monotonic() - started:.0f} s')
    return code


if __name__ == '__main__':
    sys.exit(main())
