import { describe, expect, it } from 'vitest';
import {
  defaultConfig,
  type Input,
  index,
  type Output,
  Raft,
  RaftError,
  type Start,
  term,
} from '../../../src/core/index.ts';
import { logOf, n1, only, threeNodes, votersOf } from './builders.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Inputs go in, and what the node asks of its disk and machine is done at once. */
function feed(raft: Raft, ...inputs: readonly Input[]): readonly Output[] {
  const seen: Output[] = [];
  const waiting = [...inputs];
  for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) {
    const outputs: Output[] = [];
    raft.step(outputs, input);
    seen.push(...outputs);
    waiting.push(...completionsOf(outputs));
  }
  return seen;
}

function completionsOf(outputs: readonly Output[]): readonly Input[] {
  return outputs.flatMap((output): Input[] => {
    switch (output.type) {
      case 'persistReq':
        return [{ type: 'persistRes', seq: output.seq }];
      case 'applyReq':
        return [{ type: 'applyRes', seq: output.seq, appliedIndex: output.through, durableIndex: index(0) }];
      case 'readStateMachineReq':
        return [{ type: 'readStateMachineRes', id: output.id, payload: bytes('answer') }];
      default:
        return [];
    }
  });
}

/** A cluster of one that leads. */
function soleLeader(): Raft {
  const raft = new Raft('n1', []);
  feed(raft, { type: 'campaign', id: 1 });
  return raft;
}

describe('a founded node', () => {
  it('has a name, an empty log, and every peer in its configuration once, in one order for all', () => {
    const raft = new Raft('n2', ['n3', 'n1', 'n2'], { tickIntervalMs: 10 });

    expect(raft.id).toBe('n2');
    expect(raft.state).toMatchObject({ currentTerm: 0, votedFor: null, self: { id: 'n2', storeId: 'n2' } });
    expect(raft.state.configurations[0]?.configuration.voters.map(({ id }) => id)).toEqual([
      'n1',
      'n2',
      'n3',
    ]);
    expect(raft.state.config).toEqual({ ...defaultConfig, tickIntervalMs: 10 });
  });

  it('takes stores and addresses where they are given', () => {
    const raft = new Raft('n1', [
      { id: 'n1', storeId: 's1' },
      { id: 'n2', storeId: 's2', url: 'ws://two' },
    ]);

    expect(raft.state.self).toMatchObject({ id: 'n1', storeId: 's1' });
    expect(raft.state.configurations[0]?.configuration.voters).toEqual([
      { id: 'n1', storeId: 's1', url: '' },
      { id: 'n2', storeId: 's2', url: 'ws://two' },
    ]);
  });

  it('is refused with every problem at once', () => {
    const make = () => new Raft('no name', ['n2', 'n2'], { tickIntervalMs: 0, heartbeatIntervalMs: 400 });

    expect(make).toThrow(RaftError);
    expect(make).toThrow(
      /"n2" is listed twice.*the node name "no name" is not 1 to 64 of.*tickIntervalMs is 0.*heartbeatIntervalMs is 400/,
    );
  });

  it('is refused with a store or an address that no configuration can hold', () => {
    const make = () =>
      new Raft('n1', [
        { id: 'n2', storeId: 'é' },
        { id: 'n3', storeId: 's3', url: 'ws://n3.test:1#x' },
      ]);

    expect(make).toThrow(/of "n2", storeId is "é".*of "n3", url is "ws:\/\/n3.test:1#x"/);
  });

  it('has at most as many members as a change of members may leave', () => {
    const peers = Array.from({ length: 50 }, (_, at) => `m${at}`);

    expect(() => new Raft('n1', peers)).toThrow(/51 members are more than 50/);
    expect(new Raft('m0', peers).id).toBe('m0');
  });

  it('draws other timeouts than its peers', () => {
    const names = ['n1', 'n2', 'n3', 'n4', 'n5'];

    const timeouts = names.map((id) => new Raft(id, names, { seed: 3 }).state.electionTimeoutMs);

    expect(new Set(timeouts).size).toBe(5);
  });
});

describe('a node that starts again', () => {
  const loaded: Start = {
    self: n1,
    group: 0,
    config: defaultConfig,
    seed: 1,
    hardState: { currentTerm: term(7), votedFor: n1 },
    log: logOf(1, 1, 6),
    configurations: [{ index: index(0), configuration: threeNodes }],
    appliedIndex: index(2),
  };

  it('is what its storage loaded', () => {
    const raft = Raft.restore(loaded);

    expect(raft.id).toBe('n1');
    expect(raft.state).toMatchObject({ currentTerm: 7, votedFor: n1, commitIndex: 2, lastApplied: 2 });
    expect(raft.state.log.lastIndex).toBe(3);
  });

  it('is not kept from its data by names and numbers that no new member can have', () => {
    const self = { id: 'eu/db 1', storeId: 'store of eu/db 1' };
    const peers = Array.from({ length: 60 }, (_, at) => ({ id: `m ${at}`, storeId: `m ${at}` }));
    const configurations = [{ index: index(0), configuration: votersOf(self, ...peers) }];

    const raft = Raft.restore({
      ...loaded,
      self,
      hardState: { ...loaded.hardState, votedFor: self },
      configurations,
    });

    expect(raft.id).toBe('eu/db 1');
    expect(raft.state.configurations).toEqual(configurations);
    expect(only(feed(raft, { type: 'campaign', id: 1 }), 'message')).toHaveLength(60);
  });

  it('is refused with a config that can not be used, and with that alone', () => {
    const restore = () => Raft.restore({ ...loaded, config: { ...defaultConfig, tickIntervalMs: 0 } });

    expect(restore).toThrow(RaftError);
    expect(restore).toThrow(
      /^Can't make node n1: tickIntervalMs is 0, expected a positive integer such as 25\.$/,
    );
  });
});

describe('a request', () => {
  it('is answered through its promise, and nowhere else', async () => {
    const raft = soleLeader();
    const outputs: Output[] = [];

    const written = raft.write(outputs, bytes('a'), bytes('b'));
    const seen = [...outputs, ...feed(raft, ...completionsOf(outputs))];

    expect(await written).toEqual({ type: 'committed', index: 2, term: 1 });
    expect(raft.state.commitIndex).toBe(3);
    expect(only(seen, 'writeRes')).toEqual([]);
  });

  it('hands a query to the state machine, and its answer back', async () => {
    const raft = soleLeader();
    const outputs: Output[] = [];

    const answer = raft.read(outputs, bytes('query'));
    const seen = [...outputs, ...feed(raft, ...completionsOf(outputs))];

    expect(await answer).toEqual({ type: 'ok', payload: bytes('answer') });
    expect(only(seen, 'readStateMachineReq')).toMatchObject([{ payload: bytes('query') }]);
    expect(only(seen, 'readRes')).toEqual([]);
  });

  it('is refused at once by a node that does not lead', async () => {
    const raft = new Raft('n1', ['n2', 'n3']);
    const reason = { type: 'notLeader', leaderId: null };

    expect(await raft.write([], bytes('a'))).toEqual({ type: 'notCommitted', reason });
    expect(await raft.read([])).toEqual({ type: 'refused', reason });
  });

  it('without a command is invalid', async () => {
    expect(await soleLeader().write([])).toMatchObject({ type: 'notCommitted', reason: { type: 'invalid' } });
  });

  it('handed in as an input is answered among the outputs, whatever its id', () => {
    const raft = soleLeader();
    const payload = new Uint8Array(4);

    const seen = feed(
      raft,
      { type: 'write', id: 1, payload, payloadChecksum: 0, count: 1 },
      { type: 'read', id: 1 },
    );

    expect(only(seen, 'writeRes')).toMatchObject([{ id: 1, result: { type: 'committed' } }]);
    expect(only(seen, 'readRes')).toMatchObject([{ id: 1, result: { type: 'ok' } }]);
  });
});

describe('a node that is disposed of', () => {
  it('answers everybody who waits: writes may yet be committed, reads were not carried out', async () => {
    const raft = soleLeader();
    const written = raft.write([], bytes('a'));
    const answer = raft.read([]);

    raft.dispose();
    raft.dispose();

    expect(await written).toEqual({ type: 'unknown' });
    expect(await answer).toMatchObject({ type: 'refused' });
  });

  it('takes nothing more', async () => {
    const raft = soleLeader();
    raft.dispose();
    const outputs: Output[] = [];
    const before = raft.state;

    raft.step(outputs, { type: 'tick', now: 1000 });

    expect(await raft.write(outputs, bytes('a'))).toMatchObject({ type: 'notCommitted' });
    expect(await raft.read(outputs)).toMatchObject({ type: 'refused' });
    expect(raft.state).toBe(before);
    expect(outputs).toEqual([]);
  });

  it('is disposed of by `using`', async () => {
    let written: Promise<unknown>;
    {
      using raft = soleLeader();
      written = raft.write([], bytes('a'));
    }

    expect(await written).toEqual({ type: 'unknown' });
  });
});
