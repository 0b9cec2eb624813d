import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Client, Reply } from '../../../adapters/redis/client.js';
import { Link } from '../../../adapters/redis/link.js';

/** A connection in the hands of a test, and a clock that stands still unless it is set. */
function aLink({ bytesRead = (): number => 0, sendingTakes = 0 } = {}) {
  let now = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const clock = {
    now: () => now,
    coarse: () => now,
    after(ms: number, fn: () => void) {
      const timer = { at: now + ms, fn };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const answers: ((reply: Reply) => void)[] = [];
  const stream = {
    cork() {},
    uncork() {},
    destroy() {},
    get bytesRead() {
      return bytesRead();
    },
  };
  const client = Object.assign(new EventEmitter(), {
    stream,
    options: {},
    connect: async () => {},
    callBuffer: () => {
      now += sendingTakes;
      return new Promise<Reply>((resolve) => answers.push(resolve));
    },
  });
  const link = new Link(() => client as unknown as Client, { clock, maxInFlight: 1, onReady() {}, onLost() {} });
  client.emit('ready');
  return {
    link,
    answer: (reply: Reply) => answers.shift()?.(reply),
    /** To `ms`, with whatever is due by then. */
    pass(ms: number) {
      now += ms;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.fn();
      }
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: Error) => error.message,
  );

test('an answer that takes many turns of a busy process to be read is waited for', async () => {
  let read = 0;
  const { link, answer, pass } = aLink({ bytesRead: () => read++ });
  const call = outcome(link.send([['get', 'key']], 100));
  pass(500);
  for (let n = 0; n < 5; n++) await turn();
  answer(Buffer.from('value'));
  expect(await call).toBe('answered');
});

test('when a turn brings nothing, nobody waits any longer', async () => {
  let read = 0;
  const { link, pass } = aLink({ bytesRead: () => Math.min(4, read++) });
  const call = outcome(link.send([['get', 'key']], 100));
  pass(100);
  expect(await call).toContain('no answer within 100 ms');
});

test('what thousands of commands take to be written is not the time of the server', async () => {
  const { link, answer, pass } = aLink({ sendingTakes: 60 });
  const call = outcome(
    link.send(
      [
        ['get', 'one'],
        ['get', 'two'],
      ],
      100,
    ),
  );
  pass(90);
  await turn();
  await turn();
  answer(Buffer.from('1'));
  answer(Buffer.from('2'));
  expect(await call).toBe('answered');
});
