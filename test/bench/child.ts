import type { Setting } from './row.js';
import { rows } from './rows/index.js';

/**
 * Runs one row. Each has a process of its own, so that none is measured with the garbage, the timers and the compiled
 * code of another.
 */
const [name, setting] = process.argv.slice(2) as [string, string];
const { row } = await (rows[name] as (typeof rows)[string])();
const outcomes = await row.run(JSON.parse(setting) as Setting);
process.send?.(outcomes, () => process.exit(0));
