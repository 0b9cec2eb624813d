import type { Ask } from './ask.js';
import { currentScope, loadsUnderWay } from './context.js';
import type { Parts } from './parts.js';
import type { Scope } from './scope.js';
import { warnOnce } from './warn.js';

/**
 * What a load's statements tell about the function that ran them: that its dependencies cannot be seen, or that its
 * key leaves something out.
 */

/** The load around the running code did something whose dependencies cannot be seen. */
export function refuse(parts: Parts, reason: string): void {
  const scope = currentScope(parts);
  if (scope !== undefined) refuseIn(parts, scope, reason);
}

/** Some load did it, and nobody can tell which. */
export function refuseAll(reason: string): void {
  for (const { owner, scope } of loadsUnderWay()) refuseIn(owner as Parts, scope as Scope, reason);
}

function refuseIn(parts: Parts, scope: Scope, reason: string): void {
  scope.tear(reason);
  // Another one will hardly tell more.
  if (scope.refused) return;
  scope.refused = true;
  // Of what several loads get, each is told when it gets it.
  if (scope.of.key === '') return;
  parts.events.emit('untracked', { ...scope.of, reason });
}

/** A load has ended, and its value is about to be judged. */
export function examine(parts: Parts, ask: Ask, scope: Scope): void {
  if (parts.clients.any && !scope.tracked && ask.settings.tags === undefined) reportUntracked(parts, ask, scope);
  if (ask.query.isStatement || scope.opening.length === 0) return;
  const { key, name } = scope.of;
  const statement = parts.underkeyed.check(key, name, scope.opening);
  if (statement === undefined) return;
  parts.events.emit('underkeyed', { key, name, statement });
  warnOnce(
    `underkeyed:${name}`,
    `'${name}' ran \`${statement}\` with other values for the same key: something it depends on is missing in its key.`,
  );
}

/**
 * Where queries are seen, a load without any most likely ran them where the running code is not known: in a batch that
 * somebody else started, behind a promise that was made earlier. Its value would outlive every write.
 */
function reportUntracked(parts: Parts, ask: Ask, scope: Scope): void {
  const { key, name } = scope.of;
  const reason = `0 queries seen in '${name}'; write \`tags: []\` if age alone should end it`;
  const isMeant = scope.unstorable !== undefined;
  scope.tear(reason);
  // It was not to be stored anyway.
  if (isMeant) return;
  parts.events.emit('untracked', { key, name, reason });
  warnOnce(`untracked:${ask.counter.name}`, `A value of '${name}' is not stored: ${reason}.`);
}
