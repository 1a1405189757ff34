import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/core/index.ts';
import { ack, establishedLeader, from, n2, only, run } from './builders.ts';

describe('a leader', () => {
  it('takes no more reads than its limit, those that the machine is answering included', () => {
    let state = establishedLeader({ config: { pendingReadsMax: 10 } });
    const results: string[] = [];

    for (let id = 0; id < 20; id++) {
      const read = run(state, { type: 'read', id });
      results.push(...only(read.outputs, 'readRes').map(({ result }) => result.type));
      const round = read.state.role.type === 'leader' ? read.state.role.round : 0;
      state = run(read.state, from(n2, ack(1, 1, round))).state;
    }

    expect(state.queries.length).toBe(10);
    expect(results).toEqual(Array.from({ length: 10 }, () => 'refused'));
  });

  it('refuses a payload that is not as many commands as it says: its followers would, for ever', () => {
    const payload = Uint8Array.of(0, 0, 0, 99, 1, 2, 3, 4);

    const { outputs } = run(establishedLeader(), {
      type: 'write',
      id: 1,
      payload,
      payloadChecksum: crc32(payload),
      count: 1,
    });

    expect(outputs).toMatchObject([
      { type: 'writeRes', result: { type: 'notCommitted', reason: { type: 'invalid' } } },
    ]);
  });
});
