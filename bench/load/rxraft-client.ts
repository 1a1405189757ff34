import { bytesCodec } from 'rxraft';
import { type RaftClient, raftClient } from 'rxraft/client';
import { ClientWebSocket } from 'rxraft/transport';
import { benchCommand } from '../embedded/bench-machine.ts';
import { clientSockets } from '../prototype/client-frames.ts';
import type { Client } from './client.ts';
import type { LoadOptions } from './load-process.ts';

const consistencies = { read: 'linearizable', session: 'session', stale: 'stale' } as const;

/** Clients of ours, with default settings: 16 of them, each with a WebSocket of its own. */
export async function rxraftClient({ urls, bytes }: LoadOptions): Promise<Client> {
  const codecs = { command: bytesCodec, result: bytesCodec, query: bytesCodec, answer: bytesCodec };
  const clients = Array.from({ length: clientSockets }, () =>
    raftClient({ urls, ...codecs, WebSocket: ClientWebSocket }),
  );
  const of = (caller: number): RaftClient<Uint8Array, Uint8Array, Uint8Array, Uint8Array> =>
    clients[caller % clientSockets] as RaftClient<Uint8Array, Uint8Array, Uint8Array, Uint8Array>;
  return {
    write: (key, done, caller) =>
      void of(caller)
        .write(benchCommand(key, bytes - 4))
        .then(
          () => done(true),
          () => done(false),
        ),
    read: (key, consistency, done, caller) =>
      void of(caller)
        .read(benchCommand(key, 0), { consistency: consistencies[consistency] })
        .then(
          () => done(true),
          () => done(false),
        ),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}
