import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { OpenStatement } from './session.js';

/**
 * Rows that come one by one. Whoever reads them sees their end when what the statement wrote is invalidated.
 *
 * @param send - sends the statement; called in the turn in which `opened` resolves
 */
export function streamed(opened: Promise<OpenStatement>, send: () => Readable): Readable {
  const rows = new PassThrough({
    objectMode: true,
    flush: (done) => void opened.then((statement) => statement.end()).then(() => done(), done),
  });
  const start = (statement: OpenStatement) => {
    pipeline(send(), rows, (error) => void statement.end(error ?? undefined).catch(() => {}));
  };
  opened.then(start).catch((error) => rows.destroy(error));
  return rows;
}
