import { BlockList, isIP } from 'node:net';
import * as v from 'valibot';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whether only this machine can reach that host: a loopback address, or `localhost`. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return /^(?:[a-z0-9-]+\.)*localhost\.?$/i.test(host);
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Reads `HOST:PORT` or `[IPV6]:PORT`. Port 0 stands for any that is free. */
export const addressSchema = v.pipe(
  v.string(),
  v.regex(/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/),
  v.transform((text): Address => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
  }),
  v.check(({ port }) => port <= 65_535),
);

/** Reads servers, separated by commas, such as `http://127.0.0.1:8101,http://127.0.0.1:8102`. */
export const httpUrlsSchema = v.pipe(
  v.string(),
  v.transform((text): readonly string[] => text.split(',').map((url) => url.trim().replace(/\/$/, ''))),
  v.check((urls) => urls.every(isHttpUrl)),
);

/** Whether this is `http://HOST:PORT`, or that without the port. */
export function isHttpUrl(url: string): boolean {
  return /^http:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.test(url);
}

/** An address as {@link addressSchema} reads it. */
export function formatAddress({ host, port }: Address): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
