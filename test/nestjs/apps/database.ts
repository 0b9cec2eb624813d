// @nestjs/typeorm over a wrapped data source: made so by `dataSourceFactory`, or wrapped when the container has it.
import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, InjectRepository, TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryColumn, type Repository } from 'typeorm';
import { type Cache, createCache } from 'unstale';
import { InjectCache, UnstaleModule, withCache } from 'unstale/nestjs';
import { withCache as wrap } from 'unstale/typeorm';

@Entity('people')
class Person {
  @PrimaryColumn('int') id!: number;
  @Column('text') name!: string;
}

let loads = 0;

@Injectable()
class People {
  constructor(
    @InjectRepository(Person) readonly people: Repository<Person>,
    @InjectCache() readonly cache: Cache,
  ) {}

  /** No tags: the query says what it depends on. */
  @withCache({ ttl: '5m' })
  async names() {
    loads++;
    return (await this.people.find({ order: { id: 'ASC' } })).map(({ name }) => name);
  }
}

const database: TypeOrmModuleOptions = {
  type: 'postgres',
  url: process.argv[2] as string,
  entities: [Person],
  synchronize: true,
  dropSchema: true,
  retryAttempts: 0,
};

const ways = {
  dataSourceFactory() {
    const cache = createCache();
    const typeorm = TypeOrmModule.forRootAsync({
      useFactory: () => database,
      dataSourceFactory: async (options) => wrap(new DataSource(options!), { cache }),
    });
    return { imports: [UnstaleModule.forRoot({ cache, global: true }), typeorm], providers: [] };
  },
  injected() {
    @Injectable()
    class Wrapping {
      constructor(@Inject(getDataSourceToken()) dataSource: DataSource, @InjectCache() cache: Cache) {
        wrap(dataSource, { cache });
      }
    }
    return { imports: [UnstaleModule.forRoot(), TypeOrmModule.forRoot(database)], providers: [Wrapping] };
  },
};

async function tell({ imports, providers }: { imports: unknown[]; providers: unknown[] }) {
  @Module({
    imports: [...(imports as []), TypeOrmModule.forFeature([Person])],
    providers: [...(providers as []), People],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: ['error'], abortOnError: false });
  const service = app.get(People);
  const loadsBefore = loads;
  const seen: string[][] = [await service.names(), await service.names()];
  await service.people.insert({ id: 1, name: 'Ada' });
  seen.push(await service.names(), await service.names());
  await service.people.manager.transaction((manager) => manager.update(Person, { id: 1 }, { name: 'Grace' }));
  seen.push(await service.names());
  const people = [1, 2].map(() => service.people.findOne({ where: { id: 1 }, cache: true }));
  const areEntities = (await Promise.all(people)).every((person) => person instanceof Person);
  await app.close();
  return { seen, loads: loads - loadsBefore, areEntities };
}

async function main(): Promise<void> {
  const told: Record<string, unknown> = {};
  for (const [name, way] of Object.entries(ways)) told[name] = await tell(way());
  process.send?.(told, () => process.exit());
}
void main();
