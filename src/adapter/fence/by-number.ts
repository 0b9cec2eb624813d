import type { Witness } from './witness.js';

/**
 * PostgreSQL gives each writing transaction a number that it never gives again, and knows for long what became of it.
 * The functions are those of the old names, which every version has.
 *
 * A transaction whose process hangs between fence and COMMIT keeps its tags shut. So it is told, for itself alone, to end
 * when it idles as long as a lease. It begins to idle before the fence is placed, hence is over before anybody asks.
 */
export const byNumber: Witness = {
  kind: 'xid',
  async sign(ask) {
    const [row] = await ask(sign);
    return String(row?.id);
  },
  async isOver(borrow, name) {
    // It comes from the store, which anybody may have written to.
    if (!isNumber.test(name)) return undefined;
    const [row] = await borrow((ask) => ask(becameOf(name)));
    return row?.became === 'elsewhere' ? undefined : row?.became !== 'in progress';
  },
  async quiet(borrow, pause) {
    // A number of our own, which is later than all that were given. The end of a snapshot is not: it is one behind the
    // last transaction that has *ended*, and one that has begun since, and is open, would not be waited for.
    const [row] = await borrow((ask) => ask('select txid_current()::text as own'));
    const oldest = 'txid_snapshot_xmin(txid_current_snapshot())';
    for (;;) {
      const ended = await borrow((ask) => ask(`select 1 as yes where ${oldest} >= ${row?.own}`));
      if (ended.length > 0) return;
      await pause();
    }
  },
};

/**
 * What is not in a snapshot that comes later has ended, or was given after it. The snapshot is asked first, since a COMMIT is
 * written down before others see it, for as long as a standby takes to confirm it; and servers of before 2024 say `committed`
 * by what is written down. What one snapshot of a server sees, every later one does. A server that was restored from a backup,
 * or has taken over, may never have given that number: then one that is drawn now is smaller. A standby may not have heard
 * of it yet. Servers that write down the end of a transaction show it a little later: until then it is not over.
 */
function becameOf(name: string): string {
  const snapshot = 'txid_current_snapshot()';
  return `select case when pg_is_in_recovery() then 'elsewhere'
    when ${name} >= txid_snapshot_xmax(${snapshot}) then case when ${name} > txid_current() then 'never' else 'in progress' end
    when txid_visible_in_snapshot(${name}, ${snapshot}) then coalesce(txid_status(${name}), 'long ago')
    else 'in progress' end as became`;
}

/** As far as a bigint goes. */
const isNumber = /^\d{1,18}$/;

/** Milliseconds for which nobody asks whether a writer is still at work. */
export const lease = 5000;

const idle = 'idle_in_transaction_session_timeout';
/** What is set already and shorter stays. */
const sign = `select txid_current()::text as id, set_config('${idle}', least(nullif(extract(epoch from current_setting('${idle}')::interval) * 1000, 0), ${lease})::int::text, true) as idle`;
