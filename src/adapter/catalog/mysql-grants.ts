type Has = (privileges: readonly string[], schema: string, table: string) => boolean;

/**
 * Whether a user has one of these privileges on a table, by its own `SHOW GRANTS`, which has the rights of its roles
 * too. What is not shown without a privilege looks as if it were not there, so somebody has to ask.
 *
 * @param rows - of one column, whose name has the user's in it
 */
export function grantsOf(rows: readonly object[]): Has {
  const grants = rows.flatMap((row) => {
    const [, verb, privileges, schema, table] = line.exec(String(Object.values(row)[0])) ?? [];
    if (verb === undefined) return [];
    const names = privileges!.toUpperCase().replace(/\([^)]*\)/g, ''); // those of columns have a list behind them
    return [{ verb: verb.toUpperCase(), privileges: names.split(/\s*,\s*/), schema: schema!, table: table! }];
  });
  return (wanted, schema, table) => {
    const matching = grants.filter(
      (grant) =>
        grant.privileges.some((it) => it === 'ALL PRIVILEGES' || wanted.includes(it)) &&
        isSchema(grant, schema) &&
        (grant.table === '*' || nameIn(grant.table) === table),
    );
    // MySQL can take a right on everything back for one database.
    return matching.length > 0 && matching.every(({ verb }) => verb === 'GRANT');
  };
}

const name = '\\*|`(?:[^`]|``)*`|"(?:[^"]|"")*"';
const line = new RegExp(`^(GRANT|REVOKE) (.*?) ON (?:TABLE )?(${name})\\.(${name}) (?:TO|FROM) `, 'is');

function isSchema(grant: { schema: string; table: string }, schema: string): boolean {
  if (grant.schema === '*') return true;
  return grant.table === '*' ? like(nameIn(grant.schema), schema) : nameIn(grant.schema) === schema;
}

const nameIn = (quoted: string) => quoted.slice(1, -1).replaceAll(quoted[0]!.repeat(2), quoted[0]!);

/** The database of a grant is a pattern with `%`, `_` and `\`. */
function like(pattern: string, schema: string): boolean {
  const source = pattern.replace(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return part.at(-1)!.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'is').test(schema);
}
