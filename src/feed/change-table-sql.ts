import { expected } from '../adapter/index.js';
import type { FeedSql, FeedTable } from './types.js';

/**
 * Row triggers that write into `unstale_changes`: what was changed is there when the change is, and stays until somebody
 * has made it known.
 */
export function changeTableSql(dialect: 'mysql' | 'sqlite', tables: Readonly<Record<string, FeedTable>>): FeedSql {
  const quote = (name: string) =>
    dialect === 'mysql' ? `\`${name.replaceAll('`', '``')}\`` : `"${name.replaceAll('"', '""')}"`;
  const names = Object.keys(tables);
  const drops = names.flatMap((name) =>
    events.map((event) => `drop trigger if exists ${quote(triggerOf(name, event))};`),
  );
  const creates = Object.entries(tables).flatMap(([name, { id, tenant }]) => {
    const columns = typeof id === 'string' ? [id] : id;
    if (columns === undefined || columns.length === 0)
      throw expected(`tables.${name}.id`, 'the columns of the primary key', id);
    if (name.includes('.')) throw expected('tables', 'names of tables of one database', name);
    return events.map((event) => {
      const images = event === 'insert' ? ['new'] : event === 'delete' ? ['old'] : ['old', 'new'];
      const rows = images.map((image) => {
        const ids = columns.map((column) => textOf(dialect, `${image}.${quote(column)}`)).join(', ');
        const whose = tenant === undefined ? 'null' : textOf(dialect, `${image}.${quote(tenant)}`);
        return `('${name.replaceAll("'", "''")}', json_array(${ids}), ${whose})`;
      });
      // A value that is no text, such as the bytes of a UUID, must not fail the write: it is left out.
      const into = dialect === 'mysql' ? 'insert ignore into' : 'insert into';
      const tell = `${into} unstale_changes (name, id, tenant) values ${rows.join(', ')};`;
      // One statement needs no `begin`, at whose semicolons a client of MySQL would cut.
      const body = dialect === 'mysql' ? tell : `begin ${tell} end;`;
      return `create trigger ${quote(triggerOf(name, event))} after ${event} on ${quote(name)} for each row ${body}`;
    });
  });
  return {
    up: [changeTable[dialect], ...drops, ...creates, ''].join('\n'),
    down: [...drops, 'drop table if exists unstale_changes;', ''].join('\n'),
  };
}

const events = ['insert', 'update', 'delete'] as const;
const triggerOf = (table: string, event: string) => `unstale_${table}_${event}`;
const textOf = (dialect: 'mysql' | 'sqlite', column: string) =>
  `cast(${column} as ${dialect === 'mysql' ? 'char character set utf8mb4' : 'text'})`;

const changeTable = {
  mysql: `create table if not exists unstale_changes (
  number bigint unsigned not null auto_increment primary key,
  name varchar(64) not null,
  id text not null,
  tenant text
) default charset = utf8mb4;`,
  sqlite: `create table if not exists unstale_changes (
  number integer primary key autoincrement,
  name text not null,
  id text not null,
  tenant text
);`,
};
