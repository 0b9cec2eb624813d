import { describe, expect, test } from 'vitest';
import { CommitUnknownError } from '../../../../src/index.js';
import { aClient } from './a-client.js';

const update = 'update orders set state = $1 where id = $2';
const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const fails = (error: unknown) => () => Promise.reject(error);

describe('a change of which nobody knows whether it was committed', () => {
  test('fails with CommitUnknownError, which has the tags and what the driver said', async () => {
    const { connect } = aClient();
    const { run, answers } = connect();
    answers.set(update, fails(lost));
    const error = await run(update, ['paid', 7]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CommitUnknownError);
    const tags = expect.arrayContaining([expect.stringContaining('orders')]);
    expect(error).toMatchObject({ code: 'COMMIT_UNKNOWN', cause: lost, tags });
  });

  test('fails so by its COMMIT; a statement before that is its own error', async () => {
    const { connect } = aClient();
    const { run, answers } = connect();
    await run('BEGIN');
    answers.set(update, fails(lost));
    await expect(run(update, ['paid', 7])).rejects.toBe(lost);
    answers.delete(update);
    await run('ROLLBACK');
    await run('BEGIN');
    await run(update, ['paid', 7]);
    answers.set('COMMIT', fails(lost));
    await expect(run('COMMIT')).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN', cause: lost });
  });

  test('is what a rollback behind it fails with: that would tell of the lost connection alone', async () => {
    const { connect } = aClient();
    const { run, answers } = connect();
    await run('BEGIN');
    await run(update, ['paid', 7]);
    answers.set('COMMIT', fails(lost));
    const unknown = await run('COMMIT').catch((reason: unknown) => reason);
    const gone = new Error('Client has encountered a connection error and is not queryable');
    answers.set('ROLLBACK', fails(gone));
    await expect(run('ROLLBACK')).rejects.toBe(unknown);
  });

  test('is none of a later transaction, whose rollback fails with its own error', async () => {
    const { connect } = aClient();
    const { run, answers } = connect();
    answers.set(update, fails(lost));
    await expect(run(update, ['paid', 7])).rejects.toThrow(CommitUnknownError);
    await run('BEGIN');
    const gone = new Error('gone');
    answers.set('ROLLBACK', fails(gone));
    await expect(run('ROLLBACK')).rejects.toBe(gone);
  });

  test('is no query, and no transaction that has changed nothing', async () => {
    const { connect } = aClient();
    const { run, answers } = connect();
    answers.set('select * from orders', fails(lost));
    await expect(run('select * from orders')).rejects.toBe(lost);
    await run('BEGIN');
    answers.set('COMMIT', fails(lost));
    await expect(run('COMMIT')).rejects.toBe(lost);
  });
});
