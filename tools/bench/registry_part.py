"""The registry's part of `make bench`: what it writes, what a compaction holds up, a large file's start and size.

Its files lie on a tmpfs where there is one with room for them: what is measured is the gateway, not a disk.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

DEVICES = 1_000_000
ENROLLED = 1000  # of these, through the gateway
BYTES_A_DEVICE = 700  # of files at the same time: two registrations each, a copy of them, what a compaction writes


def folder_with_room(otherwise, needed):
    shared = pathlib.Path('/dev/shm')
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > needed:
        return pathlib.Path(tempfile.mkdtemp(prefix='tocsin-bench-', dir=shared))
    return pathlib.Path(tempfile.mkdtemp(prefix='registry-', dir=otherwise))


class RegistryPart:
    def __init__(self, bench, core):
        self.bench = bench
        self.core = core
        self.devices = DEVICES // 10 if bench.quick else DEVICES
        self.folder = folder_with_room(bench.folder, self.devices * BYTES_A_DEVICE)

    def program(self, *arguments):
        run = subprocess.run([self.bench.programs / 'registry', *(str(a) for a in arguments)], capture_output=True,
                             check=False, preexec_fn=lambda: os.sched_setaffinity(0, {self.core}), timeout=300)
        if run.returncode != 0:
            raise RuntimeError(f'registry {arguments[0]}: {run.returncode} {run.stderr.decode(errors="replace").strip()}')
        answer = json.loads(run.stdout)
        self.bench.figures[f'registry: {arguments[0]} {arguments[2]}'] = answer
        return answer

    # ---- what is written

    def wear(self, devices, a_day, days):
        path = self.folder / f'wear-{devices}'
        w = self.program('wear', path, devices, a_day, days)
        path.unlink()
        appended = w['bytes'] / days
        compacted = w['compaction_bytes'] / days
        print(f'  {devices:,} devices, each registers {a_day}x a day, {days} days: '
              f'{w["registrations"]:,} registrations, {w["fresh"]:,} with a new token ({w["new_bytes"]} bytes for a new device)\n'
              f'      {w["bytes"] / w["registrations"]:,.1f} bytes a registration; a day {appended:,.0f} bytes appended, '
              f'{compacted:,.0f} by {w["compactions"]} compactions\n'
              f'      a day {w["syncs"] / days:,.1f} syncs of batches, {w["compaction_syncs"] / days:,.2f} of compactions; '
              f'{w["pages"] / days:,.1f} and {w["compaction_pages"] / days:,.2f} pages of 4 KiB\n'
              f'      largest file {w["largest"]:,} bytes, {max(w["both"], w["largest"]):,} with the one that replaces it',
              flush=True)

    def wear_of_many(self):
        self.wear(10_000, 1, 7 if self.bench.quick else 60)

    # ---- slices

    def slices(self, path):
        s = self.program('slices', path, self.devices - ENROLLED)
        self.bench.target('replay', s['replay_cpu'], f'{s["replay_seconds"]:.2f} s, {s["replay_cpu"]:.2f} s CPU',
                          f'<= 2 s; {s["bytes_before"] / 1e6:,.0f} MB, half of it dead')
        for walk, words in (('copying', 'slices, first walk'), ('placing', 'slices, second walk')):
            part = s[walk]
            cpu, wall = part['cpu'], part['wall']
            print(f'  {words:<34} {part["slices"]:,}; CPU p50 {cpu["p50_us"]:.0f} p99 {cpu["p99_us"]:.0f} '
                  f'max {cpu["max_us"]:,.0f} us, {cpu["over_1_ms"]} over 1 ms; '
                  f'by the clock {wall["p50_us"]:.0f}, {wall["p99_us"]:.0f}, {wall["max_us"]:,.0f} us, '
                  f'{wall["over_1_ms"]} over 1 ms', flush=True)
        used = s['copying']['cpu']['seconds'] + s['placing']['cpu']['seconds']
        self.bench.target('compaction', used, f'{used:.2f} s CPU',
                          f'{s["turns"]:,} turns, at least {s["turns"] / 1000:.0f} s; '
                          f'{s["syncs"]} syncs, at most {s["unsynced_max"]:,} bytes unsynced')
        self.bench.target('commits held', s['held_ms'], f'at most {s["held_ms"]:.1f} ms',
                          f'{s["held_ms_end"]:.1f} ms and {s["held_turns_end"]} turns at the end, syncs of a tmpfs included')

    # ---- the gateway on such a file

    def until(self, reached, seconds, what):
        limit = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > limit:
                raise RuntimeError(f'no {what} within {seconds} s')
            time.sleep(0.02)

    def paced(self, when, server, gateway, provider):
        """The median second's p99: on a shared machine single seconds say little."""
        bench = self.bench
        name = f'1,000 a second, {when}'
        answers = [bench.measure(name, server, gateway, 'rate 1000 1000', provider) for _ in range(1 if bench.quick else 5)]
        answers.sort(key=lambda a: a['p99_us'])
        median = answers[len(answers) // 2]
        bench.figures[name] = median
        bench.show(name, median, f'the median of {len(answers)} seconds; p99 {answers[0]["p99_us"] / 1000:.3f} '
                   f'to {answers[-1]["p99_us"] / 1000:.3f} ms')
        return median['p99_us']

    def gateway(self, server, provider, path):
        bench = self.bench
        state = self.folder / 'state'
        state.mkdir(mode=0o700)
        path.rename(state / 'devices.registry')
        second = state / 'devices.registry.new'
        log = bench.folder / 'tocsin.log'
        log.unlink(missing_ok=True)

        def compacted():
            return 'event=registry_compacted' in log.read_text(encoding='utf-8', errors='replace')

        started = time.monotonic()
        gateway = bench.gateway(server, provider, state=state, max_devices=self.devices, level='info')
        up = time.monotonic() - started
        bench.target('start to component up', up, f'{up:.2f} s', f'{self.devices:,} devices')
        bench.enroll(server, ENROLLED)
        server.ask('window 1 1 5')
        bench.memory(f'at rest, {self.devices:,} devices', gateway, 'resident <= 102,400 KiB')
        during = [self.paced('first walk', server, gateway, provider)]
        if not second.exists():
            bench.trouble('the first walk was through before its measurement')
        self.wear(5, 10, 365)
        self.wear_of_many()
        self.until(lambda: not second.exists(), 120, 'end of the first walk')
        during.append(self.paced('second walk', server, gateway, provider))
        if compacted():
            bench.trouble('the second walk was through before its measurement')
        self.until(compacted, 120, 'end of the compaction')
        took = time.monotonic() - started - up
        bench.target('compaction under the gateway', took, f'{took:.0f} s', '')
        after = self.paced('no compaction', server, gateway, provider)
        added = [(p99 - after) / 1000 for p99 in during]
        bench.target('p99 added by a compaction', added, f'{added[0]:.3f} and {added[1]:.3f} ms', '< 2 ms')
        bench.memory('after the compaction', gateway)
        bench.stop(gateway)

    def run(self, server, provider):
        try:
            print(f'The registry, files in {self.folder.parent}')
            path = self.folder / 'large'
            filled = self.program('fill', path, self.devices - ENROLLED)
            print(f'  {self.devices - ENROLLED:,} devices registered in {filled["seconds"]:.1f} s, {filled["alive"] / 1e6:,.0f} MB, '
                  f'then each once more', flush=True)
            copy = self.folder / 'copy'
            shutil.copyfile(path, copy)
            self.slices(copy)
            copy.unlink()
            self.gateway(server, provider, path)
        except (RuntimeError, OSError, subprocess.SubprocessError, ValueError) as e:
            self.bench.trouble(f'registry: {e}')
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
