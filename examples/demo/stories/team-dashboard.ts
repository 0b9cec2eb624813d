import type { TellStory } from '../story.js';

const perDay = `select created_at::date::text as day, count(*)::int as messages, avg(mood) as mood
  from message where team_id = ? group by 1 order by 1`;
const perChannel = `select channel, count(*)::int as messages, avg(mood) as mood
  from message where team_id = ? group by 1 order by 1`;
const busiest = `select member_id, count(*)::int as messages
  from message where team_id = ? group by 1 order by 2 desc, 1 limit 10`;
const lowSpirits = `select member_id, avg(mood) as mood
  from message where team_id = ? and created_at >= '2025-02-20' group by 1 having avg(mood) < 45 order by 1`;

/** Aggregates over many rows, and everybody looks at the same time: Monday, nine o'clock. */
export const teamDashboard: TellStory = (knex) => {
  const team = 3;
  const people = 10;

  async function dashboard(id: number) {
    const [days, channels, active, alerts] = await Promise.all(
      [perDay, perChannel, busiest, lowSpirits].map(async (sql) => (await knex.raw(sql, [id])).rows),
    );
    return { days, channels, active, alerts };
  }
  const atOnce = (open: (id: number) => Promise<unknown>) =>
    Promise.all(Array.from({ length: people }, () => open(team)));

  return {
    title: 'Team dashboard',
    about: `${people} people open it at once, four aggregates each`,
    direct: () => atOnce(dashboard),
    through(cache) {
      const cached = cache.withCache(dashboard, { name: 'dashboard', ttl: '5m' });
      return () => atOnce(cached);
    },
    write: () => knex('message').where({ team_id: team }).where('member_id', '<', 30).update({ mood: 100 }),
  };
};
