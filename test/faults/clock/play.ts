import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, removeFolder } from '../../services/folders.js';
import { type Plan, play } from '../history/play.js';

export type Played = Awaited<ReturnType<typeof play>> & {
  /** Hours by which the clock of each process was ahead, one after the other, by its number. */
  readonly shifts: Readonly<Record<number, readonly number[]>>;
};

/** A history in which one process is an hour ahead, another one an hour behind, and each is set to the other's time. */
export async function playShifted(plan: Omit<Plan, 'subject'>): Promise<Played> {
  const folder = makeFolder('clock');
  const log = join(folder, 'shifts');
  const preload = new URL('./shifted.mjs', import.meta.url);
  preload.searchParams.set('log', log);
  try {
    const verdict = await play({ ...plan, subject: 'unstale', node: { execArgv: ['--import', preload.href] } });
    return { ...verdict, shifts: shiftsIn(log) };
  } finally {
    removeFolder(folder);
  }
}

function shiftsIn(log: string): Record<number, number[]> {
  const shifts: Record<number, number[]> = {};
  for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
    const [at, by] = line.split(' ').map(Number) as [number, number];
    shifts[at] = [...(shifts[at] ?? []), by];
  }
  return shifts;
}

/** Where Debian puts what answers for the system's clock; `apt-get install faketime`. */
export const libfaketime = [
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`,
  '/usr/lib/faketime/libfaketime.so.1',
].find(existsSync);

/** The same by faketime, from the beginning to the end: what Node and its libraries ask the system for is shifted too. */
export async function playFaked(plan: Omit<Plan, 'subject'>): Promise<Played> {
  const folder = makeFolder('clock');
  const log = join(folder, 'shifts');
  const node = join(folder, 'node');
  const faked = (at: number, by: string) =>
    `*'/${at}.jsonl'*) export LD_PRELOAD='${libfaketime}' FAKETIME='${by}' FAKETIME_DONT_FAKE_MONOTONIC=1; echo ${at} ${Number.parseInt(by, 10)} >> '${log}';;`;
  writeFileSync(
    node,
    `#!/bin/sh\ncase "$*" in\n${faked(0, '+1h')}\n${faked(1, '-1h')}\nesac\nexec '${process.execPath}' "$@"\n`,
  );
  chmodSync(node, 0o755);
  try {
    const verdict = await play({ ...plan, subject: 'unstale', node: { execPath: node } });
    return { ...verdict, shifts: shiftsIn(log) };
  } finally {
    removeFolder(folder);
  }
}
