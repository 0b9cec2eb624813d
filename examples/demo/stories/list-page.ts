import type { TellStory } from '../story.js';

interface Post {
  id: number;
  title: string;
  created_at: Date;
}
interface Response {
  id: number;
  post_id: number;
  content: string;
}

/** A list page that asks for the details of each row: 1 + 100 queries. */
export const listPage: TellStory = (knex) => {
  const client = 7;

  const postsOf = async (id: number): Promise<Post[]> =>
    knex('post').where({ client_id: id }).orderBy('created_at', 'desc').limit(100);

  const responsesTo = async (post: number): Promise<Response[]> =>
    knex('response').where({ post_id: post }).orderBy('id');

  async function responsesToAll(posts: readonly number[]): Promise<Map<number, Response[]>> {
    const rows: Response[] = await knex('response').whereIn('post_id', posts).orderBy('id');
    const byPost = new Map<number, Response[]>(posts.map((post) => [post, []]));
    for (const row of rows) byPost.get(row.post_id)?.push(row);
    return byPost;
  }

  return {
    title: 'List page',
    about: '100 posts, and then the responses to each of them',
    async direct() {
      const page = [];
      for (const post of await postsOf(client)) page.push({ post, responses: await responsesTo(post.id) });
      return page;
    },
    through: (cache) => async () => {
      const posts = await cache.getOrSet({ key: ['posts', client], load: () => postsOf(client) });
      // One lookup for all of them, and one query for those that are missing.
      const responses = await cache.getOrSetMany({
        inputs: posts.map((post) => post.id),
        key: (post) => ['responses', post],
        load: responsesToAll,
      });
      return posts.map((post, i) => ({ post, responses: responses[i] }));
    },
    async write() {
      const [newest] = await postsOf(client);
      await knex('response').where({ post_id: newest?.id }).update({ content: 'edited' });
    },
  };
};
