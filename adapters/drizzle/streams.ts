import { type Session, streamed } from '../../src/adapter/index.js';
import { type Config, from, textOf } from './internals.js';

/** Drizzle's `iterator()` takes rows as they come, from what is behind the promises of `mysql2`. */
export function streaming(core: any, session: Session<any>): object {
  let coming: ReturnType<typeof streamed> | undefined;
  const query = (config: Config, params: readonly unknown[]) => ({
    stream() {
      coming = streamed(session.open(textOf(config), params), () => core.query(config, params).stream());
      return coming;
    },
  });
  const end = () => {
    if (coming === undefined || coming.readableEnded || coming.errored) return core.release();
    // Nobody wants the rest, and nobody else gets anything over this connection before it.
    coming.destroy();
    core.destroy();
  };
  return from(core, { query, end });
}
