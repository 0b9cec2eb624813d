// The recipes for moving from another cache: each before and after runs as a process of its own, and what the recipes
// show of them is what has run.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { hasPrisma } from '../prisma/client.js';
import { startRedis } from '../services/redis.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const services = inject('services');
const hasPeers = existsSync(join(root, 'test/peers/node_modules/bentocache'));
if (!hasPeers || !hasPrisma) {
  const text = `no ${hasPeers ? 'Prisma' : 'peers'}: npm run setup brings them`;
  if (process.env.CI || process.env.UNSTALE_TEST_STRICT) throw new Error(text);
  console.warn(`${text}\n  tests that need them are skipped`);
}

type Server = 'redis' | 'postgres';
interface Move {
  peer: string;
  needs: readonly Server[];
  /** Whether there is a file with both caches side by side. */
  beside?: boolean;
  /** Whether the after, too, needs packages that are not the project's own. */
  foreign?: boolean;
}
const moves: readonly Move[] = [
  { peer: 'bentocache', needs: ['redis'] },
  { peer: 'cache-manager', needs: ['redis'] },
  { peer: 'nestjs-cache-manager', needs: [], foreign: true },
  { peer: 'typeorm-cache', needs: ['postgres'], beside: true },
  { peer: 'prisma-extension-redis', needs: ['redis', 'postgres'], foreign: true, beside: true },
];

const told = {
  before: [
    'first read                             1 query     Ada',
    'second read                            0 queries   Ada',
    'after a rename                         1 query     Ada Byron',
    'after a rename that overtook a read    0 queries   Ada King, but the database has Ada Lovelace',
  ],
  after: [
    'first read                             1 query     Ada',
    'second read                            0 queries   Ada',
    'after a rename                         1 query     Ada Byron',
    'after a rename that overtook a read    1 query     Ada Lovelace',
  ],
  beside: [
    'first reads          2 queries   old: Ada, new: Ada',
    'second reads         0 queries   old: Ada, new: Ada',
    'after a rename       2 queries   old: Ada Byron, new: Ada Byron',
  ],
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

describe.each(moves)('from $peer', ({ peer, needs, foreign = false, beside = false }) => {
  const canRun =
    needs.every((name) => services[name] !== undefined) && (hasPrisma || peer !== 'prisma-extension-redis');

  test.skipIf(!canRun || !hasPeers)(
    'before: a read that a write overtook brings the old row back',
    async () => {
      expect(await run(`${peer}/before.ts`, needs, true)).toEqual(told.before);
    },
    120_000,
  );

  test.skipIf(!canRun || (foreign && !hasPeers))(
    'after: it does not',
    async () => {
      expect(await run(`${peer}/after.ts`, needs, foreign)).toEqual(told.after);
    },
    120_000,
  );

  test.runIf(beside && canRun && hasPeers)(
    'side by side: a write ends what both have',
    async () => {
      expect(await run(`${peer}/beside.ts`, needs, foreign)).toEqual(told.beside);
    },
    120_000,
  );

  test('the recipe shows what runs', () => {
    const recipe = readFileSync(join(root, `docs/recipes/from-${peer}.md`), 'utf8');
    const blocks = [...recipe.matchAll(/^ *```ts\n([\s\S]*?)^ *```$/gm)].map(([, code]) => code as string);
    const names = beside ? (['before', 'after', 'beside'] as const) : (['before', 'after'] as const);
    for (const [i, name] of names.entries()) {
      expect(linesNotIn(`${peer}/${name}.ts`, blocks[i] as string)).toEqual([]);
      if (name !== 'beside') expect(recipe).toContain(told[name].at(-1));
    }
  });
});

test.skipIf(!hasPeers || !hasPrisma)(
  'all of them compile against the types of the peers',
  { timeout: 300_000 },
  async () => {
    const args = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', 'test/peers/tsconfig.types.json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch((error) => error);
    // The sources are checked elsewhere.
    expect(stdout.split('\n').filter((line: string) => line.startsWith('examples/migrating'))).toEqual([]);
  },
);

/** What a file prints, on servers where nobody else is. */
async function run(file: string, needs: readonly Server[], withPeers: boolean): Promise<string[]> {
  const env = { ...process.env };
  if (needs.includes('redis')) {
    const redis = await startRedis();
    cleanups.push(redis.stop);
    env.UNSTALE_TEST_REDIS_URL = redis.url;
  }
  if (needs.includes('postgres')) env.UNSTALE_TEST_POSTGRES_URL = await aDatabase();
  const settings = withPeers ? { TSX_TSCONFIG_PATH: join(root, 'test/peers/tsconfig.json') } : {};
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(root, 'examples/migrating', file)],
    { cwd: root, env: { ...env, ...settings }, timeout: 60_000 },
  );
  return stdout.trimEnd().split('\n');
}

async function aDatabase(): Promise<string> {
  const url = new URL((services.postgres as { url: string }).url);
  const client = new pg.Client(url.href);
  await client.connect();
  const name = `migrating_${Math.random().toString(36).slice(2)}`;
  await client.query(`create database ${name}`);
  cleanups.push(async () => {
    await client.query(`drop database ${name} with (force)`);
    await client.end();
  });
  url.pathname = `/${name}`;
  return url.href;
}

/** The lines of a block that the file does not have, in the block's order. */
function linesNotIn(file: string, block: string): string[] {
  const lines = readFileSync(join(root, 'examples/migrating', file), 'utf8').split('\n');
  // Under a point of a list it is set in.
  const margin = /^ */.exec(block)?.[0].length ?? 0;
  let from = 0;
  return block.split('\n').filter((set) => {
    const line = set.slice(margin);
    if (line === '' || line.startsWith('// @nocheck')) return false;
    const at = lines.indexOf(line, from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}
