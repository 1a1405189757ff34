import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import {
  ack,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  run,
  write,
} from '../unit/core/builders.ts';

describe('thesis §10.2.1 Writing to the leader’s disk in parallel', () => {
  it('The leader can write to its disk in parallel with replicating to the followers and them writing to their disks.', () => {
    const ready = run(establishedLeader(), from(n3, ack(1, 1))).state;

    const { outputs } = step(ready, write(1, 'x'));

    expect(outputs.map(({ type }) => type)).toEqual(['message', 'message', 'persistReq']);
  });

  it('If the leader uses its own match index to indicate the latest entry to have been durably written to its disk, it counts itself only once the entry is there.', () => {
    const sent = run(establishedLeader(), write(1, 'x'), from(n2, ack(1, 2))).state;

    expect(sent.commitIndex).toBe(1);
    expect(flush(sent).state.commitIndex).toBe(2);
  });

  it('The leader may even commit an entry before it has been written to its own disk, if a majority of followers have written it to their disks.', () => {
    const ready = run(establishedLeader(), from(n3, ack(1, 1)), write(1, 'x')).state;

    const { state } = run(ready, from(n2, ack(1, 2)), from(n3, ack(1, 2)));

    expect(state.commitIndex).toBe(2);
    expect(state.durableSeq).toBeLessThan(state.persistSeq);
  });

  it('Entries are pipelined: the leader sends the next one before the one before it is acknowledged.', () => {
    const { outputs } = run(establishedLeader(), write(1, 'a'), write(2, 'b'));

    const batches = messagesOf(outputs).flatMap(({ to, message }) =>
      to === 'n2' && message.type === 'appendEntries' ? message.batches.map((batch) => batch.index) : [],
    );

    expect(batches).toEqual([2, 3]);
  });
});
