import { describe, expect, it } from 'vitest';
import { isCertain } from '../../../src/adapter/outcome.js';
import { mysql, postgres, sqlite } from '../sql/a-statement.js';

const error = (message: string, fields: object = {}) => Object.assign(new Error(message), fields);
const said = (code: string, severity = 'ERROR') => error('from the server', { code, severity });
const reset = error('read ECONNRESET', { code: 'ECONNRESET', errno: -104, syscall: 'read' });
const pipe = error('write EPIPE', { code: 'EPIPE', errno: -32, syscall: 'write' });

describe('a statement that failed in PostgreSQL', () => {
  it.each([
    ['a unique row that was there', said('23505')],
    ['a deferred constraint that failed at COMMIT', said('23503')],
    ['a transaction that could not be put in order', said('40001')],
    ['a statement that was cancelled', said('57014')],
    ['an internal error', said('XX000')],
    ['an error in the language of the server', said('23505', 'FEHLER')],
    ['an error of a proxy that leaves the severity out', error('from a proxy', { code: '23505' })],
    ['a client that was closed before', error('Client was closed and is not queryable')],
    [
      'a client that had lost its connection before',
      error('Client has encountered a connection error and is not queryable'),
    ],
    ['an error wrapped as Drizzle does', error('Failed query', { cause: said('23505') })],
    ['an error wrapped as TypeORM does', error('duplicate key', { driverError: said('23505'), code: '23505' })],
    [
      'an error wrapped as Prisma does',
      error('UniqueConstraintViolation', { cause: { kind: 'UniqueConstraintViolation', originalCode: '23505' } }),
    ],
  ])('has surely changed nothing: %s', (_, failure) => {
    expect(isCertain(failure, postgres)).toBe(true);
  });

  it.each([
    ['a connection that was reset', reset],
    ['a connection that was closed while it was written to', pipe],
    ['a connection that ended', error('Connection terminated unexpectedly')],
    ['a client that was ended meanwhile', error('Connection terminated')],
    ['patience that ended', error('Query read timeout')],
    ['a pooler that lost the server', said('08P01', 'FATAL')],
    ['a connection failure', said('08006')],
    ['a server that was shut down', said('57P01', 'FATAL')],
    ['a server that crashed', said('57P02')],
    ['a fatal error', said('53200', 'FATAL')],
    ['a panic', said('XX000', 'PANIC')],
    ['a statement of which the server does not know', said('40003')],
    ['a lost connection wrapped as Drizzle does', error('Failed query', { cause: reset })],
    ['a lost connection wrapped as TypeORM does', error('read ECONNRESET', { driverError: reset, code: 'ECONNRESET' })],
    ['a lost connection as Prisma tells it', error('ConnectionClosed', { cause: { kind: 'ConnectionClosed' } })],
    ['something that is no error', 'lost'],
    ['nothing', undefined],
  ])('may have been carried out: %s', (_, failure) => {
    expect(isCertain(failure, postgres)).toBe(false);
  });

  it('may have been carried out when its error is its own cause', () => {
    const round = error('round');
    expect(isCertain(Object.assign(round, { cause: round }), postgres)).toBe(false);
  });
});

describe('a statement that failed in MySQL or MariaDB', () => {
  const says = (errno: number, sqlState: string, fields: object = {}) =>
    error('from the server', { code: 'ER_SOMETHING', errno, sqlState, sqlMessage: 'from the server', ...fields });
  const lost = error('Connection lost: The server closed the connection.', {
    fatal: true,
    code: 'PROTOCOL_CONNECTION_LOST',
  });

  it.each([
    ['a unique row that was there', says(1062, '23000')],
    ['a deadlock', says(1213, '40001')],
    ['a lock that took too long', says(1205, 'HY000')],
    ['a check that failed, in MySQL', says(3819, 'HY000')],
    ['a check that failed, in MariaDB', says(4025, '23000')],
    [
      'a connection that had been closed before',
      error("Can't add new command when connection is in closed state", { fatal: true }),
    ],
    ['an error wrapped as TypeORM does', error('duplicate', { driverError: says(1062, '23000'), errno: 1062 })],
    [
      'an error wrapped as Prisma does',
      error('UniqueConstraintViolation', { cause: { kind: 'UniqueConstraintViolation', originalCode: '1062' } }),
    ],
  ])('has surely changed nothing: %s', (_, failure) => {
    expect(isCertain(failure, mysql)).toBe(true);
  });

  it.each([
    ['a connection that was lost', lost],
    ['a connection that was reset', Object.assign(error('read ECONNRESET', reset), { fatal: true })],
    ['a connection that was closed while it was written to', pipe],
    ['patience that ended', error('Query inactivity timeout', { code: 'PROTOCOL_SEQUENCE_TIMEOUT' })],
    ['an error packet that ended the connection', says(4031, 'HY000', { fatal: true })],
    ['a server that was shut down', says(1053, '08S01')],
    ['an error during COMMIT', says(1180, 'HY000')],
    ['a connection that was killed, in MariaDB', says(1927, '70100')],
    ["a socket that MariaDB's connector lost", says(45009, 'HY000')],
    ['a lost connection as Prisma tells it', error('mysql', { cause: { kind: 'mysql', originalCode: '45009' } })],
    ['a shutdown as Prisma tells it', error('mysql', { cause: { kind: 'mysql', originalCode: '1053' } })],
    ['a kill as Prisma tells it', error('mysql', { cause: { kind: 'mysql', originalCode: '1927' } })],
    ['a lost connection of a client library', says(2013, 'HY000')],
    ['a lost connection wrapped as Drizzle does', error('Failed query', { cause: lost })],
  ])('may have been carried out: %s', (_, failure) => {
    expect(isCertain(failure, mysql)).toBe(false);
  });
});

describe('a statement that failed in SQLite', () => {
  it('has surely changed nothing', () => {
    expect(isCertain(error('database is locked', { code: 'SQLITE_BUSY' }), sqlite)).toBe(true);
    expect(isCertain(error('disk I/O error'), sqlite)).toBe(true);
  });
});
