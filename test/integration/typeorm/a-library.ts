import { type TypeormVersion, versions } from '../../contract/adapters/typeorm.js';

/** People and books: all that a class can have that its columns do not show. */
export function aLibrary(version: TypeormVersion) {
  const orm = versions[version];

  class Address {
    street!: string;
    get label() {
      return `to ${this.street}`;
    }
  }
  orm.Column({ type: 'varchar', nullable: true })(Address.prototype, 'street');

  class Person {
    id!: number;
    kind!: string;
    born!: Date;
    face!: Buffer;
    fortune!: bigint;
    facts!: { likes: string[] };
    address!: Address;
    books!: Book[];
    /** What a property does not show: a column by its accessors. */
    #name = 'nobody';
    get name() {
      return this.#name;
    }
    set name(name: string) {
      this.#name = name;
    }
    greet() {
      return `I am ${this.#name}`;
    }
  }
  class Author extends Person {
    prize!: string;
    override greet() {
      return `${super.greet()}, ${this.prize}`;
    }
  }
  class Book {
    id!: number;
    title!: string;
    author!: Person;
    get shout() {
      return this.title.toUpperCase();
    }
  }
  /** Its relation is loaded when it is asked for. */
  class Loan {
    id!: number;
    note!: string;
    book!: Promise<Book>;
  }

  orm.Entity('people')(Person);
  orm.TableInheritance({ column: { type: 'varchar', name: 'kind' } })(Person);
  orm.PrimaryColumn({ type: 'int' })(Person.prototype, 'id');
  orm.Column({ type: 'varchar' })(Person.prototype, 'name');
  orm.Column({ type: 'timestamptz' })(Person.prototype, 'born');
  orm.Column({ type: 'bytea' })(Person.prototype, 'face');
  orm.Column({ type: 'jsonb' })(Person.prototype, 'facts');
  const transformer = { to: (it?: bigint) => it?.toString(), from: (it: string) => BigInt(it) };
  orm.Column({ type: 'bigint', transformer })(Person.prototype, 'fortune');
  orm.Column(() => Address)(Person.prototype, 'address');
  orm.OneToMany(
    () => Book,
    (book: Book) => book.author,
  )(Person.prototype, 'books');
  orm.ChildEntity('author')(Author);
  orm.Column({ type: 'varchar', nullable: true })(Author.prototype, 'prize');

  orm.Entity('books')(Book);
  orm.PrimaryColumn({ type: 'int' })(Book.prototype, 'id');
  orm.Column({ type: 'varchar' })(Book.prototype, 'title');
  orm.ManyToOne(
    () => Person,
    (person: Person) => person.books,
  )(Book.prototype, 'author');

  orm.Entity('loans')(Loan);
  orm.PrimaryColumn({ type: 'int' })(Loan.prototype, 'id');
  orm.Column({ type: 'varchar', default: '' })(Loan.prototype, 'note');
  orm.ManyToOne(() => Book, { lazy: true })(Loan.prototype, 'book');

  return { Person, Author, Address, Book, Loan };
}
export type Library = ReturnType<typeof aLibrary>;

/** Two people with two books, and one that is lent. */
export function fill(ds: import('typeorm').DataSource, { Author, Person, Book, Loan }: Library) {
  return ds.transaction(async (manager) => {
    const person = { born: new Date('1815-12-10T00:00:00Z'), face: Buffer.from([0, 255, 16]), facts: { likes: ['a'] } };
    const own = { ...person, fortune: 2n ** 60n, address: { street: 'Main' } };
    const author = await manager.save(manager.create(Author, { ...own, id: 1, name: 'Ada', prize: 'Turing' }));
    await manager.save(manager.create(Person, { ...own, id: 2, name: 'Bob' }));
    const titles = ['one', 'two'];
    await manager.save(titles.map((title, at) => manager.create(Book, { id: at + 1, title, author })));
    const loan = manager.create(Loan, { id: 1 });
    loan.book = Promise.resolve(manager.create(Book, { id: 1 }));
    await manager.save(loan);
  });
}
