import { hostname } from 'node:os';

/** Who loaded a value: host and process, for `explain`. */
export const origin = `${hostname()}/${process.pid}`;
