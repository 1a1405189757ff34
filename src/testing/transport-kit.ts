import type {
  Hello,
  MemberAddress,
  PeerFrame,
  Transport,
  TransportEvent,
  TransportIdentity,
} from '../transport/transport.ts';

/** The implementation that is put to the test: how to make its transports and find them. */
export interface TransportUnderTest {
  /** A new transport, not yet open, that listens on an address of its own. */
  make(): Transport | Promise<Transport>;
  /** The URL of a transport that is open. */
  urlOf(transport: Transport): string;
}

/** One claim about a transport: `run` rejects with an `Error` that says what was seen instead. */
export interface ConformanceCase {
  readonly name: string;
  /** Checks the claim. Rejects with what was seen instead. */
  run(subject: TransportUnderTest): Promise<void>;
}

/** A node on the stage: its transport, and everything that it saw. */
export interface Actor {
  readonly transport: Transport;
  readonly url: string;
  readonly hello: Hello;
  readonly peer: { readonly id: string; readonly storeId: string };
  dial(other: Actor): void;
  /** Everything that it saw, in that order. */
  events(): readonly TransportEvent[];
  ups(): Extract<TransportEvent, { type: 'up' }>[];
  frames(): Extract<TransportEvent, { type: 'frame' }>[];
  /** What those frames say. */
  heard(): PeerFrame[];
  refusals(): Extract<TransportEvent, { type: 'refused' }>[];
  count(type: TransportEvent['type']): number;
  link(): ReturnType<Transport['links']>[number] | undefined;
  isOutgoingOpen(): boolean;
  isComplete(): boolean;
}

interface ActorOptions {
  readonly admit?: TransportIdentity['admit'];
  /** Runs whenever a peer is admitted. */
  readonly onAdmit?: () => void;
  readonly hello?: Partial<Hello> | (() => Partial<Hello>);
}

interface Stage {
  /** A node, whose boot counter is higher than those of the nodes before it, whatever their names. */
  node(id: string, options?: ActorOptions): Promise<Actor>;
  /** Nodes `a` and `b`, dialing each other. */
  pair(): Promise<readonly [Actor, Actor]>;
}

export function conform(name: string, play: (stage: Stage) => Promise<void>): ConformanceCase {
  return { name, run: (subject) => runOn(subject, play) };
}

async function runOn(subject: TransportUnderTest, play: (stage: Stage) => Promise<void>): Promise<void> {
  const actors: Actor[] = [];
  const node: Stage['node'] = async (id, options = {}) => {
    const actor = await newActor(subject, { id, bootCounter: 10 * (actors.length + 1), options });
    actors.push(actor);
    return actor;
  };
  const pair: Stage['pair'] = async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.dial(b);
    b.dial(a);
    return [a, b];
  };
  try {
    await play({ node, pair });
  } finally {
    for (const { transport } of actors) await transport.close();
  }
}

async function newActor(
  subject: TransportUnderTest,
  { id, bootCounter, options }: { id: string; bootCounter: number; options: ActorOptions },
): Promise<Actor> {
  const transport = await subject.make();
  const events: TransportEvent[] = [];
  let isComplete = false;
  transport.event$.subscribe({ next: (event) => events.push(event), complete: () => (isComplete = true) });
  const changes = () => (typeof options.hello === 'function' ? options.hello() : (options.hello ?? {}));
  const hello = helloOf(id, bootCounter);
  const admit: TransportIdentity['admit'] = (hello, dialedUrl) => {
    options.onAdmit?.();
    return options.admit?.(hello, dialedUrl) ?? null;
  };
  await transport.open({ hello: () => ({ ...hello, ...changes() }), admit });
  const url = subject.urlOf(transport);
  const of = <Type extends TransportEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<TransportEvent, { type: Type }> => event.type === type);
  return {
    transport,
    url,
    hello,
    peer: { id, storeId: `store-${id}` },
    dial: (other) => transport.setPeers([{ id: other.hello.id, url: other.url }]),
    events: () => events,
    ups: () => of('up'),
    frames: () => of('frame'),
    heard: () => of('frame').map(({ frame }) => frame),
    refusals: () => of('refused'),
    count: (type) => of(type).length,
    link: () => transport.links()[0],
    isOutgoingOpen: () => transport.links()[0]?.isOutgoingOpen === true,
    isComplete: () => isComplete,
  };
}

function helloOf(id: string, bootCounter: number): Hello {
  const members: readonly MemberAddress[] = [{ id, url: 'ws://127.0.0.1:7101' }];
  return { protocolVersion: 1, clusterId: 'cluster', id, storeId: `store-${id}`, bootCounter, members };
}

const patienceMs = 20_000;

export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 5) {
    if (waitedMs > patienceMs) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until two nodes hear each other. */
export async function bothOpen(a: Actor, b: Actor): Promise<void> {
  const isOpen = ({ link }: Actor) => link()?.isOutgoingOpen === true && link()?.isIncomingOpen === true;
  await until('both ways', () => isOpen(a) && isOpen(b));
}

/** Waits for a moment before something is counted, so that what must not come has its chance, such as a late copy. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100));
}

export function pick(value: object | undefined, keys: readonly string[]): object {
  return Object.fromEntries(keys.map((key) => [key, (value as Record<string, unknown> | undefined)?.[key]]));
}

export function codeOf(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'no error';
}
