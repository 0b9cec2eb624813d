import type { AdapterDialect, AdapterFeature } from './driver.js';
import type { Setting, World } from './world.js';

/** One way in which a cached row can be wrong, and the proof that it is not. */
export interface Trap extends TrapOptions {
  readonly name: string;
  readonly body: (world: World) => Promise<void>;
}

export interface TrapOptions extends Setting {
  readonly needs?: readonly AdapterFeature[];
  /** Dialects that do not have it, and why. */
  readonly not?: Readonly<Partial<Record<AdapterDialect, string>>>;
  /** Why what it does is refused under `strict`, as it should be; in every dialect or by dialect. */
  readonly refused?: string | Readonly<Partial<Record<AdapterDialect, string>>>;
  /** With a shared store only: the case is about it. */
  readonly shared?: boolean;
}

export function trap(name: string, body: (world: World) => Promise<void>, options: TrapOptions = {}): Trap {
  return { name, body, ...options };
}

/** Puts what they are about in front of the names. */
export function about(what: string, traps: readonly Trap[]): readonly Trap[] {
  return traps.map((one) => ({ ...one, name: `${what}: ${one.name}` }));
}

/** The definitions of MySQL, which commit by themselves: nothing can be put before that. */
export const definesInMysql = { mysql: 'under `strict`: definitions of MySQL commit by themselves' } as const;
