import type { Hono } from 'hono';
import { type KvServices, nodeOf, queryOf } from './context.ts';
import { KvError } from './errors.ts';
import { requestOptions } from './requests.ts';
import type { Bindings } from './target.ts';

/** `/session`: a name under which writes can be retried and are carried out once. */
export function sessionRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  app.post('/session', async (c) => {
    const { result } = await nodeOf(services).write({ type: 'open' }, requestOptions(queryOf(c)));
    if (result.type === 'opened') return c.json({ session: result.session });
    if (result.type !== 'overloaded') throw new Error('the cluster did not open a session');
    const message = 'as many sessions are open as may be. One that nobody uses for an hour makes room';
    throw new KvError(429, 'KV_TOO_MANY_SESSIONS', message);
  });
}
