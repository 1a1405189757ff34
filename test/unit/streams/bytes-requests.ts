import type { SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { bytesCodec } from 'rxraft';
import { index0 } from '../../../src/core/index.ts';
import type { Settings } from '../../../src/streams/options.ts';
import { Requests } from '../../../src/streams/requests.ts';
import type { StateMachine } from '../../../src/streams/state-machine.ts';
import type { NotedRoutes } from './noted-routes.ts';

type Bytes = Uint8Array;

/** Requests whose commands, results, queries and answers are bytes. */
export type BytesRequests = Requests<Bytes, Bytes, Bytes, Bytes>;

const machine = { command: bytesCodec, result: bytesCodec } as unknown as StateMachine<
  Bytes,
  Bytes,
  Bytes,
  Bytes
>;

/** Requests of a leader in virtual time, which go to `routes`. Limits are small unless it is said otherwise. */
export function leaderRequests({
  routes,
  time,
  turnScheduler,
  limits,
}: {
  readonly routes: NotedRoutes;
  readonly time: VirtualTimeScheduler;
  readonly turnScheduler: SchedulerLike;
  readonly limits?: Partial<Pick<Settings, 'pendingMax' | 'commandBytesMax' | 'timeoutMs'>> & {
    readonly uncommittedBytesMax?: number;
  };
}): BytesRequests {
  const { uncommittedBytesMax = 10_000, ...others } = limits ?? {};
  routes.leader = 'self';
  routes.now = () => time.frame;
  const settings = {
    pendingMax: 100,
    commandBytesMax: 1000,
    timeoutMs: 1000,
    ...others,
    config: { uncommittedBytesMax },
    timeScheduler: time,
    turnScheduler,
  } as unknown as Settings;
  return new Requests<Bytes, Bytes, Bytes, Bytes>({
    settings,
    machine,
    group: 0,
    routes,
    appliedIndex: () => index0,
    isInstalling: () => false,
    bootCounter: 1,
    reply: () => true,
    frameBytesMax: Number.POSITIVE_INFINITY,
  });
}
