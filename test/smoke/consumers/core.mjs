// Without ioredis, which is only needed by unstale/redis.
import * as unstale from 'unstale';
import * as testing from 'unstale/testing';
import { useCore, useTesting } from './use.cjs';

await useCore(unstale);
await useTesting(unstale, testing);
console.log('without ioredis');
