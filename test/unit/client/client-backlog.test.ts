import { describe, expect, it } from 'vitest';
import { encodePayload } from '../../../src/core/index.ts';
import type { ReadFrame } from '../../../src/transport/client/protocol.ts';
import { ClientBacklog } from '../../../src/transport/client-backlog.ts';
import type { Answering } from '../../../src/transport/client-work.ts';

/** A frame of so many queries; the first has this id. */
function readFrame(firstId: number, count: number): ReadFrame {
  const payload = encodePayload(Array.from({ length: count }, () => Uint8Array.of(1)));
  return { type: 'read', firstId, timeoutMs: 1_000, consistency: 'linearizable', index: 0, count, payload };
}

/** What waits for a client with room for 4,000 bytes, of whose answers each is taken to have 200: 20 at a time. */
function backlog() {
  const asked: number[] = [];
  const dropped: number[] = [];
  const client = { isGone: false, hasRoom: true };
  const host = {
    limits: { bufferedBytesMax: 4_000 },
    answerBytes: 200,
    read: (id: number) => void asked.push(id),
  };
  const waiting = new ClientBacklog(client, host);
  const to = { drop: (count: number) => void dropped.push(count) } as unknown as Answering;
  const addReads = (firstId: number, count: number) => {
    waiting.addReads(readFrame(firstId, count), to);
    waiting.goOn();
  };
  return { waiting, client, host, asked, dropped, addReads };
}

describe('queries of a client', () => {
  it('are asked as many at once as there is room for their answers, over frames, and one more with each answer', () => {
    const { waiting, addReads, asked } = backlog();

    addReads(1, 15);
    addReads(101, 15);

    expect(asked).toHaveLength(20);
    expect(asked.slice(14)).toEqual([15, 101, 102, 103, 104, 105]);
    waiting.onAnswered(200);
    waiting.goOn();
    expect(asked.slice(20)).toEqual([106]);
  });

  it('go on after one that gets no answer', () => {
    const { waiting, addReads, asked } = backlog();
    addReads(1, 30);

    waiting.onRefused();
    waiting.goOn();

    expect(asked).toHaveLength(21);
  });

  it('are asked sixteen at once, however large the answers are', () => {
    const { waiting, addReads, asked } = backlog();
    addReads(1, 1);
    waiting.onAnswered(1_000_000);

    addReads(2, 30);

    expect(asked).toHaveLength(17);
  });

  it('are more at once again some small answers after a large one', () => {
    const { waiting, host, addReads, asked } = backlog();
    addReads(1, 100);

    for (let answers = 0; answers < 20; answers++) waiting.onAnswered(answers === 0 ? 1_000 : 10);

    expect(host.answerBytes).toBeCloseTo(1_000 * 0.95 ** 19);
    for (let answers = 0; answers < 100; answers++) {
      addReads(1_000 + answers, 1);
      waiting.onAnswered(10);
    }
    expect(host.answerBytes).toBe(128); // It is not taken to be less.
    expect(asked.length).toBeGreaterThan(100);
  });

  it('wait while there is no room', () => {
    const { waiting, client, addReads, asked } = backlog();
    client.hasRoom = false;
    addReads(1, 2);
    expect(asked).toEqual([]);

    client.hasRoom = true;
    waiting.goOn();

    expect(asked).toEqual([1, 2]);
  });

  it('are asked no more once the client is gone, and those that were not are dropped', () => {
    const { waiting, client, host, addReads, asked, dropped } = backlog();
    host.read = (id) => {
      asked.push(id);
      client.isGone = id === 3; // Broken off for what it asked.
    };

    addReads(1, 10);
    addReads(11, 5);
    waiting.drop();
    waiting.drop();

    expect(asked).toEqual([1, 2, 3]);
    expect(dropped).toEqual([7, 5]);
  });
});

describe('answers that there was no room for', () => {
  it('are encoded in their order while there is room, before more is asked', () => {
    const { waiting, client, addReads, asked } = backlog();
    const encoded: string[] = [];
    client.hasRoom = false;
    addReads(1, 1);
    for (const name of ['first', 'second', 'third'])
      waiting.addAnswer(() => {
        encoded.push(name);
        client.hasRoom = name !== 'second';
      });

    client.hasRoom = true;
    waiting.goOn();

    expect([encoded, asked]).toEqual([['first', 'second'], []]);
    client.hasRoom = true;
    waiting.goOn();
    expect([encoded, asked]).toEqual([['first', 'second', 'third'], [1]]);
  });

  it('may wait again', () => {
    const { waiting, client } = backlog();
    const encoded: string[] = [];
    waiting.addAnswer(() => {
      encoded.push('a part');
      client.hasRoom = false;
      waiting.addAnswer(() => encoded.push('the rest'));
    });

    waiting.goOn();

    expect(encoded).toEqual(['a part']);
    client.hasRoom = true;
    waiting.goOn();
    expect(encoded).toEqual(['a part', 'the rest']);
  });

  it('are called once more when the client is gone, to find that out', () => {
    const { waiting, client } = backlog();
    let calls = 0;
    client.hasRoom = false;
    waiting.addAnswer(() => {
      calls += 1;
    });

    waiting.drop();
    waiting.drop();

    expect(calls).toBe(1);
  });
});
