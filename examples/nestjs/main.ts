// A small service on NestJS: two tenants, methods that are cached, a write that ends what it changes. No server is
// needed: see package.json beside this file.
import 'reflect-metadata';
import { Body, Controller, Get, Inject, Injectable, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Cache } from 'unstale';
import { InjectCache, invalidates, UnstaleModule, withCache } from 'unstale/nestjs';

type Tenanted = { headers: Record<string, string | undefined> };
type Order = { id: number; tenant: string; item: string };

/** Stands for a database: it counts what it is asked. */
@Injectable()
class Orders {
  queries = 0;
  readonly #rows: Order[] = [
    { id: 1, tenant: 'acme', item: 'anvil' },
    { id: 2, tenant: 'globex', item: 'globe' },
  ];

  async of(tenant: string): Promise<Order[]> {
    this.queries++;
    return this.#rows.filter((order) => order.tenant === tenant);
  }

  async insert(tenant: string, item: string): Promise<Order> {
    const order = { id: this.#rows.length + 1, tenant, item };
    this.#rows.push(order);
    return order;
  }
}

@Injectable()
class OrderService {
  constructor(@Inject(Orders) private readonly orders: Orders) {}

  // The cache of the module; the tenant of the request is a part of every key.
  @withCache({ ttl: '5m', tags: (tenant: string) => [`orders of ${tenant}`] })
  async list(tenant: string): Promise<Order[]> {
    return this.orders.of(tenant);
  }

  // After it has succeeded.
  @invalidates({ tags: ({ result }: { result: Order }) => [`orders of ${result.tenant}`] })
  async place(tenant: string, item: string): Promise<Order> {
    return this.orders.insert(tenant, item);
  }
}

@Controller('orders')
class OrderController {
  constructor(
    @Inject(OrderService) private readonly orders: OrderService,
    @Inject(Orders) private readonly database: Orders,
    @InjectCache() private readonly cache: Cache,
  ) {}

  @Get(':tenant')
  async list(@Param('tenant') tenant: string) {
    const items = (await this.orders.list(tenant)).map(({ item }) => item);
    return { items, queries: this.database.queries, hitRate: this.cache.stats().hitRate() };
  }

  @Post(':tenant')
  place(@Param('tenant') tenant: string, @Body() { item }: { item: string }) {
    return this.orders.place(tenant, item);
  }
}

@Module({
  // In your project take the tenant from what you have authenticated, not from a header that anybody can send.
  imports: [UnstaleModule.forRoot({ tenantOf: (request: Tenanted) => request.headers['x-tenant'] })],
  controllers: [OrderController],
  providers: [Orders, OrderService],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const at = await app.getUrl();
  const show = async (what: string, tenant: string) => {
    const response = await fetch(`${at}/orders/${tenant}`, { headers: { 'x-tenant': tenant } });
    console.log(what.padEnd(20), await response.text());
  };
  await show('acme', 'acme');
  await show('acme again', 'acme');
  await show('globex', 'globex');
  await fetch(`${at}/orders/acme`, {
    method: 'POST',
    headers: { 'x-tenant': 'acme', 'content-type': 'application/json' },
    body: JSON.stringify({ item: 'rocket' }),
  });
  await show('acme, after a write', 'acme');
  await show('globex, untouched', 'globex');
  await app.close(); // and with it the cache
}
void main();
