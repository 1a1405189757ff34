import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { isLoopback } from '../config/addresses.ts';
import { KvError } from './errors.ts';

/** Who may be named as the host of a request that changes something. */
export interface HostRules {
  /** Where the server listens; a wildcard such as `0.0.0.0` stands for every address, though for no name. */
  readonly boundHost: string;
  /** Further names, such as that of a proxy. */
  readonly allowedHosts: readonly string[];
}

/**
 * Refuses requests that change something and come from a web page of elsewhere.
 *
 * A page whose name was made to point here (DNS rebinding) sends that name as `Host`; a page of another
 * site says so in `Origin`. Neither is ours.
 */
export function hostCheck(rules: HostRules): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const host = c.req.header('host') ?? new URL(c.req.url).host;
    const problem = hostProblem({ host, origin: c.req.header('origin') }, rules);
    if (problem !== null) throw new KvError(403, 'KV_FORBIDDEN_HOST', problem);
    return next();
  };
}

/** Why a request with these headers may not change anything; `null` if it may. */
export function hostProblem(
  { host, origin }: { readonly host: string; readonly origin: string | undefined },
  rules: HostRules,
): string | null {
  if (!isAllowed(host, rules)) return refusal('Host', host);
  if (origin !== undefined && !isAllowed(hostOfOrigin(origin), rules)) return refusal('Origin', origin);
  return null;
}

function isAllowed(host: string, rules: HostRules): boolean {
  const name = withoutPort(host).toLowerCase();
  const isWildcard = rules.boundHost === '0.0.0.0' || rules.boundHost === '::';
  if (isWildcard && isIP(name) !== 0) return true; // An address can't be rebound: only names can.
  return isLoopback(name) || name === rules.boundHost.toLowerCase() || rules.allowedHosts.includes(name);
}

/** `[::1]:8101`, `localhost:8101` and `localhost` without their ports and brackets. */
function withoutPort(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host);
  return bracketed?.[1] ?? host.replace(/:\d+$/, '');
}

/** The host of an origin such as `http://localhost:3000`; the origin itself, such as `null`, if it has none. */
function hostOfOrigin(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : origin;
}

function refusal(header: string, value: string): string {
  const remedy = 'Start the server with --allowed-hosts NAME if that is a name of this server.';
  return `a request with ${header}: ${value} may not write. ${remedy}`;
}
