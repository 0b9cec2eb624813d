import type { Driver, Form, Row } from '../../src/adapter/index.js';

export interface Answer {
  readonly rows?: any;
  readonly fields?: any;
  /** Its rows are arrays, or are parted by tables. */
  readonly isOther?: boolean;
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** There are none to look into after a statement that is no query, and after several. */
export const rowsOf: Driver<Answer>['rowsOf'] = ({ rows, isOther }) =>
  !isOther && Array.isArray(rows) && rows.every(isObject) ? (rows as Row[]) : undefined;

export const form: Form<Answer> = {
  pack: ({ rows, fields }) => [rows, fields?.map(fieldOf)],
  unpack: (packed) => {
    const [rows, fields] = packed as [any, any];
    return { rows, fields };
  },
};

function fieldOf({ name, type, columnType = type, flags }: any): object {
  return { name, type: columnType, columnType, flags };
}
