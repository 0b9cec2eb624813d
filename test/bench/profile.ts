import { Session } from 'node:inspector/promises';
import { basename } from 'node:path';

/** The functions in whose own code the time went while `fn` ran. */
export async function profiled(fn: () => Promise<void>, top = 25): Promise<string> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 250 });
  await session.post('Profiler.start');
  await fn();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();

  const functions = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, number>();
  let all = 0;
  profile.samples?.forEach((id, at) => {
    const { functionName, url, lineNumber } = functions.get(id) ?? { functionName: '', url: '', lineNumber: 0 };
    if (functionName === '(idle)') return;
    const name = `${functionName || '(anonymous)'}${url === '' ? '' : `  ${basename(url)}:${lineNumber + 1}`}`;
    const time = profile.timeDeltas?.[at] ?? 0;
    all += time;
    spent.set(name, (spent.get(name) ?? 0) + time);
  });
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([name, time]) => `${((100 * time) / all).toFixed(1).padStart(6)} %  ${name}`)
    .join('\n');
}
