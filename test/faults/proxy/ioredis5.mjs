// Puts ioredis 5 in the place of ioredis, in the processes that are started with `node --import` of this.
import { register } from 'node:module';

const hooks = `export function resolve(specifier, context, next) {
  return next(specifier === 'ioredis' ? 'ioredis5' : specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
