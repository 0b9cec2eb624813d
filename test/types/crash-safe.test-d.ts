import { describe, expectTypeOf, test } from 'vitest';
import { createCache, type OutboxSql, outboxSql } from '../../src/index.js';

describe('crashSafe', () => {
  test('is an outbox, or nothing', () => {
    createCache({ crashSafe: 'outbox' });
    createCache({ crashSafe: { outbox: {} } });
    createCache({ crashSafe: { outbox: { interval: '5s' } } });
    // @ts-expect-error of a kind that there is not
    createCache({ crashSafe: 'fence' });
    // @ts-expect-error neither does `true` say how
    createCache({ crashSafe: true });
    // @ts-expect-error a duration
    createCache({ crashSafe: { outbox: { interval: 'soon' } } });
  });

  test('has two migrations, by dialect', () => {
    expectTypeOf(outboxSql('postgres')).toEqualTypeOf<OutboxSql>();
    expectTypeOf<OutboxSql['up']>().toEqualTypeOf<string>();
    // @ts-expect-error not by the name of a driver
    outboxSql('pg');
  });
});
