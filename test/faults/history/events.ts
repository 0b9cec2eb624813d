import { appendFileSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * What a process did, in the order in which it ended. Times are microseconds of the machine's monotonic clock, which all
 * processes of a history share. A row's value comes from one sequence, so later writes of a row have larger values, and
 * a value that was rolled back is nobody else's.
 */
export type Event =
  | {
      readonly type: 'read';
      readonly begun: number;
      readonly ended: number;
      readonly row: number;
      readonly value: number;
      /** Whether a stored value answered; left out where the way of reading does not say. */
      readonly hit?: boolean;
      /** Past the cache, by the probe. */
      readonly probe?: true;
      /** After all was over. */
      readonly final?: true;
    }
  | {
      readonly type: 'write';
      readonly ended: number;
      readonly row: number;
      readonly value: number;
      readonly outcome: 'acknowledged' | 'committed' | 'unknown' | 'rolled back';
    }
  | {
      readonly type: 'failed';
      readonly what: 'read' | 'write' | 'process';
      readonly ended: number;
      readonly why: string;
    };

export const now = (): number => Number(process.hrtime.bigint() / 1000n);

/** Each event is in the file before the process goes on, so that a killed one leaves what it has done. */
export function writeEvents(file: string): { add(event: Event): void; close(): void } {
  const fd = openSync(file, 'a');
  return {
    add: (event) => void writeSync(fd, `${JSON.stringify(event)}\n`),
    close: () => closeSync(fd),
  };
}

/** Without a last line that a kill cut short. */
export function readEvents(file: string): Event[] {
  appendFileSync(file, '');
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Event);
}
