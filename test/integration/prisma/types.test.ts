import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hasPrisma } from '../../prisma/client.js';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test.skipIf(!hasPrisma)(
  'types are those of Prisma, and what is wrong does not compile',
  { timeout: 300_000 },
  async () => {
    const args = [
      file('../../../node_modules/typescript/bin/tsc'),
      '--noEmit',
      '-p',
      file('../../prisma/tsconfig.json'),
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch((error) => error);
    // The sources are checked elsewhere.
    expect(stdout.split('\n').filter((line: string) => /^(?:adapters|test)\/prisma/.test(line))).toEqual([]);
  },
);
