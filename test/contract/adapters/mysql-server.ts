import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';
import type { AdapterRow } from '../../../src/testing/adapter-contract.js';
import { type Place, restoring } from './postgres-server.js';

/**
 * Databases of a MariaDB or MySQL. Those in which nobody changed more than rows are used again, with the rows that they
 * had at first: to make tables takes longer than most cases.
 */
export async function mysqlServer(url: string) {
  const run = async (sql: string, database?: string) => {
    const admin = await mysql.createConnection({ uri: url, multipleStatements: true, ...(database && { database }) });
    try {
      return (await admin.query(sql))[0] as AdapterRow[];
    } finally {
      await admin.end();
    }
  };
  const [row] = await run('select version() as version');
  const { hostname: host, port, username: user } = new URL(url);
  const version = String(row?.version);
  const isMariadb = /mariadb/i.test(version);
  const filled = new Map<string, { database: string; form: string }[]>();
  return {
    version: isMariadb ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`,
    lacks: {
      returning: `${isMariadb ? 'MariaDB' : 'MySQL'} has no UPDATE … RETURNING`,
      merge: 'no MERGE',
      ...(isMariadb && { lateral: 'MariaDB has no LATERAL' }),
    },
    async make(filling: readonly string[] = []): Promise<Place<mysql.PoolOptions>> {
      const text = filling.join(';\n');
      let { database, form } = filled.get(text)?.pop() ?? {};
      if (database === undefined) {
        database = `contract_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
        await run(`create database ${database} character set utf8mb4`);
        if (text !== '') {
          await run(text, database);
          form = JSON.stringify(await run(formOf(filling, database), database));
        }
      }
      const name = database;
      return {
        config: { host, port: Number(port), user, database },
        filled: text !== '',
        async drop() {
          // A view that nobody can read any more, or a table that is gone, is a change as well.
          const now = await run(formOf(filling, name), name).then(JSON.stringify, () => undefined);
          if (form !== undefined && now === form) {
            await run(restoring(filling), name);
            filled.set(text, [...(filled.get(text) ?? []), { database: name, form }]);
          } else await run(`drop database ${name}`);
        },
      };
    },
  };
}

/** Statements that say what there is in a database. */
function formOf(filling: readonly string[], database: string): string {
  const tables = filling.flatMap((sql) => /^create (?:table|view) (\w+)/.exec(sql)?.[1] ?? []);
  const of = `where db = '${database}'`;
  return [
    ...tables.map((table) => `show create table ${table}`),
    ...['show full tables', 'show triggers', 'show events'],
    ...[`show procedure status ${of}`, `show function status ${of}`, `show create database ${database}`],
  ].join(';\n');
}
