import type { OpenUnit } from '../core/port.js';
import type { Dialect, TransactionControl } from '../sql/index.js';
import { OpenTransaction, type Publication } from './open-transaction.js';

/** To be called when what was sent has ended, with whether it succeeded. Says what to publish. */
export type Step = (ok: boolean) => Publication | undefined;

/**
 * What one connection has changed and not yet committed. No input or output: it is told what is sent and what became of
 * it, and says what must be invalidated now.
 *
 * Statements take effect in the order in which they are sent, so that is when the state changes: what is sent behind a
 * COMMIT does not belong to its transaction, although nobody has heard of the COMMIT yet. What becomes of it decides
 * only whether the tags are published or dropped.
 *
 * Nothing is dropped unless the database has surely taken it back. Where it may have ended a transaction without being
 * asked (a deadlock in MySQL, a text that nobody can read), the transaction is *in doubt*: what is written in it is
 * published at once, and again when it ends. Too early or twice costs a load; never is what must not happen.
 */
export class UnitOfWork {
  readonly #dialect: Dialect['name'];
  readonly #createUnit: () => OpenUnit;
  /** MySQL: when it is off, the next transaction begins where the last one ends. */
  #autocommits = true;
  #current: OpenTransaction | undefined;

  constructor(dialect: Dialect['name'], createUnit: () => OpenUnit) {
    this.#dialect = dialect;
    this.#createUnit = createUnit;
  }

  /** The transaction that the next statement belongs to, to tell it from others. */
  get transaction(): object | undefined {
    return this.#current;
  }

  /** What joins it that is invalidated by hand. */
  get unit(): OpenUnit | undefined {
    return this.#current?.top.unit;
  }

  /** All that the open transaction has changed so far, also by what is under way. */
  get tags(): readonly string[] {
    return this.#current?.published().tags ?? [];
  }

  /** Whether this would commit what is open. */
  commits({ action, name = '', on }: TransactionControl): boolean {
    if (this.#current === undefined) return false;
    if (action === 'begin') return this.#dialect === 'mysql';
    if (action === 'release') return this.#current.find(name) === 0;
    return action === 'commit' || (action === 'autocommit' && on && !this.#autocommits);
  }

  /**
   * A statement is about to be sent that ends `tags`, whatever becomes of it.
   *
   * @returns to be called with what it has ended; says what of that to publish
   */
  write(tags: readonly string[]): (tags: readonly string[]) => readonly string[] {
    return this.#current === undefined ? (refined) => refined : this.#current.write(tags);
  }

  /** Transaction control is about to be sent. */
  control({ action, name = '', on }: TransactionControl): Step {
    switch (action) {
      case 'begin':
        return this.#begin();
      case 'commit':
        return this.#end(this.#commit, on);
      case 'rollback':
        return this.#end(this.#rollback, on);
      case 'savepoint':
        return this.#savepoint(name);
      case 'release':
        return this.#release(name);
      case 'rollback to':
        return this.#rollbackTo(name);
      case 'autocommit':
        return on ? this.#autocommitOn() : this.#autocommitOff();
    }
  }

  /** A statement that may commit what is open, or do anything else that nobody sees. */
  uncertain(): Step {
    const transaction = this.#current;
    if (transaction === undefined) return nothing;
    transaction.doubt();
    return () => transaction.published();
  }

  /** Several statements in one text, among them transaction control: nobody knows how far it gets. */
  several(controls: readonly TransactionControl[]): Step {
    const before = this.#current;
    const transaction = before ?? this.#open();
    const wasInDoubt = transaction.isInDoubt;
    transaction.doubt(before === undefined ? 0 : undefined);
    return (ok) => {
      if (!ok || this.#current !== transaction) return transaction.published();
      const all = before === undefined ? transaction.committed() : transaction.published();
      if (before === undefined) this.#current = undefined;
      else if (!wasInDoubt) transaction.believe();
      const ended = controls.flatMap((control) => this.control(control)(true)?.units ?? []);
      // Which of it was written inside of what is open now is not worth knowing.
      this.#current?.top.add(all.tags);
      return { ...all, units: [...all.units, ...ended] };
    };
  }

  /**
   * To be called if the statement fails that is about to be sent. PostgreSQL does nothing more in that transaction; the
   * others go on, and may have rolled it back as a whole. Undefined when that makes no difference.
   */
  failing(): (() => void) | undefined {
    const transaction = this.#current;
    if (transaction === undefined || this.#dialect === 'postgres') return undefined;
    const { depth } = transaction;
    return () => transaction.doubt(depth);
  }

  #begin(): Step {
    const open = this.#current;
    if (open === undefined) return this.#opening();
    // Nothing but a warning in PostgreSQL, and an error in SQLite. If it succeeds, there is a transaction.
    if (this.#dialect !== 'mysql') return proof(() => open.believe());
    this.#current = undefined;
    const begun = this.#open();
    return (ok) => {
      const publication = open.committed(!ok);
      // Perhaps the old one goes on.
      if (!ok) begun.top.add(publication.tags);
      if (!ok) begun.doubt(0);
      return publication;
    };
  }

  #opening(name?: string): Step {
    const transaction = this.#open(name);
    return (ok) => {
      if (ok) return void transaction.believe();
      transaction.doubt(0);
      return transaction.published();
    };
  }

  #end(how: (transaction: OpenTransaction, ok: boolean) => Publication | undefined, chains: boolean): Step {
    const transaction = this.#current;
    if (transaction === undefined) return nothing;
    this.#current = undefined;
    if (chains || !this.#autocommits) this.#open();
    return (ok) => how(transaction, ok);
  }

  readonly #commit = (transaction: OpenTransaction, ok: boolean): Publication => {
    if (ok || this.#dialect === 'postgres') return transaction.committed(!ok);
    this.#restore(transaction);
    return transaction.published(true);
  };

  readonly #rollback = (transaction: OpenTransaction, ok: boolean): undefined => {
    // It fails when the connection is lost, and then COMMIT was never sent.
    if (ok || this.#dialect === 'postgres') transaction.dropped();
    else this.#restore(transaction);
  };

  /** SQLite, when it is busy, refuses a COMMIT and keeps the transaction. */
  #restore(transaction: OpenTransaction): void {
    if (this.#current === undefined) this.#current = transaction;
    else this.#current.adopt(transaction);
    this.#current.doubt();
  }

  #savepoint(name: string): Step {
    const transaction = this.#current;
    // SQLite begins a transaction for it.
    if (transaction === undefined) return this.#dialect === 'sqlite' ? this.#opening(name) : nothing;
    // MySQL forgets the older one of that name; the others hide it.
    if (this.#dialect === 'mysql') transaction.forget(transaction.at(transaction.find(name)));
    const frame = transaction.push(this.#createUnit(), name);
    return (ok) => {
      if (!ok) transaction.forget(frame);
      return undefined;
    };
  }

  #release(name: string): Step {
    const transaction = this.#current;
    const at = transaction?.find(name) ?? -1;
    if (transaction === undefined || at === -1) return nothing;
    // It began the transaction, in SQLite, and ends it.
    if (at === 0) return this.#end(this.#commit, false);
    transaction.release(at);
    return proof(() => transaction.found(at));
  }

  #rollbackTo(name: string): Step {
    const transaction = this.#current;
    const at = transaction?.find(name) ?? -1;
    // Of a savepoint that nobody has seen, nobody knows what was written since.
    if (transaction === undefined || at === -1) return nothing;
    const cut = transaction.cut(at);
    return (ok) => {
      if (ok) transaction.found(at);
      if (ok) cut.drop();
      else cut.undo();
      return undefined;
    };
  }

  #autocommitOff(): Step {
    this.#autocommits = false;
    const opening = this.#current === undefined ? this.#opening() : nothing;
    return (ok) => {
      if (!ok) this.#autocommits = true;
      return opening(ok);
    };
  }

  #autocommitOn(): Step {
    // Switched on a second time it commits nothing, as far as anybody knows.
    if (this.#autocommits) return this.uncertain();
    this.#autocommits = true;
    return this.#end((transaction, ok) => {
      if (!ok) this.#autocommits = false;
      return this.#commit(transaction, ok);
    }, false);
  }

  /** The transaction that is open, or a new one. */
  #open(name?: string): OpenTransaction {
    this.#current ??= new OpenTransaction(this.#createUnit(), name);
    return this.#current;
  }
}

const nothing: Step = () => undefined;

/** A step that only shows that there is a transaction. */
function proof(believe: () => void): Step {
  return (ok) => {
    if (ok) believe();
    return undefined;
  };
}
