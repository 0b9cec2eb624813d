// A tree of rows, with no server: `npx tsx examples/tree.ts`
import { createCache } from '../src/index.js'; // in your project: from 'unstale'

// Stands in for your database: it counts what it is asked.
interface Capability {
  id: number;
  parentId: number | null;
  name: string;
}
const table = new Map<number, Capability>();
const add = (id: number, parentId: number | null, name: string) => table.set(id, { id, parentId, name });
add(1, null, 'operate');
add(2, 1, 'maintain');
add(3, 1, 'clean');
add(4, 2, 'plan work');
add(5, 2, 'order parts');
let queries = 0;
async function select(wanted: (row: Capability) => boolean): Promise<Capability[]> {
  queries++;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return [...table.values()].filter(wanted).map((row) => ({ ...row }));
}

// 1. Say how rows are loaded: by their ids, and by their parents. Levels are loaded when somebody asks for them.
const cache = createCache({ ttl: '1h' });
const capabilities = cache.tree('capability', {
  load: (ids: readonly number[]) => select((row) => ids.includes(row.id)),
  children: (parents: readonly (number | null)[]) => select((row) => parents.includes(row.parentId)),
  id: 'id',
  parent: 'parentId',
});

// 2. Ask. The first time takes a query for each level, later none.
const names = async (id: number) => {
  const steps: string[] = [];
  for await (const { row, depth } of capabilities.walk(id)) steps.push(`${'  '.repeat(depth)}${row.name}`);
  return steps.join('\n');
};
console.log(await names(1));
console.log(`loaded by ${queries} queries`);
const before = await capabilities.subtree(1);
const above = (await capabilities.ancestors(4)).map((row) => row.name);
console.log(`above 'plan work': ${above.join(' > ')}; still ${queries} queries`);

// 3. Change a row, and say so. What does not contain it stays the same object.
table.set(5, { id: 5, parentId: 2, name: 'order spare parts' });
await capabilities.invalidate(5);
const after = await capabilities.subtree(1);
console.log(`renamed: ${after?.children[0]?.children[1]?.row.name}`);
console.log(`the subtree beside it is the same object: ${after?.children[1] === before?.children[1]}`);

// 4. Move a subtree: both sides have changed.
table.set(2, { id: 2, parentId: 3, name: 'maintain' });
await capabilities.move(2, { to: 3, from: 1 });
console.log(await names(1));

await cache.close();
