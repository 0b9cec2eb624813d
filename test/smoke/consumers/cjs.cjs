const { useCore, useRedis, useTesting } = require('./use.cjs');

async function main() {
  const unstale = require('unstale');
  await useCore(unstale);
  await useTesting(unstale, require('unstale/testing'));
  await useRedis(unstale, require('unstale/redis'));
  require('unstale/package.json');
  console.log('CommonJS');
}
void main();
