import { type Dialect, fingerprint, readStatement, type Statement, type TransactionControl } from '../sql/index.js';
import { type Taint, taintOf, temporary } from './taint.js';

/** What is known of a text without asking the database. */
export interface Known {
  readonly statement: Statement;
  readonly sql: string;
  /** For messages and events: without values. */
  readonly text: string;
  /** Transaction control in it, in order. */
  readonly controls: readonly TransactionControl[];
  readonly isSeveral: boolean;
  /** It may commit what is open, or do what nobody sees. */
  readonly isUncertain: boolean;
  /** What the catalogue says may be different after it. */
  readonly defines: boolean;
  readonly taints: readonly Taint[];
  /** Temporary tables that it makes, folded. */
  readonly makes: readonly string[];
  /** Whether its tags depend on what is in the catalogue. */
  readonly needsCatalog: boolean;
  /** Nothing but a query, as far as the text tells. */
  readonly isQuery: boolean;
  /** Each row of the result is made of one row, and is there whatever other rows there are. */
  readonly isApart: boolean;
}

/** What is known of texts, as long as they are remembered at all. */
export class Statements {
  readonly #dialect: Dialect;
  readonly #known = new WeakMap<Statement, Known>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  of(sql: string): Known {
    const statement = readStatement(sql, this.#dialect);
    let known = this.#known.get(statement);
    if (known === undefined) {
      known = read(statement, sql, this.#dialect);
      this.#known.set(statement, known);
    }
    return known;
  }
}

function read(statement: Statement, sql: string, dialect: Dialect): Known {
  const parts = statement.parts.length > 0 ? statement.parts : [statement];
  const controls = parts.flatMap((part) => controlOf(part) ?? []);
  const isUncertain = parts.some(
    ({ kind, opaque, commitsImplicitly, transaction }) =>
      (opaque !== undefined && kind !== 'ddl') || (commitsImplicitly && transaction === undefined),
  );
  const defines = parts.some((part) => part.kind === 'ddl' || (part.opaque !== undefined && isDefinition.test(sql)));
  const taints = parts.flatMap((part) => taintOf(part, sql, dialect) ?? []);
  const { opaque, reads, writes, functions } = statement;
  let text: string | undefined;
  return {
    statement,
    sql,
    get text() {
      text ??= fingerprint(sql, dialect).text;
      return text;
    },
    controls,
    isSeveral: parts.length > 1,
    isUncertain,
    defines,
    taints,
    makes: parts.flatMap((part) =>
      part.kind === 'ddl' && part.session === temporary ? part.writes.map(({ table }) => table.name) : [],
    ),
    needsCatalog: reads.length + writes.length + functions.length > 0,
    isQuery:
      opaque === undefined &&
      writes.length === 0 &&
      controls.length === 0 &&
      taints.length === 0 &&
      parts.length === 1 &&
      !isUncertain &&
      !defines,
    isApart: statement.rowOutput !== undefined && !comparesRows.test(sql),
  };
}

/** Words by which other rows decide about a row. In a text or a name they cost precision, and nothing else. */
const comparesRows = /\b(?:limit|offset|fetch|top|over|window|qualify|distinct\s+on|tablesample)\b/i;

function controlOf({ transaction, names }: Statement): TransactionControl | undefined {
  // `SET GLOBAL autocommit` is for connections that are yet to come.
  if (transaction?.action === 'autocommit' && (names.has('global') || names.has('persist'))) return undefined;
  return transaction;
}

/** What nobody can read to its end may still be known by its first word. */
const isDefinition = /\b(?:alter|create|drop|rename|grant|revoke|attach|detach|import|security)\b/i;
