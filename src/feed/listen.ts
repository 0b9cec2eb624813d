import { type Duration, expected, parseDuration } from '../adapter/index.js';
import type { Change, Listener, Source } from './source.js';
import { noAnswer, slept, unless } from './waiting.js';

/** What is used of a `pg.Client`: a connection of its own, that nothing else uses. */
export interface ListenClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  on(event: any, listener: any): unknown;
  end(): Promise<unknown>;
}

export interface ListenOptions {
  /** Makes a client that is not connected yet: `() => new pg.Client(url)`. Called again after each loss. */
  readonly connect: () => ListenClient;
  /** As in {@link feedSql}. @defaultValue 'unstale' */
  readonly channel?: string;
  /** How often the connection has to show that it lives; one that does not answer for as long is given up. @defaultValue 2_000 */
  readonly heartbeat?: Duration;
}

/**
 * Changes of a PostgreSQL, by LISTEN and NOTIFY. What is written while nobody listens is lost, so everything that the
 * feed covers is given up at each beginning.
 *
 * @throws TypeError for wrong options
 */
export function listen({ connect, channel = 'unstale', heartbeat = 2000 }: ListenOptions): Source {
  if (typeof connect !== 'function') throw expected('connect', 'a function that makes a client', connect);
  if (typeof channel !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(channel))
    throw expected('channel', 'a lower-case name of at most 63 letters, digits and _', channel);
  const beat = parseDuration('heartbeat', heartbeat);
  if (!(beat > 0 && Number.isFinite(beat))) throw expected('heartbeat', 'more than 0 and not for ever', heartbeat);
  return {
    async run(to, signal) {
      for (let pause = firstPause; !signal.aborted; pause = Math.min(longestPause, pause * 2)) {
        try {
          await once(connect(), channel, beat, to, signal, () => {
            pause = firstPause;
          });
        } catch (error) {
          if (!signal.aborted) to.lost(error);
        }
        await slept(pause * (0.5 + Math.random() / 2), signal);
      }
    },
  };
}

/** Milliseconds between two attempts. */
const firstPause = 50;
const longestPause = 2000;

/** One connection, from its beginning until it is lost or given up. @throws why it was lost */
async function once(
  client: ListenClient,
  channel: string,
  beat: number,
  to: Listener,
  signal: AbortSignal,
  begun: () => void,
): Promise<void> {
  const life = new AbortController();
  const fail = (error: unknown) => life.abort(error);
  const stop = () => life.abort();
  signal.addEventListener('abort', stop);
  client.on('error', fail);
  client.on('end', () => fail(new Error('the connection has ended')));
  const goesOn = () => {
    if (!signal.aborted) life.signal.throwIfAborted();
  };
  const answered = async (doing: Promise<unknown>) => {
    const timer = setTimeout(() => fail(noAnswer(beat)), beat);
    await unless(life.signal, doing).finally(() => clearTimeout(timer));
    goesOn();
  };
  let heard: Change[] = [];
  let telling = false;
  /** What comes together goes together; what was not confirmed is kept by the cache and delivered later. */
  const tell = async () => {
    if (telling) return;
    telling = true;
    await Promise.resolve();
    while (heard.length > 0) {
      const changes = heard;
      heard = [];
      await to.changed(changes).catch(() => {});
    }
    telling = false;
  };
  client.on('notification', (message: { channel: string; payload?: string }) => {
    if (message.channel !== channel) return;
    try {
      heard.push(readChange(message.payload));
    } catch (error) {
      return fail(error);
    }
    void tell();
  });
  try {
    await answered(client.connect());
    await answered(client.query(`listen ${channel}`));
    // From here on nothing is missed, so what was missed is before it.
    await to.began(true).catch(() => {});
    begun();
    while (!signal.aborted) {
      await slept(beat, life.signal);
      goesOn();
      await answered(client.query('select 1'));
    }
  } finally {
    signal.removeEventListener('abort', stop);
    const closing = client.end().catch(() => {});
    // Whoever closes the feed may take the database away next.
    if (signal.aborted) await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, beat).unref())]);
  }
}

/** @throws Error when it is none of ours: then somebody else uses the channel */
function readChange(payload = ''): Change {
  try {
    const [schema, table, rows] = JSON.parse(payload) as [string, string, Change['rows'] | null];
    return { schema, table, ...(rows ? { rows } : {}) };
  } catch (cause) {
    throw new Error(`Expected what a trigger of the feed says, got ${JSON.stringify(payload.slice(0, 80))}`, { cause });
  }
}
