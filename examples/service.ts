// A service class: cached methods, invalidation after mutations, a transaction. No server: `npx tsx examples/service.ts`
import { cacheOf, createCache } from '../src/index.js'; // in your project: from 'unstale'
import { type Account, Bank } from './bank.js';

const cache = createCache({ ttl: '5m' });
// Bound to this cache: exported from one file, and used in all services.
const { withCache, invalidates } = cache;

class Accounts {
  constructor(private readonly bank: Bank) {}

  // The key is the class, the method and its arguments.
  @withCache({ tags: (id: number) => [`account:${id}`] })
  async find(id: number): Promise<Account | null> {
    return this.bank.find(id);
  }

  // Tags may come from the value: a list ends when any of its accounts does.
  @withCache({
    tags: (owner: string) => [`owner:${owner}`],
    tagsOf: (list: Account[]) => list.map(({ id }) => `account:${id}`),
  })
  async of(owner: string): Promise<Account[]> {
    return this.bank.of(owner);
  }

  // After it has succeeded; a method that throws invalidates nothing.
  @invalidates({ tags: ({ result }: { result: Account }) => [`owner:${result.owner}`] })
  async open(owner: string): Promise<Account> {
    return this.bank.insert(owner);
  }

  @invalidates({ tags: ({ args: [id] }: { args: [id: number, amount: number] }) => [`account:${id}`] })
  async deposit(id: number, amount: number): Promise<void> {
    await this.bank.add(id, amount);
  }

  // Inside, reads go to the database and are not stored. All invalidations happen at once, after COMMIT; none after ROLLBACK.
  async transfer(from: number, to: number, amount: number): Promise<void> {
    await cache.transaction(() =>
      this.bank.transaction(async () => {
        await this.deposit(to, amount);
        await this.deposit(from, -amount);
        if (((await this.find(from))?.balance ?? 0) < 0) throw new Error('not enough money');
      }),
    );
  }
}

const bank = new Bank();
const accounts = new Accounts(bank);
const balances = async () => (await accounts.of('ada')).map(({ id, balance }) => `${id}: ${balance}`).join(', ');
const report = async (what: string) =>
  console.log(`${what.padEnd(28)} ${await balances()}   (${bank.queries} queries so far)`);

const first = await accounts.open('ada');
const second = await accounts.open('ada');
await accounts.deposit(first.id, 100);
await report('opened, deposited');
await report('again');
await accounts.transfer(first.id, second.id, 30);
await report('transferred 30');
await accounts.transfer(first.id, second.id, 1000).catch((error: Error) => console.log(`refused: ${error.message}`));
await report('after the rollback');

// The handles of a method: `read`, `fresh`, `many`, `invalidate`, `explain`, `key`.
const { source, age } = await cacheOf(accounts.of, accounts).read('ada');
console.log(`accounts.of('ada') comes from ${source}, ${Math.round(age)} ms old`);
await cacheOf(accounts.of).invalidate('ada');
await report('after invalidate');

await cache.close();
