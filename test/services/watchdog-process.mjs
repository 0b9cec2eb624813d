// The watchdog itself: a process of its own, so that it outlives a starter that is killed. It reads from its standard
// input what the starter has started (`+pid signal`, `-pid`, `+dir path`, `-dir path`, one a line). When the input ends,
// the starter has ended too, by whatever way; then what is still recorded is ended and removed.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** @type {Map<number, { signal: string, born: string | undefined }>} */
const processes = new Map();
const folders = new Set();

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const [, sign, what, rest] = /^([+-])(\S+) ?(.*)$/.exec(line) ?? [];
  if (what === 'dir') sign === '+' ? folders.add(rest) : folders.delete(rest);
  else if (sign === '+') processes.set(Number(what), { signal: rest, born: bornAt(Number(what)) });
  else processes.delete(Number(what));
});
input.on('close', async () => {
  send((p) => p.signal);
  for (let waited = 0; living().length > 0 && waited < 1500; waited += 20) await new Promise((r) => setTimeout(r, 20));
  send(() => 'SIGKILL');
  for (let waited = 0; living().length > 0 && waited < 1000; waited += 20) await new Promise((r) => setTimeout(r, 20));
  for (const dir of folders) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

function living() {
  // A process id is given again some day; only one that was born when ours was is ours.
  return [...processes].filter(([pid, p]) => p.born !== undefined && bornAt(pid) === p.born);
}

function send(signalOf) {
  for (const [pid, p] of living()) {
    try {
      process.kill(pid, signalOf(p));
      // A test may have stopped it, and a stopped process acts on no signal but SIGKILL.
      process.kill(pid, 'SIGCONT');
    } catch {}
  }
}

/** When a process was started, in whatever words its system has for it; undefined when there is none. */
function bornAt(pid) {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    // The program's name, in parentheses, may hold anything; after it `state` is the first field and `starttime` the 20th.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
