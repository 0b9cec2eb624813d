/**
 * Writes the entries of the current format: `npx tsx test/payload/write.ts`. Files that exist are left alone: bytes of
 * a release stay as the release wrote them, and every later release must read them.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { encodeEntry } from '../../src/values/index.js';
import { entries, types } from './entries.js';

const folder = new URL('./v1/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, { head, value }] of Object.entries(entries)) {
  const file = new URL(`${name}.bin`, folder);
  if (existsSync(file)) console.log(`kept ${name}`);
  else {
    const bytes = encodeEntry(head, value, types);
    writeFileSync(file, bytes);
    console.log(`wrote ${name}: ${bytes.length} bytes`);
  }
}
