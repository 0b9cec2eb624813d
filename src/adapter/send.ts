import type { Company } from './guard.js';
import type { State } from './shared.js';
import type { Known } from './statements.js';
import type { Tracked } from './track.js';
import type { Params } from './types.js';
import { UnderWay } from './under-way.js';

/** A statement that is to be sent. */
export interface Sending<R> {
  readonly known: Known;
  readonly params: Params;
  readonly execute: (sql: string) => Promise<R>;
  readonly mayAdd: boolean;
}

/** Sends a statement; what it has to tell the cache is told when this resolves. */
export function send<R>(state: State<R>, sending: Sending<R>, tracked?: Tracked): Promise<R> {
  const { known, execute } = sending;
  // Most statements are queries outside of everything, of which there is nothing to tell.
  const isAlone = tracked === undefined && state.transaction === undefined && !state.shared.port.inLoad();
  if (isAlone && known.isQuery && isQuiet(state, known)) return start(execute, known.sql);
  return follow(state, sending, tracked);
}

/** Sends it, and stays with it to its end, whatever it is. */
export async function follow<R>(
  state: State<R>,
  { known, params, execute, mayAdd }: Sending<R>,
  tracked?: Tracked,
  company?: Company,
): Promise<R> {
  const { shared } = state;
  const under = new UnderWay(state, known, params, { tracked, mayAdd });
  const isChanged = under.sql !== known.sql;
  let result: R;
  let isSent = false;
  try {
    const running = execute(under.sql);
    isSent = true;
    result = await running;
  } catch (error) {
    const blamed = isChanged ? blame(error, known.sql) : 'not ours';
    await under.end(false, undefined, undefined, { company, error, isSent });
    if (blamed === 'ours') shared.addsReturning = false;
    // In a transaction nothing else can be done any more.
    else if (under.transaction !== undefined && blamed === 'nobody') shared.asItIs.add(known);
    if (under.transaction !== undefined || blamed === 'not ours') throw error;
    // It has changed nothing.
    const again = await follow(state, { known, params, execute, mayAdd: false });
    shared.addsReturning = false;
    return again;
  }
  const { driver } = shared;
  const rows = safely(state, () => driver.rowsOf(result), undefined);
  await under.end(true, rows, result, { company });
  return isChanged && driver.hideRows ? safely(state, () => driver.hideRows!(result), result) : result;
}

/** Whether the text that was sent may be to blame, since a RETURNING was added to it. */
export function mayBeOurs(error: unknown): boolean {
  return refusals.has(codeOf(error));
}

export function codeOf(error: unknown): string {
  return String((Object(error) as { code?: unknown }).code);
}

/** PostgreSQL: what a statement may fail with because of a RETURNING that it did not have. */
const refusals = new Set(['42501', '42601', '42703']);

/** Whether what was added behind `sql` is to blame. A privilege that is missing has no place in the text. */
function blame(error: unknown, sql: string): 'ours' | 'not ours' | 'nobody' {
  const { position } = Object(error) as { position?: unknown };
  if (!mayBeOurs(error)) return 'not ours';
  if (position === undefined) return 'nobody';
  return Number(position) > [...sql].length ? 'ours' : 'not ours';
}

/** Whether it changes nothing, as far as anybody knows. */
function isQuiet(state: State<unknown>, known: Known): boolean {
  const plan = state.planOf(known);
  return plan === undefined ? known.statement.functions.length === 0 : !plan.writes && plan.everything === undefined;
}

/** One that throws at once fails its own statement only. */
function start<R>(execute: (sql: string) => Promise<R>, sql: string): Promise<R> {
  try {
    return execute(sql);
  } catch (error) {
    return Promise.reject(error);
  }
}

function safely<T>({ shared }: State<unknown>, fn: () => T, otherwise: T): T {
  try {
    return fn();
  } catch (error) {
    shared.failed(error);
    return otherwise;
  }
}
