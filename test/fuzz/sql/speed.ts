/**
 * What reading a statement costs: `npx tsx test/fuzz/sql/speed.ts`. The reader is compiled as in the package first;
 * loaders that compile on the way wrap every function to keep its name, and that costs more than a look-up.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const texts = {
  'a row by its key': 'SELECT "id", "name", "email" FROM "users" WHERE "id" = $1',
  'an insert': 'INSERT INTO "posts" ("title", "body", "author_id") VALUES ($1, $2, $3) RETURNING "id"',
  'a commit': 'COMMIT',
  'a find with joins, as TypeORM writes it': `SELECT DISTINCT "distinctAlias"."User_id" AS "ids_User_id" FROM (SELECT "User"."id" AS "User_id", "User"."name" AS "User_name", "User"."email" AS "User_email", "User"."createdAt" AS "User_createdAt", "User__posts"."id" AS "User__posts_id", "User__posts"."title" AS "User__posts_title", "User__posts"."body" AS "User__posts_body", "User__posts"."authorId" AS "User__posts_authorId", "User__team"."id" AS "User__team_id", "User__team"."name" AS "User__team_name" FROM "user" "User" LEFT JOIN "post" "User__posts" ON "User__posts"."authorId"="User"."id" AND ("User__posts"."deletedAt" IS NULL) LEFT JOIN "team" "User__team" ON "User__team"."id"="User"."teamId" WHERE (("User"."id" = $1) AND ("User"."deletedAt" IS NULL))) "distinctAlias" ORDER BY "User_id" ASC LIMIT 1`,
  'an insert of 100 rows': `INSERT INTO t (a, b, c) VALUES ${Array.from({ length: 100 }, (_, at) => `($${at * 3 + 1}, $${at * 3 + 2}, 'text ${at}')`).join(', ')}`,
};

const folder = mkdtempSync(join(tmpdir(), 'unstale-sql-'));
try {
  const entry = fileURLToPath(new URL('../../../src/sql/index.ts', import.meta.url));
  const outfile = join(folder, 'sql.mjs');
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm' });
  const { readStatement, fingerprint }: typeof import('../../../src/sql/index.js') = await import(
    pathToFileURL(outfile).href
  );
  const dialect = { name: 'postgres' } as const;
  for (const [what, sql] of Object.entries(texts)) {
    // With another comment it is another text, which has not been read before.
    let turn = 0;
    const fresh = () => `${sql} --${turn++}`;
    const read = measure(() => readStatement(fresh(), dialect), 2000);
    const known = measure(() => readStatement(sql, dialect), 300_000);
    const print = measure(() => fingerprint(sql, dialect), 2000);
    console.log(
      `${what}, ${sql.length} characters: read ${(read / 1000).toFixed(1)} µs, known ${known.toFixed(0)} ns, fingerprint ${(print / 1000).toFixed(1)} µs`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** Nanoseconds of processor time for one run, warm: the median of nine rounds. Others may use this machine, too. */
function measure(run: () => unknown, count: number): number {
  const rounds: number[] = [];
  for (let round = 0; round < 12; round++) {
    const start = process.cpuUsage();
    for (let at = 0; at < count; at++) run();
    const { user, system } = process.cpuUsage(start);
    rounds.push(((user + system) * 1000) / count);
  }
  return rounds.slice(3).sort((a, b) => a - b)[4]!;
}
