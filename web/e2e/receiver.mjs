// What a live walk needs on the far side: a loopback port at which pages arrive as at anybody's pager, and an exporter whose
// one metric is set by the walk, so that what is paged goes back to a sample.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** How long something may take to arrive. */
const PATIENCE_MS = 60_000;

/** Listens until `stop`. Posts are told apart by `to`: the path, or the topic that a push to the root names. */
export async function startReceiver() {
  const posts = [];
  const waiting = new Set();
  const refused = new Set();
  let metrics = '';
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(metrics);
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const body = JSON.parse(text);
      const to = body.topic ?? request.url;
      // As an ntfy server answers that took a message, which is more than a webhook has to say.
      response.writeHead(refused.has(to) ? 410 : 200, { 'Content-Type': 'application/json' }).end('{"id":"hwQ2YpKdmg"}');
      posts.push({ to, text, body, headers: request.headers });
      for (const each of waiting) each();
    });
  });
  // A connection that is closed while the next post is on its way would make two attempts of one.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  /** The first post to `to` that is as `wanted`; one that came before the question counts. */
  async function arrival(to, wanted = () => true) {
    const found = () => posts.find((each) => each.to === to && wanted(each.body));
    return found() ?? new Promise((done, fail) => {
      const look = () => {
        if (!found()) return;
        end();
        done(found());
      };
      const limit = setTimeout(() => {
        end();
        fail(new Error(`nothing such came to ${to}; what came: ${posts.map((each) => `${each.to} ${each.text}`).join('\n')}`));
      }, PATIENCE_MS);
      const end = () => {
        clearTimeout(limit);
        waiting.delete(look);
      };
      waiting.add(look);
    });
  }
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    address: `127.0.0.1:${server.address().port}`,
    arrival,
    /** From now on nothing is taken there, as at a pager that was given back. */
    refuse: (to) => refused.add(to),
    /** What the exporter says from now on. */
    expose: (text) => (metrics = text),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Whether a post of a webhook was signed with this secret. */
export function isSigned(post, secret) {
  const expected = createHmac('sha256', secret).update(`${post.headers['x-tocsin-timestamp']}.${post.text}`).digest('hex');
  return (post.headers['x-tocsin-signature'] ?? '').split(',').some((each) => each.trim() === `v1=${expected}`);
}

/** The six digits that prove a new way, wherever its message has them. */
export const codeIn = ({ verification_code, message }) => /(?<![\dA-Za-z])\d{6}(?![\dA-Za-z])/.exec(verification_code ?? message ?? '')?.[0];
