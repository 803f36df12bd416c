"""nginx in front of the gateway, with conf/https.md's own words in its configuration; of its package, in a folder of its own."""
import os
import re
import socket
import subprocess

import lab

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'conf', 'https.md')
PROGRAM = '/usr/sbin/nginx'
STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'
NAMES = ('push.example.org', 'up.example.org', lab.COMPONENT)
CONF = '''{modules}
user root;
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ }}
{stream}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
{http}
}}
'''


def snippets():
    """(the vhost, the stream): as they stand in conf/https.md."""
    with open(PAGE, encoding='utf-8') as file:
        found = re.findall(r'^```nginx\n(.*?)^```$', file.read(), re.M | re.S)
    vhost = [each for each in found if each.startswith('server {')]
    stream = [each for each in found if each.startswith('stream {')]
    if len(vhost) != 1 or len(stream) != 1:
        raise lab.LabError(f'conf/https.md has {len(vhost)} vhosts and {len(stream)} streams for nginx')
    return vhost[0], stream[0]


def replaced(text, what, other):
    if what not in text:
        raise lab.LabError(f'conf/https.md does not say {what!r}')
    return text.replace(what, other)


def moved(text, port, address, address_v6):
    """Its port 443 at another place; none for IPv6 where the machine has no such thing."""
    text = re.sub(r'listen 443\b', f'listen {address}{port}', text)
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(('::1', 0))
    except OSError:
        return re.sub(r' *listen \[::\]:443\b[^;]*;\n', '', text)
    return re.sub(r'listen \[::\]:443\b', f'listen {address_v6}:{port}', text)


class Nginx:
    """`to`: what its proxy_pass names. TLS at `port` with a certificate for NAMES, `certificate`. `stream`: the page's other
    snippet too, which is only good for complaints()."""

    def __init__(self, directory, to='http://127.0.0.1:8085', stream=False):
        if not os.path.exists(PROGRAM):
            raise lab.LabError('nginx is not installed; `make setup` installs it')
        self.directory = directory
        self.port = lab.choose_port(4443)
        self.certificate = os.path.join(directory, 'fullchain.pem')
        self.conf = os.path.join(directory, 'nginx.conf')
        self.process = None
        os.makedirs(directory)
        key = os.path.join(directory, 'privkey.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                        '-subj', '/CN=x', '-addext', 'subjectAltName=' + ','.join(f'DNS:{name}' for name in NAMES), '-keyout', key,
                        '-out', self.certificate], capture_output=True, check=True, timeout=30)
        vhost, stream_text = snippets()
        for what, other in (('/etc/letsencrypt/live/push.example.org/fullchain.pem', self.certificate),
                            ('/etc/letsencrypt/live/push.example.org/privkey.pem', key), ('http://127.0.0.1:8085', to)):
            vhost = replaced(vhost, what, other)
        vhost = moved(vhost, self.port, '127.0.0.1:', '[::1]')
        stream_text = moved(stream_text, lab.choose_port(443), '', '[::]')
        with open(self.conf, 'w', encoding='utf-8') as file:
            file.write(CONF.format(directory=directory, http=vhost, stream=stream_text if stream else '',
                                   modules=f'load_module {STREAM_MODULE};' if stream else ''))

    def command(self, *more):
        return [PROGRAM, '-p', self.directory, '-e', os.path.join(self.directory, 'error.log'), '-c', self.conf, *more]

    def complaints(self):
        """What `nginx -t` says beside that all is well."""
        done = subprocess.run(self.command('-t'), capture_output=True, text=True, timeout=30, check=False)
        said = [line for line in done.stderr.split('\n') if line and 'syntax is ok' not in line and 'test is successful' not in line]
        return said + ([f'exit status {done.returncode}'] if done.returncode else [])

    def __enter__(self):
        self.process = lab.spawn(self.command(), os.path.join(self.directory, 'output'))
        try:
            lab.wait_for('nginx listens', self.listens)
        except BaseException:
            self.__exit__()
            raise
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise lab.LabError('nginx ended:\n' + lab.tail(os.path.join(self.directory, 'error.log')))
        return lab.accepts(self.port)

    def __exit__(self, *_):
        lab.end(self.process)
