// The same service. `npm run setup` brings Nest:
// `npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/nestjs-cache-manager/after.ts`
import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { invalidates, UnstaleModule, withCache } from 'unstale/nestjs';
import { Memory, tell } from '../story.js';

@Injectable()
class Users {
  constructor(@Inject(Memory) private readonly db: Memory) {}

  @withCache({ tags: (id: number) => [`user:${id}`] })
  async user(id: number) {
    return this.db.user(id);
  }

  @invalidates({ tags: ({ args: [id] }: { args: [id: number, name: string] }) => [`user:${id}`] })
  async rename(id: number, name: string) {
    await this.db.rename(id, name);
  }
}

@Module({
  imports: [UnstaleModule.forRoot({ ttl: '5m' })],
  providers: [Memory, Users],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
await tell(app.get(Users), app.get(Memory));
await app.close();
