import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchdog } from './watchdog.js';

/** PostgreSQL and MariaDB refuse to run as root, so root hands them to "nobody", which needs no account of its own. */
export const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** A new temporary folder, which goes with this process at the latest. */
export function makeFolder(label: string): string {
  const dir = mkdtempSync(join(tmpdir(), `unstale-${label}-`));
  watchdog.watchFolder(dir);
  if (nobody.uid !== undefined) chownSync(dir, nobody.uid, nobody.gid);
  return dir;
}

export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  watchdog.forgetFolder(dir);
}
