import type { Catalogue } from './catalogue.js';
import type { Naming } from './plan.js';
import type { Known } from './statements.js';

/** What has happened on some connection of a client, so that answers of others cannot be told from its own. */
export interface Tainted {
  taint: string | undefined;
  readonly catalogue: Catalogue;
}

/** What names mean on one connection, as far as it differs from what the catalogue says. */
export class Names {
  readonly #client: Tainted;
  /** The transaction until whose end they mean something else. */
  #renamed: object | undefined;
  /** Temporary tables that hide no other. */
  readonly #temporary = new Set<string>();

  constructor(client: Tainted) {
    this.#client = client;
  }

  /** Whether they mean what they mean on a new connection. */
  areUsual(transaction: object | undefined): boolean {
    return this.#client.taint === undefined && !this.#isRenamed(transaction);
  }

  /** What the statement's names mean; undefined when it is as usual. */
  of({ statement, isSeveral, taints }: Known, transaction: object | undefined): Naming | undefined {
    // In a text of several statements the first may rename what the second names.
    const anySchema = !this.areUsual(transaction) || (isSeveral && taints.length > 0);
    if (this.#temporary.size === 0) return anySchema ? { anySchema } : undefined;
    const isTemporary = ({ table: { name } }: { table: { name: string } }) => this.#temporary.has(name);
    if (!statement.reads.some(isTemporary) && !statement.writes.some(isTemporary))
      return anySchema ? { anySchema } : undefined;
    // One that came later, and that others see, is no temporary one any more.
    for (const name of this.#temporary) if (!this.#isFree(name)) this.#temporary.delete(name);
    return { anySchema, temporary: new Set(this.#temporary) };
  }

  /** The statement is about to be sent. */
  sent({ taints, makes, isSeveral }: Known, transaction: object | undefined): void {
    for (const { what, until } of taints) {
      // Where a text begins the transaction itself, nobody knows yet which one it is.
      if (until === 'transaction' && (transaction !== undefined || !isSeveral)) this.#renamed = transaction;
      else this.#client.taint ??= `${what} was set on a connection`;
    }
    for (const name of makes) {
      if (this.#isFree(name)) this.#temporary.add(name);
      else this.#client.taint ??= `a temporary table ${name} hides another one on a connection`;
    }
  }

  #isRenamed(transaction: object | undefined): boolean {
    return transaction !== undefined && transaction === this.#renamed;
  }

  #isFree(name: string): boolean {
    return this.#client.catalogue.current?.named(name).length === 0;
  }
}
