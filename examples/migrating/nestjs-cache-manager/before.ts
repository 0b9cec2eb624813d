// The cache module of Nest, in memory.
// `npm run setup && npx tsx --tsconfig test/peers/tsconfig.json examples/migrating/nestjs-cache-manager/before.ts`
import 'reflect-metadata';
import { CACHE_MANAGER, CacheModule } from '@nestjs/cache-manager';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Cache } from 'cache-manager';
import { Memory, tell } from '../story.js';

@Injectable()
class Users {
  constructor(
    @Inject(Memory) private readonly db: Memory,
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
  ) {}

  async user(id: number) {
    return this.cache.wrap(`user:${id}`, () => this.db.user(id));
  }

  async rename(id: number, name: string) {
    await this.db.rename(id, name);
    await this.cache.del(`user:${id}`);
  }
}

@Module({
  imports: [CacheModule.register({ ttl: 300_000 })],
  providers: [Memory, Users],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
await tell(app.get(Users), app.get(Memory));
await app.close();
