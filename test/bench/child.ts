import type { Setting } from './row.js';
import { rows } from './rows/index.js';
import { Server } from './server.js';

/**
 * Runs one row. Each has a process of its own, so that none is measured with the garbage, the timers and the compiled
 * code of another.
 */
const [name, setting] = process.argv.slice(2) as [string, string];
const { row } = await (rows[name] as (typeof rows)[string])();
const parsed = JSON.parse(setting) as Setting;
if (row.needsRedis && parsed.redis !== undefined) {
  const server = new Server(parsed.redis);
  await server.empty();
  server.close();
}
const outcomes = await row.run(parsed);
process.send?.(outcomes, () => process.exit(0));
