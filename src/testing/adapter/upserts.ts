import { account, upsertAccount, upsertEmail } from './shop.js';
import { about, trap } from './trap.js';
import type { World } from './world.js';

const accounts = 'select id, name, org from accounts';
const acme = 'select id, name from accounts where org = ?';
const tenant = { tenant: 'org' };

/** What is inserted, or changed when it is there already. */
export const upserts = about('upserts', [
  trap(
    'one of a row that is there ends it',
    both(
      async (w) => {
        await w.writer.write(upsertAccount[w.dialect], [1, 'acme', 'Ida', 'ada@x']);
      },
      [account, 1],
      [accounts],
      [acme, 'acme'],
    ),
    { rules: tenant },
  ),
  trap(
    'one of a row that is not there ends lists and the answer that there is none',
    both(
      async (w) => {
        await w.writer.write(upsertAccount[w.dialect], [9, 'acme', 'Eve', 'eve@x']);
      },
      [account, 9],
      [accounts],
      [acme, 'acme'],
    ),
    { rules: tenant },
  ),
  trap(
    'one that meets a row by another unique key ends that row, whoever has it',
    both(
      async (w) => {
        // Says 9 and acme; changes row 3, of zeta.
        await w.writer.write(upsertEmail[w.dialect], [9, 'acme', 'Cleopatra', 'cleo@x']);
      },
      [account, 3],
      [accounts],
      [acme, 'zeta'],
    ),
    { rules: tenant },
  ),
  trap('INSERT that ignores what is there leaves it in the cache, or loads the same again', async (w) => {
    const ada = await w.prime(account, [1]);
    const into = { postgres: 'insert into', mysql: 'insert ignore into', sqlite: 'insert or ignore into' };
    const end = w.dialect === 'postgres' ? ' on conflict do nothing' : '';
    const sql = `${into[w.dialect]} accounts (id, org, name, email) values (?, ?, ?, ?)${end}`;
    await w.writer.write(sql, [1, 'acme', 'Ida', 'ida@x']);
    await ada.unchanged();
    const eve = await w.prime(account, [9]);
    await w.writer.write(sql, [9, 'acme', 'Eve', 'eve@x']);
    await eve.changed();
  }),
]);

function both(
  act: (w: World) => Promise<void>,
  ...reads: readonly (readonly [sql: string, ...params: unknown[]])[]
): (w: World) => Promise<void> {
  return async (w) => {
    const primed = [];
    for (const [sql, ...params] of reads) primed.push(await w.prime(sql, params));
    await act(w);
    for (const one of primed) await one.changed();
  };
}
