import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type App,
  buildPackage,
  compile,
  formats,
  nests,
  remove,
  start,
  typeErrors,
  whatIsMissing,
} from '../../nestjs/project.js';

const missing = whatIsMissing();
if (missing.length > 0) {
  const text = `no NestJS: npm run setup brings it. Missing: ${missing.join(', ')}`;
  if (process.env.CI || process.env.UNSTALE_TEST_STRICT) throw new Error(text);
  console.warn(`${text}\n  tests that need it are skipped`);
}
const { postgres } = inject('services');

let built: string;
beforeAll(async () => {
  if (missing.length === 0) built = await buildPackage();
});
afterAll(() => remove(built));

describe.skipIf(missing.length > 0).each(nests)('Nest %s', (nest) => {
  let folder: string;
  beforeAll(() => {
    folder = compile(nest, built);
  });
  afterAll(() => remove(folder));

  test('the applications compile against its types', () => {
    expect(typeErrors(folder)).toBe('');
  }, 120_000);

  describe.each(formats)('%s', (format) => {
    let stories: Record<string, any>;
    let output: string;
    beforeAll(async () => {
      const app = start(nest, `${folder}/${format}/life.js`);
      stories = await app.next();
      await app.ended;
      output = app.output();
    });

    describe.each(['express', 'fastify'])('%s', (http) => {
      let app: App;
      let at: string;
      const ask = async (path: string, org?: string, body?: string | ReadableStream<Uint8Array>) => {
        const response = await fetch(at + path, {
          headers: {
            ...(org !== undefined && { 'x-org': org }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { method: 'POST', body, duplex: 'half' }),
        });
        const text = await response.text();
        return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
      };
      const counts = () => {
        app.child.send('counts');
        return app.next();
      };

      beforeAll(async () => {
        app = start(nest, `${folder}/${format}/shop.js`, http);
        at = `http://127.0.0.1:${(await app.next()).port}`;
      });
      afterAll(async () => {
        app.child.kill('SIGKILL');
        await app.ended;
      });

      test('a tenant never gets the value of another, though a guard finds it out late', async () => {
        const orgs = Array.from({ length: 200 }, (_, i) => `org${i % 4}`);
        const answers = await Promise.all(orgs.map((org, i) => ask(i % 3 === 0 ? '/late' : '/orders', org)));
        expect(answers.map(({ json }) => json.of)).toEqual(orgs);
        const { loads } = await counts();
        expect(['org0', 'org1', 'org2', 'org3'].map((org) => loads[`orders of ${org}`])).toEqual([1, 1, 1, 1]);
      });

      test('a request without a tenant is refused, and loads nothing', async () => {
        expect((await ask('/orders')).status).toBe(500);
        expect((await counts()).loads['orders of undefined']).toBeUndefined();
      });

      test('the tenant is known after a body that came in pieces', async () => {
        const slowly = (text: string) =>
          new ReadableStream<Uint8Array>({
            async start(controller) {
              for (const piece of text.match(/.{1,5}/g) as string[]) {
                controller.enqueue(new TextEncoder().encode(piece));
                await new Promise((resolve) => setTimeout(resolve, 3));
              }
              controller.close();
            },
          });
        const orgs = ['red', 'blue', 'red', 'blue', 'green'];
        const bodies = orgs.map((org) => ask('/search', org, slowly(JSON.stringify({ text: 'the same for all' }))));
        expect((await Promise.all(bodies)).map(({ json }) => json)).toEqual(orgs.map((of) => ({ of, length: 16 })));
      });

      test('a write ends what was cached, in a subclass too', async () => {
        await ask('/orders', 'writer');
        await ask('/orders', 'writer', '{}');
        await ask('/orders', 'writer');
        expect((await counts()).loads['orders of writer']).toBe(2);
      });

      test('providers of REQUEST scope share entries and one cache, and are let go', async () => {
        const answers: unknown[] = [];
        for (let i = 0; i < 10; i++)
          answers.push(
            ...(await Promise.all(Array.from({ length: 30 }, (_, n) => ask('/reports/today', `shop${n % 3}`)))),
          );
        expect(answers.map((it: any) => it.json.of)).toEqual(answers.map((_, n) => `shop${n % 3}`));
        const { loads, requested, caches } = await counts();
        expect(requested).toBe(300);
        expect(['shop0', 'shop1', 'shop2'].map((org) => loads[`report of ${org}`])).toEqual([1, 1, 1]);
        expect(caches).toBe(1);
        app.child.send('collect');
        expect((await app.next()).alive).toBeLessThan(30);
      });

      test('providers of TRANSIENT scope share entries and one cache', async () => {
        expect((await ask('/rates', 'a')).json).toEqual({ rates: [4, 4], areTwo: true, isOneCache: true });
        const { loads, transient } = await counts();
        expect([loads['rate of euro'], transient]).toEqual([1, 2]);
      });

      test('two named caches are two, and methods find their own', async () => {
        await ask('/price/tea', 'a');
        expect((await ask('/price/tea', 'b')).json).toMatchObject({ price: 0, source: 'near' }); // that one knows no tenants
        expect((await counts()).loads['price of tea']).toBe(1);
        const { areTwo, before, after } = (await ask('/caches', 'a')).json;
        expect([areTwo, after[0]]).toEqual([true, before[0]]);
        expect((await counts()).loads['price of tea']).toBe(2);
      });

      test('withRequest stands for a request where none is', async () => {
        expect((await ask('/cron', 'day')).json).toEqual({
          inner: { of: 'night', total: 3 },
          outer: { of: 'day', total: 3 },
        });
      });
    });

    test('forRootAsync: options come from what a module exports', () => {
      const { text, isTenants } = stories.asynchronous;
      expect(text).toMatch(/fresh for another (37[89]|3[89]\d|4[01]\d|420)(\.\d+)? s/);
      expect(isTenants).toBe(true);
    });

    test('a cache that is handed in stays open', () => {
      expect(stories.given).toEqual({ isSame: true, isOpen: true });
    });

    test('each application has a cache of its own, and closes that one', () => {
      expect(stories.twoApplications).toEqual({ areTwo: true, one: false, two: true, loads: 1 });
    });

    test('a signal closes the cache', async () => {
      const app = start(nest, `${folder}/${format}/life.js`, 'until a signal');
      await app.next();
      app.child.kill('SIGTERM');
      expect(await app.next()).toBe('closed');
      await app.ended;
    });

    test('what could not be delivered is logged, and the cache closed all the same', () => {
      const { refused, closed } = stories.undelivered;
      expect(refused).toMatch('InvalidationPendingError');
      expect(closed).toBe(true);
      expect(output).toMatch(/\[UnstaleModule\].*closed before the store confirmed the invalidation of 'users'/);
    });

    test('wrong options say what is wrong', () => {
      const nestSays = expect.stringContaining(`Nest can't resolve dependencies of the Users (?)`);
      expect(stories.wrong).toEqual({
        misspelt: expect.stringContaining('TypeError: Unknown option `tll` of createCache'),
        duration: expect.stringContaining('TypeError: Expected `ttl` to be a duration'),
        noCache: 'TypeError: Expected `cache` to be a cache made by createCache(), got an object',
        both: 'TypeError: `ttl` cannot be given beside a `cache` that is there already: give it to createCache',
        notAFunction: 'TypeError: Expected `tenantOf` to be a function of the request, got "org" (string)',
        twoTenants: 'TypeError: Expected `tenantOf` or `tenant`, got both',
        noFactory: 'TypeError: Expected `useFactory` to be a function that gives options, got undefined',
        ttlBesideFactory: 'TypeError: `ttl` is no option of forRootAsync: let `useFactory` give it',
        factoryGivesNothing: 'TypeError: Expected `options` to be an object, got undefined',
        name: 'TypeError: Expected `as` to be a non-empty text, the name of an injected cache, got "" (string)',
        notInjected: nestSays,
        notGlobal: nestSays,
        global: 'nothing was wrong',
        otherName: nestSays,
        byNew: expect.stringContaining("TypeError: Expected 'find' to be called on a provider that Nest has made"),
        decorator: expect.stringContaining('TypeError: Unknown option `tll` of withCache'),
        tags: expect.stringContaining('TypeError: Expected `tags` to be a list of texts'),
        static: expect.stringContaining("TypeError: Expected 'find' to be a method of instances"),
        standard: expect.stringContaining("TypeError: Expected 'find' to be a method of instances"),
      });
    });

    test('the example', async () => {
      const app = start(nest, `${folder}/${format}/main.js`);
      await app.ended;
      const lines = app.output().trim().split('\n');
      expect(lines.map((line) => line.replace(/,"hitRate.*/, '').replace(/ +\{/, ' {'))).toEqual([
        'acme {"items":["anvil"],"queries":1',
        'acme again {"items":["anvil"],"queries":1',
        'globex {"items":["globe"],"queries":2',
        'acme, after a write {"items":["anvil","rocket"],"queries":3',
        'globex, untouched {"items":["globe"],"queries":3',
      ]);
    });

    test.skipIf(postgres === undefined)('@nestjs/typeorm over a wrapped data source', async () => {
      const server = new pg.Client(postgres?.url);
      await server.connect();
      const name = `nestjs_${nest}_${format}`;
      await server.query(`drop database if exists ${name}`);
      await server.query(`create database ${name}`);
      try {
        const url = Object.assign(new URL(postgres?.url as string), { pathname: `/${name}` }).href;
        const app = start(nest, `${folder}/${format}/database.js`, url);
        const told = { seen: [[], [], ['Ada'], ['Ada'], ['Grace']], loads: 3, areEntities: true };
        expect(await app.next()).toEqual({ dataSourceFactory: told, injected: told });
        await app.ended;
      } finally {
        await server.query(`drop database ${name} with (force)`);
        await server.end();
      }
    });
  });
});
