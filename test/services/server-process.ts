import { type ChildProcess, spawn } from 'node:child_process';
import { removeFolder } from './folders.js';
import { plainEnv } from './programs.js';
import { watchdog } from './watchdog.js';

/** How a server program is started, told ready and ended. */
export interface Program {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Its own folder, removed when it is stopped. */
  readonly folder: string;
  /** What it prints when it can be used. */
  readonly ready: RegExp;
  /** Ends it at once and leaves nothing behind. */
  readonly signal: NodeJS.Signals;
  readonly user?: { uid?: number; gid?: number };
}

/** A server program that a test may hang, kill and start again. */
export interface ServerProcess {
  readonly pid: number;
  readonly folder: string;
  /** What it printed since it was started, the last 16 kB. */
  log(): string;
  /** Hangs it (SIGSTOP): connections stay open and nothing is answered. */
  pause(): void;
  /** Goes on where `pause` hung it. */
  resume(): void;
  /** Ends it with no warning (SIGKILL). Its folder stays, for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port and in the same folder, with `more` arguments; kills it first if it still runs. */
  restart(more?: readonly string[]): Promise<void>;
  /** Ends it and removes its folder; never rejects. */
  stop(): Promise<void>;
}

/** Starts a server program and waits until it says that it is ready. */
export async function startProcess(program: Program, timeout = 30_000): Promise<ServerProcess> {
  let current = await start(program, timeout).catch((error) => {
    removeFolder(program.folder);
    throw error;
  });
  return {
    get pid() {
      return current.child.pid as number;
    },
    folder: program.folder,
    log: () => current.log(),
    pause: () => void current.child.kill('SIGSTOP'),
    resume: () => void current.child.kill('SIGCONT'),
    kill: () => end(current, 'SIGKILL'),
    async restart(more = []) {
      await end(current, 'SIGKILL');
      current = await start({ ...program, args: [...program.args, ...more] }, timeout);
    },
    async stop() {
      await end(current, program.signal);
      removeFolder(program.folder);
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  log(): string;
}

async function start(program: Program, timeout: number): Promise<Started> {
  const { name, file, args, folder } = program;
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnv(folder),
    ...program.user,
  });
  const { pid } = child;
  if (pid !== undefined) watchdog.watch(pid, program.signal);
  let text = '';
  let saysReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    saysReady = resolve;
  });
  const keep = (chunk: Buffer) => {
    text = (text + chunk).slice(-16_384);
    if (program.ready.test(text)) saysReady();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  // `close` comes when the output is read to its end, so that an error's message has all of it.
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      text += String(error);
      resolve();
    });
  });
  void ended.then(() => pid !== undefined && watchdog.forget(pid));
  const started = { child, ended, log: () => text };

  let timer: NodeJS.Timeout | undefined;
  const outcome = await Promise.race([
    ready,
    ended.then(() => `${name} ended while starting:`),
    new Promise<string>((resolve) => {
      timer = setTimeout(resolve, timeout, `${name} was not ready after ${timeout} ms:`);
    }),
  ]);
  clearTimeout(timer);
  if (outcome !== undefined) {
    await end(started, 'SIGKILL');
    throw new Error(`${outcome}\n${text}`);
  }
  return started;
}

async function end({ child, ended }: Started, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  child.kill('SIGCONT'); // a paused process acts on no signal but SIGKILL
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}

/** Polls until `holds` does; an error counts as "not yet". */
export async function until(what: string, holds: () => Promise<boolean>, timeout = 30_000): Promise<void> {
  const end = performance.now() + timeout;
  let last: unknown = 'it never held';
  while (performance.now() < end) {
    try {
      if (await holds()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not within ${timeout} ms`, { cause: last });
}
