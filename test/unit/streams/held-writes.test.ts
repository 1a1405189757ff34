import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { index, term } from '../../../src/core/index.ts';
import { leaderRequests } from './bytes-requests.ts';
import { NotedRoutes } from './noted-routes.ts';
import { failureOf } from './words.ts';

/** Requests of a leader, whose turns and time are the test's own. */
class Leader {
  readonly routes = new NotedRoutes();
  readonly time = new VirtualTimeScheduler();
  readonly #turns = new VirtualTimeScheduler();
  readonly requests = leaderRequests({
    routes: this.routes,
    time: this.time,
    turnScheduler: this.#turns,
  });

  /** A write, and the end of its turn. */
  write(byte: number): void {
    this.ask(byte).catch(() => undefined);
  }

  /** So many writes in one turn. */
  writeMany(count: number): void {
    for (let byte = 0; byte < count; byte++)
      this.requests.writeOne(Uint8Array.of(byte)).catch(() => undefined);
    this.endTurn();
  }

  /** A write, the end of its turn, and what becomes of it. */
  ask(byte: number): Promise<unknown> {
    const written = this.requests.writeOne(Uint8Array.of(byte));
    this.endTurn();
    return written;
  }

  /** The core answers the batch with this id, whose first command stands at index 1. */
  answer(id: number): void {
    const sent = this.routes.inputs.find((input) => input.type === 'write' && input.id === id);
    const count = sent?.type === 'write' ? sent.count : 0;
    const result = { type: 'committed', index: index(1), term: term(1) } as const;
    this.requests.keepResults(
      index(1),
      Array.from({ length: count }, () => new Uint8Array()),
    );
    this.requests.onWriteRes({ type: 'writeRes', id, result });
    this.endTurn();
  }

  /** The end of a turn. */
  endTurn(): void {
    this.#turns.flush();
  }

  /** How many commands each batch has that went to the core. */
  get batches(): number[] {
    return this.routes.inputs.flatMap((input) => (input.type === 'write' ? [input.count] : []));
  }
}

/** A leader that has sent one batch of six. */
function sender(): Leader {
  const leader = new Leader();
  leader.writeMany(6);
  expect(leader.batches).toEqual([6]);
  return leader;
}

describe('a few writes behind many', () => {
  it('wait until these are answered and their callers are back, and leave with them', () => {
    const leader = sender();
    leader.write(7);
    leader.answer(1);
    for (const byte of [8, 9, 10, 11, 12]) leader.write(byte);
    expect(leader.batches).toEqual([6]);

    leader.write(13);

    expect(leader.batches).toEqual([6, 7]);
  });

  it('go on waiting when the disk has finished', () => {
    const leader = sender();
    leader.write(7);

    leader.requests.onFlushed();

    expect(leader.batches).toEqual([6]);
  });

  it('wait two milliseconds and no longer', () => {
    const leader = sender();
    leader.write(7);

    leader.time.flush();

    expect(leader.time.frame).toBe(2);
    expect(leader.batches).toEqual([6, 1]);
  });

  it('wait for as long as two commits take, where those are slow', () => {
    const leader = new Leader();
    for (let round = 1; round <= 100; round++) {
      leader.writeMany(6);
      leader.time.frame += 4;
      leader.answer(round);
    }
    leader.writeMany(6);
    leader.write(7);
    const heldAtMs = leader.time.frame;

    leader.time.flush();

    expect(leader.time.frame - heldAtMs).toBe(8);
    expect(leader.batches.slice(-2)).toEqual([6, 1]);
  });

  it('leave with those who have come back once nobody has come for a millisecond', () => {
    const leader = sender();
    leader.answer(1);
    leader.write(7);
    leader.time.frame += 0.5;
    leader.write(8);
    expect(leader.batches).toEqual([6]);

    leader.time.flush();

    expect(leader.time.frame).toBe(2);
    expect(leader.batches).toEqual([6, 2]);
    leader.answer(2);
    leader.write(9);
    expect(leader.batches).toEqual([6, 2]); // It was not in vain.
  });

  it('are not sent off by a tick', () => {
    const leader = sender();
    leader.write(7);

    leader.requests.onTick();

    expect(leader.batches).toEqual([6]);
  });

  it('do not wait for more than fits into a batch', () => {
    const leader = sender();
    const command = new Uint8Array(900); // A batch is to have 1,004 bytes at most.
    void leader.requests.writeOne(command).catch(() => undefined);
    leader.endTurn();
    expect(leader.batches).toEqual([6]);

    void leader.requests.writeOne(command).catch(() => undefined);
    leader.endTurn();

    expect(leader.batches).toEqual([6, 1, 1]);
  });

  it('leave when these are so many no more', () => {
    const leader = new Leader();
    leader.write(1);
    leader.writeMany(6);
    leader.writeMany(3);
    expect(leader.batches).toEqual([1, 6]);

    leader.answer(1);

    expect(leader.batches).toEqual([1, 6, 3]);
  });

  it('leave without a wait after one that was in vain', () => {
    const leader = sender();
    leader.write(7);
    leader.time.flush();
    leader.write(8);

    expect(leader.batches).toEqual([6, 1, 1]);
  });

  it('do not wait for those that were given up', () => {
    const leader = new Leader();
    const gaveUp = new AbortController();
    const options = { timeoutMs: 1000, signal: gaveUp.signal };
    const answer = { resolve: () => undefined, reject: () => undefined };
    leader.requests.writeEncoded(
      [0, 1, 2, 3].map((byte) => Uint8Array.of(byte)),
      options,
      answer,
    );
    leader.endTurn();
    leader.write(7);
    expect(leader.batches).toEqual([4]);

    gaveUp.abort();
    leader.write(8);

    expect(leader.batches).toEqual([4, 2]);
  });

  it('are passed on if it leads no more', () => {
    const leader = sender();
    leader.write(7);
    leader.routes.leader = 'n2';

    leader.time.flush();

    expect(leader.routes.frames).toMatchObject([{ request: { type: 'write', count: 1 } }]);
  });

  it('were never appended if it closes meanwhile', async () => {
    const leader = sender();
    const written = leader.ask(7);

    leader.requests.close('RAFT_CLOSED', 'The node closed.');
    leader.time.flush();

    expect(await failureOf(written)).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
    expect(leader.batches).toEqual([6]);
  });
});

describe('a read while writes are under way', () => {
  it('sets no time for writes that do not wait', () => {
    const leader = sender();
    leader.routes.isBusy = true;
    void leader.requests.readOne(Uint8Array.of(1));
    leader.endTurn();

    leader.time.flush();

    expect(leader.time.frame).toBe(0);
  });
});

describe('writes on a leader whose disk is at work', () => {
  it('gather until it has finished, and leave as one batch', () => {
    const leader = new Leader();
    leader.write(1);
    leader.routes.isBusy = true;
    for (const byte of [2, 3, 4]) leader.write(byte);
    expect(leader.batches).toEqual([1]);

    leader.routes.isBusy = false;
    leader.requests.onFlushed();

    expect(leader.batches).toEqual([1, 3]);
  });

  it('wait two milliseconds for it and no longer', () => {
    const leader = new Leader();
    leader.routes.isBusy = true;
    leader.write(1);
    leader.write(2);
    expect(leader.batches).toEqual([]);

    leader.time.flush();

    expect(leader.time.frame).toBe(2);
    expect(leader.batches).toEqual([2]);
  });

  it('wait two milliseconds for it also where commits are slow', () => {
    const leader = new Leader();
    for (let round = 1; round <= 100; round++) {
      leader.write(round);
      leader.time.frame += 5;
      leader.answer(round);
    }
    const heldAtMs = leader.time.frame;
    leader.routes.isBusy = true;
    leader.write(7);

    leader.time.flush();

    expect(leader.time.frame - heldAtMs).toBe(2);
    expect(leader.batches).toHaveLength(101);
  });

  it('wait again for the next transaction', () => {
    const leader = new Leader();
    leader.routes.isBusy = true;
    leader.write(1);
    leader.requests.onFlushed();
    leader.write(2);

    expect(leader.batches).toEqual([1]);
    leader.time.flush();
    expect(leader.batches).toEqual([1, 1]);
  });

  it('do not keep reads waiting', () => {
    const leader = new Leader();
    leader.routes.isBusy = true;
    leader.write(1);
    void leader.requests.readOne(Uint8Array.of(1));
    leader.endTurn();

    expect(leader.routes.inputs).toMatchObject([{ type: 'read' }]);
  });

  it('are passed on if it leads no more', () => {
    const leader = new Leader();
    leader.routes.isBusy = true;
    leader.write(1);
    leader.routes.leader = 'n2';

    leader.time.flush();

    expect(leader.routes.frames).toMatchObject([{ request: { type: 'write', count: 1 } }]);
  });

  it('were never appended if it closes meanwhile', async () => {
    const leader = new Leader();
    leader.routes.isBusy = true;
    const written = leader.ask(1);

    leader.requests.close('RAFT_CLOSED', 'The node closed.');
    leader.time.flush();

    expect(await failureOf(written)).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
    expect(leader.routes.inputs).toEqual([]);
  });
});
