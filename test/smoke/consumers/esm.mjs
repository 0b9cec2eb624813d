import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as unstale from 'unstale';
import * as redis from 'unstale/redis';
import * as testing from 'unstale/testing';
import { useCore, useRedis, useTesting } from './use.cjs';

await useCore(unstale);
await useTesting(unstale, testing);
const error = await useRedis(unstale, redis);

// A service in CommonJS may meet an error of a library in ESM.
const { InvalidationPendingError, UnstaleError } = createRequire(import.meta.url)('unstale');
assert.notEqual(error.constructor, InvalidationPendingError, 'the formats have copies of their own');
assert.ok(error instanceof InvalidationPendingError && error instanceof UnstaleError, 'which know each other');
console.log('ESM');
