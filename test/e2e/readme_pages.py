"""What the pages for people say, held against the sources and the binary; no server is needed.

The README, the tour of the source and the page about ports: links, names of files and functions, quoted code, tables, the conf.
`@check(sentence)` registers a check here and in readme_check.py; those with server=True get a World with a started server.
"""
import json
import os
import re
import subprocess
import textwrap

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
PAGES = ('README.md', 'conf/https.md', 'src/README.md', 'port/README.md')
CHECKS = []


class Failed(AssertionError):
    pass


def check(sentence, *, server=False):
    def register(function):
        CHECKS.append((sentence, server, function))
        return function
    return register


def expect(condition, words):
    if not condition:
        raise Failed(words)


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def without_fences(text):
    return re.sub(r'^ *```.*?^ *```$', '', text, flags=re.M | re.S)


def snippets(language, text=None):
    """Those within a list are indented."""
    found = re.findall(rf'^( *)```{language}\n(.*?)^\1```$', text or read('README.md'), flags=re.M | re.S)
    return [textwrap.dedent(inside) for _, inside in found]


def one_snippet(language):
    found = snippets(language)
    expect(len(found) == 1, f'README.md has {len(found)} snippets in {language}, not one')
    return found[0]


def conf_snippets():
    """The whole conf, then what may join it: the sections for Android and Web Push (whose contact is refused), and on its own page
    three [listen]; the one of UnifiedPush is apart."""
    found = [text for page in PAGES[:2] for text in snippets('ini', read(page)) if '[unifiedpush]' not in text]
    expect(len(found) == 6, f'README.md and conf/https.md have {len(found)} other snippets in ini, not six')
    return found


def webpush_snippet():
    """As somebody has it who did what the README says."""
    return conf_snippets()[2].replace('mailto:ops@example.org', 'mailto:ann@example.org')


def backticked(page):
    return re.findall(r'`([^`\n]+)`', without_fences(read(page)))


def table_rows(page, first_cell):
    """The rows of the table whose head begins with that cell, each a list of cells."""
    rows, inside = [], False
    for line in read(page).split('\n'):
        cells = [cell.strip() for cell in line.strip('|').split('|')] if line.startswith('|') else None
        if cells is None:
            inside = False
        elif inside and not set(line) <= set('|- '):
            rows.append(cells)
        elif cells[0] == first_cell:
            inside = True
    expect(rows, f'{page} has no table that begins with {first_cell}')
    return rows


def sources():
    """path -> text of everything a page may speak of."""
    texts = {}
    for top in ('src', 'port', 'test', 'tools'):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith(('.h', '.cpp', '.py', '.sh', '.mk')) and not name.startswith('readme_'):
                    path = os.path.relpath(os.path.join(folder, name), ROOT)
                    texts[path] = read(path)
    return texts


# --- what the pages name -------------------------------------------------------------------------

@check('every link leads to a file or a chapter')
def links(_):
    for page in PAGES:
        for target in re.findall(r'\]\(([^)#:]+)\)', read(page)):
            path = os.path.normpath(os.path.join(os.path.dirname(page), target))
            expect(os.path.exists(os.path.join(ROOT, path)), f'{page} links to {target}, which is not there')
        heads = re.findall(r'^#+ (.*)$', without_fences(read(page)), flags=re.M)
        anchors = {re.sub(r'[^\w -]', '', head).lower().replace(' ', '-') for head in heads}
        for target in re.findall(r'\]\(#([^)]+)\)', read(page)):
            expect(target in anchors, f'{page} links to its chapter {target}, which is not there')


@check('every file and folder named exists')
def files(_):
    for page in PAGES:
        bases = (os.path.dirname(page), '', 'src', 'port')
        for word in backticked(page):
            # Names with a folder in front, and names of sources: not those of the operator's system.
            is_file = re.fullmatch(r'[\w./-]+\.(h|cpp|py|sh|mk|md|conf)', word)
            is_folder = re.fullmatch(r'(\.\./)?[\w.-]+(/[\w.-]+)*/', word)
            if word.startswith('/') or not (is_file or is_folder):
                continue
            found = any(os.path.exists(os.path.join(ROOT, base, word)) for base in bases)
            if not found and '/' not in word:
                found = any(os.path.basename(path) == word for path in sources())
            expect(found, f'{page} names {word}, which is not there')


@check('every class, function and constant named in the tour exists')
def functions(_):
    texts = sources()
    whole = '\n'.join(texts.values())
    for word in backticked('src/README.md'):
        word = word.removeprefix('port::')
        member = re.fullmatch(r'(\w+)::(\w+)', word)
        if member and member.group(1) != 'std':
            owner, name = member.groups()
            declares = re.compile(rf'\b(?:class|struct)\s+(?:\[\[\w+\]\]\s+)?{owner}\b[^;]*?\{{')
            found = any(declares.search(text) and re.search(rf'\b{name}\b', text) for text in texts.values())
            expect(found, f'nothing called {word}')
        elif re.fullmatch(r'[a-z]+(_[a-z]+)+|[A-Z][a-z]+([A-Z][a-z]+)*', word) and word not in ('UpperCamel', 'snake_case'):
            expect(re.search(rf'\b{word}\b', whole), f'nothing called {word}')


@check('the lines of code shown in the tour stand in the sources')
def quoted_code(_):
    lines = {line.strip() for text in sources().values() for line in text.split('\n')}
    for snippet in snippets('cpp', read('src/README.md')):
        for line in snippet.split('\n'):
            if line.strip() not in ('', '...'):
                expect(any(line.strip() in known for known in lines), f'no source has the line: {line.strip()}')


@check('every make target named exists')
def targets(_):
    makefile = read('Makefile')
    known = set(re.findall(r'^([a-z-]+):', makefile, flags=re.M))
    for page in PAGES:
        words = backticked(page) + [line for snippet in snippets('sh', read(page)) for line in snippet.split('\n')]
        for word in words:
            target = re.match(r'make ([a-z]+)\b', word)
            expect(not target or target.group(1) in known, f'{page} names {word}: the Makefile has no such target')


# --- the tables ----------------------------------------------------------------------------------

@check('every key of the table of keys has that default in conf/tocsin.conf')
def keys(_):
    conf, section, known = read('conf/tocsin.conf'), '', {}
    for line in conf.split('\n'):
        head = re.fullmatch(r'#?\[([a-z]+)[^]]*\]', line)
        pair = re.fullmatch(r'(#\s*)?([a-z_]+) = (.*)', line)
        if head:
            section = head.group(1)
        elif pair:
            known[section, pair.group(2)] = pair.group(3)
    rows = table_rows('README.md', 'key')
    expect(len(rows) >= 10, f'{len(rows)} keys, not ten')
    for cell, default, _ in rows:
        section, key = re.fullmatch(r'`\[(\w+)[^]]*\]` `(\w+)`', cell).groups()
        expect((section, key) in known, f'conf/tocsin.conf has no {key} in [{section}]')
        value = re.fullmatch(r'`(.*)`', default)
        expect(not value or value.group(1) == known[section, key], f'{key}: conf/tocsin.conf says {known[section, key]}')


@check('the table of verdicts has exactly the words that the log has')
def verdicts(_):
    said = set(re.findall(r'return "(\w+)";', read('src/gateway/answers.cpp')))
    told = {row[0].strip('`') for row in table_rows('README.md', '`verdict=`')}
    expect(said == told, f'only in the source: {said - told}; only in the README: {told - said}')


@check('the exit codes are those of the program')
def exit_codes(_):
    known = set(re.findall(r'= (\d+);', read('src/settings/exit_codes.h')))
    told = {code for row in table_rows('README.md', 'exit code') for code in re.findall(r'\d+', row[0])}
    expect(told <= known, f'not in the source: {told - known}')


# --- the conf ------------------------------------------------------------------------------------

class Conf:
    """The README's conf in a folder of its own, with or without the key that it names."""

    def __init__(self, directory, options):
        self.text = conf_snippets()[0]
        self.binary = options.binary
        self.directory = directory
        self.file = os.path.join(directory, 'tocsin.conf')
        self.key = os.path.join(directory, re.search(r'^key = (.*)$', self.text, flags=re.M).group(1))
        with open(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), 'w', encoding='utf-8') as file:
            file.write(self.text)

    def make_key(self):
        from standin_keys import make_provider_key
        made = make_provider_key(self.directory, re.search(r'AuthKey_(\w+)\.p8', self.key).group(1))
        expect(os.path.samefile(made, self.key), 'the key is not called as Apple calls them')

    def run(self, *command):
        done = subprocess.run([self.binary, '-c', self.file, *command], capture_output=True, text=True, timeout=20, check=False)
        # As root it says so, the shortest conf leaves something out, and what it holds is nobody's; these are no faults.
        known = ('checked as root', 'there is no [listen] section', '"change-me" is the sample', '"org.example.siskin" is the sample')
        faults = [line for line in done.stderr.split('\n') if line and not any(words in line for words in known)]
        return done.returncode, done.stdout, faults


@check('tocsin check finds nothing in the conf but the missing key')
def conf_alone(world):
    code, _, faults = Conf(world.directory('conf'), world.options).run('check')
    expect(code == 66 and len(faults) == 1 and 'no such file' in faults[0], f'exit status {code}: {faults}')


@check('with a key the conf is good, and plan prints its memory')
def conf_with_key(world):
    conf = Conf(world.directory('conf-key'), world.options)
    conf.make_key()
    code, out, faults = conf.run('check')
    expect((code, faults) == (0, []) and 'the conf is good' in out, f'exit status {code}: {faults}')
    code, out, faults = conf.run('plan')
    expect(code == 0 and re.search(r'^total +\d+', out, flags=re.M), f'exit status {code}: {faults}')


@check('a conf that all may read is refused with the command that mends it')
def conf_readable(world):
    conf = Conf(world.directory('conf-readable'), world.options)
    conf.make_key()
    os.chmod(conf.file, 0o644)
    code, _, faults = conf.run('check')
    expect(code == 78 and len(faults) == 1 and f'chmod o-r {conf.file}' in faults[0], f'exit status {code}: {faults}')


@check('with a service account the section for Android joins it')
def conf_with_fcm(world):
    from standin_keys import make_service_account
    conf = Conf(world.directory('conf-fcm'), world.options)
    conf.make_key()
    section = conf_snippets()[1]
    with open(conf.file, 'a', encoding='utf-8') as file:
        file.write(section)
    name = re.search(r'^service_account = (.*)$', section, flags=re.M).group(1)
    make_service_account(os.path.join(conf.directory, name), 'chat-example')
    code, out, faults = conf.run('check')
    expect((code, faults) == (0, []) and 'the conf is good' in out, f'exit status {code}: {faults}')


@check('the section for Web Push is a conf of its own once it has a contact, and not before')
def conf_with_webpush(world):
    conf = Conf(world.directory('conf-webpush'), world.options)
    for section, wanted in ((conf_snippets()[2], 78), (webpush_snippet(), 0)):
        with open(conf.file, 'w', encoding='utf-8') as file:
            file.write(conf.text.split('[apns')[0] + section)
        code, _, faults = conf.run('check')
        expect(code == wanted and len(faults) == (wanted != 0) and all("the sample's" in fault for fault in faults),
               f'exit status {code}: {faults}')


@check('the conf of UnifiedPush is whole, needs no vendor, and lacks nothing but its certificate')
def conf_of_unifiedpush(world):
    conf = Conf(world.directory('conf-unifiedpush'), world.options)
    texts = [text for text in snippets('ini') if '[unifiedpush]' in text]
    expect(len(texts) == 1, f'README.md has {len(texts)} confs of UnifiedPush, not one')
    for text, wanted in ((texts[0], 66), (re.sub(r'^(certificate|key) = .*\n', '', texts[0].replace('*:443', '127.0.0.1:8085\ntls = no'),
                                                 flags=re.M), 0)):
        with open(conf.file, 'w', encoding='utf-8') as file:
            file.write(text)
        code, _, faults = conf.run('check')
        expect(code == wanted and all('no such file' in fault for fault in faults), f'exit status {code}: {faults}')


@check('each [listen] that is shown joins it, with a certificate for its domain')
def conf_with_listen(world):
    for number, section in enumerate(conf_snippets()[3:]):
        conf = Conf(world.directory(f'conf-listen-{number}'), world.options)
        conf.make_key()
        pair = {name: os.path.join(conf.directory, name) for name in ('fullchain.pem', 'privkey.pem')}
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                        '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:push.example.org', '-keyout', pair['privkey.pem'],
                        '-out', pair['fullchain.pem']], check=True, capture_output=True)
        os.chmod(pair['privkey.pem'], 0o640)
        for name, path in pair.items():
            section = re.sub(rf'= \S*/{re.escape(name)}$', f'= {path}', section, flags=re.M)
        with open(conf.file, 'a', encoding='utf-8') as file:
            file.write(section)
        code, out, faults = conf.run('check')
        expect((code, faults) == (0, []) and 'the conf is good' in out, f'exit status {code}: {faults}')


@check('every payload shown is JSON')
def payloads(_):
    shown = snippets('json')
    expect(len(shown) == 6, f'{len(shown)} payloads, not six')
    for text in shown:
        json.loads(text)
