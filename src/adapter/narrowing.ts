import type { Port } from '../core/port.js';
import { isFenced, type Version } from '../core/store.js';
import { rulesTag } from '../core/table-tags.js';
import type { WrapOptions } from './options.js';

/** What decides which tags there are, as a text; undefined when there is nothing to narrow by. */
export function narrowingOf({ tenant, tables = {} }: WrapOptions): string | undefined {
  const rules = Object.entries(tables)
    .map(([name, { grain, tenant, tree, ignoreColumns = [] }]) => ({
      name,
      grain,
      tenant,
      tree,
      ignored: [...ignoreColumns].sort(),
    }))
    .filter(({ grain, tenant, tree, ignored }) => (grain ?? tenant ?? tree) !== undefined || ignored.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return tenant === undefined && rules.length === 0 ? undefined : JSON.stringify({ tenant, tables: rules });
}

/**
 * Whether this client may narrow: by a tenant's column, and by columns that do not count. Both sides of a tag are made by
 * these rules, so a process that narrows by another column, such as another release of the service, would not hear of
 * what is written here, nor we of what it writes.
 *
 * So nobody narrows before all have agreed, and what was narrowed depends on the agreement. Until then reads depend on whole
 * tables, and writes raise them, with all rows and all tenants: tags that everybody understands.
 */
export class Narrowing {
  readonly tag: string;
  /** What was agreed on, as the version of `tag`; undefined where there is nothing to narrow by, or nobody knows. */
  version: Version | undefined;
  readonly #port: Port;
  readonly #rules: string | undefined;
  readonly #isAlone: boolean;
  #asked = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  /** Nobody could say anything yet: in a quarantine the store itself does not know. */
  #isOpen = true;

  /** @param rules - what {@link narrowingOf} says */
  constructor(port: Port, database: string, rules: string | undefined) {
    this.tag = rulesTag(database);
    this.#port = port;
    this.#rules = rules;
    // In one process all clients of a database have the same rules.
    this.#isAlone = port.versionHere(this.tag) !== undefined;
  }

  get mayNarrow(): boolean {
    if (this.#isAlone) return true;
    this.#ask();
    return this.version !== undefined;
  }

  /**
   * What the first statements wait for, also the first behind a quarantine, so that not even their tags are too broad. Each
   * of them asks: a pause would let one go, and what it reads would be older than what is agreed on while it is under way.
   */
  await(): Promise<void> | undefined {
    if (this.#isAlone || !this.#isOpen || this.#rules === undefined) return undefined;
    if (this.#asking === undefined) return this.#agree(this.#rules);
    // That was asked before, perhaps of a quarantine that has ended since.
    return this.#asking.then(() => this.#asking ?? this.await());
  }

  /** Somebody has found the tag in another version. */
  lost(): void {
    this.version = undefined;
    this.#asked = Number.NEGATIVE_INFINITY;
  }

  /** Now and then: also the others have to hear that somebody goes by these rules. */
  #ask(): void {
    const now = this.#port.now();
    const pause = this.version === undefined ? soon : often;
    if (this.#rules === undefined || this.#asking !== undefined || now - this.#asked < pause) return;
    void this.#agree(this.#rules);
  }

  #agree(rules: string): Promise<void> {
    this.#asked = this.#port.now();
    this.#asking = this.#port.agree(this.tag, rules).then((version) => {
      this.#isOpen = isFenced(version);
      this.version = this.#isOpen ? undefined : version;
      this.#asking = undefined;
    });
    return this.#asking;
  }
}

const soon = 100;
const often = 60_000;
