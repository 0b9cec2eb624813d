import mysql from 'mysql2/promise';
import pg from 'pg';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { inject } from 'vitest';
import { spyOn, type TypeormVersion, versions } from '../../contract/adapters/typeorm.js';
import { aSqliteFile, sqliteDriver } from '../../services/sqlite.js';

export type Database = 'postgres' | 'mysql' | 'sqlite';

const services = inject('services');
export const databases = (['postgres', 'mysql', 'sqlite'] as const).filter((name) => services[name] !== undefined);

/** Users with posts, tags and a profile of each, and a tree: all that TypeORM does in ways of its own. */
export function entitiesOf(version: TypeormVersion, database: Database) {
  const orm = versions[version];
  const bytes = database === 'postgres' ? 'bytea' : 'blob';
  const date = database === 'postgres' ? 'timestamptz' : 'datetime';

  class Address {
    street!: string;
  }
  orm.Column({ type: 'varchar', nullable: true })(Address.prototype, 'street');

  class User {
    id!: number;
    email!: string;
    name!: string;
    org!: string;
    born!: Date | null;
    face!: Buffer | null;
    words!: string[];
    address!: Address;
    posts!: Post[];
    tags!: Tag[];
    /** Made by a listener when it was loaded. */
    greeting?: string;
    greet(): void {
      this.greeting = `I am ${this.name}`;
    }
  }
  class Post {
    id!: number;
    title!: string;
    user!: User;
  }
  class Tag {
    id!: number;
    name!: string;
  }
  class Place {
    country!: string;
    code!: number;
    name!: string;
  }
  class Node {
    id!: number;
    name!: string;
    parent!: Node | null;
    children!: Node[];
  }

  orm.Entity('users')(User);
  orm.PrimaryColumn({ type: 'int' })(User.prototype, 'id');
  orm.Column({ type: 'varchar', length: 100, unique: true })(User.prototype, 'email');
  orm.Column({ type: 'varchar', default: 'nobody' })(User.prototype, 'name');
  orm.Column({ type: 'varchar', default: 'acme' })(User.prototype, 'org');
  orm.Column({ type: date, nullable: true })(User.prototype, 'born');
  orm.Column({ type: bytes, nullable: true })(User.prototype, 'face');
  const transformer = {
    to: (list?: string[]) => (list ?? []).join(' '),
    from: (it: string | string[]) => (Array.isArray(it) ? it : it.split(' ')),
  };
  orm.Column({ type: 'varchar', default: '', transformer })(User.prototype, 'words');
  orm.Column(() => Address)(User.prototype, 'address');
  orm.OneToMany(
    () => Post,
    (post: Post) => post.user,
    { eager: true, cascade: true },
  )(User.prototype, 'posts');
  orm.ManyToMany(() => Tag)(User.prototype, 'tags');
  orm.JoinTable({ name: 'users_tags' })(User.prototype, 'tags');
  orm.AfterLoad()(User.prototype, 'greet');

  orm.Entity('posts')(Post);
  orm.PrimaryColumn({ type: 'int' })(Post.prototype, 'id');
  orm.Column({ type: 'varchar' })(Post.prototype, 'title');
  orm.ManyToOne(
    () => User,
    (user: User) => user.posts,
    { onDelete: 'CASCADE' },
  )(Post.prototype, 'user');

  orm.Entity('tags')(Tag);
  orm.PrimaryColumn({ type: 'int' })(Tag.prototype, 'id');
  orm.Column({ type: 'varchar' })(Tag.prototype, 'name');

  orm.Entity('places')(Place);
  orm.PrimaryColumn({ type: 'varchar', length: 2 })(Place.prototype, 'country');
  orm.PrimaryColumn({ type: 'int' })(Place.prototype, 'code');
  orm.Column({ type: 'varchar' })(Place.prototype, 'name');

  orm.Entity('nodes')(Node);
  orm.Tree('closure-table')(Node);
  orm.PrimaryColumn({ type: 'int' })(Node.prototype, 'id');
  orm.Column({ type: 'varchar' })(Node.prototype, 'name');
  orm.TreeParent()(Node.prototype, 'parent');
  orm.TreeChildren()(Node.prototype, 'children');

  return { User, Post, Tag, Place, Node };
}

/** A database of its own, made by TypeORM. */
export async function aShop(version: TypeormVersion, database: Database) {
  const { options, drop } = await makers[database]();
  const entities = entitiesOf(version, database);
  const DataSource = versions[version].DataSource;
  const make = (more: Partial<DataSourceOptions> = {}): DataSource =>
    new DataSource({ ...options, entities: Object.values(entities), ...more } as DataSourceOptions);
  const bare = await make({ synchronize: true }).initialize();
  return {
    options,
    bare,
    entities,
    make,
    spyOn,
    /** Takes everything out, and puts two users in. */
    async refill() {
      for (const name of ['users_tags', 'posts', 'users', 'tags', 'places', 'nodes_closure', 'nodes'])
        await bare.query(`delete from ${name}${name === 'nodes' ? ' where id > 1' : ''}`);
      await bare.query('delete from nodes');
      await bare.getRepository(entities.User).save([
        {
          ...{ id: 1, email: 'ada@x', name: 'Ada', org: 'acme', born: new Date('1815-12-10T00:00:00Z') },
          ...{ face: Buffer.from([0, 255, 16]), words: ['a', 'b'], address: { street: 'Main' } },
          posts: [{ id: 1, title: 'one' }],
        },
        { id: 2, email: 'bob@x', name: 'Bob', org: 'zeta', posts: [] },
      ]);
    },
    async drop() {
      await bare.destroy();
      await drop();
    },
  };
}
export type Shop = Awaited<ReturnType<typeof aShop>>;

let made = 0;
export const makers: Record<Database, () => Promise<{ options: DataSourceOptions; drop(): Promise<void> }>> = {
  async postgres() {
    const url = services.postgres?.url as string;
    const name = `typeorm_${process.pid}_${++made}`;
    const run = async (sql: string) => {
      const admin = new pg.Client(url);
      await admin.connect();
      await admin.query(sql).finally(() => admin.end());
    };
    await run(`create database ${name}`);
    return {
      options: { type: 'postgres', url: at(url, name), poolSize: 5, installExtensions: false },
      drop: () => run(`drop database ${name} with (force)`),
    };
  },
  async mysql() {
    const url = services.mysql?.url as string;
    const name = `typeorm_${process.pid}_${++made}`;
    const run = async (sql: string) => {
      const admin = await mysql.createConnection(url);
      await admin.query(sql).finally(() => admin.end());
    };
    await run(`create database ${name}`);
    const { hostname: host, port, username } = new URL(url);
    return {
      options: { type: 'mariadb', host, port: Number(port), username, database: name, poolSize: 5, timezone: 'Z' },
      drop: () => run(`drop database ${name}`),
    };
  },
  async sqlite() {
    const { file, remove } = aSqliteFile();
    return {
      options: { type: 'better-sqlite3', database: file, driver: sqliteDriver() },
      drop: async () => remove(),
    };
  },
};

function at(url: string, database: string): string {
  const there = new URL(url);
  there.pathname = `/${database}`;
  return there.href;
}
