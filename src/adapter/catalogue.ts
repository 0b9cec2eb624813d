import { isFenced, type Version } from '../core/store.js';
import { catalogTag } from '../core/table-tags.js';
import {
  type Ask,
  type AskAtOnce,
  type Catalog,
  type Home,
  type LoadCatalog,
  loadCatalogAtOnce,
} from './catalog/index.js';
import type { Known } from './statements.js';

/** Who can be asked about the database at the moment: the connection of a statement that is about to be sent. */
export interface Asking {
  readonly ask: Ask;
  readonly isInTransaction: boolean;
  /** Nothing that is asked now would be answered. */
  readonly isAborted: boolean;
  /** Whether it is sent for a load, which is stored only if the catalogue is surely the one of now. */
  readonly isLoading: boolean;
  /** Whether names mean what they mean on a new connection. */
  readonly isUsual: boolean;
}

/**
 * The catalogue of a client's database, as fresh as its statements need it.
 *
 * It is read on the connection of a statement that needs it, before that one is sent, since a pool may have no second
 * connection to give. Others that come meanwhile wait for the same answer.
 */
export class Catalogue {
  current: Catalog | undefined;
  /** Raised when somebody changes what the catalogue says, in any process. */
  readonly tag: string;
  /** The version of `tag` before it was read: a statement that finds another one was planned with an old catalogue. */
  seen: Version | undefined;
  /** What names mean on a new connection: what they meant when the catalogue was last read on one. */
  home: Home | undefined;
  /** Why there is none. */
  problem = 'the catalogue was not read yet';
  readonly #load: (asking: Pick<Asking, 'ask' | 'isUsual'>) => Promise<Catalog>;
  readonly #loadAtOnce: (ask: AskAtOnce) => Catalog;
  readonly #version: (tag: string) => Promise<Version | undefined>;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  readonly #isPostgres: boolean;
  #loading: Promise<void> | undefined;
  #loadedAt = 0;
  #retryAt = Number.NEGATIVE_INFINITY;
  /** How often it was said that it is out of date; what was loaded before the last time is. */
  #changes = 0;
  #loadedChanges = 0;
  /** Names that are in no catalogue, so that nobody looks for them again and again. */
  #missing = new Set<string>();

  constructor(o: {
    database: string;
    dialect: Catalog['dialect'];
    functions: Parameters<LoadCatalog>[3];
    now: () => number;
    version: (tag: string) => Promise<Version | undefined>;
    failed: (error: unknown) => void;
    load: LoadCatalog;
  }) {
    this.#load = ({ ask, isUsual }) => o.load(ask, o.database, o.dialect, o.functions, isUsual ? undefined : this.home);
    this.#loadAtOnce = (ask) => loadCatalogAtOnce(ask, o.database, o.dialect, o.functions);
    this.tag = catalogTag(o.database);
    this.#version = o.version;
    this.#now = o.now;
    this.#failed = o.failed;
    this.#isPostgres = o.dialect.name === 'postgres';
  }

  /** Somebody has changed what it says: whatever comes next must know. */
  change(): void {
    this.#changes++;
  }

  /** What the statement must wait for before its tags can be made; undefined when it need not. */
  await(known: Known, asking: Asking): Promise<void> | undefined {
    const isDue = this.#isDue(known, asking);
    const isUnsure = this.#isUnsure && known.needsCatalog && asking.isLoading && !asking.isInTransaction;
    if (!isDue && !isUnsure) return undefined;
    if (this.#loading !== undefined) {
      if (!this.#isLate(asking) && !isUnsure) return undefined;
      // What it finds may be of use only where it is asked, and may be out of date by then.
      return this.#loading.then(() => (this.#isLate(asking) ? this.await(known, asking) : undefined));
    }
    if (asking.isAborted || this.#now() < this.#retryAt) return undefined;
    this.#loading = this.#reload(asking, isDue).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /**
   * The same of a driver that answers at once.
   *
   * @param seen - the version of `tag` now
   */
  refresh(known: Known, asking: Asking, ask: AskAtOnce, seen: Version | undefined): void {
    if (!this.#isDue(known, asking) || this.#now() < this.#retryAt) return;
    try {
      this.#took(this.#loadAtOnce(ask), seen, this.#changes, asking);
    } catch (error) {
      this.#missed(error);
    }
  }

  /** Whether it says nothing, or something else than what holds for this statement. */
  #isLate({ isUsual }: Pick<Asking, 'isUsual'>): boolean {
    if (this.current === undefined || this.#loadedChanges !== this.#changes) return true;
    // It was read behind a SET LOCAL, whose word nobody else must take.
    return this.home === undefined && isUsual;
  }

  /** It was read while its tag was fenced, or in a quarantine: no version says that it is the one of now. */
  get #isUnsure(): boolean {
    return isFenced(this.seen);
  }

  #isDue(known: Known, asking: Asking): boolean {
    return this.#isLate(asking) ? this.#isWanted(known, asking) : this.#isOld(known, asking);
  }

  #isWanted(known: Known, { isInTransaction }: Asking): boolean {
    if (known.needsCatalog) return true;
    // At the beginning, before anything: in a transaction it could come between BEGIN and SET TRANSACTION.
    return this.current === undefined && !isInTransaction && known.controls.every(({ action }) => action === 'begin');
  }

  #isOld({ needsCatalog, statement }: Known, { isInTransaction }: Asking): boolean {
    if (!needsCatalog || this.current === undefined) return false;
    if (!isInTransaction && this.#now() - this.#loadedAt > maxAge) return true;
    for (const { table } of statement.reads) if (this.#isNew(table)) return true;
    for (const { table, how } of statement.writes) if (how !== 'ddl' && this.#isNew(table)) return true;
    return false;
  }

  /** A table that the catalogue does not have, for the first time. */
  #isNew(table: { schema: string | undefined; name: string }): boolean {
    if (this.current!.find(table) !== undefined) return false;
    if (systemSchemas.test(table.schema ?? '') || systemTables.test(table.name)) return false;
    const name = `${table.schema ?? ''}.${table.name}`;
    if (this.#missing.has(name) || this.#missing.size >= maxMissing) return false;
    this.#missing.add(name);
    return true;
  }

  /** @param isDue - `false`: it is read again only if it can be told by now that it is the one of now */
  async #reload(asking: Asking, isDue: boolean): Promise<void> {
    const changes = this.#changes;
    try {
      const seen = await this.#version(this.tag);
      if (!isDue && !this.#isLate(asking) && (seen === undefined || isFenced(seen))) return;
      this.#took(await inTime(this.#asked(asking)), seen, changes, asking);
    } catch (error) {
      this.#missed(error);
    }
  }

  #took(catalog: Catalog, seen: Version | undefined, changes: number, { isUsual }: Asking): void {
    this.current = catalog;
    if (isUsual) this.home = catalog;
    this.seen = seen;
    this.#loadedChanges = changes;
    this.#loadedAt = this.#now();
    if (this.#missing.size >= maxMissing) this.#missing.clear();
  }

  #missed(error: unknown): void {
    this.problem = error instanceof Error ? error.message : String(error);
    // What is out of date is worse than none.
    if (this.#loadedChanges !== this.#changes || this.home === undefined) this.current = undefined;
    this.#retryAt = this.#now() + retryAfter;
    this.#failed(error);
  }

  async #asked(asking: Asking): Promise<Catalog> {
    const { ask, isInTransaction } = asking;
    if (!isInTransaction || !this.#isPostgres) return this.#load(asking);
    // A question of ours that fails must not end a transaction of theirs.
    await ask(`savepoint ${savepoint}`);
    try {
      const catalog = await this.#load(asking);
      await ask(`release savepoint ${savepoint}`);
      return catalog;
    } catch (error) {
      await ask(`rollback to savepoint ${savepoint}`);
      await ask(`release savepoint ${savepoint}`);
      throw error;
    }
  }
}

const savepoint = 'unstale_catalog';
const maxAge = 300_000;
const retryAfter = 1000;
/** Of waiting for it, while statements wait. */
const maxWait = 10_000;
const maxMissing = 1000;

const systemSchemas = /^(pg_\w+|information_schema|mysql|sys|performance_schema)$/;
const systemTables = /^(pg_|sqlite_|pragma_)/;

/** A database that does not answer must not make statements wait that it would answer. */
function inTime<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${maxWait} ms`)), maxWait);
    timer.unref();
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
