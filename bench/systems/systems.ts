import { etcd } from './etcd.ts';
import { nats } from './nats.ts';
import { prototype } from './prototype.ts';
import { rxraftEmbedded } from './rxraft-embedded.ts';
import { rxraftHttp } from './rxraft-http.ts';
import type { System } from './system.ts';

/** Everything that a load can be put on. */
export const systems: readonly System[] = [
  rxraftEmbedded,
  prototype('embedded'),
  prototype('clients'),
  rxraftHttp,
  etcd('clients'),
  etcd('http'),
  nats,
];
