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
export const listPage: TellStory = (db) => {
  const client = 7;

  const postsOf = (id: number) =>
    db.rows<Post>('select * from post where client_id = $1 order by created_at desc limit 100', [id]);

  const responsesTo = (post: number) =>
    db.rows<Response>('select * from response where post_id = $1 order by id', [post]);

  async function responsesToAll(posts: readonly number[]): Promise<Map<number, Response[]>> {
    const rows = await db.rows<Response>('select * from response where post_id = any($1) order by id', [posts]);
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
      const posts = await cache.getOrSet({
        key: ['posts', client],
        tags: [`client:${client}`],
        load: () => postsOf(client),
      });
      // One lookup for all of them, and one query for those that are missing.
      const responses = await cache.getOrSetMany({
        inputs: posts.map((post) => post.id),
        key: (post) => ['responses', post],
        tags: (post) => [`post:${post}`],
        load: responsesToAll,
      });
      return posts.map((post, i) => ({ post, responses: responses[i] }));
    },
    async write() {
      const [newest] = await postsOf(client);
      await db.rows("update response set content = 'edited' where post_id = $1", [newest?.id]);
      return [`post:${newest?.id}`];
    },
  };
};
