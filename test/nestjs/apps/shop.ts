// A shop of several tenants, on Express or Fastify: what it loads takes a while, and says who asked for it.
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  Post,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter, NestFactory, REQUEST } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type Cache, cacheOf } from 'unstale';
import {
  cacheToken,
  currentRequest,
  InjectCache,
  invalidates,
  UnstaleModule,
  withCache,
  withRequest,
} from 'unstale/nestjs';

type Asked = { headers: Record<string, string | undefined>; user?: { org: string } };

const loads: Record<string, number> = {};
const prices: Record<string, number> = {};
const instances = { requested: [] as WeakRef<object>[], transient: 0, caches: new Set<unknown>() };

async function load<T>(what: string, value: T): Promise<T> {
  loads[what] = (loads[what] ?? 0) + 1;
  await sleep(5);
  return value;
}

const tenant = () => currentRequest<Asked>()?.user?.org;

/** Knows the tenant only after a while, as one does that looks into a token. */
@Injectable()
class Auth implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Asked>();
    await sleep(1);
    const org = request.headers['x-org'];
    if (org !== undefined) request.user = { org };
    return true;
  }
}

@Injectable()
class Orders {
  @withCache({ tags: ['orders'] })
  async all() {
    return load(`orders of ${tenant()}`, { of: tenant(), total: 3 });
  }

  @withCache()
  async search(text: string) {
    return load(`search of ${tenant()}`, { of: tenant(), length: text.length });
  }

  @invalidates({ tags: ['orders'] })
  async place(): Promise<string> {
    return 'placed';
  }
}

@Injectable()
class MoreOrders extends Orders {
  @withCache({ cache: 'prices' })
  async price(name: string) {
    return load(`price of ${name}`, prices[name] ?? 0);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Report {
  constructor(
    @Inject(REQUEST) private readonly request: Asked,
    @InjectCache() readonly cache: Cache,
  ) {
    instances.requested.push(new WeakRef(this));
    instances.caches.add(cache);
  }

  @withCache({ ttl: '5m' })
  async daily(day: string) {
    return load(`report of ${this.request.user?.org}`, { day, of: this.request.user?.org });
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Rates {
  @InjectCache('prices') readonly cache!: Cache;
  constructor() {
    instances.transient++;
  }

  @withCache({ cache: 'prices' })
  async rate(name: string) {
    return load(`rate of ${name}`, name.length);
  }
}

@Injectable()
class Desk {
  constructor(@Inject(Rates) readonly rates: Rates) {}
}

@Controller()
@UseGuards(Auth)
class Shop {
  constructor(
    @Inject(MoreOrders) private readonly orders: MoreOrders,
    @Inject(Rates) private readonly rates: Rates,
    @Inject(Desk) private readonly desk: Desk,
    @InjectCache('prices') private readonly priceCache: Cache,
    @Inject(cacheToken()) private readonly cache: Cache,
  ) {}

  @Get('orders')
  all() {
    return this.orders.all();
  }

  @Post('search')
  search(@Body() body: { text: string }) {
    return this.orders.search(body.text);
  }

  @Post('orders')
  place() {
    return this.orders.place();
  }

  @Get('late')
  async late() {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return this.orders.all();
  }

  @Get('price/:name')
  async price(@Param('name') name: string) {
    return { price: await this.orders.price(name), ...(await cacheOf(this.orders.price, this.orders).read(name)) };
  }

  @Get('rates')
  async both() {
    const rates = [await this.rates.rate('euro'), await this.desk.rates.rate('euro')];
    const areTwo = this.rates !== this.desk.rates;
    return {
      rates,
      areTwo,
      isOneCache: this.rates.cache === this.priceCache && this.desk.rates.cache === this.priceCache,
    };
  }

  @Get('caches')
  async caches() {
    const entries = () => [this.cache.stats().entries, this.priceCache.stats().entries];
    const before = entries();
    await this.priceCache.clear();
    await this.orders.price('tea');
    return { areTwo: this.cache !== this.priceCache, before, after: entries() };
  }

  @Get('cron')
  async cron() {
    const inner = withRequest({ user: { org: 'night' } }, () => this.orders.all());
    return { inner: await inner, outer: await this.orders.all() };
  }
}

/** REQUEST scope is contagious: a controller of its own. */
@Controller('reports')
@UseGuards(Auth)
class Reports {
  constructor(@Inject(Report) private readonly report: Report) {}

  @Get(':day')
  daily(@Param('day') day: string) {
    return this.report.daily(day);
  }
}

@Module({
  imports: [
    UnstaleModule.forRoot({ tenantOf: (request: Asked) => request.user?.org }),
    UnstaleModule.forRoot({ as: 'prices', ttl: '10m' }),
  ],
  controllers: [Shop, Reports],
  providers: [Orders, MoreOrders, Report, Rates, Desk, { provide: APP_FILTER, useClass: BaseExceptionFilter }],
})
class App {}

async function main(): Promise<void> {
  const http = process.argv[2] === 'fastify' ? new FastifyAdapter() : undefined;
  const app = await (http
    ? NestFactory.create(App, http, { logger: ['error'] })
    : NestFactory.create(App, { logger: ['error'] }));
  await app.listen(0, '127.0.0.1');
  process.send?.({ port: (app.getHttpServer().address() as { port: number }).port });
  process.on('message', async (message) => {
    const { requested, transient, caches } = instances;
    if (message === 'counts') process.send?.({ loads, requested: requested.length, transient, caches: caches.size });
    if (message === 'collect') {
      app.getHttpServer().closeIdleConnections(); // which hold their last request
      for (let i = 0; i < 3; i++) {
        await sleep(5);
        (globalThis as { gc?: () => void }).gc?.();
      }
      process.send?.({ alive: requested.filter((it) => it.deref() !== undefined).length });
    }
  });
}
void main();
