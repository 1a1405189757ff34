import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../src/core/index.ts';
import { requestError } from '../../../src/streams/errors.ts';
import { type Forwarded, OutgoingReplies } from '../../../src/streams/outgoing-replies.ts';
import { type ForwardReplyFrame, resultsBytesMax } from '../../../src/transport/transport.ts';

const kib = 1024;
type Part = Extract<ForwardReplyFrame['reply'], { type: 'results' }>;

/** The answers of a leader to n2 and n3, and a transport that takes as many frames as it is told. */
function leaderWith({ frameBytesMax = Number.POSITIVE_INFINITY } = {}) {
  const time = new VirtualTimeScheduler();
  const sent: ForwardReplyFrame[] = [];
  const link = { room: Number.POSITIVE_INFINITY, refuses: '', isConnected: true, attempts: 0 };
  const replies = new OutgoingReplies({
    group: 0,
    frameBytesMax,
    isConnected: () => link.isConnected,
    later: (work, delayMs) => time.schedule(work, delayMs),
    reply: (_to, frame) => {
      link.attempts += 1;
      if (link.room === 0 || frame.reply.type === link.refuses) return false;
      link.room -= 1;
      return sent.push(frame) > 0;
    },
  });
  /** Lets this many milliseconds pass. */
  const pass = (ms: number): void => {
    time.maxFrames = time.frame + ms;
    time.flush();
    time.frame = time.maxFrames;
  };
  const parts = (): readonly Part[] => sent.flatMap(({ reply }) => (reply.type === 'results' ? [reply] : []));
  return { replies, link, sent, parts, pass, timers: () => time.actions.length };
}

const request = (seq: number, { id = 'n2', deadlineMs = 1000 } = {}): Forwarded => ({
  from: { id, storeId: `s-${id}` },
  bootCounter: 7,
  seq,
  deadlineMs,
});
const at = { index: 11, term: 3 };
const filled = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);

/** Results in words, since arrays of that length take long to compare. */
function shown(results: readonly Uint8Array[]): readonly string[] {
  return results.map((bytes) => `${bytes.length} times ${[...new Set(bytes)]}`);
}

/** What the parts of one write make when put together; throws where one is missing or comes twice. */
function joined(parts: readonly Part[]): readonly string[] {
  const whole = new Uint8Array(parts[0]?.totalBytes ?? 0);
  let end = 0;
  for (const { offset, bytes } of parts) {
    expect(offset).toBe(end);
    whole.set(bytes, offset);
    end += bytes.length;
  }
  expect(end).toBe(whole.length);
  return shown(decodePayload(whole));
}

describe('results that fit into a frame', () => {
  it('leave in one, and nothing waits for them', () => {
    const { replies, sent, timers } = leaderWith();
    const results = [filled(300 * kib), filled(200 * kib)];

    replies.sendResults(request(1), at, results);

    const reply = { type: 'committed', ...at, results };
    expect(sent).toEqual([{ type: 'forwardReply', group: 0, bootCounter: 7, seq: 1, reply }]);
    expect(timers()).toBe(0);
  });

  it('are kept where there is no room, until there is', () => {
    const { replies, link, parts, pass } = leaderWith();
    link.room = 0;
    replies.sendResults(request(1), at, [filled(3), filled(4)]);
    pass(100);

    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(joined(parts())).toEqual(shown([filled(3), filled(4)]));
  });
});

describe('results that fit into no frame', () => {
  const results = [filled(1000 * kib, 1), filled(0), filled(300 * kib, 2)];

  it('are announced, and leave in parts', () => {
    const { replies, parts, timers } = leaderWith();

    replies.sendResults(request(1), at, results);

    expect(parts()[0]).toMatchObject({ ...at, offset: 0, totalBytes: 1300 * kib + 12 });
    expect(parts()[0]?.bytes).toHaveLength(0);
    expect(joined(parts())).toEqual(shown(results));
    for (const { bytes } of parts()) expect(bytes.length).toBeLessThanOrEqual(128 * kib);
    expect(timers()).toBe(0);
  });

  it('leave in smaller parts where the transport takes only small frames', () => {
    const { replies, parts } = leaderWith({ frameBytesMax: 50 * kib });

    replies.sendResults(request(1), at, [filled(60 * kib)]);

    expect(joined(parts())).toEqual(shown([filled(60 * kib)]));
    for (const { bytes } of parts()) expect(bytes.length).toBeLessThanOrEqual(49 * kib);
  });

  it('go on as there is room, one write after the other, and small answers leave before them', () => {
    const { replies, link, sent, parts, pass, timers } = leaderWith();
    link.room = 2;
    replies.sendResults(request(1), at, results);
    replies.sendResults(request(2), at, [filled(600 * kib)]);
    replies.send(request(3), { type: 'readIndex', index: 5 });
    expect(sent.map(({ seq }) => seq)).toEqual([1, 1]);

    for (let times = 0; times < 40; times++) {
      link.room = 1;
      pass(16);
    }

    expect(sent.slice(2, 5).map(({ seq }) => seq)).toEqual([3, 2, 1]); // The read index, and another announcement.
    const of = (seq: number) =>
      parts().filter((part) => sent.some((frame) => frame.reply === part && frame.seq === seq));
    expect(joined(of(1))).toEqual(shown(results));
    expect(joined(of(2))).toEqual(shown([filled(600 * kib)]));
    expect(timers()).toBe(0);
  });

  it('begin anew on the next connection', () => {
    const { replies, link, parts, pass } = leaderWith();
    link.room = 3;
    replies.sendResults(request(1), at, results);
    const before = parts().length;

    replies.onOutgoingDown('n2');
    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(before).toBe(3);
    expect(parts()[before]?.bytes).toHaveLength(0); // Announced once more.
    expect(joined(parts().slice(before))).toEqual(shown(results));
  });

  it('are given up when nobody waits for them any more', () => {
    const { replies, link, parts, pass, timers } = leaderWith();
    link.room = 1;
    replies.sendResults(request(1, { deadlineMs: 500 }), at, results);
    replies.sendResults(request(2, { deadlineMs: 900 }), at, [filled(600 * kib)]);

    replies.expire(499);
    replies.expire(500);
    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(parts()[1]?.bytes).toHaveLength(0);
    expect(joined(parts().slice(1))).toEqual(shown([filled(600 * kib)]));
    expect(timers()).toBe(0);
  });

  it('are refused at once where they are more than may wait for a peer, which others do not count towards', () => {
    const { replies, link, sent } = leaderWith();
    link.room = 0;
    const large = [filled(30 * kib * kib)];
    for (const seq of [1, 2]) replies.sendResults(request(seq), at, large);
    replies.sendResults(request(3, { id: 'n3' }), at, large);

    link.room = 1;
    replies.sendResults(request(4), at, large);
    link.room = 1;
    replies.sendResults(request(5, { id: 'n4' }), at, [filled(resultsBytesMax - 3)]);

    const [bytes, waiting] = [30 * kib * kib + 4, 60 * kib * kib + 8];
    expect(sent).toMatchObject([
      { seq: 4, reply: { type: 'unknown', code: 'RAFT_BAD_RESULT' } },
      { seq: 5, reply: { type: 'unknown', code: 'RAFT_BAD_RESULT' } },
    ]);
    const messages = sent.map(({ reply }) => (reply.type === 'unknown' ? reply.message : ''));
    expect(messages[0]).toMatch(
      new RegExp(`at index 11, .*${bytes} .*${waiting} .*n2, .*${resultsBytesMax}\\.`),
    );
    expect(messages[1]).toMatch(new RegExp(`${resultsBytesMax + 1} .* 0 .*${resultsBytesMax}\\.`));
  });

  it('may wait for a peer again once those before them have left or are given up', () => {
    const { replies, link, sent, pass } = leaderWith();
    const large = [filled(30 * kib * kib)];
    link.room = 0;
    for (const seq of [1, 2]) replies.sendResults(request(seq, { deadlineMs: 10 * seq }), at, large);
    link.room = 2 + 240 + 1; // The announcements, and all parts of the first.
    pass(16);

    replies.sendResults(request(3), at, large);
    replies.expire(20);
    replies.sendResults(request(4), at, large);
    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(new Set(sent.map(({ reply: { type } }) => type))).toEqual(new Set(['results']));
    for (const at of [3, 4]) expect(sent.filter(({ seq }) => seq === at)).toHaveLength(1 + 240 + 1);
  });

  it('are told to be committed when the leader closes before all of them have left', () => {
    const { replies, link, sent, timers } = leaderWith();
    link.room = 2;
    replies.sendResults(request(1), at, results);
    link.refuses = 'results';
    link.room = Number.POSITIVE_INFINITY;

    replies.close();

    expect(sent.slice(2)).toMatchObject([{ seq: 1, reply: { type: 'unknown', code: 'RAFT_BAD_RESULT' } }]);
    expect(timers()).toBe(0);
  });
});

describe('small answers that the transport did not take', () => {
  const unknown = requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'It stepped down.');

  it('leave when there is room, and are tried less and less often until then', () => {
    const { replies, link, sent, pass } = leaderWith();
    link.room = 0;
    replies.send(request(1), { type: 'readIndex', index: 5 });
    replies.fail(request(2), unknown);
    pass(1000);
    const { attempts } = link;

    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(attempts).toBeLessThan(100);
    expect(sent).toMatchObject([
      { seq: 1, reply: { type: 'readIndex', index: 5 } },
      { seq: 2, reply: { type: 'unknown', code: 'RAFT_UNKNOWN_OUTCOME' } },
    ]);
  });

  it.each([
    ['once their time is over', ({ replies }: ReturnType<typeof leaderWith>) => replies.expire(1000)],
    [
      'once nobody is connected any more',
      ({ replies }: ReturnType<typeof leaderWith>) => replies.onDown('n2'),
    ],
  ])('are forgotten %s', (_what, end) => {
    const leader = leaderWith();
    leader.link.room = 0;
    leader.replies.send(request(1), { type: 'done' });
    leader.replies.sendResults(request(2), at, [filled(600 * kib)]);

    end(leader);
    leader.link.room = Number.POSITIVE_INFINITY;
    leader.pass(100);

    expect(leader.sent).toEqual([]);
    expect(leader.timers()).toBe(0);
  });

  it('are not kept for who is not connected, nor where the time limit is no number', () => {
    const { replies, link, sent, pass, timers } = leaderWith();
    link.room = 0;
    replies.send(request(1, { deadlineMs: Number.NaN }), { type: 'done' });
    link.isConnected = false;
    replies.send(request(2, { id: 'n3' }), { type: 'done' });
    replies.sendResults(request(3, { id: 'n3' }), at, [filled(600 * kib)]);

    replies.expire(0);
    link.room = Number.POSITIVE_INFINITY;
    pass(100);

    expect(sent).toEqual([]);
    expect(timers()).toBe(0);
  });

  it('are bounded in number for each peer, whatever it asks and does not read', () => {
    const { replies, link, sent, pass } = leaderWith();
    link.room = 0;
    for (let seq = 1; seq <= 10_000; seq++) {
      if (seq % 2 === 0) replies.fail(request(seq), unknown);
      else replies.sendResults(request(seq), at, [filled(1)]);
    }
    replies.fail(request(10_001, { id: 'n3' }), unknown);

    link.room = Number.POSITIVE_INFINITY;
    pass(16);

    expect(new Set(sent.map(({ seq }) => seq)).size).toBe(4096 + 1);
  });
});
