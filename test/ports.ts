import { isFree } from '../bench/harness/free-ports.ts';

/**
 * Below what the system hands out to outgoing connections: such a connection could otherwise sit on the port
 * of a node that is down for a moment, and keep it from starting again. Test files that run side by side take
 * turns, a hundred ports each, for the same reason; and those below are for the benchmarks' own nodes.
 */
const range = { from: 20_000, to: 32_000 };
const block = 100;
/** No fewer than there are test files side by side. */
const turns = 16;
const turn = Number(process.env['VITEST_POOL_ID'] ?? 0) % turns;

const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that is given out once. */
export function freePort(): Promise<number> {
  return freePorts(1);
}

/** The first of so many ports in a row that nobody listens on, and that are given out once. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = range.from + Math.floor(Math.random() * (range.to - range.from));
    const ports = Array.from({ length: count }, (_, at) => first + at);
    if (ports.some((port) => given.has(port) || Math.floor(port / block) % turns !== turn)) continue;
    const areFree = await Promise.all(ports.map(isFree));
    if (areFree.includes(false)) continue;
    for (const port of ports) given.add(port);
    return first;
  }
}
