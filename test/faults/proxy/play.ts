import { type Plan, play } from '../history/play.js';
import { type Storage, storages } from '../history/storage.js';
import { type Hidden, startHiding } from './hiding.js';

export const libraries = { 'ioredis 5': './ioredis5.mjs', 'ioredis 6': undefined } as const;
export type Library = keyof typeof libraries;

/** A history on a Redis behind a proxy that hides some of it, by one version of ioredis or the other. */
export async function playHidden(
  plan: Omit<Plan, 'subject'>,
  what: readonly Hidden[],
  library: Library,
): ReturnType<typeof play> {
  const file = libraries[library];
  const execArgv = file === undefined ? [] : ['--import', new URL(file, import.meta.url).href];
  return play({ ...plan, subject: 'unstale', storage: () => hiding(what), node: { execArgv } });
}

async function hiding(what: readonly Hidden[]): Promise<Storage> {
  const whole = await storages.single();
  if (whole.target.kind !== 'single') throw new TypeError(`Expected a single Redis, got a ${whole.target.kind}`);
  const url = new URL(whole.target.url);
  const proxy = await startHiding(Number(url.port), what);
  url.port = String(proxy.port);
  const stop = async () => {
    await proxy.stop();
    await whole.stop();
  };
  return { ...whole, target: { kind: 'single', url: url.href }, stop };
}
