"""The part of `make bench` about the listener: what a request costs, what a connection keeps, and what strangers who connect without
end cost the pushes."""
import json
import pathlib
import socket
import subprocess
import sys

from processes import cpu_us

LOAD = pathlib.Path(__file__).resolve().parent / 'web_load.py'
CONNECTIONS = 64
IDLE = 1000
KNOCKS = 300  # a second; some 25 are let through, fewer while there are pushes


class ListenerPart:
    def __init__(self, bench, devices, limits, core):
        self.bench = bench
        self.devices = devices
        self.limits = limits
        self.core = core
        self.seconds = 1 if bench.quick else 5

    def gateway(self, server, provider, tls):
        bench = self.bench
        with socket.create_server(('127.0.0.1', 0)) as probe:
            self.port = probe.getsockname()[1]
        path = bench.conf(server, provider, limits=self.limits, level='warn', log=bench.folder / 'tocsin.log',
                          state=bench.folder / 'listener')
        more = ['certificate = web.pem', 'key = web-key.pem'] if tls else ['tls = no']
        with open(path, 'a', encoding='ascii') as file:
            file.write('\n'.join(['[listen]', f'address = 127.0.0.1:{self.port}', f'max_connections = {CONNECTIONS}', *more,
                                  '[unifiedpush]', '']))
        gateway = bench.start_gateway(path, server)
        bench.enroll(server, self.devices)
        server.ask('window 64 1000 30', 60)
        return gateway

    def load(self, *words):
        return self.bench.start([sys.executable, LOAD, *words], self.core)

    def certificate(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                        '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:push.example.org', '-keyout', 'web-key.pem', '-out', 'web.pem'],
                       cwd=self.bench.folder, capture_output=True, check=True, timeout=30)
        (self.bench.folder / 'web-key.pem').chmod(0o600)

    def requests(self, name, gateway, kind, connections, note):
        before = cpu_us(gateway.pid)
        load = self.load('ask', self.port, connections, self.seconds, kind)
        answer = json.loads(load.line(self.seconds + 30))
        used = cpu_us(gateway.pid) - before
        self.bench.stop(load)
        answer['cpu'] = used / max(answer['done'], 1)
        answer['busy'] = used / 1e4 / answer['seconds']
        self.bench.figures[name] = answer
        if answer['wrong']:
            self.bench.trouble(f'{name}: {answer["wrong"]} of {answer["done"]} were not answered 200')
        print(f'  {name:<34} {answer["done"] / answer["seconds"]:>9,.0f} /s  {answer["cpu"]:>6.2f} us CPU  '
              f'(gateway busy {answer["busy"]:.0f} %; {connections} connections{note})', flush=True)

    def memory_per_connection(self, gateway, path):
        """What the plan sets aside, and what becomes resident when all are in use."""
        bench = self.bench
        plan = json.loads(subprocess.run([bench.binary, '-c', path, 'plan', '--json'], capture_output=True, check=True).stdout)
        rows = plan if isinstance(plan, list) else plan['rows']
        planned = sum(row['bytes'] for row in rows if row['name'] in ('web connections', 'web rooms', 'web tls heaps'))
        before = bench.memory('before connections', gateway)
        load = self.load('hold', self.port, CONNECTIONS)
        load.line()
        after = bench.memory(f'{CONNECTIONS} connections', gateway)
        bench.stop(load)
        bench.target('memory of a connection, planned', planned / CONNECTIONS, f'{planned / CONNECTIONS / 1024:,.1f} KiB',
                     f'idle: {(after["Anonymous"] - before["Anonymous"]) / CONNECTIONS:,.1f} KiB resident')

    def strangers(self, server, gateway, provider):
        """Pushes at 1,000 a second: alone, with far more idle connections than there is room for, under a flood of handshakes. The
        best of rounds that take turns, so that all meet the same neighbours."""
        seconds, best = self.seconds, {}
        kinds = {'nobody connects': None, f'{IDLE:,} idle connections': ('hold', self.port, IDLE),
                 'a flood of handshakes': ('knock', self.port, seconds + 2, KNOCKS)}
        for _ in range(1 if self.bench.quick else 3):
            for kind, words in kinds.items():
                load = self.load(*words) if words else None
                if words and words[0] == 'hold':
                    load.line(60)
                name = f'1,000 a second, {kind}'
                answer = self.bench.measure(name, server, gateway, f'rate 1000 {1000 * seconds}', provider)
                if words and words[0] == 'knock':
                    answer['knocks'] = json.loads(load.line(seconds + 30))
                if load:
                    self.bench.stop(load)
                if kind not in best or answer['p99_us'] < best[kind]['p99_us']:
                    best[kind] = self.bench.figures[name] = answer
        alone = best['nobody connects']
        for kind, answer in best.items():
            more = (answer['p99_us'] - alone['p99_us']) / 1000
            self.bench.show(f'1,000 /s, {kind}', answer, f'p99 {more:+.3f} ms; sender at most {answer["late_us"] / 1000:.3f} ms late')
        knocks = best['a flood of handshakes']['knocks']
        print(f'      wanted <= 1 ms more; of {knocks["tried"] / knocks["seconds"]:,.0f} handshakes a second '
              f'{knocks["answered"] / knocks["seconds"]:.1f} were answered, {knocks["worked"] / knocks["seconds"]:.1f} went on', flush=True)

    def run(self, server, provider):
        bench = self.bench
        print('The listener, log warn')
        gateway = self.gateway(server, provider, tls=False)
        self.requests('GET /up, kept connections', gateway, 'get', 16, ' of one program in Python')
        self.requests('unregister, kept connections', gateway, 'unregister', CONNECTIONS - 4, ', whose answers leave twice a second')
        self.memory_per_connection(gateway, bench.folder / 'tocsin.conf')
        bench.stop(gateway)
        self.certificate()
        gateway = self.gateway(server, provider, tls=True)
        self.strangers(server, gateway, provider)
        self.memory_per_connection(gateway, bench.folder / 'tocsin.conf')
        bench.stop(gateway)
