import { Hono, type MiddlewareHandler } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { KvContext, KvServices } from './context.ts';
import { KvError, refusalOf } from './errors.ts';
import { hostCheck } from './host-check.ts';
import { adminRoutes } from './routes-admin.ts';
import { keyRoutes } from './routes-key.ts';
import { keysRoutes } from './routes-keys.ts';
import { nodeRoutes } from './routes-node.ts';
import { sessionRoutes } from './routes-session.ts';
import { watchRoutes } from './routes-watch.ts';
import { type Bindings, targetOf } from './target.ts';

/**
 * The server's HTTP interface as one function from request to response.
 *
 * Whatever goes wrong in a handler becomes an answer: the process lives on.
 */
export function kvApp(services: KvServices): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>({
    getPath: (request, options) => targetOf(request, options?.env as Bindings | undefined).path,
  });
  const refuse = (c: KvContext, error: unknown): Response => {
    const { status, body, headers } = refusalOf(error, c.req, services.logger);
    return c.json(body, status as 500, headers);
  };

  app.onError((error, c) => refuse(c, error));
  app.notFound((c) => refuse(c, noSuchRoute(app, c.req.path)));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, allowed) => wrongMethod(c, allowed, refuse) }));
  app.use(hangUpWhenClosing(services.closing));
  app.use(hostCheck(services.hosts));
  keyRoutes(app, services);
  keysRoutes(app, services);
  sessionRoutes(app, services);
  watchRoutes(app, services);
  nodeRoutes(app, services);
  adminRoutes(app, services);
  return app;
}

/** Tells clients of a server that closes not to send another request over this connection. */
function hangUpWhenClosing(closing: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (closing.aborted) c.header('connection', 'close');
  };
}

function noSuchRoute(app: Hono<{ Bindings: Bindings }>, path: string): KvError {
  const places = new Set(app.routes.map((route) => route.path).filter((place) => !/^\/?\*$/.test(place)));
  return new KvError(404, 'KV_NO_SUCH_ROUTE', `nothing is at ${path}. There is ${[...places].join(', ')}`);
}

function wrongMethod(
  c: KvContext,
  allowed: readonly string[],
  refuse: (c: KvContext, error: KvError) => Response,
): Response {
  const message = `${c.req.path} does not answer ${c.req.method}. It answers ${allowed.join(', ')}`;
  const response = refuse(c, new KvError(405, 'KV_METHOD_NOT_ALLOWED', message));
  response.headers.set('allow', allowed.join(', '));
  return response;
}
