import { describe, expect, test } from 'vitest';
import { Statements } from '../../../../src/adapter/statements.js';
import { UnitOfWork } from '../../../../src/adapter/unit-of-work.js';
import { createUnit, type OpenUnit } from '../../../../src/core/unit.js';
import type { Dialect } from '../../../../src/sql/index.js';

// Each case is a script of one connection, one step after the other:
//   BEGIN            is sent, and succeeds
//   COMMIT fails     is sent, and fails
//   +a               a statement that writes what `a` stands for; `a fails` when it fails
//   a sent, a done   the same in two steps, with others between them; of BEGIN and the like, too
//   A sent, A done   a statement that may end `A` and turns out to have ended `a`
//   by hand a        somebody invalidates `a` inside of the transaction's callback
//   -> a b           what the step publishes: nothing, unless it says so; `again`: once more later
type Cases = Record<string, string>;

const everywhere: Cases = {
  'outside of a transaction a write is published when it has ended': '+a -> a',
  'and when it has failed, whatever it may have ended': '+A fails -> A',
  'as what it turned out to have ended': '+A -> a; BEGIN; +A; COMMIT -> a',
  'a commit publishes what was written': 'BEGIN; +a; +b; COMMIT -> a b',
  'nothing is published before it has ended': 'BEGIN; +a; COMMIT sent; COMMIT done -> a',
  'and only once': 'BEGIN; +a; COMMIT -> a; BEGIN; +b; COMMIT -> b; COMMIT',
  'a rollback drops what was written': 'BEGIN; +a; ROLLBACK; COMMIT; +b -> b',
  'a commit that fails publishes, now and later': 'BEGIN; +a; COMMIT fails -> a again',
  'a commit without a transaction publishes nothing': 'COMMIT; ROLLBACK; +a -> a',
  'what is invalidated by hand is published with the rest': 'BEGIN; by hand a; +b; COMMIT -> a b',
  'and dropped with it': 'BEGIN; by hand a; ROLLBACK',

  'the release of a savepoint publishes nothing': 'BEGIN; SAVEPOINT s; +a; RELEASE s; COMMIT -> a',
  'a savepoint that is still there at the commit is published': 'BEGIN; +a; SAVEPOINT s; +b; COMMIT -> a b',
  'and dropped by the rollback': 'BEGIN; +a; SAVEPOINT s; +b; ROLLBACK; +c -> c',
  'a rollback to a savepoint drops what was written since': 'BEGIN; +a; SAVEPOINT s; +b; ROLLBACK TO s; COMMIT -> a',
  'and keeps the savepoint': 'BEGIN; SAVEPOINT s; +a; ROLLBACK TO s; +b; ROLLBACK TO s; +c; COMMIT -> c',
  'it drops savepoints inside of it, released or not':
    'BEGIN; SAVEPOINT s; SAVEPOINT t; +a; RELEASE t; SAVEPOINT u; +b; ROLLBACK TO s; COMMIT',
  'a savepoint inside of it is gone': 'BEGIN; SAVEPOINT s; SAVEPOINT t; ROLLBACK TO s; +a; ROLLBACK TO t; COMMIT -> a',
  'a release takes those inside of it along':
    'BEGIN; SAVEPOINT s; SAVEPOINT t; +a; RELEASE s; +b; ROLLBACK TO t; COMMIT -> a b',
  'an unknown savepoint drops nothing': 'BEGIN; +a; ROLLBACK TO s; RELEASE s; COMMIT -> a',
  'the youngest of one name is meant': 'BEGIN; SAVEPOINT s; +a; SAVEPOINT s; +b; ROLLBACK TO s; COMMIT -> a',
  'what was released is dropped with what is around it':
    'BEGIN; SAVEPOINT s; SAVEPOINT t; +a; RELEASE t; ROLLBACK TO s; +b; COMMIT -> b',
  'by hand in a savepoint, dropped with it': 'BEGIN; SAVEPOINT s; by hand a; ROLLBACK TO s; by hand b; COMMIT -> b',
  'by hand in a savepoint that was released, published': 'BEGIN; SAVEPOINT s; by hand a; RELEASE s; COMMIT -> a',

  'what is sent behind a commit is outside': 'BEGIN; +a; COMMIT sent; b sent; COMMIT done -> a; b done -> b',
  'what is sent behind a rollback is outside': 'BEGIN; +a; ROLLBACK sent; b sent; ROLLBACK done; b done -> b',
  'what is sent behind a begin is inside': 'BEGIN sent; a sent; BEGIN done; a done; COMMIT -> a',
  'what is sent behind a rollback to a savepoint is not dropped':
    'BEGIN; SAVEPOINT s; +a; ROLLBACK TO s sent; b sent; ROLLBACK TO s done; b done; COMMIT -> b',
  'what is under way at the commit is published, whatever it may end': 'BEGIN; A sent; COMMIT -> A; A done -> a',
  'what is under way in a savepoint that is released counts for the one around it':
    'BEGIN; SAVEPOINT s; A sent; RELEASE s; SAVEPOINT t; A done; ROLLBACK TO t; COMMIT -> a',
  'what is under way at the commit in a savepoint, too':
    'BEGIN; SAVEPOINT s; a sent; RELEASE s; COMMIT -> a; a done -> a',
  'a begin that fails may have begun all the same': 'BEGIN fails; +a -> a; COMMIT -> a',
  'and publishes what was sent behind it': 'BEGIN sent; a sent; a done; BEGIN done fails -> a; COMMIT -> a',
  'a rollback to a savepoint that fails drops nothing': 'BEGIN; SAVEPOINT s; +a; ROLLBACK TO s fails; COMMIT -> a',
  'and keeps what was invalidated by hand':
    'BEGIN; SAVEPOINT s; SAVEPOINT t; by hand a; ROLLBACK TO s fails; COMMIT -> a',

  'the next transaction of a chain is open': 'BEGIN; +a; COMMIT AND CHAIN -> a; +b; COMMIT -> b',
  'also after a rollback': 'BEGIN; +a; ROLLBACK AND CHAIN; +b; COMMIT -> b',

  'a text that nobody can read publishes what was written':
    'BEGIN; +a; EXECUTE IMMEDIATE x -> a; +b -> b; COMMIT -> a b',
  'a text with a whole transaction publishes it': 'BEGIN; +a; COMMIT -> a; many BEGIN, COMMIT; +b -> b',
  'a text that begins a transaction leaves it open': 'many BEGIN; +a; COMMIT -> a',
  'a text that ends a transaction publishes it': 'BEGIN; +a; many COMMIT -> a; +b -> b',
  'a text that ends one and begins the next': 'BEGIN; +a; many COMMIT, BEGIN -> a; +b; COMMIT -> a b',
  'a text that fails may have got anywhere': 'BEGIN; +a; many COMMIT, BEGIN fails -> a; +b -> b; COMMIT -> a b',
  'a text with a savepoint': 'BEGIN; +a; many SAVEPOINT s -> a; +b; ROLLBACK TO s; COMMIT -> a',
};

const postgres: Cases = {
  'a begin inside of a transaction is none': 'BEGIN; +a; BEGIN; +b; COMMIT -> a b; +c -> c',
  'after a statement that failed nothing more is written': 'BEGIN; +a; +b fails; COMMIT -> a b',
  'a commit that fails has ended the transaction': 'BEGIN; +a; COMMIT fails -> a again; +b -> b; COMMIT',
  'a rollback that fails does so because the connection is lost': 'BEGIN; +a; ROLLBACK fails; COMMIT',
  'a savepoint outside of a transaction is none': 'SAVEPOINT s fails; +a -> a',
  'a savepoint that fails is none': 'BEGIN; SAVEPOINT s; +a; SAVEPOINT s fails; +b; ROLLBACK TO s; COMMIT',
  'an older savepoint of the name is found again':
    'BEGIN; SAVEPOINT s; +a; SAVEPOINT s; RELEASE s; ROLLBACK TO s; COMMIT',
};

const mysql: Cases = {
  'a begin inside of a transaction commits it': 'BEGIN; +a; BEGIN -> a; +b; ROLLBACK',
  'when it fails, perhaps not': 'BEGIN; +a; BEGIN fails -> a again; +b -> b; COMMIT -> a b',
  'DDL commits what is open': 'BEGIN; +a; CREATE TABLE t (a int) -> a; +b -> b; ROLLBACK; +c -> c',
  'also when it fails': 'BEGIN; +a; CREATE TABLE t (a int) fails -> a; +b -> b; COMMIT -> a b',
  'after a statement that failed the transaction may be over':
    'BEGIN; +a; +b fails -> b; +c -> c; ROLLBACK; BEGIN; +d; COMMIT -> d',
  'unless a savepoint is found that is older': 'BEGIN; SAVEPOINT s; +a fails -> a; ROLLBACK TO s; +b; COMMIT -> b',
  'one that is younger is no witness': 'BEGIN; +a fails -> a; SAVEPOINT s; ROLLBACK TO s; +b -> b; COMMIT -> a b',
  'nor one that was sent behind it':
    'BEGIN; a sent; SAVEPOINT s; a done fails -> a; ROLLBACK TO s; +b -> b; COMMIT -> a b',
  'nor one in the place of an older one':
    'BEGIN; SAVEPOINT s; +a fails -> a; RELEASE s fails; SAVEPOINT t; RELEASE t; +b -> b; COMMIT -> a b',
  'a younger savepoint takes the place of one of its name':
    'BEGIN; SAVEPOINT s; +a; SAVEPOINT t; +b; SAVEPOINT s; +c; RELEASE t; ROLLBACK TO s; COMMIT -> a b c',
  'without autocommit a transaction is always open':
    'SET autocommit = 0; +a; COMMIT -> a; +b; ROLLBACK; +c; COMMIT -> c',
  'switching it on commits': 'SET autocommit = 0; +a; SET autocommit = 1 -> a; +b -> b',
  'switching it on twice may commit': 'BEGIN; +a; SET autocommit = 1 -> a; +b -> b; COMMIT -> a b',
  'switching it off inside of a transaction leaves that open':
    'BEGIN; +a; SET autocommit = 0; +b; COMMIT -> a b; +c; COMMIT -> c',
  'a savepoint that fails is none': 'BEGIN; SAVEPOINT s; +a; SAVEPOINT t fails; +b -> b; ROLLBACK TO s; COMMIT',
  'if it cannot be switched off, perhaps it is off': 'SET autocommit = 0 fails; +a -> a; COMMIT -> a; +b -> b',
  'if it cannot be switched on, perhaps it is on':
    'SET autocommit = 0; +a; SET autocommit = 1 fails -> a again; +b -> b; COMMIT -> a b; +c; COMMIT -> c',
  'for other connections it means nothing': 'SET GLOBAL autocommit = 0; +a -> a',
  'a commit that fails may leave the transaction': 'BEGIN; +a; COMMIT fails -> a again; +b -> b; COMMIT -> a b',
};

const sqlite: Cases = {
  'a savepoint begins a transaction': 'SAVEPOINT s; +a; COMMIT -> a; +b -> b',
  'its release commits': 'SAVEPOINT s; +a; SAVEPOINT t; +b; RELEASE t; RELEASE s -> a b; +c -> c',
  'a rollback to it does not end the transaction': 'SAVEPOINT s; +a; ROLLBACK TO s; +b; RELEASE s -> b',
  'one that fails may have begun all the same': 'SAVEPOINT s fails; +a -> a; COMMIT -> a',
  'a commit that is refused keeps the transaction': 'BEGIN; +a; COMMIT fails -> a again; COMMIT -> a; +b -> b',
  'a rollback that is refused keeps it, too': 'BEGIN; +a; ROLLBACK fails; +b -> b; COMMIT -> a b',
  'and what was begun meanwhile gets what it had':
    'BEGIN; +a; COMMIT sent; BEGIN sent; COMMIT done fails -> a again; BEGIN done; +b; COMMIT -> a b',
  'a begin inside of a transaction fails and changes nothing': 'BEGIN; +a; BEGIN fails; +b -> b; COMMIT -> a b',
  'a begin that succeeds shows that there is a transaction': 'BEGIN; +a fails -> a; BEGIN; +b; COMMIT -> a b',
};

describe.each(['postgres', 'mysql', 'sqlite'] as const)('%s', (dialect) => {
  const own = { postgres, mysql, sqlite }[dialect];
  for (const [name, script] of Object.entries({ ...everywhere, ...own })) {
    if (dialect === 'sqlite' && script.includes('CHAIN')) continue;
    test(name, () => play(script, { name: dialect }));
  }
});

function play(script: string, dialect: Dialect): void {
  const statements = new Statements(dialect);
  const units: OpenUnit[] = [];
  const work = new UnitOfWork(dialect.name, () => {
    const unit = createUnit();
    units.push(unit);
    return unit;
  });
  const underWay = new Map<string, (ok: boolean) => string>();
  const told = (tags: readonly string[], again = false) => `${[...tags].sort().join(' ')}${again ? ' again' : ''}`;

  const send = (what: string): ((ok: boolean) => string) => {
    if (/^[a-z]$/i.test(what)) {
      const failing = work.failing();
      const written = work.write([what]);
      return (ok) => {
        if (!ok) failing?.();
        return told(written([ok ? what.toLowerCase() : what]));
      };
    }
    if (what.startsWith('by hand ')) {
      work.unit?.tags.add(what.at(-1) as string);
      return () => '';
    }
    const failing = work.failing();
    const many = what.startsWith('many ');
    const known = (many ? what.slice(5).split(', ') : [what]).map((sql) => statements.of(sql));
    const controls = known.flatMap((it) => it.controls);
    const step = many
      ? work.several(controls)
      : known[0]!.isUncertain
        ? work.uncertain()
        : controls[0] && work.control(controls[0]);
    return (ok) => {
      if (!ok) failing?.();
      const publication = step?.(ok);
      for (const unit of publication?.units ?? []) unit.settle();
      return told(publication?.tags ?? [], publication?.again);
    };
  };

  for (const line of script.split('; ')) {
    const [, what = '', phase, fails, published = ''] =
      /^(.*?)( sent| done)?( fails)?(?: -> (.*))?$/.exec(line.replace('+', '')) ?? [];
    if (phase === ' sent') {
      underWay.set(what, send(what));
      continue;
    }
    const end = phase === ' done' ? underWay.get(what) : send(what);
    expect(end?.(fails === undefined), `${line}, in: ${script}`).toBe(published);
  }
  // Receipts of invalidations by hand wait for it.
  if (work.transaction === undefined) expect(units.filter((unit) => !unit.ended)).toEqual([]);
}
