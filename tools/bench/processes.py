"""What the parts of `make bench` start, and what the system says of it."""
import json
import os
import re
import select
import subprocess
import time


class Trouble(Exception):
    pass


def pinned(core):
    return lambda: os.sched_setaffinity(0, {core})


class Child:
    """One process of ours, stopped by its id."""

    def __init__(self, argv, core, **more):
        self.argv = [str(a) for a in argv]
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=pinned(core), **more)
        self.pid = self.process.pid
        self.rest = b''

    def line(self, within=30):
        until = time.monotonic() + within
        while b'\n' not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Trouble(f'{self.argv[0]}: no answer within {within} s')
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise Trouble(f'{self.argv[0]}: ended with {self.process.wait()}')
            self.rest += part
        line, self.rest = self.rest.split(b'\n', 1)
        return line.decode()

    def ask(self, order, within=60):
        self.process.stdin.write(order.encode() + b'\n')
        self.process.stdin.flush()
        answer = json.loads(self.line(within))
        if answer.get('error') and 'sent' not in answer:
            raise Trouble(f'{self.argv[0]}: {order}: {answer["error"]}')
        return answer

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()


def cpu_us(pid):
    """User and system time of all threads, in microseconds (nanosecond counters of the scheduler where there are)."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as f:
                total += int(f.read().split()[0])
        except (FileNotFoundError, IndexError):
            with open(f'/proc/{pid}/task/{task}/stat', encoding='ascii') as f:
                fields = f.read().rsplit(')', 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) * 1_000_000_000 // os.sysconf('SC_CLK_TCK')
    return total / 1000


def switches(pid):
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/status', encoding='ascii') as f:
            total += int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', f.read(), re.M).group(1))
    return total


def memory_kib(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as f:
        text = f.read()
    return {name: int(re.search(rf'^{name}:\s+(\d+)', text, re.M).group(1)) for name in ('Rss', 'Anonymous')}


def peak_rss_kib(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return int(re.search(r'^VmHWM:\s+(\d+)', f.read(), re.M).group(1))
