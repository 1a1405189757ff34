import type { NodeId } from '../../core/index.ts';
import type { Dice } from '../dice.ts';

/** So few that a node that moves on comes back to where it was. */
const ports = [7100, 7101, 7102] as const;

/** Where a node is founded, or joins for the first time. */
export function firstUrl(id: NodeId): string {
  return urlAt(id, ports[0]);
}

/** Another address of the same node. */
export function otherUrl(id: NodeId, url: string, dice: Dice): string {
  return dice.pick(ports.map((port) => urlAt(id, port)).filter((other) => other !== url));
}

function urlAt(id: NodeId, port: number): string {
  return `ws://${id}.test:${port}`;
}
