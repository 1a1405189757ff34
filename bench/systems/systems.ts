import { etcd } from './etcd.ts';
import { nats } from './nats.ts';
import { prototype } from './prototype.ts';
import { rxraftClients } from './rxraft-clients.ts';
import { rxraftEmbedded } from './rxraft-embedded.ts';
import { rxraftHttp } from './rxraft-http.ts';
import type { System } from './system.ts';

/** Everything that a load can be put on. */
export const systems: readonly System[] = [
  rxraftEmbedded,
  prototype('embedded'),
  prototype('clients'),
  rxraftClients(false),
  rxraftClients(true),
  rxraftHttp,
  etcd('clients'),
  etcd('http'),
  nats,
];
