import { randomOf, zipf } from '../random.js';
import type { TellStory } from '../story.js';

interface JourneyNode {
  id: number;
  type: string;
  settings: { text: string };
}

/** Small lookups, thousands of them, a few nodes of a few tenants again and again. */
export const nodeLookups: TellStory = (knex) => {
  const random = randomOf(1);
  const asked = Array.from({ length: 2000 }, () => {
    const id = 1 + zipf(random, 20_000);
    const journey = 1 + Math.floor((id - 1) / 20);
    return { id, journey, tenant: 1 + ((journey - 1) % 100) };
  });

  async function findNode(tenant: number, journey: number, id: number): Promise<JourneyNode | null> {
    const row = await knex('journey_node').where({ id, journey_id: journey, tenant_id: tenant }).first();
    return row ?? null;
  }

  async function answerAll(find: typeof findNode): Promise<unknown> {
    const found = [];
    for (const { tenant, journey, id } of asked) found.push(await find(tenant, journey, id));
    return found;
  }

  return {
    title: 'Node lookups',
    about: '2,000 lookups by primary key, one after the other, some nodes asked for far more often',
    direct: () => answerAll(findNode),
    through(cache) {
      const cached = cache.withCache(findNode, { name: 'node', ttl: '5m' });
      return () => answerAll(cached);
    },
    write: () => knex('journey_node').where({ id: 1 }).update({ type: 'push' }),
  };
};
