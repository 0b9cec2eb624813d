import type { Port } from '../core/port.js';
import type { Dialect } from '../sql/index.js';
import type { Driver } from './driver.js';
import { Names, type Tainted } from './names.js';
import type { Plans } from './plans.js';
import type { Known, Statements } from './statements.js';
import type { Plan } from './types.js';
import { UnitOfWork } from './unit-of-work.js';

/** What the sessions of a client share. */
export interface Shared<R> extends Tainted {
  readonly port: Port;
  readonly driver: Driver<R>;
  readonly dialect: Dialect;
  readonly statements: Statements;
  readonly plans: Plans;
  /** Whether a RETURNING may be added; not after the database has refused one. */
  addsReturning: boolean;
  /** Those that get none, since nobody knows by what they failed. */
  readonly asItIs: WeakSet<Known>;
  /** Something in the kit has failed, and must not fail a statement. */
  failed(error: unknown): void;
}

/** What is known of one connection. */
export class State<R> {
  readonly shared: Shared<R>;
  readonly work: UnitOfWork;
  readonly names: Names;
  /** PostgreSQL: the transaction in which a statement has failed. */
  aborted: object | undefined;
  /** Tables were defined that others do not see before COMMIT. */
  defines = false;

  constructor(shared: Shared<R>) {
    this.shared = shared;
    this.names = new Names(shared);
    this.work = new UnitOfWork(shared.dialect.name, () => shared.port.createUnit());
  }

  get transaction(): object | undefined {
    return this.work.transaction;
  }

  planOf(known: Known): Plan | undefined {
    const { catalogue, plans } = this.shared;
    if (catalogue.current === undefined) return undefined;
    return plans.of(known, catalogue.current, this.names.of(known, this.transaction));
  }
}
