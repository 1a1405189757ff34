import { describe, expect, it } from 'vitest';
import type { State } from '../../../src/core/index.ts';
import { NodeStreams } from '../../../src/streams/node-streams.ts';
import { node } from '../core/builders.ts';

const states = Array.from({ length: 4 }, () => node());

/** What a subscriber to the states is told from now on. */
function seenOf(streams: NodeStreams<string>, onEach: (state: State) => void = () => undefined) {
  const seen: (number | 'complete')[] = [];
  streams.state$.subscribe({
    next: (state) => {
      seen.push(states.indexOf(state));
      onEach(state);
    },
    complete: () => seen.push('complete'),
  });
  return seen;
}

describe('the states of a node', () => {
  it('begin with the latest, for each subscriber, or with the first there is', () => {
    const streams = new NodeStreams<string>();
    const early = seenOf(streams);
    streams.onState(states[0] as State);
    streams.onState(states[1] as State);
    const late = seenOf(streams);
    streams.onState(states[2] as State);

    expect(early).toEqual([0, 1, 2]);
    expect(late).toEqual([1, 2]);
  });

  it('miss nothing where being told of one leads to more', () => {
    const streams = new NodeStreams<string>();
    streams.onState(states[0] as State);
    const seen = seenOf(streams, (state) => {
      if (state !== states[0]) return;
      streams.onState(states[1] as State);
      streams.onState(states[2] as State);
    });

    expect(seen).toEqual([0, 1, 2]);
  });

  it('end with the node, after the last of them for who comes later', () => {
    const streams = new NodeStreams<string>();
    streams.onState(states[0] as State);
    const early = seenOf(streams);
    streams.complete();

    expect(early).toEqual([0, 'complete']);
    expect(seenOf(streams)).toEqual([0, 'complete']);
    expect(seenOf(new NodeStreams<string>())).toEqual([]);
  });
});
