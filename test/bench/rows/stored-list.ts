import { isDeepStrictEqual } from 'node:util';
import { getJson, getMsgpackr, ideal, peers, type StoredTask, unstale } from '../contenders/redis.js';
import { us } from '../harness.js';
import { atLeast, atMost, type Row } from '../row.js';
import { datedRow, idOf, keyAt, rows } from '../samples.js';
import { asOutcomes, measureHits } from '../stored.js';

const listOf = async (key: string) => rows(50, (at) => datedRow(idOf(key) + at));
const makes = [unstale, ideal, getJson, getMsgpackr, ...peers];

/** 50 rows with a Date out of Redis: what it costs, how many bytes travel, and whether they come back as they were. */
export const row: Row = {
  needsRedis: true,
  async run(setting) {
    const measured = await measureHits(makes, { keyAt, load: listOf }, setting);
    const wire = Object.fromEntries(Object.entries(measured.served).map(([name, { bytes }]) => [name, bytes]));
    const json = Buffer.byteLength(JSON.stringify(await listOf(keyAt(1))));
    const changed = await changedRows(setting.redis as string);
    return [
      ...asOutcomes('L2 hit, 50 rows', measured, {
        cpu: [atLeast(2, '× bentocache', measured.faster('bentocache'))],
      }),
      {
        title: 'L2 hit, 50 rows: on the wire',
        unit: 'bytes',
        figures: { ...wire, JSON: json },
        targets: [atMost(0.62, 'of the bytes of JSON', (wire[us] as number) / json)],
      },
      {
        title: 'L2 hit, 50 rows with a Date: that come back different',
        unit: 'rows',
        figures: changed,
        targets: [atMost(0, 'rows', changed[us] as number)],
      },
    ];
  },
};

/** How many of 50 rows are not deeply equal to what was loaded. */
async function changedRows(redis: string): Promise<Record<string, number>> {
  const task: StoredTask = { redis, keyAt: () => 'changed:1', load: listOf };
  const want = await listOf('changed:1');
  const changed: Record<string, number> = {};
  for (const make of makes) {
    const { name, read, close } = await make(task);
    await read(0);
    // Some answer before they have stored.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const got = (await read(0)) as unknown[];
    changed[name] = want.filter((row, at) => !isDeepStrictEqual(row, got[at])).length;
    await close?.();
  }
  return changed;
}
