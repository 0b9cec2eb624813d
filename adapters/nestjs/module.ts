import { Logger, Module } from '@nestjs/common';
import { expected } from '../../src/adapter/index.js';
import type { Cache } from '../../src/index.js';
import { cacheToken } from './names.js';
import { cacheOfOptions, checkOptions, type ModuleCache } from './options.js';
import { type Consumer, scopeRequests } from './request.js';

/** Where a module puts its cache. */
export interface ModulePlace {
  /** The name of the cache, where there are several: `@InjectCache('reports')`. @defaultValue the one without a name */
  as?: string;
  /** Whether modules find it that do not import this one. @defaultValue false */
  global?: boolean;
}

/** Options of {@link UnstaleModule.forRoot}. */
export type ModuleOptions = ModulePlace & ModuleCache;

/** Options of {@link UnstaleModule.forRootAsync}. */
export interface AsyncModuleOptions extends ModulePlace {
  /** Modules that export what `inject` names. */
  imports?: any[];
  /** Tokens of what `useFactory` is given. */
  inject?: any[];
  /** Gives the options of the cache, or a cache. */
  useFactory: (...injected: any[]) => ModuleCache | Promise<ModuleCache>;
}

/** What Nest calls a dynamic module. */
export interface UnstaleModuleDefinition {
  module: typeof UnstaleModule;
  global: boolean;
  imports: any[];
  providers: any[];
  exports: any[];
}

/**
 * A cache in the container of Nest. It is made when the application starts, and closed when it shuts down, after the
 * last request; what could not be delivered until then is logged.
 *
 * @example
 * ```ts
 * import { redisStore } from 'unstale/redis';
 * import { UnstaleModule } from 'unstale/nestjs';
 *
 * const imports = [
 *   UnstaleModule.forRoot({
 *     global: true,
 *     store: redisStore('redis://localhost:6379'),
 *     tenantOf: (request: { user?: { org: string } }) => request.user?.org,
 *   }),
 *   UnstaleModule.forRoot({ as: 'prices', ttl: '1s' }),
 * ];
 * ```
 */
export class UnstaleModule {
  /**
   * A cache by options that are known now: those of `createCache` and `tenantOf`, or a `cache` that is there already.
   *
   * @throws TypeError for wrong options; those of `createCache` are looked at when the application starts
   */
  static forRoot(options: ModuleOptions = {}): UnstaleModuleDefinition {
    const { place, of } = split(options);
    checkOptions(of);
    return define(place, { useFactory: () => of });
  }

  /**
   * A cache by options that others have to tell, such as a configuration.
   *
   * @throws TypeError for wrong options
   */
  static forRootAsync(options: AsyncModuleOptions): UnstaleModuleDefinition {
    const { place, of } = split(options);
    const { imports, inject, useFactory, ...rest } = of;
    if (typeof useFactory !== 'function') throw expected('useFactory', 'a function that gives options', useFactory);
    const [other] = Object.keys(rest);
    if (other !== undefined)
      throw new TypeError(`\`${other}\` is no option of forRootAsync: let \`useFactory\` give it`);
    return define(place, { useFactory, ...(inject && { inject }) }, imports);
  }

  /** Called by Nest. @internal */
  configure(consumer: unknown): void {
    scopeRequests(consumer as Consumer);
  }
}
Module({})(UnstaleModule);

function split<O extends ModulePlace>(options: O): { place: ModulePlace; of: Omit<O, keyof ModulePlace> } {
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object', options);
  const { as, global = false, ...of } = options;
  if (typeof global !== 'boolean') throw expected('global', 'true or false', global);
  return { place: { ...(as !== undefined && { as }), global }, of };
}

function define(
  { as, global = false }: ModulePlace,
  told: { useFactory: (...injected: any[]) => ModuleCache | Promise<ModuleCache>; inject?: any[] },
  imports: any[] = [],
): UnstaleModuleDefinition {
  const token = cacheToken(as);
  const kept = `${token}:kept`;
  const useFactory = async (...injected: any[]) => new Kept(await told.useFactory(...injected));
  return {
    module: UnstaleModule,
    global,
    imports,
    providers: [
      { ...told, provide: kept, useFactory },
      { provide: token, inject: [kept], useFactory: ({ cache }: Kept) => cache },
    ],
    exports: [token],
  };
}

/** A cache, and who closes it. */
class Kept {
  readonly cache: Cache<any>;
  readonly #isOurs: boolean;

  constructor(options: ModuleCache) {
    this.cache = cacheOfOptions(options);
    this.#isOurs = !('cache' in options);
  }

  /** Called by Nest, when the last request is answered. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.#isOurs) return;
    try {
      await this.cache.close();
    } catch (error) {
      new Logger('UnstaleModule').error((error as Error).message, (error as Error).stack);
    }
  }
}
