import fc from 'fast-check';
import { encodePayload } from '../../../src/core/index.ts';
import type { ClientMessage } from '../../../src/transport/client/message-codec.ts';
import type { ClientFrame } from '../../../src/transport/client/protocol.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const two = encodePayload([utf8('set a'), utf8('')]);

const frames: Readonly<Record<string, ClientFrame>> = {
  write: { type: 'write', firstId: 1_000, timeoutMs: 4_750, count: 2, payload: two },
  read: {
    type: 'read',
    firstId: 2 ** 40,
    timeoutMs: 4_750,
    consistency: 'session',
    index: 77,
    count: 2,
    payload: two,
  },
  written: { type: 'written', firstId: 1_000, index: 2 ** 41, term: 3, count: 2, payload: two },
  answered: { type: 'answered', index: 78, ageMs: 12, ids: [1_002, 1_001], payload: two },
  answeredWithoutAge: { type: 'answered', index: 78, ageMs: null, ids: [1, 2], payload: two },
  notCommitted: {
    type: 'refused',
    firstId: 1_000,
    count: 2,
    outcome: 'notCommitted',
    code: 'RAFT_NOT_LEADER',
    message: 'This node does not lead.',
    leaderId: 'n2',
  },
  unknown: {
    type: 'refused',
    firstId: 1_000,
    count: 65_536,
    outcome: 'unknown',
    code: 'RAFT_TIMEOUT',
    message: 'Zu spät.',
    leaderId: null,
  },
  standing: { type: 'standing', isClosing: false, leaderId: 'n2', leaderUrl: 'ws://10.0.0.2:8101/client' },
  standingOfOneThatCloses: { type: 'standing', isClosing: true, leaderId: null, leaderUrl: null },
  ping: { type: 'ping', number: 3 },
  pong: { type: 'pong', number: 0xffff_ffff },
};

const head = { protocolVersion: 1, group: 7 } as const;

/** One message of every kind, and one frame of every kind. */
export const samples: Readonly<Record<string, ClientMessage>> = {
  hello: { type: 'hello', hello: head },
  welcome: {
    type: 'welcome',
    welcome: {
      ...head,
      nodeId: 'n1',
      clusterId: 'cluster-1',
      leaderId: 'n2',
      leaderUrl: 'wss://n2.example/client',
      hasSessions: true,
      frameBytesMax: 4_194_304,
      requestsMax: 4_096,
    },
  },
  welcomeBeforeFounding: {
    type: 'welcome',
    welcome: {
      ...head,
      nodeId: 'n1',
      clusterId: null,
      leaderId: null,
      leaderUrl: null,
      hasSessions: false,
      frameBytesMax: 1,
      requestsMax: 1,
    },
  },
  refusal: {
    type: 'refusal',
    refusal: { code: 'noSuchGroup', reason: 'this server has the group 0, not 7' },
  },
  ...Object.fromEntries(
    Object.entries(frames).map(([name, frame]) => [name, { type: 'frames' as const, frames: [frame] }]),
  ),
  framesOfATurn: {
    type: 'frames',
    frames: [frames['written'], frames['notCommitted'], frames['pong']] as ClientFrame[],
  },
};

const u53 = fc.nat({ max: 2 ** 53 - 70_000 });
const u32 = fc.nat({ max: 0xffff_ffff });
const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
const items = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 });
const url = fc.option(fc.constantFrom('ws://127.0.0.1:8101/client', 'wss://kv.example/client'));
const text = fc.string({ maxLength: 40, unit: 'grapheme' });

const listed = items.map((list) => ({ count: list.length, payload: encodePayload(list) }));
const anyWrite = fc
  .tuple(fc.record({ type: fc.constant('write' as const), firstId: u53, timeoutMs: u32 }), listed)
  .map(([fields, list]) => ({ ...fields, ...list }));
const anyRead = fc
  .tuple(
    fc.record({
      type: fc.constant('read' as const),
      firstId: u53,
      timeoutMs: u32,
      consistency: fc.constantFrom('linearizable' as const, 'session' as const, 'stale' as const),
      index: u53,
    }),
    listed,
  )
  .map(([fields, list]) => ({ ...fields, ...list }));
const anyWritten = fc
  .tuple(fc.record({ type: fc.constant('written' as const), firstId: u53, index: u53, term: u53 }), listed)
  .map(([fields, list]) => ({ ...fields, ...list }));
const anyAnswered = fc
  .tuple(
    u53,
    fc.option(u53),
    fc.array(fc.tuple(u53, fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 20 }),
  )
  .map(([index, ageMs, answers]) => ({
    type: 'answered' as const,
    index,
    ageMs,
    ids: answers.map(([id]) => id),
    payload: encodePayload(answers.map(([, bytes]) => bytes)),
  }));
const anyRefused = fc.record({
  type: fc.constant('refused' as const),
  firstId: u53,
  count: fc.integer({ min: 1, max: 65_536 }),
  outcome: fc.constantFrom('notCommitted' as const, 'unknown' as const),
  code: fc.constantFrom('RAFT_TIMEOUT', 'RAFT_CLOSED'),
  message: text,
  leaderId: fc.option(name),
});
const anyStanding = fc.record({
  type: fc.constant('standing' as const),
  isClosing: fc.boolean(),
  leaderId: fc.option(name),
  leaderUrl: url,
});
const anyPing = fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), number: u32 });

/** Any frame that an encoder may be given. */
export const anyFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  anyWrite,
  anyRead,
  anyWritten,
  anyAnswered,
  anyRefused,
  anyStanding,
  anyPing,
);
