import { describe, expect, test } from 'vitest';
import { publish } from '../../../../src/adapter/publish.js';
import { Narrowed } from '../../../../src/adapter/shared.js';
import { InvalidationPendingError } from '../../../../src/index.js';

/** A write by rules that hold under version 1 of the agreement, when that is `now`. */
function aWrite(now: string | number | undefined, coarse?: Error) {
  const told = { lost: 0, acknowledged: [] as string[][], ended: [] as unknown[] };
  const shared = {
    port: {
      version: async () => now,
      acknowledge: async (tags: string[]) => {
        told.acknowledged.push(tags);
        return tags.includes('coarse') ? coarse : undefined;
      },
    },
    failed() {},
    narrowing: { tag: 'rules', lost: () => void told.lost++ },
  };
  const narrowed = new Narrowed();
  narrowed.add(1, ['coarse']);
  const ended = {
    ...{ ok: true, result: undefined, tags: ['own'], units: [], again: false, isAtOnce: false },
    company: { tags: [], owner: undefined, ended: (...how: unknown[]) => void told.ended.push(how) },
    outcome: 'committed' as const,
  };
  return publish(shared as never, narrowed, ended).then(() => told);
}

describe('a write by rules', () => {
  test('that hold is told by them alone', async () => {
    expect(await aWrite(1)).toEqual({ lost: 0, acknowledged: [['own']], ended: [['committed', true]] });
  });

  test('that others have replaced is told in everybody’s words, and they are asked for anew', async () => {
    const { lost, acknowledged } = await aWrite(2);
    expect({ lost, acknowledged }).toEqual({ lost: 1, acknowledged: [['own'], ['coarse']] });
  });

  test.each([['f?7'], [undefined]])('of which nobody can tell (%s) is told so, too, and they stay', async (now) => {
    const { lost, acknowledged } = await aWrite(now);
    expect({ lost, acknowledged }).toEqual({ lost: 0, acknowledged: [['own'], ['coarse']] });
  });

  test('is not acknowledged while everybody’s words are pending', async () => {
    const { ended } = await aWrite(2, new InvalidationPendingError(['coarse']));
    expect(ended).toEqual([['committed', false]]);
  });
});
