import { describe, expect, it } from 'vitest';
import { type AppendEntries, index, term } from '../../../src/core/index.ts';
import { MessageBuffers } from '../../../src/transport/message-buffers.ts';
import { decodePeerMessage, encodeFrames, frameBytes } from '../../../src/transport/message-codec.ts';
import { OutgoingMessages } from '../../../src/transport/outgoing-messages.ts';
import type { PeerFrame } from '../../../src/transport/transport.ts';
import { settingsOf } from '../../../src/transport/ws-options.ts';
import { Outbox } from '../../../src/transport/ws-outbox.ts';
import { append, batch } from './frames.ts';

/** A socket that keeps what it was given, until somebody says that it has left. */
function socket() {
  const messages: { readonly bytes: Uint8Array; readonly onSent: () => void }[] = [];
  const send = (bytes: Uint8Array, onSent: () => void): void => {
    messages.push({ bytes, onSent });
  };
  return { messages, send };
}

const sizesOf = (frames: readonly PeerFrame[]): number[] => frames.map(frameBytes);
const entries = (first: number, fill: number) => batch(first, [new Uint8Array(1_000).fill(fill)]);
const framesOf = (...batches: readonly ReturnType<typeof batch>[]): PeerFrame[] => [append(batches)];

describe('messages to peers', () => {
  it('are the same bytes for followers that are told the same in one turn, and none else', () => {
    const messages = new OutgoingMessages();
    const one = entries(1, 1);
    const all = [socket(), socket(), socket()] as const;

    messages.send(all[0], framesOf(one), sizesOf(framesOf(one)));
    messages.send(all[1], framesOf(one), sizesOf(framesOf(one)));
    messages.send(all[2], framesOf(entries(1, 2)), sizesOf(framesOf(entries(1, 2))));

    const [first, second, third] = all.map((each) => each.messages[0]?.bytes);
    expect(second?.buffer).toBe(first?.buffer);
    expect(third?.buffer).not.toBe(first?.buffer);
    expect(first).toEqual(encodeFrames(framesOf(one)));
    expect(third).toEqual(encodeFrames(framesOf(entries(1, 2))));
  });

  it('differ wherever a field of what followers are told differs', () => {
    const base = append([entries(1, 1)]);
    if (base.type !== 'raft' || base.message.type !== 'appendEntries')
      throw new Error('not an AppendEntries');
    const message = base.message as AppendEntries;
    const others: PeerFrame[] = [
      { ...base, group: base.group + 1 },
      ...(['term', 'prevLogIndex', 'prevLogTerm', 'leaderCommit', 'round'] as const).map((field) => ({
        ...base,
        message: { ...message, [field]: message[field] + 1 },
      })),
      { ...base, message: { ...message, isReplyDue: !message.isReplyDue } },
      { ...base, message: { ...message, batches: [] } },
      { ...base, message: { ...message, batches: [entries(1, 1), entries(2, 1)] } },
    ];

    for (const other of others) {
      const messages = new OutgoingMessages();
      const to = socket();
      messages.send(to, [base], sizesOf([base]));
      messages.send(to, [other], sizesOf([other]));
      messages.send(to, [other, base], sizesOf([other, base]));

      expect(to.messages.map(({ bytes }) => bytes)).toEqual(
        [[base], [other], [other, base]].map(encodeFrames),
      );
    }
  });

  it('are made for each peer where they are no word of a leader to its followers', () => {
    const messages = new OutgoingMessages();
    const [one, two] = [socket(), socket()];
    const vote = (lastLogIndex: number): PeerFrame => ({
      type: 'raft',
      group: 0,
      message: {
        type: 'requestVote',
        term: term(1),
        lastLogIndex: index(lastLogIndex),
        lastLogTerm: term(1),
        isTransfer: false,
      },
    });

    messages.send(one, [vote(1)], sizesOf([vote(1)]));
    messages.send(two, [vote(2)], sizesOf([vote(2)]));

    expect(one.messages[0]?.bytes).toEqual(encodeFrames([vote(1)]));
    expect(two.messages[0]?.bytes).toEqual(encodeFrames([vote(2)]));
  });

  it('are several where one would be too long, each with frames of its own', () => {
    const messages = new OutgoingMessages();
    const to = socket();
    const frames = [1, 2, 3, 4, 5].map((fill) => append([entries(1, fill)], { round: fill }));
    const frameBytesMax = 2.5 * frameBytes(frames[0] as PeerFrame);
    const outbox = new Outbox({ ...settingsOf({ listen: { port: 0 } }).limits, frameBytesMax });
    for (const frame of frames) outbox.add(frame, 0);

    outbox.flush(to, messages);

    expect(to.messages.map(({ bytes }) => bytes)).toEqual(
      [frames.slice(0, 2), frames.slice(2, 4), frames.slice(4)].map(encodeFrames),
    );
    outbox.flush(to, messages);
    expect(to.messages).toHaveLength(3);
  });

  it('keep their bytes until every socket has sent them and the turn is over', () => {
    const messages = new OutgoingMessages();
    const [one, two, later] = [socket(), socket(), socket()];
    const frames = framesOf(entries(1, 1));
    const bytes = encodeFrames(frames);

    messages.send(one, frames, sizesOf(frames));
    messages.send(two, frames, sizesOf(frames));
    one.messages[0]?.onSent();
    messages.endFlush();
    for (let fill = 2; fill < 6; fill++) {
      const others = framesOf(entries(1, fill));
      messages.send(later, others, sizesOf(others));
      messages.endFlush();
    }
    expect(two.messages[0]?.bytes).toEqual(bytes);

    two.messages[0]?.onSent();
    const next = framesOf(entries(1, 9));
    messages.send(later, next, sizesOf(next));
    expect(later.messages.at(-1)?.bytes.buffer).toBe(one.messages[0]?.bytes.buffer);
  });

  it('are not mixed up with one that was sent at once, in the middle of its turn', () => {
    const messages = new OutgoingMessages();
    const sent: Uint8Array[] = [];
    const swift = {
      send(bytes: Uint8Array, onSent: () => void) {
        sent.push(bytes);
        onSent();
      },
    };
    const [first, second] = [framesOf(entries(1, 1)), framesOf(entries(1, 2))];

    messages.send(swift, first, sizesOf(first));
    const copy = (sent[0] as Uint8Array).slice();
    messages.send(swift, first, sizesOf(first));

    expect(sent[1]).toEqual(copy);
    messages.send(swift, second, sizesOf(second));
    expect(sent[2]).toEqual(encodeFrames(second));
    expect(decodePeerMessage(sent[2] as Uint8Array).type).toBe('frames');
  });
});

describe('buffers that are used again', () => {
  it('have room for what is asked, and come back for what fits', () => {
    const buffers = new MessageBuffers();

    for (const bytes of [1, 255, 256, 257, 1_000, 65_537, 1024 * 1024]) {
      const buffer = buffers.take(bytes);
      expect(buffer.length).toBeGreaterThanOrEqual(bytes);
      expect(buffers.take(bytes) === buffer).toBe(false);
      buffers.give(buffer);
      expect(buffers.take(bytes) === buffer).toBe(true);
    }
  });

  it('are made for one use beyond the largest size', () => {
    const buffers = new MessageBuffers();
    const large = buffers.take(1024 * 1024 + 1);

    buffers.give(large);

    expect(large.length).toBe(1024 * 1024 + 1);
    expect(buffers.take(1024 * 1024 + 1) === large).toBe(false);
  });

  it('are few while none is needed', () => {
    const buffers = new MessageBuffers();
    const taken = Array.from({ length: 20 }, () => buffers.take(128 * 1024));
    for (const buffer of taken) buffers.give(buffer);

    const again = Array.from({ length: 20 }, () => buffers.take(128 * 1024));

    expect(again.filter((buffer) => taken.includes(buffer))).toHaveLength(4);
  });
});
