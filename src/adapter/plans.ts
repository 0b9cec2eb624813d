import type { Statement } from '../sql/index.js';
import type { Catalog } from './catalog/index.js';
import { type Naming, planOf } from './plan.js';
import type { Rules } from './rules.js';
import type { Known } from './statements.js';
import type { Plan } from './types.js';

/** The plans of a client's statements, each made once for a catalogue. */
export class Plans {
  readonly #rules: Rules;
  readonly #failed: (error: unknown) => void;
  #catalog: Catalog | undefined;
  #plans = new WeakMap<Statement, Plan>();
  #inAnySchema = new WeakMap<Statement, Plan>();

  constructor(rules: Rules, failed: (error: unknown) => void) {
    this.#rules = rules;
    this.#failed = failed;
  }

  of(known: Known, catalog: Catalog, naming?: Naming): Plan {
    if (this.#catalog !== catalog) {
      this.#catalog = catalog;
      this.#plans = new WeakMap();
      this.#inAnySchema = new WeakMap();
    }
    if (naming?.temporary !== undefined) return this.#make(known, catalog, naming);
    const plans = naming?.anySchema ? this.#inAnySchema : this.#plans;
    let plan = plans.get(known.statement);
    if (plan === undefined) {
      plan = this.#make(known, catalog, naming);
      plans.set(known.statement, plan);
    }
    return plan;
  }

  #make({ statement, sql }: Known, catalog: Catalog, naming?: Naming): Plan {
    try {
      return planOf(statement, sql, catalog, this.#rules, naming);
    } catch (error) {
      this.#failed(error);
      return unknown(statement, `its plan failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Of a statement of which nothing can be told. */
function unknown(statement: Statement, why: string): Plan {
  const isWrite = statement.kind !== 'select' || statement.writes.length > 0 || statement.functions.length > 0;
  return {
    statement,
    refused: why,
    uncacheable: why,
    reads: [],
    writes: isWrite,
    everything: isWrite ? why : undefined,
    readTags: () => ({ tags: [], droppable: [], drop: () => [] }),
    writeTags: () => ({ tags: [], refine: () => [] }),
    returning: undefined,
  };
}
