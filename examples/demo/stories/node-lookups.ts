import { randomOf, zipf } from '../random.js';
import type { TellStory } from '../story.js';

interface JourneyNode {
  id: number;
  type: string;
  settings: { text: string };
}

/** Small lookups, thousands of them, a few nodes of a few tenants again and again. */
export const nodeLookups: TellStory = (db) => {
  const random = randomOf(1);
  const asked = Array.from({ length: 3000 }, () => {
    const id = 1 + zipf(random, 20_000);
    const journey = 1 + Math.floor((id - 1) / 20);
    return { id, journey, tenant: 1 + ((journey - 1) % 100) };
  });

  async function findNode(tenant: number, journey: number, id: number): Promise<JourneyNode | null> {
    const [row] = await db.rows<JourneyNode>(
      'select * from journey_node where id = $1 and journey_id = $2 and tenant_id = $3',
      [id, journey, tenant],
    );
    return row ?? null;
  }

  async function answerAll(find: typeof findNode): Promise<unknown> {
    const found = [];
    for (const { tenant, journey, id } of asked) found.push(await find(tenant, journey, id));
    return found;
  }

  return {
    title: 'Node lookups',
    about: '3,000 lookups by primary key, one after the other, some nodes asked for far more often',
    direct: () => answerAll(findNode),
    through(cache) {
      const cached = cache.withCache(findNode, {
        name: 'node',
        ttl: '5m',
        tags: (_tenant, journey) => [`journey:${journey}`],
      });
      return () => answerAll(cached);
    },
    async write() {
      await db.rows("update journey_node set type = 'push' where journey_id = 1");
      return ['journey:1'];
    },
  };
};
