"""The part of `make bench` about the services: the same publishes become requests of APNs, FCM and Web Push, and of devices that
nobody registered."""
import json

WINDOW = 1000
STATELESS = 1_000_000


class ServicesPart:
    def __init__(self, bench, devices, limits, core):
        self.bench = bench
        self.devices = devices
        self.limits = limits
        self.core = core  # the gateway's

    def conf(self, server, sections):
        state = self.bench.folder / 'services'
        state.mkdir(mode=0o700, exist_ok=True)
        lines = ['[xmpp]', f'server = 127.0.0.1:{server.port}', 'domain = push.example.org', 'secret = bench',
                 '[state]', f'directory = {state}', '[registry]', f'max_devices = {8 * self.devices}',
                 '[limits]', 'device_interval = 0', *(f'{k} = {v}' for k, v in self.limits.items()),
                 '[log]', 'level = warn', *sections, '']
        path = self.bench.folder / 'services.conf'
        path.write_text('\n'.join(lines), encoding='ascii')
        path.chmod(0o600)
        return path

    def start(self, server, wrapper=()):
        bench = self.bench
        apns, fcm, tokens, web = (bench.provider('--as', name) for name in ('apns', 'fcm', 'google-tokens', 'web-push'))
        path = self.conf(server, [
            '[apns siskin]', 'provider = tigase:messenger:apns:1', 'key = AuthKey_BENCH00001.p8', 'team_id = BENCHTEAM1',
            'topic = org.example.siskin', 'modules = bench', f'endpoint = https://127.0.0.1:{apns.port}', 'ca_file = root.pem',
            '[fcm play]', 'provider = fcm-xmpp-api', 'service_account = service-account.json',
            f'endpoint = https://127.0.0.1:{fcm.port}', f'token_endpoint = https://127.0.0.1:{tokens.port}', 'ca_file = root.pem',
            '[webpush]', 'contact = mailto:postmaster@bench.example.org', 'allow_private = 127.0.0.0/8', 'ca_file = root.pem'])
        self.providers = {'apns': apns, 'fcm': fcm, 'web-push': web}
        gateway = bench.start_gateway(path, server, wrapper)
        self.started = [gateway, apns, fcm, tokens, web]
        return gateway

    def enroll(self, server, name, within):
        answer = server.ask(f'register {self.devices} 64 {name} {self.providers[name].port}', within)
        if answer['registered'] == self.devices:
            return True
        self.bench.trouble(f'{name}: only {answer["registered"]} of {self.devices} devices were registered')
        return False

    def run(self, server):
        bench = self.bench
        print('1,024 in flight, log warn, one service after the other')
        gateway = self.start(server)
        cost = {}
        for name, provider in self.providers.items():
            if self.enroll(server, name, 60):
                server.ask('window 8 200 30', 60)  # opens the connection, fetches the token, signs
                curve = [self.curve()] if name == 'web-push' else []
                cost[name] = bench.window(f'{name}: window {WINDOW}', server, gateway, provider, WINDOW, 4)
        if {'apns', 'fcm'} <= cost.keys():
            print(f'      FCM / APNs: {cost["fcm"]["cpu"] / cost["apns"]["cpu"]:.2f} in CPU, '
                  f'{cost["fcm"]["rate"] / cost["apns"]["rate"]:.2f} in rate')
        if 'web-push' in cost:
            self.against_curve(cost['web-push'], curve + [self.curve()])
        self.stateless(server, gateway, self.providers['apns'])
        bench.stop(*self.started)

    # A message's arithmetic on P-256 is most of a Web Push, and no gateway gets below it: before and after the load,
    # on the gateway's core, by itself.
    def curve(self):
        child = self.bench.start([self.bench.programs / 'curve', 500 if self.bench.quick else 3000], self.core)
        figures = json.loads(child.line())
        self.bench.stop(child)
        return figures

    def against_curve(self, cost, curves):
        each = min(c['cpu_us'] / c['messages'] for c in curves)
        self.bench.figures['curve'] = each
        print(f'  P-256 alone ({curves[0]["library"]})           {1e6 / each:>9,.0f} /s  {each:>6.2f} us CPU')
        print(f'      Web Push / P-256 alone: {cost["cpu"] / each:.2f} in CPU, the rest {cost["cpu"] - each:.0f} us')

    # Repeatable, whatever else the machine does.
    def count_instructions(self, server, count):
        bench = self.bench
        out = bench.folder / 'callgrind-services'
        gateway = self.start(server, bench.under_callgrind(out))
        each = {}
        for name in self.providers:
            if self.enroll(server, name, 300):
                server.ask('window 8 200 60', 90)
                each[name] = bench.count_instructions(f'{name}, log warn, window 64', server, gateway, out, 64, count)
        if len(each) == len(self.providers):
            print(f'      FCM / APNs: {each["fcm"] / each["apns"]:.2f}, Web Push / APNs: {each["web-push"] / each["apns"]:.2f}')

    # Devices that nobody registered are no memory of ours: a million tokens, each seen once.
    def stateless(self, server, gateway, provider):
        bench = self.bench
        server.ask('stateless bench')
        server.ask(f'window {WINDOW} 20000 30', 60)
        before = bench.memory('before the stateless devices', gateway)
        count = 20_000 if bench.quick else STATELESS
        answer = bench.measure('stateless devices', server, gateway, f'window {WINDOW} {count} 50', provider)
        bench.show('stateless devices, each once', answer, f'{answer["results"]:,} of them')
        after = bench.memory('after them', gateway)
        print(f'      anonymous memory grew by {after["Anonymous"] - before["Anonymous"]:,} KiB')
