import type { NamedTable, Tables } from './dependency.js';
import type { Attached } from './port.js';
import { tableTag } from './table-tags.js';
import type { Unit } from './unit.js';

/** The database clients that are wrapped for a cache. */
export class Clients implements Tables {
  /** One record for each attachment: a client may be attached twice. */
  readonly #attached = new Set<{ readonly client: Attached }>();
  /** The last one of each database, also when it has gone: what was read through it may still be stored. */
  readonly #databases = new Map<string, Attached>();

  /** Grows whenever a client comes or goes, and the tags of a named table may have become others. */
  generation = 0;

  /** Whether loads are expected to show their queries. */
  get any(): boolean {
    return this.#attached.size > 0;
  }

  /** @throws TypeError when a client of the same database makes other tags: neither would hear of the other's writes */
  attach(client: Attached): () => void {
    for (const { client: other } of this.#attached)
      if (other.database === client.database && other.narrowing !== client.narrowing)
        throw new TypeError(
          `Expected \`tenant\`, and \`grain\`, \`tenant\`, \`tree\` and \`ignoreColumns\` of \`tables\`, to be the same in all clients of the database ${client.database}, got ${client.narrowing || 'none'} beside ${other.narrowing || 'none'}: a client would not hear of another's writes`,
        );
    const attachment = { client };
    this.#attached.add(attachment);
    this.#databases.set(client.database, client);
    this.generation++;
    return () => {
      this.#attached.delete(attachment);
      this.generation++;
    };
  }

  /** The transaction that a handle stands for, whichever client it is of. */
  unitOf(handle: object): Unit | undefined {
    for (const { client } of this.#attached) {
      const unit = client.unitOf(handle);
      if (unit !== undefined) return unit;
    }
    return undefined;
  }

  /** Whether the transaction has ended in whose name tags are fenced; undefined when no client here can tell. */
  async isOver(owner: string): Promise<boolean | undefined> {
    for (const { client } of this.#attached) {
      const isOver = await client.isOver?.(owner).catch(() => undefined);
      if (isOver !== undefined) return isOver;
    }
    return undefined;
  }

  /** Resolves when every transaction has ended that may have written something by now; undefined when none is known of. */
  quiet(): Promise<void> | undefined {
    const clients = [...this.#attached].map(({ client }) => client).filter((client) => client.quiet !== undefined);
    return clients.length === 0 ? undefined : Promise.all(clients.map((client) => client.quiet?.())).then(() => {});
  }

  /** Whether every client that may write a table tells which part of its tree a write has changed. */
  hasTree({ schema, name }: NamedTable): boolean {
    if (this.#databases.size === 0) return false;
    return [...this.#databases.values()].every((client) => client.hasTree?.(schema, name) === true);
  }

  /** The tags of a table in the database that was named, or in every one that is known. */
  tagsOf({ database, schema, name }: NamedTable): readonly string[] {
    if (database !== undefined) {
      const client = this.#databases.get(database);
      return client === undefined ? guesses(database, schema, name) : [tagIn(client, schema, name)];
    }
    if (this.#databases.size === 0) return guesses(undefined, schema, name);
    return [...new Set([...this.#databases.values()].map((client) => tagIn(client, schema, name)))];
  }
}

function tagIn(client: Attached, schema: string | undefined, name: string): string {
  return client.tableTag?.(schema, name) ?? tableTag(client.database, elided(schema), name);
}

/** Nobody here knows how that database compares names; two of three do it without regard to case. */
function guesses(database: string | undefined, schema: string | undefined, name: string): readonly string[] {
  const tag = tableTag(database, elided(schema), name);
  const folded = tableTag(database, elided(schema?.toLowerCase()), name.toLowerCase());
  return tag === folded ? [tag] : [tag, folded];
}

function elided(schema: string | undefined): string | undefined {
  return schema === 'public' || schema === 'main' ? undefined : schema;
}
