// Generates a client for each database from the one schema. Nothing is downloaded: the engine that Prisma asks for is
// for migrations, and not used to generate.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const schema = readFileSync(`${here}schema.prisma`, 'utf8');

const generated = `${here}generated`;
rmSync(generated, { recursive: true, force: true });
mkdirSync(generated);
for (const provider of ['postgresql', 'mysql', 'sqlite']) {
  const file = `${generated}/${provider}.prisma`;
  writeFileSync(file, schema.replace('"postgresql"', `"${provider}"`).replace('"."', `"./${provider}"`));
  const args = [`${here}node_modules/prisma/build/index.js`, 'generate', '--no-hints', '--schema', file];
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: here, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`prisma generate for ${provider} has failed: ${stdout}${stderr}`);
}
// Last: who finds it knows that all is there, of which schema.
writeFileSync(`${generated}/schema.prisma`, schema);
