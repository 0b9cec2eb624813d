import type { CommitUnknownError } from '../core/errors.js';
import type { Port } from '../core/port.js';
import type { Version } from '../core/store.js';
import type { Dialect } from '../sql/index.js';
import type { Driver } from './driver.js';
import type { Guard } from './guard.js';
import { Names, type Tainted } from './names.js';
import type { Narrowing } from './narrowing.js';
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
  /** Those of tags that everybody understands. */
  readonly coarsePlans: Plans;
  readonly narrowing: Narrowing;
  /** What accompanies each COMMIT, in this order. */
  readonly guards: readonly Guard[];
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
  /** The last COMMIT of which nobody knows what has become. */
  unknown: CommitUnknownError | undefined;
  /** Tables were defined that others do not see before COMMIT. */
  defines = false;
  /** What was written in the open transaction by rules that others may not have. */
  narrowed = new Narrowed();

  constructor(shared: Shared<R>) {
    this.shared = shared;
    this.names = new Names(shared);
    this.work = new UnitOfWork(shared.dialect.name, () => shared.port.createUnit());
  }

  get transaction(): object | undefined {
    return this.work.transaction;
  }

  planOf(known: Known): Plan | undefined {
    const { plans, coarsePlans, narrowing } = this.shared;
    return this.#planIn(known, narrowing.mayNarrow ? plans : coarsePlans);
  }

  /** What a write is to others who go by other rules. */
  coarsePlanOf(known: Known): Plan | undefined {
    return this.#planIn(known, this.shared.coarsePlans);
  }

  #planIn(known: Known, plans: Plans): Plan | undefined {
    const { current } = this.shared.catalogue;
    return current && plans.of(known, current, this.names.of(known, this.transaction));
  }
}

/** What was written by rules, the versions of the agreement by which it was, and what it is without them. */
export class Narrowed {
  readonly versions = new Set<Version>();
  readonly coarse = new Set<string>();

  add(version: Version, coarse: Iterable<string>): void {
    this.versions.add(version);
    for (const tag of coarse) this.coarse.add(tag);
  }
}
