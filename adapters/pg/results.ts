import type { Driver, Form, Row } from '../../src/adapter/index.js';
import type { PgClient } from './internals.js';

/** What `pg` answers. */
export interface Answer {
  readonly result: any;
  /** Its rows are not those of the text that was to be sent. */
  readonly isOther?: boolean;
}

export const answers: Pick<Driver<Answer>, 'rowsOf' | 'hideRows'> = {
  /** Several statements in one text have several results. */
  rowsOf: ({ result, isOther }) => (isOther || !Array.isArray(result?.rows) ? undefined : asObjects(result)),
  hideRows(answer) {
    Object.assign(answer.result, { rows: [], fields: [] });
    return answer;
  },
};

function asObjects({ rows, fields }: any): readonly Row[] {
  if (!Array.isArray(rows[0])) return rows;
  const asObject = (row: unknown[]) => Object.fromEntries(row.map((value, at) => [fields[at].name, value]));
  return rows.map(asObject);
}

/** `Result` of `pg`. Of all values that `pg` makes by itself, intervals alone are of a class of their own. */
export function formOf(client: () => PgClient): Form<any> {
  let intervalOf: ((text: string) => object) | undefined;
  const revive = (value: any) => {
    if (typeof value !== 'object' || value === null) return value;
    // The driver's own parser knows the class, and makes an empty one of an empty text.
    intervalOf ??= client().getTypeParser(interval, 'text');
    return Object.assign(intervalOf(''), value);
  };
  return {
    pack({ command, rowCount, rows, fields }) {
      const columns: Column[] = fields.map((field: any) => [field.name, field.dataTypeID]);
      return { command, rowCount, rows: changeIntervals(rows, columns, plain), columns };
    },
    unpack(packed: any) {
      const { columns, ...rest } = packed;
      const fields = columns.map(([name, dataTypeID]: Column) => ({ name, dataTypeID }));
      return { ...rest, oid: null, rows: changeIntervals(rest.rows, columns, revive), fields };
    },
  };
}

type Column = [name: string, type: number];
const interval = 1186;
const plain = (value: any) => (value?.toPostgres ? { ...value } : value);

function changeIntervals(rows: readonly any[], columns: readonly Column[], change: (value: any) => unknown) {
  const isArray = Array.isArray(rows[0]);
  const at = columns.flatMap(([name, type], i) =>
    type === interval || type === interval + 1 ? [isArray ? i : name] : [],
  );
  if (at.length === 0) return rows;
  const deep = (value: unknown): unknown => (Array.isArray(value) ? value.map(deep) : change(value));
  return rows.map((row) =>
    Object.assign(isArray ? [...row] : { ...row }, ...at.map((key) => ({ [key]: deep(row[key]) }))),
  );
}
