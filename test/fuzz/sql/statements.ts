import type { Dialect } from '../../../src/sql/index.js';
import { type Random, randomFrom } from './random.js';

/**
 * Random statements that know which tables they read and change, so that no other reader is needed to find what ours
 * misses. They are made to be hard: names that look like keywords, strings and comments that look like SQL, names of
 * a WITH that hide tables in one place and not in the next.
 */
export interface Sample {
  readonly sql: string;
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

export function sampleOf(dialect: Dialect['name'], seed: number): Sample {
  return new Generator(dialect, randomFrom(seed)).sample();
}

const plain = ['users', 'orders', 'items', 'teams', 'tags', 'logs', 't1', 't2', 'offset_x', 'lefty'];
const odd = ['from secret', 'Select', 'order', 'a "b"', 'join', 'ünï', 'x--y', 'w/*z', "it's", 'union', 'a;b'];
const columns = ['id', 'tenant', 'name', 'price', 'at'];
const traps = [
  'from nowhere',
  "it''s; delete from ghosts",
  '-- from ghosts',
  '/* join ghosts',
  'select * from ghosts',
  '$1',
  '?',
];

class Generator {
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();
  /** Texts that the noise must leave alone stand aside. */
  readonly #kept: string[] = [];
  #ctes: readonly string[] = [];
  #depth = 0;
  #parameters = 0;
  readonly #pg: boolean;
  readonly #mysql: boolean;
  readonly #sqlite: boolean;

  constructor(
    dialect: Dialect['name'],
    readonly random: Random,
  ) {
    this.#pg = dialect === 'postgres';
    this.#mysql = dialect === 'mysql';
    this.#sqlite = dialect === 'sqlite';
  }

  sample(): Sample {
    const text = this.random.chance(0.05) ? `${this.statement()} ; ${this.statement()}` : this.statement();
    return { sql: this.noise(text), reads: this.#reads, writes: this.#writes };
  }

  statement(): string {
    const { random } = this;
    const kinds = ['query', 'query', 'query', 'query', 'insert', 'update', 'delete'];
    if (this.#pg) kinds.push('merge', 'explain', 'create', 'copy', 'truncate');
    const kind = random.pick(kinds);
    if (kind === 'truncate') return `TRUNCATE TABLE ${this.target()} , ${this.target()}`;
    if (kind === 'explain') return `EXPLAIN ( ANALYZE , VERBOSE ) ${this.change('delete')}`;
    if (kind === 'create') return `CREATE TABLE ${this.target()} AS ${this.query()}`;
    if (kind === 'copy')
      return random.chance(0.5) ? `COPY ${this.target()} FROM STDIN` : `COPY ( ${this.query()} ) TO STDOUT`;
    if (kind === 'query') return this.query();
    return this.change(kind);
  }

  change(kind: string): string {
    const before = this.#ctes;
    const head = this.random.chance(0.25) && !(this.#mysql && kind === 'insert') ? this.withClause(this.#pg) : '';
    const text =
      head +
      (kind === 'insert'
        ? this.insert()
        : kind === 'update'
          ? this.update()
          : kind === 'merge'
            ? this.merge()
            : this.delete());
    this.#ctes = before;
    return text;
  }

  insert(): string {
    const { random } = this;
    const verb = this.#pg
      ? 'INSERT INTO'
      : random.pick(
          this.#sqlite
            ? ['INSERT OR REPLACE INTO', 'INSERT INTO', 'REPLACE INTO']
            : ['INSERT IGNORE INTO', 'REPLACE INTO', 'INSERT INTO'],
        );
    const target = this.target();
    const list = random.chance(0.7) ? ` ( ${random.pick(columns)} , price )` : '';
    const isQuery = random.chance(0.5);
    const source = isQuery
      ? this.query(true)
      : `VALUES ( ${this.value()} , ${this.expression()} ) , ( 1 , ${this.expression()} )`;
    let end = '';
    // After a query SQLite takes ON for a join's, unless a WHERE stands before it.
    if (this.#pg && random.chance(0.4)) end += ' ON CONFLICT ( id ) DO UPDATE SET price = EXCLUDED.price';
    else if (this.#sqlite && !isQuery && random.chance(0.3)) end += ' ON CONFLICT ( id , name ) DO NOTHING';
    else if (this.#mysql && verb !== 'REPLACE INTO' && random.chance(0.3))
      end += ` ON DUPLICATE KEY UPDATE price = ${this.expression()}`;
    if (!this.#mysql && random.chance(0.3)) end += ` RETURNING ${this.expression()}`;
    return `${verb} ${target}${list} ${source}${end}`;
  }

  update(): string {
    const { random } = this;
    if (this.#mysql && random.chance(0.5)) {
      const first = this.target(true);
      const second = this.table('b');
      return `UPDATE ${first} a JOIN ${second} ON a.id = b.id SET a.price = ${this.expression()} WHERE ${this.condition()}`;
    }
    const target = this.target();
    const set = `SET price = ${this.expression()} , name = ${this.value()}`;
    const from = !this.#mysql && random.chance(0.5) ? ` FROM ${this.from()}` : '';
    return `UPDATE ${target} ${set}${from} WHERE ${this.condition()}`;
  }

  delete(): string {
    const { random } = this;
    if (this.#mysql && random.chance(0.5)) {
      const first = this.target(true);
      const second = this.table('b');
      return random.chance(0.5)
        ? `DELETE a FROM ${first} a JOIN ${second} ON a.id = b.id WHERE ${this.condition()}`
        : `DELETE FROM a USING ${first} a , ${second} WHERE ${this.condition()}`;
    }
    const target = this.target();
    const using = this.#pg && random.chance(0.5) ? ` USING ${this.from()}` : '';
    return `DELETE FROM ${target}${using} WHERE ${this.condition()}`;
  }

  merge(): string {
    const target = this.target();
    const source = this.random.chance(0.5) ? this.table('s') : `( ${this.query()} ) s`;
    return `MERGE INTO ${target} AS m USING ${source} ON m.id = s.id AND ${this.condition()} WHEN MATCHED AND ${this.condition()} THEN UPDATE SET price = ${this.expression()} WHEN NOT MATCHED THEN INSERT ( id ) VALUES ( s.id )`;
  }

  query(isSource = false): string {
    const { random } = this;
    const before = this.#ctes;
    this.#depth++;
    let text =
      this.#depth < 4 && random.chance(0.25) ? this.withClause(this.#pg && this.#depth === 1 && !isSource) : '';
    const first = this.term();
    text += first;
    // What stands in brackets alone has its own end in them.
    const isWhole = !first.startsWith('(') || random.chance(0.5);
    if (first.startsWith('(') && isWhole) text += ` UNION ${this.term()}`;
    while (isWhole && random.chance(0.15))
      text += ` ${random.pick(['UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT'])} ${this.term()}`;
    if (isWhole && random.chance(0.2)) text += ' ORDER BY 1';
    if (isWhole && random.chance(0.2))
      text += this.#pg && random.chance(0.3) ? ' OFFSET 1 FETCH FIRST 3 ROWS ONLY' : ' LIMIT 5';
    this.#depth--;
    this.#ctes = before;
    return text;
  }

  term(): string {
    const { random } = this;
    if (this.#depth > 1 && !this.#sqlite && random.chance(0.06)) return `TABLE ${this.table(undefined)}`;
    if (this.#pg && random.chance(0.06)) return `VALUES ( 1 , ${this.expression()} ) , ( 2 , 3 )`;
    if (!this.#sqlite && random.chance(0.06)) return `( ${this.query()} )`;
    let text = 'SELECT ';
    if (random.chance(0.1)) text += 'DISTINCT ';
    text += random.chance(0.4)
      ? '*'
      : `${this.expression()} AS ${random.pick(this.#pg ? ['from', 'x', 'join', 'table'] : ['x', 'y'])} , a.${random.pick(columns)}`;
    text += ` FROM ${this.from()}`;
    if (random.chance(0.6)) text += ` WHERE ${this.condition()}`;
    if (random.chance(0.15)) text += ` GROUP BY name HAVING count(*) > ${this.expression()}`;
    if (this.#pg && random.chance(0.05)) text += ' WINDOW w AS ( PARTITION BY id ORDER BY name )';
    return text;
  }

  withClause(mayWrite: boolean): string {
    const { random } = this;
    const isRecursive = random.chance(0.3);
    const parts: string[] = [];
    const count = 1 + random.below(2);
    for (let at = 0; at < count; at++) {
      const name = random.pick(['moved', 'recent', ...plain]);
      const before = this.#ctes;
      const writes = mayWrite && random.chance(0.35);
      if (isRecursive || this.#sqlite) this.#ctes = [...before, name];
      const body = writes ? this.returned() : this.query();
      this.#ctes = [...before, name];
      const how = this.#pg ? random.pick(['', '', ' MATERIALIZED', ' NOT MATERIALIZED']) : '';
      parts.push(`${name} AS${how} ( ${body} )`);
    }
    return `WITH ${isRecursive ? 'RECURSIVE ' : ''}${parts.join(' , ')} `;
  }

  /** What a change in a WITH returns is read by the statement around it. */
  returned(): string {
    const before = new Set(this.#writes);
    this.#writes.clear();
    const text = this.random.chance(0.5) ? this.update() : this.delete();
    for (const name of this.#writes) this.#reads.add(name);
    for (const name of before) this.#writes.add(name);
    return `${text} RETURNING *`;
  }

  from(): string {
    const { random } = this;
    let text = this.item('a');
    for (let at = 0; at < 3 && random.chance(0.4); at++) text += this.joined(text, `j${at}`);
    if (random.chance(0.2)) text += ` , ${this.item('c')}`;
    if (random.chance(0.1)) text += this.joined(text, 'last');
    return text;
  }

  joined(_left: string, alias: string): string {
    const { random } = this;
    const kinds = ['JOIN', 'INNER JOIN', 'LEFT JOIN', 'LEFT OUTER JOIN', 'RIGHT JOIN', 'CROSS JOIN'];
    if (!this.#mysql) kinds.push('FULL JOIN', 'NATURAL JOIN', 'NATURAL LEFT JOIN');
    else kinds.push('STRAIGHT_JOIN');
    const kind = random.pick(kinds);
    if (/CROSS|NATURAL/.test(kind)) return ` ${kind} ${this.item(alias)}`;
    if (this.#pg && random.chance(0.1))
      return ` ${kind} ${this.item(alias)} ${kind} ${this.item(`${alias}n`)} ON ${this.condition()} ON true`;
    const item = this.item(alias);
    return ` ${kind} ${item} ${random.chance(0.3) && kind !== 'STRAIGHT_JOIN' ? 'USING ( id , name )' : `ON ${this.condition()}`}`;
  }

  item(alias: string): string {
    const { random } = this;
    const deep = this.#depth > 3;
    if (!deep && random.chance(0.15)) return `( ${this.query()} ) ${alias}`;
    if (!deep && this.#pg && random.chance(0.08)) return `LATERAL ( ${this.query()} ) AS ${alias} ( id , name )`;
    if (!deep && random.chance(0.08))
      return `( ${this.item(alias)} JOIN ${this.item(`${alias}i`)} ON ${this.condition()} )`;
    if (this.#pg && random.chance(0.06)) return `generate_series( 1 , ${this.value()} ) AS ${alias} ( n )`;
    if (this.#pg && random.chance(0.04))
      return `ROWS FROM ( unnest( ARRAY [ 1 , 2 ] ) , generate_series( 1 , 2 ) ) WITH ORDINALITY AS ${alias} ( n , m , o )`;
    if (this.#pg && random.chance(0.05)) return `ONLY ( ${this.table(undefined)} ) AS ${alias}`;
    if (this.#mysql && random.chance(0.08))
      return `${this.table(alias)} USE INDEX ( ix , iy ) IGNORE INDEX FOR ORDER BY ( iz )`;
    if (this.#sqlite && random.chance(0.06)) return `${this.table(alias)} INDEXED BY ix`;
    return this.table(alias);
  }

  /** A table to read, with its alias. */
  table(alias: string | undefined): string {
    const { random } = this;
    const name =
      random.chance(0.15) && this.#ctes.length > 0
        ? random.pick(this.#ctes)
        : random.chance(0.2)
          ? random.pick(odd)
          : random.pick(plain);
    const isQualified = random.chance(0.2);
    if (isQualified || !this.#ctes.includes(name)) this.#reads.add(this.folded(name));
    return `${isQualified ? 'main.' : ''}${this.name(name)}${alias === undefined ? '' : `${random.pick([' ', ' AS '])}${alias}`}`;
  }

  target(isRead = false): string {
    const name = this.random.chance(0.2) ? this.random.pick(odd) : this.random.pick(plain);
    this.#writes.add(this.folded(name));
    if (isRead) this.#reads.add(this.folded(name));
    // A name of a WITH is no target; with a schema nobody can take it for one.
    return `${this.#ctes.includes(name) || this.random.chance(0.2) ? 'main.' : ''}${this.name(name)}`;
  }

  folded(name: string): string {
    return this.#pg
      ? name
      : name
          .normalize(this.#mysql ? 'NFKD' : 'NFC')
          .replace(/\p{M}/gu, (mark) => (this.#mysql ? '' : mark))
          .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  }

  name(name: string): string {
    if (plain.includes(name) || /^(moved|recent)$/.test(name)) {
      if (this.random.chance(0.8)) return name;
    }
    if (this.#mysql) return this.keep(`\`${name.replaceAll('`', '``')}\``);
    if (this.#sqlite && this.random.chance(0.3) && !name.includes(']')) return this.keep(`[${name}]`);
    return this.keep(`"${name.replaceAll('"', '""')}"`);
  }

  condition(): string {
    const { random } = this;
    this.#depth++;
    const parts: string[] = [];
    const count = 1 + random.below(3);
    for (let at = 0; at < count; at++) {
      parts.push(
        random.pick([
          () => `${this.expression()} = ${this.expression()}`,
          () => `a.id = ${this.value()}`,
          () => `name LIKE ${this.string()}`,
          () => `price BETWEEN 1 AND ${this.value()}`,
          () => `tenant IN ( ${this.value()} , ${this.value()} )`,
          () => (this.#depth > 4 ? 'true' : `EXISTS ( ${this.query()} )`),
          () => (this.#depth > 4 ? 'a.id IS NULL' : `a.id NOT IN ( ${this.query()} )`),
          () =>
            this.#mysql ? 'a.id <=> 1' : this.#sqlite ? 'a.id IS NOT 4' : `a.id IS NOT DISTINCT FROM ${this.value()}`,
          () => (this.#sqlite ? `a.id IN ${this.table(undefined)}` : 'NOT name IS NULL'),
        ])(),
      );
    }
    this.#depth--;
    return parts.join(random.pick([' AND ', ' OR ']));
  }

  expression(): string {
    const { random } = this;
    if (this.#depth > 4) return this.value();
    this.#depth++;
    const choices = [
      () => this.value(),
      () => `a.${random.pick(columns)}`,
      () => `( SELECT count(*) FROM ${this.from()} )`,
      () => `CASE WHEN ${this.condition()} THEN ${this.value()} ELSE ( ${this.query()} ) END`,
      () => `coalesce( ${this.expression()} , ${this.value()} )`,
      () => `( ${this.expression()} + ${this.expression()} )`,
      () => `( ( SELECT 1 FROM ${this.table('z')} ) + 1 )`,
      () => `sum( price ) OVER ( PARTITION BY name ORDER BY id )`,
    ];
    if (!this.#sqlite)
      choices.push(
        () => 'extract( YEAR FROM at )',
        () => `trim( BOTH ${this.string()} FROM name )`,
        () => 'substring( name FROM 1 FOR 3 )',
      );
    if (this.#pg)
      choices.push(
        () => `ARRAY ( ${this.query()} )`,
        () => '( ARRAY [ 1 , 2 ] ) [ 1 ]',
        () => `price :: numeric(10,2)`,
        () => 'a.from',
        () => `count(*) FILTER ( WHERE ${this.condition()} )`,
        () => `( a.id IS DISTINCT FROM 3 )`,
        () => `a.at @> ${this.string()} :: jsonb`,
      );
    const text = random.pick(choices)();
    this.#depth--;
    return text;
  }

  value(): string {
    const { random } = this;
    return random.pick([
      () => `${random.below(100)}`,
      () => this.string(),
      () => (this.#pg ? `$${++this.#parameters}` : '?'),
    ])();
  }

  string(): string {
    const { random } = this;
    const text = random.pick(traps);
    if (this.#pg && random.chance(0.2)) return this.keep(`$q$${text}$q$`);
    if (this.#pg && random.chance(0.2)) return this.keep(`E'a\\'${text}'`);
    if (this.#mysql && random.chance(0.3))
      return this.keep(random.chance(0.5) ? `'a\\'${text}'` : `"from 'x' ${text}"`);
    return this.keep(`'${text}'`);
  }

  keep(text: string): string {
    this.#kept.push(text);
    return `\ue000${this.#kept.length - 1}\ue000`;
  }

  /** Gaps of all kinds, and keywords in any case. */
  noise(text: string): string {
    const { random } = this;
    const gaps = [' ', ' ', ' ', ' ', '\n', '\t', ' /* from ghosts */ ', ' -- join ghosts\n'];
    if (this.#pg) gaps.push('/* a /* from ghosts */ b */');
    if (this.#mysql) gaps.push(' # from ghosts\n');
    return text
      .replace(/[A-Z]{2,}/g, (word) => (random.chance(0.3) ? word.toLowerCase() : word))
      .replace(/ /g, () => (random.chance(0.9) ? ' ' : random.pick(gaps)))
      .replace(/\ue000(\d+)\ue000/g, (_, at) => this.#kept[Number(at)]!);
  }
}
