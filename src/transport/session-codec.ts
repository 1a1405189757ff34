import { putUint53, uint53At } from '../core/index.ts';
import type { Codec } from './codec.ts';

/** Names a command for ever: retried, it has the same. */
export interface SessionStamp {
  readonly session: number;
  /** 1, 2, 3 … within the session. */
  readonly sequence: number;
  /** The lowest sequence whose answer the client has not got yet; results below it are dropped. */
  readonly lowestUnanswered: number;
}

/** A command as it travels when client sessions wrap the machine. */
export type SessionCommand<Command> =
  /** Applied each time it is written. */
  | { readonly type: 'plain'; readonly command: Command }
  /** Opens a session. */
  | { readonly type: 'open' }
  /** Applied once, however often it is written. */
  | ({ readonly type: 'once'; readonly command: Command } & SessionStamp);

/** What became of a {@link SessionCommand}. */
export type SessionResult<Result> =
  | { readonly type: 'applied'; readonly result: Result }
  | { readonly type: 'opened'; readonly session: number }
  /** The session is unknown or expired, or the sequence was answered long ago: nothing was executed now. */
  | { readonly type: 'sessionExpired' }
  /** Too many sessions, or too many unanswered commands in this one: nothing was executed. */
  | { readonly type: 'overloaded' };

const tags = { plain: 0, open: 1, once: 2 } as const;
const stampBytes = 25;

/** The command that opens a session. */
export const openSessionBytes: Uint8Array = Uint8Array.of(tags.open);

/** The byte form of commands with sessions around that of the machine's own. */
export function sessionCommandCodec<Command>(inner: Codec<Command>): Codec<SessionCommand<Command>> {
  return {
    encode(command) {
      if (command.type === 'open') return Uint8Array.of(tags.open);
      const payload = inner.encode(command.command);
      const head = sessionHeadBytes[command.type];
      const bytes = new Uint8Array(head + payload.byteLength);
      if (command.type === 'once') writeOnceHead(bytes, 0, command);
      else writePlainHead(bytes, 0);
      bytes.set(payload, head);
      return bytes;
    },
    decode(bytes) {
      if (bytes[0] === tags.open) return { type: 'open' };
      if (bytes[0] === tags.plain) return { type: 'plain', command: inner.decode(bytes.subarray(1)) };
      if (bytes[0] !== tags.once || bytes.byteLength < stampBytes)
        throw new TypeError('not a command with sessions');
      // A number beyond the safe integers is -1, of no session: what is in a log must not stop a node.
      return {
        type: 'once',
        command: inner.decode(bytes.subarray(stampBytes)),
        session: uint53At(bytes, 1),
        sequence: uint53At(bytes, 9),
        lowestUnanswered: uint53At(bytes, 17),
      };
    },
  };
}

/** Bytes in front of the machine's own, of a command that is applied each time, and of one that is applied once. */
export const sessionHeadBytes = { plain: 1, once: stampBytes } as const;

/** Writes what stands in front of a command of the machine that is applied each time. */
export function writePlainHead(bytes: Uint8Array, at: number): void {
  bytes[at] = tags.plain;
}

/** Writes what stands in front of a command of the machine that is applied once. */
export function writeOnceHead(
  bytes: Uint8Array,
  at: number,
  { session, sequence, lowestUnanswered }: SessionStamp,
): void {
  for (const number of [session, sequence, lowestUnanswered]) {
    if (!(Number.isSafeInteger(number) && number >= 0))
      throw new TypeError(
        `a command of a session has the number ${number}, expected a safe integer from 0 on`,
      );
  }
  bytes[at] = tags.once;
  putUint53(bytes, at + 1, session);
  putUint53(bytes, at + 9, sequence);
  putUint53(bytes, at + 17, lowestUnanswered);
}

const openedBytes = 9;
const outcomes = ['applied', 'opened', 'sessionExpired', 'overloaded'] as const;

/** The byte form of results with sessions around that of the machine's own. */
export function sessionResultCodec<Result>(inner: Codec<Result>): Codec<SessionResult<Result>> {
  return {
    encode(result) {
      const tag = outcomes.indexOf(result.type);
      if (result.type === 'opened') {
        const bytes = new Uint8Array(openedBytes);
        bytes[0] = tag;
        putUint53(bytes, 1, result.session);
        return bytes;
      }
      if (result.type !== 'applied') return Uint8Array.of(tag);
      const payload = inner.encode(result.result);
      const bytes = new Uint8Array(1 + payload.byteLength);
      bytes[0] = tag;
      bytes.set(payload, 1);
      return bytes;
    },
    decode(bytes) {
      const type = outcomes[bytes[0] ?? outcomes.length];
      if (type === 'opened' && bytes.byteLength !== openedBytes) throw new TypeError('not an opened session');
      switch (type) {
        case 'applied':
          return { type, result: inner.decode(bytes.subarray(1)) };
        case 'opened':
          return { type, session: uint53At(bytes, 1) };
        case 'sessionExpired':
        case 'overloaded':
          return { type };
        default:
          throw new TypeError('not a result with sessions');
      }
    },
  };
}
