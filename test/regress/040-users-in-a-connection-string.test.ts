import { expect, test } from 'vitest';
import { placeOf } from '../../src/adapter/place.js';

// The user, and the search path, were taken from settings and never from the URL among them. So two clients of one
// database had one key for the same statement, and one of them got rows from the schema of the other.

const address = (connectionString: string) => placeOf('postgres', { connectionString }, undefined, 'it').address;

test('clients of two users share no keys', () => {
  expect(address('postgres://ada@db/app')).not.toBe(address('postgres://bob@db/app'));
});

test('clients of two search paths share no keys', () => {
  const of = (schema: string) => address(`postgres://db/app?options=-c%20search_path%3D${schema}`);
  expect(of('acme')).not.toBe(of('zeta'));
  expect(of('acme')).toBe(of('acme'));
});

test('no password is in a key', () => {
  expect(address('postgres://ada:secret@db/app?password=secret')).not.toContain('secret');
});
