import Knex, { type Knex as Client } from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import type { Cache } from '../../src/index.js';

/**
 * Columns that say whose a row is: reads of one tenant, one team, one post outlive writes of others. That is all that is
 * said of the tables; tags come from the statements.
 */
const rules = {
  tenant: 'tenant_id',
  tables: { post: { grain: 'client_id' }, response: { grain: 'post_id' }, message: { grain: 'team_id' } },
};

/** PostgreSQL, asked through Knex by one service with several processes: each cache has a client of its own. */
export class Database {
  /**
   * Statements sent so far. What a wrapped client asks about the tables themselves, once when it sends its first
   * statement, goes past Knex' events and is not counted.
   */
  sent = 0;
  /** The client of a service that has no cache. */
  readonly plain: Client;
  readonly #url: string;
  readonly #connections: number;
  readonly #clients: Client[] = [];

  constructor(url: string, connections = 10) {
    this.#url = url;
    this.#connections = connections;
    this.plain = this.#connect();
  }

  /** A client that sees what the loads of `cache` read, and ends in it whatever a write has changed. */
  through(cache: Cache): Client {
    return withCache(this.#connect(), { cache, ...rules });
  }

  #connect(): Client {
    const pool = { min: 0, max: this.#connections };
    const client = Knex({ client: 'pg', connection: this.#url, pool });
    client.on('query', () => this.sent++);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()));
  }
}
