"""Private XMPP servers for the end-to-end checks and the demo.

A Prosody or an ejabberd of Debian's package, with a configuration and a data folder of its own, on loopback only.  Only processes
that were started here are ever signalled, by their pid, and they die with the process that started them (PR_SET_PDEATHSIG).
"""
import contextlib
import ctypes
import fcntl
import glob
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))  # the provider stand-in

DOMAIN = 'localhost'
COMPONENT = 'push.' + DOMAIN
SECRET = 'c0mp0nent-s3cr3t'
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
private_network = False


class LabError(Exception):
    """Something in the laboratory is missing or does not start; the text is for people."""


# --- a network of our own ------------------------------------------------------------------------

def isolate():
    """Moves this process into a network namespace where only loopback exists, so that nothing can leave and no port can clash.

    Call it before any thread starts.  Returns a sentence for the user. Where the kernel does not permit it everything works on
    the host's loopback interface with ports that the kernel chose.
    """
    global private_network
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    error = OSError()
    for flags in ([CLONE_NEWNET] if uid == 0 else []) + [CLONE_NEWUSER | CLONE_NEWNET]:
        if libc.unshare(flags) != 0:
            error = OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            continue
        if flags & CLONE_NEWUSER:
            _write('/proc/self/setgroups', 'deny')
            _write('/proc/self/uid_map', f'{uid} {uid} 1')
            _write('/proc/self/gid_map', f'{gid} {gid} 1')
        _loopback_up()
        private_network = True
        return 'in a private network namespace (loopback only)'
    return f'on the loopback interface of this machine (a private network is not permitted here: {error.strerror})'


def _write(path, text):
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def _loopback_up():
    request = struct.pack('16sh14x', b'lo', 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, 0x8914, request)  # SIOCSIFFLAGS


def choose_port(fixed):
    """`fixed` where nobody else can have it, else a port that was free a moment ago."""
    if private_network:
        return fixed
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return probe.getsockname()[1]


# --- waiting and processes -----------------------------------------------------------------------

def wait_for(what, condition, timeout=30.0, every=0.02):
    """Polls `condition` until it returns something true and returns that; LabError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f'{what}: not within {timeout:g} s')
        time.sleep(every)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 0.5):
        return True
    return False


def spawn(command, output, **more):
    """A child that the kernel kills should this process die without tidying up."""
    with open(output, 'ab') as file:
        return subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', '--', *command], stdin=subprocess.DEVNULL, stdout=file,
                                stderr=subprocess.STDOUT, **more)


def end(process, sig=signal.SIGTERM, patience=10.0):
    """Signals our own child and waits; returns its exit status, None if it had to be killed for lack of an end."""
    if process.poll() is not None:
        return process.returncode
    process.send_signal(sig)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def tail(path, lines=15):
    with contextlib.suppress(OSError), open(path, encoding='utf-8', errors='replace') as file:
        return ''.join(file.readlines()[-lines:])
    return ''


def package_version(package):
    found = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else ''


# --- the servers ---------------------------------------------------------------------------------

class Server:
    """What both have in common. `users` get the password 'pw-NAME'."""
    kind = ''
    package = ''
    program = ''

    def __init__(self, directory, users, secret=SECRET):
        if not os.path.exists(self.program):
            raise LabError(f'{self.package} is not installed; `make setup` installs it')
        self.directory = os.path.join(directory, self.kind)
        os.makedirs(self.directory)
        self.users = tuple(users)
        self.secret = secret
        self.c2s_port = choose_port(5222)
        self.component_port = choose_port(5347)
        self.output = os.path.join(self.directory, 'output')
        self.log_file = os.path.join(self.directory, 'log')
        self.version = package_version(self.package)
        self.process = None

    def start(self):
        self.configure()
        self.process = self.launch()
        wait_for(f'{self.kind} listens', self._listening, 120)
        return self

    def _listening(self):
        if self.process.poll() is not None:
            raise LabError(f'{self.kind} ended with status {self.process.returncode} while starting:\n'
                           + (tail(self.log_file) or tail(self.output)))
        return accepts(self.component_port) and accepts(self.c2s_port) and self.ready()

    def ready(self):
        return True

    def stop(self, sig=signal.SIGTERM):
        if self.process is not None:
            end(self.process, sig, 20)
            self.process = None

    def restart(self, sig=signal.SIGTERM):
        self.stop(sig)
        return self.start()

    def log_size(self):
        with contextlib.suppress(OSError):
            return os.path.getsize(self.log_file)
        return 0

    def log_since(self, size):
        with open(self.log_file, encoding='utf-8', errors='replace') as file:
            file.seek(size)
            return file.read()

    @property
    def logs_conditions(self):
        """Does its log show which error an answer had?"""
        return True

    def took_offence(self, size):
        """Did it count an answer to a publish as a fatal error since then? (Prosody 13 never does.)"""
        return any(words in self.log_since(size) for words in ('error count for this identifier is now at', 'isabling push'))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def __exit__(self, *_):
        self.stop()


PROSODY_CONF = '''
data_path = "{d}/data"
pidfile = "{d}/prosody.pid"
certificates = "{d}/certs"
run_as_root = true
interfaces = {{ "127.0.0.1" }}
component_interfaces = {{ "127.0.0.1" }}
component_ports = {{ {component} }}
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{ }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
modules_disabled = {{ "s2s" }}
modules_enabled = {{
  "disco"; "roster"; "saslauth"; "carbons"; "ping"; "smacks"; "mam"; "offline"; "pep"; "csi_simple"; "cloud_notify";
}}
smacks_max_ack_delay = 5
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{d}/log" }} }}
VirtualHost "{domain}"
Component "{name}"
  component_secret = "{secret}"
'''


class Prosody(Server):
    kind = 'prosody'
    package = 'prosody'
    program = '/usr/bin/prosody'

    @property
    def counts_errors(self):
        """Prosody 13 ignores the answers to its publishes; 0.12 counts errors other than `wait` to 16."""
        return self.version.startswith('0.')

    @property
    def logs_conditions(self):
        return self.counts_errors

    def configure(self):
        d = self.directory
        for folder in ('certs', f'data/{DOMAIN}/accounts'):
            os.makedirs(f'{d}/{folder}', exist_ok=True)
        for user in self.users:
            path = f'{d}/data/{DOMAIN}/accounts/{user}.dat'
            if not os.path.exists(path):
                with open(path, 'w', encoding='ascii') as file:
                    file.write(f'return {{\n\t["password"] = "pw-{user}";\n}};\n')
        with open(f'{d}/prosody.cfg.lua', 'w', encoding='ascii') as file:
            file.write(PROSODY_CONF.format(d=d, component=self.component_port, c2s=self.c2s_port, domain=DOMAIN, name=COMPONENT,
                                           secret=self.secret))

    def launch(self):
        return spawn([self.program, '--config', self.directory + '/prosody.cfg.lua', '-F'], self.output)

    def remembers(self, user, node):
        """Does the server's own store still hold this registration?"""
        with contextlib.suppress(FileNotFoundError):
            with open(f'{self.directory}/data/{DOMAIN}/cloud_notify/{user}.dat', encoding='utf-8') as file:
                return f'"{node}"' in file.read()
        return False


EJABBERD_CONF = '''
hosts: [{domain}]
loglevel: debug
log_rotate_count: 0
listen:
  -
    port: {c2s}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    shaper: none
  -
    port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      {name}:
        password: "{secret}"
auth_method: [internal]
auth_password_format: plain
acl:
  local: {{user_regexp: ""}}
modules:
  mod_adhoc: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_mam: {{default: always}}
  mod_stream_mgmt: {{resend_on_timeout: if_offline, resume_timeout: 60, ack_timeout: 5}}
  mod_push: {{}}
'''


class Ejabberd(Server):
    """Started with plain `erl` and without distribution: no epmd, no ejabberdctl, no change of user."""
    kind = 'ejabberd'
    package = 'ejabberd'
    program = '/usr/bin/erl'

    def __init__(self, directory, users, secret=SECRET):
        folders = glob.glob('/usr/lib/*/ejabberd-*/ebin') + glob.glob('/usr/lib/ejabberd-*/ebin')
        if not folders:
            raise LabError('ejabberd is not installed; `make setup` installs it')
        self.libraries = os.path.dirname(os.path.dirname(folders[0]))
        super().__init__(directory, users, secret)

    def configure(self):
        os.makedirs(self.directory + '/spool', exist_ok=True)
        with open(self.directory + '/ejabberd.yml', 'w', encoding='ascii') as file:
            file.write(EJABBERD_CONF.format(domain=DOMAIN, name=COMPONENT, c2s=self.c2s_port, component=self.component_port,
                                            secret=self.secret))
        self.starts = self._ready_marks()

    def launch(self):
        d = self.directory
        env = dict(os.environ, EJABBERD_CONFIG_PATH=d + '/ejabberd.yml', EJABBERD_LOG_PATH=self.log_file, ERL_LIBS=self.libraries,
                   HOME=d, ERL_CRASH_DUMP=d + '/crash', ERL_CRASH_DUMP_BYTES='0', ERL_MAX_ETS_TABLES='1400', ERL_MAX_PORTS='4096')
        register = ','.join(f'ejabberd_auth:try_register(<<"{u}">>,<<"{DOMAIN}">>,<<"pw-{u}">>)' for u in self.users)
        return spawn([self.program, '+K', 'true', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none', '-noinput', '-start_epmd',
                      'false', '-mnesia', 'dir', f'"{d}/spool"', '-s', 'ejabberd', '-eval', f'[{register}],io:format("~nREADY~n").'],
                     self.output, env=env, cwd=d)

    def _ready_marks(self):
        with contextlib.suppress(OSError), open(self.output, encoding='utf-8', errors='replace') as file:
            return file.read().count('\nREADY\n')
        return 0

    def ready(self):
        return self._ready_marks() > self.starts

    def remembers(self, user, node):
        """None: its store is not ours to read; whether the next message publishes tells."""
        return None


SERVERS = {'prosody': Prosody, 'ejabberd': Ejabberd}
