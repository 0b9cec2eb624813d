import { expected, TenantMissingError } from '../../core/errors.js';
import type { Explanation } from '../../core/explain.js';
import type { Receipt } from '../../core/receipt.js';
import { checkTenant } from '../../core/tenancy.js';
import { invalidate } from '../../core/transaction.js';
import { treeBucket, treeListTag, treeRowTag, treeStar } from '../../core/tree-tags.js';
import { View } from '../../core/view.js';
import type { KeyPart } from '../../values/index.js';
import { type AnyRow, checkId, type Definition, marksOf } from './definition.js';
import { keyOf } from './item.js';
import { Reads } from './reads.js';
import type { Depth, Node, Step, Tree } from './types.js';
import { ancestorsOf, childrenOf, flatOf, rowOf, stepsOf, subtreeOf } from './walks.js';

/** A tree, as its users hold it: answers out of its forest, and says what has changed. */
export class CachedTree implements Tree<AnyRow, unknown> {
  readonly #view: View;
  readonly #definition: Definition;
  readonly #reads: Reads;

  constructor(view: View, definition: Definition) {
    this.#view = view;
    this.#definition = definition;
    this.#reads = new Reads(view, definition);
  }

  get(id: unknown): Promise<AnyRow | null> {
    const forest = this.#reads.here();
    const item = forest?.items.get(keyOf(id));
    if (item?.isFresh) return Promise.resolve(item.row);
    return this.#reads.answer((it, need) => rowOf(it, id, need), forest);
  }

  children(id: unknown): Promise<readonly AnyRow[]> {
    return this.#reads.answer((forest, need) => childrenOf(forest, id ?? null, need));
  }

  subtree(id: unknown, { depth }: Depth = {}): Promise<Node<AnyRow> | null> {
    const levels = depth ?? Number.POSITIVE_INFINITY;
    if (!isDepth(levels)) return Promise.reject(expected('depth', 'a whole number of at least 0', depth));
    const forest = this.#reads.here();
    const item = forest?.items.get(keyOf(id));
    if (item?.node !== undefined && item.builtAt >= item.changedAt && levels === Number.POSITIVE_INFINITY)
      return Promise.resolve(item.node);
    return this.#reads.answer((it, need) => subtreeOf(this.#definition.name, it, id, levels, need), forest);
  }

  async descendants(id: unknown, o?: Depth): Promise<readonly AnyRow[]> {
    const node = await this.subtree(id, o);
    return node === null ? none : flatOf(node);
  }

  async *walk(id: unknown, o?: Depth): AsyncGenerator<Step<AnyRow>> {
    const node = await this.subtree(id, o);
    if (node !== null) yield* stepsOf(node);
  }

  ancestors(id: unknown): Promise<readonly AnyRow[]> {
    return this.#reads.answer((forest, need) => ancestorsOf(this.#definition.name, forest, id, need));
  }

  roots(): Promise<readonly AnyRow[]> {
    return this.children(null);
  }

  async orphans(): Promise<readonly AnyRow[]> {
    if (this.#definition.options.rows === undefined)
      throw new TypeError(
        `Expected the tree '${this.#definition.name}' to have \`rows\`, got \`load\` and \`children\`: a tree that is loaded by level does not know rows whose parent is missing`,
      );
    return this.#reads.answer((forest) => forest.orphans());
  }

  async explain(id: unknown): Promise<Explanation> {
    checkId('id', id);
    return this.#reads.explain(id);
  }

  async invalidate(id: unknown): Promise<Receipt> {
    this.#view.refuseWhenClosed('invalidate');
    checkId('id', id);
    this.#own();
    const known = this.#reads.known(id);
    const lists = [id];
    let isUnknown = false;
    if (known?.row) lists.push(this.#definition.shape.parentOf(known.row));
    try {
      for (const row of await this.#look(id)) lists.push(this.#definition.shape.parentOf(row));
    } catch (error) {
      // The write has happened: that its parent cannot be found out must not hide it.
      this.#view.parts.events.emit('error', { error });
      isUnknown = true;
    }
    return this.#raise([id], lists, isUnknown);
  }

  async move(id: unknown, { to, from }: { to: unknown; from?: unknown }): Promise<Receipt> {
    this.#view.refuseWhenClosed('invalidate');
    checkId('id', id);
    if (to !== null) checkId('to', to);
    if ((from ?? null) !== null) checkId('from', from);
    const known = from === undefined ? this.#reads.known(id)?.row : undefined;
    const before = known ? [this.#definition.shape.parentOf(known)] : from === undefined ? [] : [from];
    return this.#raise([id], [to, ...before], false);
  }

  async clear(): Promise<Receipt> {
    this.#view.refuseWhenClosed('clear');
    return this.#raise([], [], true);
  }

  tenant(id: string | number): CachedTree {
    const { parts, place } = this.#view;
    return new CachedTree(new View(parts, { ...place, tenant: checkTenant(id) }), this.#definition);
  }

  /** The row as the database has it now, for the parent that it names. */
  async #look(id: unknown): Promise<readonly AnyRow[]> {
    const { options } = this.#definition;
    if (options.load === undefined) return [];
    const { tenant } = this.#view.identityOf(this.#definition.name);
    return options.load([id], { signal: new AbortController().signal, tenant });
  }

  /** @throws TenantMissingError: of a change in nobody's tree nobody would hear */
  #own(): readonly string[] {
    const { name, options } = this.#definition;
    const { tenant } = this.#view.identityOf(name);
    if (options.tenant !== undefined && options.table === undefined && tenant === undefined)
      throw new TenantMissingError(`the tree '${name}'`);
    return marksOf(this.#view, this.#definition, tenant).own;
  }

  #raise(rows: readonly unknown[], lists: readonly unknown[], isUnknown: boolean): Promise<Receipt> {
    const own = this.#own();
    const bucket = (id: unknown) => treeBucket((id ?? null) as KeyPart);
    const tags = own.flatMap((mark) => [
      ...rows.map((id) => treeRowTag(mark, bucket(id))),
      ...lists.map((id) => treeListTag(mark, bucket(id))),
      ...(isUnknown ? [treeStar(mark)] : []),
      mark,
    ]);
    return invalidate(this.#view.parts, [...new Set(tags)]);
  }
}

function isDepth(depth: number): boolean {
  return depth === Number.POSITIVE_INFINITY || (Number.isInteger(depth) && depth >= 0);
}

const none: readonly never[] = Object.freeze([]);
