import type { MappedClass } from '../../src/adapter/index.js';
import type { DataSource } from './internals.js';

/**
 * The classes of a data source, which are known when it is initialized.
 *
 * @param ours - what loads its lazy relations by this data source
 */
export function classesOf({ entityMetadatas }: DataSource, ours: WeakSet<object>): MappedClass[] {
  return entityMetadatas.flatMap((entity) => {
    const { target, tablePath: place, lazyRelations: lazy, allEmbeddeds } = entity;
    const make = () => entity.create(undefined, asHydrated);
    return [
      { class: target, place, parts: partsOf(entity), lazy, make, isOurs: (it: object) => ours.has(it) },
      ...allEmbeddeds.map((it: any) => ({ class: it.type, parts: partsOf(it), make: () => it.create(asHydrated) })),
    ];
  });
}

const asHydrated = { fromDeserializer: true };
const partsOf = ({ columns, relations }: any) => [...columns, ...relations];
