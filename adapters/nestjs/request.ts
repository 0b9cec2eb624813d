import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The request of the moment. Kept as it is, and not as what somebody read from it: a guard may add the user later.
 */

const place: unique symbol = Symbol.for('unstale.nestjs.requests') as never;
const here = globalThis as { [place]?: AsyncLocalStorage<unknown> };
// One for the ESM and the CommonJS copy of the package: an application may load both.
here[place] ??= new AsyncLocalStorage<unknown>();
const requests = here[place];

/**
 * The HTTP request that is being answered, as guards and handlers get it. Undefined outside of any.
 *
 * @example
 * ```ts
 * import type { IncomingMessage } from 'node:http';
 * import { currentRequest, UnstaleModule } from 'unstale/nestjs';
 *
 * UnstaleModule.forRoot({ vary: () => currentRequest<IncomingMessage>()?.headers['accept-language'] });
 * ```
 */
export function currentRequest<T = any>(): T | undefined {
  return requests.getStore() as T | undefined;
}

/**
 * Runs `fn`, and everything that it starts, as a part of `request`: for queues, web sockets and clocks, where no HTTP
 * request is around. `tenantOf` is given it.
 */
export function withRequest<T>(request: unknown, fn: () => T): T {
  return requests.run(request, fn);
}

type Next = () => void;

/** What Nest gives to `configure` of a module. */
export interface Consumer {
  getHttpAdapter(): HttpAdapter;
}

interface HttpAdapter {
  getType(): string;
  getInstance(): { addHook(name: string, hook: (request: unknown, reply: unknown, done: Next) => void): unknown };
  use(middleware: (request: unknown, response: unknown, next: Next) => void): unknown;
}

const seen = new WeakSet<HttpAdapter>();

/** Every request of the application runs in a scope of its own. */
export function scopeRequests(consumer: Consumer): void {
  const adapter = consumer.getHttpAdapter();
  if (seen.has(adapter)) return; // by the module of another cache
  seen.add(adapter);
  const scope = (request: unknown, _: unknown, next: Next): void => withRequest(request, next);
  // A middleware of Fastify gets another request than guards do.
  if (adapter.getType() === 'fastify') adapter.getInstance().addHook('onRequest', scope);
  else adapter.use(scope);
}
