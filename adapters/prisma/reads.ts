import { createHash } from 'node:crypto';
import { expected, type Form, type Per } from '../../src/adapter/index.js';
import { type Known, keyOf, modelsOf } from './arguments.js';
import { formOf } from './decimals.js';
import type { Internals, Operation, PrismaClientLike } from './internals.js';
import { watchRequests } from './requests.js';
import { type Wrapped, wrapped } from './rows.js';
import { transactionOf } from './transactions.js';

const reads = new Set([
  ...['findUnique', 'findUniqueOrThrow', 'findFirst', 'findFirstOrThrow', 'findMany'],
  ...['count', 'aggregate', 'groupBy'],
]);

const how = 'new PrismaClient({ adapter: withCache(…) })';

/** The client with an extension by which its reads come from the cache. @throws TypeError */
export function extended(client: PrismaClientLike): unknown {
  const base = client as Internals;
  const of = (base._engineConfig?.adapter as { [wrapped]?: Wrapped } | undefined)?.[wrapped];
  if (of === undefined) throw expected('client', `one whose driver adapter was wrapped: ${how}`, client);
  const { client: cache } = of;
  const { models } = base._runtimeDataModel;
  const known: Known = { models, computed: (model) => base._extensions.getAllComputedFields(model) };
  const identity = identityOf(base, known);
  const form = formOf(client);
  watchRequests(base, cache);

  const read = (asked: Operation & { model: string }, per: Per | undefined, args: unknown) => {
    const { model, query, operation, __internalParams } = asked;
    const load = async () => query(args);
    const found = modelsOf(known, model, args);
    if (found === undefined) return load();
    const table = (name: string) => ({ schema: models[name]?.schema ?? undefined, name: models[name]?.dbName ?? name });
    const { clientMethod, dataPath } = __internalParams;
    const key = [identity, clientMethod, dataPath, keyOf(args)];
    const result = { key, name: `${model}.${operation}`, per, tables: () => [...found].map(table) };
    return cache.readResult(result, load, form);
  };

  return client.$extends({
    name: 'unstale',
    query: {
      $allOperations(asked: Operation) {
        const { model, operation, args } = asked;
        if (model === undefined && operation.startsWith('$query')) return readRaw(of, asked, form);
        if (!reads.has(operation)) return asked.query(args);
        const { cache: per, ...rest } = args ?? {};
        // A member of a transaction that is answered from elsewhere is one that it waits for in vain.
        if (asked.__internalParams.transaction !== undefined || !cache.isWanted(per)) return asked.query(rest);
        return read(asked as never, per, rest);
      },
    },
    client: { $transaction: transactionOf(base, cache) },
  });
}

/** Its text says what it reads. */
function readRaw({ before, client }: Wrapped, { args, query, __internalParams }: Operation, form: Form<any>): unknown {
  const load = async () => query(args);
  if (__internalParams.transaction !== undefined) return load();
  const [sql, params] = Array.isArray(args)
    ? [args[0], args.slice(1)]
    : [before.provider === 'postgres' ? (args.text ?? args.sql) : args.sql, args.values];
  return client.read({ sql, params: params.map(keyOf) }, load, form);
}

/** What else tells answers of this client from those of another one: the models, and what is left out or computed. */
function identityOf({ _engineConfig, _globalOmit }: Internals, { models, computed }: Known): string {
  const needs = Object.keys(models).map((model) =>
    Object.entries(computed(model) ?? {}).map(([name, { needs }]) => [name, needs]),
  );
  const text = JSON.stringify([_engineConfig?.inlineSchema, _globalOmit, needs]);
  return createHash('sha1').update(text).digest('base64url');
}
