import { type AloneFlaw, type AloneSetup, alone } from './alone.js';
import type { Model } from './explore.js';
import type { Flaw } from './flaws.js';
import { shared } from './shared.js';
import { type WatchAccident, type WatchFlaw, watch } from './watch.js';
import { strictWorlds, worlds } from './worlds.js';

/**
 * The rules that the protocol consists of. Each names the source that it mirrors, and a few words that stand there: when
 * they go, a test says so, and somebody looks whether the model is still in step. Each has a flaw, which is what others
 * do instead; a world in which that is found out; and the properties that it breaks there.
 */
export interface Rule {
  readonly rule: string;
  readonly flaw: string;
  readonly breaks: readonly string[];
  readonly world: string;
  /** A file of this repository, and words in it. Undefined: no code has the rule yet. */
  readonly mirrors: readonly [file: string, words: string] | undefined;
  readonly model: () => Model<unknown>;
}

const of = (
  world: keyof typeof worlds | keyof typeof strictWorlds,
  flaw: Flaw,
  breaks: readonly string[],
  rule: string,
  mirrors: Rule['mirrors'],
): Rule => ({
  rule,
  flaw,
  breaks,
  world,
  mirrors,
  model: () => shared({ ...worlds, ...strictWorlds }[world], flaw) as Model<unknown>,
});

const sharedRules: readonly Rule[] = [
  of(
    'two readers of one process, a writer in another',
    'deletes entries instead of raising versions',
    ['ACK', 'QUIET'],
    'An invalidation gives tags versions that never existed; an entry holds while it has the present ones.',
    ['adapters/redis/scripts.ts', "redis.call('SET', KEYS[1], 'v' .. ARGV[2]"],
  ),
  of(
    'two readers of one process, a writer in another',
    'takes versions after the load',
    ['ACK', 'QUIET'],
    'Versions are taken before the load.',
    ['src/core/load.ts', 'const version = sight.before?.get(tag)'],
  ),
  of(
    'one tag of a query and of a cached call',
    'lets the last version of a tag win',
    ['ACK', 'QUIET'],
    'Of two versions of a tag in one load the first counts, and the value is not stored.',
    ['src/core/scope.ts', 'else if (first !== version) this.tear('],
  ),
  of(
    'a tag learned from the result',
    'asks for the version of a learned tag after the load',
    ['ACK', 'QUIET'],
    'A tag learned from the result counts only with a version from before the load.',
    ['src/core/scope.ts', 'this.#candidates.get(tag) ?? this.#tags.unchangedSince(this.#mark, tag)'],
  ),
  of(
    'two readers of one process, a writer in another',
    'lets joiners have whatever lands',
    ['ACK'],
    'Who joined a load looks again when it has landed, unless its versions were taken after he began.',
    ['src/core/fill.ts', 'if (later || (await stillHolds(parts, ask, landing))) return landing'],
  ),
  of('nobody writes', 'has no flights', ['ONE'], 'Whoever asks for what is being loaded joins that load.', [
    'src/core/fill.ts',
    'parts.flights.set(key, flight)',
  ]),
  of(
    'readers who read again',
    'joins a question that is on its way',
    ['ACK'],
    'A read shares a request only before it is sent.',
    ['adapters/redis/reads.ts', 'this.#batch = undefined'],
  ),
  of(
    'a cached call inside a load',
    'lets the dependencies of inner loads stay inside',
    ['ACK', 'QUIET'],
    'A value depends on what the cached values inside it depend on.',
    ['src/core/context.ts', 'for (const [tag, version] of inner.pairs) scope.add(tag, version)'],
  ),
  of(
    'tags of two queries, seen by an adapter',
    'takes the version of an observed query after it has run',
    ['ACK', 'QUIET'],
    'The versions of a query that an adapter sees are taken before it runs.',
    ['src/core/observe.ts', 'From here on the statement may run.'],
  ),
  of(
    'tags and entries are evicted',
    'counts the versions of each tag from 1',
    ['ACK', 'QUIET'],
    'A version that was replaced or lost never comes back.',
    ['adapters/redis/versions.ts', 'no two were ever or will ever be the same'],
  ),
  of(
    'a write of two tags, of which a value has the second',
    'acknowledges the first of several tags',
    ['ACK'],
    'An invalidation is acknowledged when the store has confirmed all of its tags.',
    ['src/core/invalidate.ts', 'const versions = this.#isAlone ? [] : await this.#inOrder(tags, owner)'],
  ),
  of(
    'set under a snapshot, and delete',
    'confirms delete tags with the rest',
    ['NO-LOST-DELETE'],
    '`delete` raises the delete tag, then the key tag; `set` asks for the delete tag after it has raised the key tag.',
    ['src/core/invalidate.ts', 'if (first.length > 0) await this.#session.raise(first'],
  ),
  of(
    'set under a snapshot, and delete',
    'takes snapshots without standing tags',
    ['NO-LOST-DELETE', 'QUIET'],
    'A snapshot holds all delete tags …',
    ['src/core/put.ts', 'since.pairs.get(deleted) !== known.versions.get(deleted)'],
  ),
  of(
    'set under a snapshot, and clear',
    'takes snapshots without standing tags',
    ['NO-LOST-CLEAR', 'QUIET'],
    '… and all copies of `~*`.',
    ['src/core/cache.ts', '...snapshotTags(this.parts.shared)'],
  ),
  of(
    'a load, and clear',
    'clears by a new epoch',
    ['NO-LOST-CLEAR', 'QUIET'],
    '`clear` raises tags that every entry depends on; the epoch is for what a store has lost.',
    ['src/core/identity.ts', '...identity.stars]'],
  ),
  of(
    'a load, and a write that is told by set',
    'sets without ending what is being loaded',
    ['NO-LOST-SET', 'QUIET'],
    '`set` raises the key tag first.',
    ['src/core/put.ts', 'await parts.invalidations.raise([own])'],
  ),
  of(
    'a read inside a transaction, which may be rolled back',
    'serves inside a transaction',
    ['OWN'],
    'Inside a transaction nothing is served …',
    ['src/core/view.ts', "'inside a transaction'"],
  ),
  of(
    'a read inside a transaction, which may be rolled back',
    'stores inside a transaction',
    ['DIRTY', 'ACK'],
    '… and nothing stored.',
    ['src/core/past.ts', 'nothing is served, nothing stored'],
  ),
  of(
    'two readers of one process, a writer in another',
    'raises before COMMIT',
    ['ACK', 'QUIET'],
    'The invalidations of a transaction wait for its COMMIT.',
    ['src/core/transaction.ts', 'for (const tag of tags) unit.tags.add(tag)'],
  ),
  of(
    'a COMMIT whose outcome is unknown',
    'raises once when the outcome is unknown',
    ['QUIET'],
    'After a COMMIT whose outcome is unknown tags are raised at once and again later.',
    ['src/core/invalidate.ts', 'later(tags: readonly string[], ms: number)'],
  ),
  of(
    'the store does not answer in time',
    'acknowledges without the store',
    ['ACK'],
    'The acknowledgement is the confirmation of the store.',
    ['src/core/invalidate.ts', 'throw new InvalidationPendingError(tags, { cause })'],
  ),
  of(
    'the store does not answer in time',
    'forgets what it could not deliver',
    ['OWN', 'QUIET'],
    'What the store did not confirm is kept and delivered later.',
    ['src/core/undelivered.ts', 'this.#pending.set(tag, { since: this.#pending.get(tag)?.since ?? since })'],
  ),
  of(
    'the store does not answer in time',
    'serves what an undelivered tag should have ended',
    ['OWN'],
    'A process serves nothing that depends on a tag which it could not deliver.',
    ['src/core/undelivered.ts', 'this.#tags.distrust(tag, true)'],
  ),
  of(
    'the store does not answer in time',
    'trusts a tag once it is delivered, whenever it was asked for',
    ['OWN'],
    'Nor does it serve what was asked for before the delivery and is heard after it.',
    ['src/core/known.ts', 'trustedAgain !== this.#trustedAgain'],
  ),
  of(
    'two refusals of one tag',
    'takes a delivery for every refusal of its tag',
    ['ACK', 'QUIET'],
    'A delivery counts for the refusals that were there when it was sent.',
    ['src/core/undelivered.ts', 'if (pending === undefined || this.#pending.get(tag) !== pending) continue'],
  ),
  of(
    'the store restarts from what it had saved',
    'has no epoch',
    ['ACK', 'QUIET'],
    'An entry counts only in the epoch that its versions were taken in.',
    ['src/core/known.ts', 'if (epoch !== this.epoch) return false'],
  ),
  of(
    'the store restarts from what it had saved',
    'trusts a connection before it has looked',
    ['ACK'],
    'A server is looked at before anything else is asked on a new connection.',
    ['adapters/redis/node.ts', 'if (!this.trusted) throw new StoreUnavailableError(this.why)'],
  ),
  of(
    'the store restarts from what it had saved',
    'stores under the epoch of the moment',
    ['ACK', 'QUIET'],
    'An entry has the epoch of the look that its load began from.',
    ['src/core/load.ts', 'epoch: sight.epoch'],
  ),
];

const strictRules: readonly Rule[] = [
  of(
    'strict: two readers, one writer who dies',
    'has no fence',
    ['COMMIT', 'MONO', 'QUIET'],
    'Tags are fenced before COMMIT and lifted after it.',
    ['src/adapter/fence/guard.ts', 'await port.fence(tags, owner, lease)'],
  ),
  of(
    'strict: two writers, one dies',
    'fences with a flag',
    ['COMMIT'],
    'A fence is a set of owners; a version stays fenced while there is one.',
    ['adapters/redis/scripts.ts', "redis.call('ZCARD', KEYS[2]) > 0"],
  ),
  of(
    'strict: two writers, one dies',
    'lets a fence end by its time alone',
    ['COMMIT'],
    'A fence that has run out is lifted once the database says that its transaction is over.',
    ['src/core/fences.ts', 'return isOver ? this.#lift(tags, owner) : undefined'],
  ),
  of(
    'strict: a COMMIT whose outcome is unknown',
    'lifts a fence whose COMMIT may be under way',
    ['COMMIT', 'QUIET'],
    'The fence of a COMMIT whose outcome is unknown stays.',
    ['src/adapter/publish.ts', "outcome === 'unknown' ? undefined : company?.owner"],
  ),
  of(
    'strict: rollback, and a tag is evicted',
    'lets fenced tags be evicted',
    ['COMMIT', 'QUIET'],
    'A fenced tag has no TTL, and a server that evicts such keys is refused.',
    ['adapters/redis/trust.ts', "policy.startsWith('allkeys-')"],
  ),
  of(
    'strict: the store restarts from what it had saved',
    'has no quarantine',
    ['COMMIT', 'QUIET'],
    'After a loss nothing is served or stored until no transaction is older than the epoch.',
    ['src/core/strict.ts', 'quarantine.isOver(answer.epoch)'],
  ),
];

export const aloneWorlds = {
  'memory alone: two readers, two writers': { tags: ['known', 'learned'], writes: [0, 1], readers: [2, 1] },
  'memory alone: cells are dropped': { tags: ['known', 'learned'], writes: [0, 1], readers: [2, 1], drops: 2 },
} satisfies Record<string, AloneSetup>;

const inMemory = (flaw: AloneFlaw, rule: string, mirrors: Rule['mirrors']): Rule => ({
  rule,
  flaw,
  breaks: ['ACK'],
  world: 'memory alone: cells are dropped',
  mirrors,
  model: () => alone(aloneWorlds['memory alone: cells are dropped'], flaw) as Model<unknown>,
});

const aloneRules: readonly Rule[] = [
  inMemory(
    'deletes entries instead of touching cells',
    'Without a store a mark is a version, and touching the cell is the invalidation.',
    ['src/core/tags.ts', 'cell.version = this.#authoritative ? cell.mark : undefined'],
  ),
  inMemory('touches cells before COMMIT', 'Cells are touched after COMMIT.', [
    'src/core/transaction.ts',
    'acknowledge(parts, [...unit.tags], result)',
  ]),
  inMemory('lets joiners have whatever lands', 'Who joined a load looks again when it has landed.', [
    'src/core/join.ts',
    'flight.crowd ??= flight.landed.then(',
  ]),
  inMemory(
    'takes a learned tag as it is after the load',
    'A learned tag counts only if its cell has not changed since the load began.',
    ['src/core/tags.ts', 'return cell.mark <= mark ? cell.version : undefined'],
  ),
  inMemory('counts the marks of each cell from 0', 'Marks come from one counter.', [
    'src/core/tags.ts',
    'cell.mark = ++this.#marks',
  ]),
  inMemory('forgets the marks of dropped cells', 'A new cell is as old as the youngest that was dropped.', [
    'src/core/tags.ts',
    'this.#floor = Math.max(this.#floor, cell.mark)',
  ]),
];

const watched = (
  flaw: WatchFlaw,
  accident: WatchAccident | undefined,
  rule: string,
  mirrors: Rule['mirrors'],
  property = 'VERIFIED',
): Rule => ({
  rule,
  flaw,
  breaks: [property],
  world: `watched: ${accident ?? 'nothing breaks'}`,
  mirrors,
  model: () =>
    watch(
      { writers: [property === 'OWN'], reads: 1, ...(accident === undefined ? {} : { accidents: { [accident]: 1 } }) },
      flaw,
    ) as Model<unknown>,
});

const watchRules: readonly Rule[] = [
  watched(
    'learns from every answer',
    undefined,
    'An answer is taken over only if the cell has not changed since it was asked for.',
    ['src/core/tags.ts', 'if (cell.mark > mark) return'],
  ),
  watched('counts the marks of each cell from 0', 'cell dropped', 'Marks come from one counter.', [
    'src/core/tags.ts',
    'cell.mark = ++this.#marks',
  ]),
  watched(
    'keeps what it knew when the pair is lost',
    'reader dropped',
    'When a connection of the pair is lost, nothing is known any more.',
    ['adapters/redis/watch.ts', 'if (wasReady) this.#options.listener.lost()'],
  ),
  watched('replaces the reader alone', 'reader dropped', 'The two connections live and die together.', [
    'adapters/redis/pair.ts',
    "onLost: () => this.#end('the connection was lost')",
  ]),
  watched(
    'proves by time alone',
    undefined,
    'Silence proves nothing: a moment is proven by answers that were asked for after it.',
    ['adapters/redis/pair.ts', 'this.provenAt = at'],
  ),
  watched(
    'proves by the listener alone',
    'reader dropped',
    'The reader shows that the server still knows what was read …',
    ['adapters/redis/pair.ts', 'Promise.all([this.#listener.send(ping, wait), this.#reader.send(ping, wait)])'],
  ),
  watched('proves by the reader alone', undefined, '… and the listener that everything before was heard.', [
    'adapters/redis/pair.ts',
    'Promise.all([this.#listener.send(ping, wait), this.#reader.send(ping, wait)])',
  ]),
  watched(
    'reads before it asks for tracking',
    'reader dropped',
    'Only what is read on a pair that is ready is watched.',
    ['adapters/redis/watch.ts', 'return pair?.ready && node?.trusted ? pair : undefined'],
  ),
  watched(
    'asks for tracking before the listener listens',
    'listener dropped',
    'The listener listens before the reader asks for tracking.',
    ['adapters/redis/pair.ts', 'await listener.client.subscribe(channel)'],
  ),
  watched(
    'does not touch the cells of its own writes',
    undefined,
    "The process's own writes end what it knows before they are acknowledged.",
    ['src/core/invalidate.ts', 'for (const tag of tags) this.#tags.touch(tag)'],
    'OWN',
  ),
];

export const rules: readonly Rule[] = [...sharedRules, ...aloneRules, ...watchRules, ...strictRules];
