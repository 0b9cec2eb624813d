import type {
  Call,
  DynamicClientExtensionThis,
  ExtendsHook,
  Fn,
  InternalArgs,
  TypeMapCbDef,
  TypeMapDef,
} from '@prisma/client/runtime/client';
import type { Per } from '../../src/adapter/index.js';

/** What every read of a model takes besides its own arguments. */
export interface CacheArgument {
  /** How long the result is kept: a duration, options, or `false` for not at all. */
  cache?: Per | undefined;
}

type Read =
  | 'findUnique'
  | 'findUniqueOrThrow'
  | 'findFirst'
  | 'findFirstOrThrow'
  | 'findMany'
  | 'count'
  | 'aggregate'
  | 'groupBy';

/** What Prisma knows of the types of a client, with one more argument. */
type Cacheable<Map extends TypeMapDef> = {
  [K in keyof Map]: K extends 'model' ? { [M in keyof Map[K]]: CacheableModel<Map[K][M]> } : Map[K];
};

type CacheableModel<Model> = {
  [K in keyof Model]: K extends 'operations' ? { [O in keyof Model[K]]: Cached<O, Model[K][O]> } : Model[K];
};

type Cached<O, Operation> = O extends Read
  ? { [K in keyof Operation]: K extends 'args' ? Operation[K] & CacheArgument : Operation[K] }
  : Operation;

/** What a client with extensions of results gives. */
type Extended<Cb extends TypeMapCbDef, Args> = Cacheable<Call<Cb, { extArgs: Args }>>;

/** The same as a function of the extensions of a client, of which there may come more. */
interface CacheableCb<Cb extends TypeMapCbDef> extends Fn<{ extArgs: InternalArgs }, TypeMapDef> {
  returns: Extended<Cb, this['params']['extArgs']>;
}

/** A client as `$extends` gives it, whose reads take `cache`. */
export type CachedClient<C> = C extends { $extends: ExtendsHook<'extends', infer Cb, infer Args, any> }
  ? DynamicClientExtensionThis<Extended<Cb, Args>, CacheableCb<Cb>, Args>
  : never;
