import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/sql/index.js';
import { mysql, postgres } from './a-statement.js';

describe('a fingerprint', () => {
  it('is the same for statements that differ in values, gaps and case only', () => {
    const texts = [
      "SELECT a.x FROM a WHERE id = 7 AND n IN ('x', 'y') -- one",
      'select A.x\nfrom a where id = $1 and n in ($2);',
      'SELECT a.x FROM a/* two */WHERE id=$$x$$ AND n IN (1,2,3,4)',
    ];
    const prints = texts.map((text) => fingerprint(text, postgres));
    expect(new Set(prints.map(({ hash }) => hash)).size).toBe(1);
    expect(prints[0]).toEqual({
      text: 'select a.x from a where id = ? and n in (?…)',
      hash: expect.stringMatching(/^[\w-]{16}$/),
    });
  });

  it('counts no rows', () => {
    const one = fingerprint('INSERT INTO t (a, b) VALUES (1, 2)', postgres);
    expect(fingerprint("INSERT INTO t (a, b) VALUES ($1, 2), (3, 'x'), ($2, $3)", postgres)).toEqual(one);
  });

  it('tells names apart', () => {
    expect(fingerprint('SELECT "A b" FROM t', postgres).text).toBe('select "A b" from t');
    expect(fingerprint('SELECT x FROM a', postgres).hash).not.toBe(fingerprint('SELECT x FROM b', postgres).hash);
  });

  it('never shows a value, not even of a statement that cannot be read', () => {
    for (const sql of [
      "SELECT 'secret'",
      'SELECT "secret"',
      "SELECT * FROM t WHERE x = 'secret",
      "SELECT 'a\\'secret' /* secret */",
    ])
      expect(fingerprint(sql, mysql).text).not.toContain('secret');
  });

  it('stays what it is, since statistics of other processes are compared with it', () => {
    expect(fingerprint('SELECT * FROM t WHERE id = 1', postgres).hash).toMatchInlineSnapshot(`"iOQWUrVzxAPAwbnT"`);
  });
});
