import type { Driver, Form, Row } from '../../src/adapter/index.js';

/** What a driver answers: a result of `pg`, or rows and fields of `mysql2`. */
export interface Answer {
  readonly result: any;
  /** Its rows are not those of the text that was to be sent. */
  readonly isOther?: boolean;
}

/** Where the rows are in what a driver answers, and how they are kept: as data and nothing of a class. */
export interface Answers extends Omit<Driver<Answer>, 'ask'> {
  /** Of results whose rows are arrays, of which Drizzle takes nothing but the rows, and of the others. */
  form(isArrays: boolean): Form<any>;
}

export const postgresAnswers: Answers = {
  /** Several statements in one text have several results. */
  rowsOf: ({ result, isOther }) =>
    isOther || !Array.isArray(result?.rows) ? undefined : asObjects(result.rows, result.fields),
  hideRows(answer) {
    if (!answer.isOther) Object.assign(answer.result, { rows: [], fields: [] });
    return answer;
  },
  form: (isArrays) => (isArrays ? { pack: ({ rows }) => rows, unpack: (rows) => ({ rows }) } : postgresResult),
};

const postgresResult: Form<any> = {
  pack: ({ command, rowCount, rows, fields }) => ({ command, rowCount, rows, columns: fields.map(columnOf) }),
  unpack({ columns, ...rest }: any) {
    const fields = columns.map(([name, dataTypeID]: Column) => ({ name, dataTypeID }));
    return { ...rest, oid: null, fields };
  },
};

type Column = [name: string, type: number];
const columnOf = ({ name, dataTypeID }: any): Column => [name, dataTypeID];

export const mysqlAnswers: Answers = {
  rowsOf: ({ result }) => (isRows(result) ? asObjects(result[0], result[1]) : undefined),
  form: (isArrays) => ({
    pack: (result) => (isArrays || !isRows(result) ? [result[0]] : [result[0].map(plain), result[1].map(fieldOf)]),
    unpack: ([rows, fields = []]: any) => [rows, fields],
  }),
};

/** After several statements there are several arrays of rows. */
function isRows(result: any): boolean {
  return Array.isArray(result?.[0]) && Array.isArray(result[1]) && typeof result[1][0]?.name === 'string';
}

const plain = (row: object) => ({ ...row });
const fieldOf = ({ name, type, columnType = type, flags }: any) => ({ name, type, columnType, flags });

function asObjects(rows: readonly any[], fields: readonly { name: string }[]): readonly Row[] {
  if (!Array.isArray(rows[0])) return rows;
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, at) => [name, row[at]])));
}
