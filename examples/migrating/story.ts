// What each pair of files here tells, before and after: a service reads a user with a cache and renames it. The last
// chapter is a schedule that every service runs into some day: a read is slow, a rename overtakes it, the read lands.
import { startServices } from '../../test/services/index.js';

export interface Person {
  id: number;
  name: string;
}

/** What moves from one cache to the other. */
export interface Service {
  user(id: number): Promise<Person | null>;
  rename(id: number, name: string): Promise<void>;
}

/** What lies under the service. */
export interface Database {
  /** How many reads it has answered. */
  readonly reads: number;
  /** The name of user 7, asked past every cache. */
  name(): Promise<string>;
  /** The next read is answered as ever, but its answer stays on the way until `release`. */
  hold(): Held;
}

export interface Held {
  /** The database has answered. */
  readonly answered: Promise<void>;
  release(): void;
}

/** Tells the story of a service, and leaves it when it is told. */
export async function tell(service: Service, database: Database): Promise<void> {
  let reads = database.reads;
  async function show(what: string): Promise<void> {
    const name = (await service.user(7))?.name;
    const asked = database.reads - reads === 1 ? '1 query  ' : `${database.reads - reads} queries`;
    const there = await database.name();
    console.log(`${what.padEnd(38)} ${asked}   ${name}${name === there ? '' : `, but the database has ${there}`}`);
    reads = database.reads;
  }

  await show('first read');
  await show('second read');
  await service.rename(7, 'Ada Byron');
  await show('after a rename');

  await service.rename(7, 'Ada King');
  const slow = database.hold();
  const read = Promise.resolve(service.user(7)); // waited for: a promise of Prisma does nothing before
  await slow.answered; // with 'Ada King', which is still on its way
  await service.rename(7, 'Ada Lovelace');
  await new Promise((resolve) => setTimeout(resolve, 20)); // clocks have moved on when it lands
  slow.release();
  await read;
  reads = database.reads;
  await show('after a rename that overtook a read');
}

/** While both caches are in use: what each gives, before and after a rename that goes the way that both see. */
export async function tellBoth(old: Service, next: Service, database: Database): Promise<void> {
  async function show(what: string): Promise<void> {
    const before = database.reads;
    const names = [(await old.user(7))?.name, (await next.user(7))?.name];
    console.log(`${what.padEnd(20)} ${database.reads - before} queries   old: ${names[0]}, new: ${names[1]}`);
  }

  await show('first reads');
  await show('second reads');
  await old.rename(7, 'Ada Byron');
  await show('after a rename');
}

/** A database for those who only need something to ask. */
export class Memory implements Database {
  reads = 0;
  #row: Person = { id: 7, name: 'Ada' };
  #next: { answer(): void; released: Promise<void> } | undefined;

  async user(id: number): Promise<Person | null> {
    this.reads++;
    const row = this.#row.id === id ? this.#row : null;
    const held = this.#next;
    this.#next = undefined;
    held?.answer();
    await held?.released;
    return row;
  }

  async rename(id: number, name: string): Promise<Person> {
    this.#row = { id, name };
    return this.#row;
  }

  async name(): Promise<string> {
    return this.#row.name;
  }

  hold(): Held {
    const [answered, released] = [signal(), signal()];
    this.#next = { answer: answered.give, released: released.given };
    return { answered: answered.given, release: released.give };
  }
}

export function signal(): { given: Promise<void>; give(): void } {
  let give = (): void => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** A private server that goes when the story is told, or the one that the tests name. */
export async function start(name: 'redis' | 'postgres'): Promise<{ url: string; stop(): Promise<void> }> {
  const { services, missing, stop } = await startServices([name]);
  const url = services[name]?.url;
  if (url === undefined) throw new Error(missing.join('\n'));
  return { url, stop };
}
