"""The part of `make bench` about the services: the same publishes become requests of APNs, FCM and Web Push, and of devices that
nobody registered."""

WINDOW = 1000
STATELESS = 1_000_000


class ServicesPart:
    def __init__(self, bench, devices, limits):
        self.bench = bench
        self.devices = devices
        self.limits = limits

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

    def run(self, server):
        bench = self.bench
        print('1,024 in flight, log warn, one service after the other')
        apns, fcm, tokens, web = (bench.provider('--as', name) for name in ('apns', 'fcm', 'google-tokens', 'web-push'))
        path = self.conf(server, [
            '[apns siskin]', 'provider = tigase:messenger:apns:1', 'key = AuthKey_BENCH00001.p8', 'team_id = BENCHTEAM1',
            'topic = org.example.siskin', 'modules = bench', f'endpoint = https://127.0.0.1:{apns.port}', 'ca_file = root.pem',
            '[fcm play]', 'provider = fcm-xmpp-api', 'service_account = service-account.json',
            f'endpoint = https://127.0.0.1:{fcm.port}', f'token_endpoint = https://127.0.0.1:{tokens.port}', 'ca_file = root.pem',
            '[webpush]', 'contact = mailto:postmaster@bench.example.org', 'allow_private = 127.0.0.0/8', 'ca_file = root.pem'])
        gateway = bench.start_gateway(path, server)
        cost = {}
        for name, provider in (('apns', apns), ('fcm', fcm), ('web-push', web)):
            answer = server.ask(f'register {self.devices} 64 {name} {provider.port}', 60)
            if answer['registered'] != self.devices:
                bench.trouble(f'{name}: only {answer["registered"]} of {self.devices} devices were registered')
                continue
            server.ask('window 8 200 30', 60)  # opens the connection, fetches the token, signs
            cost[name] = bench.window(f'{name}: window {WINDOW}', server, gateway, provider, WINDOW, 4)
        if {'apns', 'fcm'} <= cost.keys():
            print(f'      FCM / APNs: {cost["fcm"]["cpu"] / cost["apns"]["cpu"]:.2f} in CPU, '
                  f'{cost["fcm"]["rate"] / cost["apns"]["rate"]:.2f} in rate')
        if 'web-push' in cost:
            print(f'      wanted >= 5,000 /s of Web Push: {cost["web-push"]["rate"]:,.0f} /s')
        self.stateless(server, gateway, apns)
        bench.stop(gateway, apns, fcm, tokens, web)

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
