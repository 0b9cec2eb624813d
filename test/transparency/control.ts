import type { Store, Version } from '../../src/index.js';

/** A kind of tag that an adapter raises, and how to tell it. */
export const kinds = {
  table: (tag: string) => /table:[^#@!]+$/.test(tag),
  row: (tag: string) => tag.includes('#'),
  rows: (tag: string) => tag.endsWith('!rows'),
  tenant: (tag: string) => tag.includes('@'),
  tenants: (tag: string) => tag.endsWith('!tenants'),
  ignored: (tag: string) => tag.endsWith('!ignored'),
} satisfies Record<string, (tag: string) => boolean>;

export type Kind = keyof typeof kinds;

/** A store that forgets to raise some tags: whoever compares with the database must notice. */
export function forgetting(store: Store, kind: Kind): Store {
  return {
    kind: store.kind,
    open(context) {
      const session = store.open(context);
      return new Proxy(session, {
        get(target, name) {
          if (name !== 'raise') {
            const value = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          }
          return async (tags: readonly string[], timeout: number) => {
            const raised = tags.filter((tag) => !kinds[kind](tag));
            const versions = new Map<string, Version>();
            for (const [i, version] of (await target.raise(raised, timeout)).entries())
              versions.set(raised[i] as string, version);
            const { versions: others } = await target.read(undefined, tags);
            return tags.map((tag, i) => versions.get(tag) ?? (others[i] as Version));
          };
        },
      });
    },
  };
}
