import { describe, expect, it } from 'vitest';
import { type Configuration, index, type State } from '../../../src/core/index.ts';
import { ConfigurationsInEffect } from '../../../src/streams/configurations-in-effect.ts';

const before: Configuration = { voters: [], votersOutgoing: [], learners: [] };
const after: Configuration = { ...before };
const founded = [{ index: index(0), configuration: before }];
const changed = [...founded, { index: index(5), configuration: after }];

/** What the core of a node says of its log. */
function stateOf(configurations: State['configurations'], commitIndex: number): State {
  return { configurations, commitIndex: index(commitIndex) } as State;
}

describe('a configuration that was changed', () => {
  it('is in effect at once, and the one before until it is committed', () => {
    const inEffect = new ConfigurationsInEffect();

    expect(inEffect.onState(stateOf(founded, 0))).toEqual([before]);
    expect(inEffect.onState(stateOf(changed, 4))?.map((each) => each === after)).toEqual([false, true]);
    const committed = inEffect.onState(stateOf(changed, 5));
    expect(committed?.map((each) => each === after)).toEqual([true]);
  });

  it('is in effect alone where the step that brought it committed it, too', () => {
    const inEffect = new ConfigurationsInEffect();
    inEffect.onState(stateOf(founded, 0));

    expect(inEffect.onState(stateOf(changed, 5))?.map((each) => each === after)).toEqual([true]);
  });

  it('gives way to the one before, if a new leader drops it', () => {
    const inEffect = new ConfigurationsInEffect();
    inEffect.onState(stateOf(changed, 4));

    expect(inEffect.onState(stateOf(founded, 4))?.map((each) => each === before)).toEqual([true]);
  });
});

describe('a step that changes nothing about that', () => {
  it('says so: nobody is dialed for it', () => {
    const inEffect = new ConfigurationsInEffect();
    for (const state of [stateOf(founded, 0), stateOf(changed, 3)]) inEffect.onState(state);

    expect(inEffect.onState(stateOf(changed, 4))).toBeNull();
    inEffect.onState(stateOf(changed, 5));
    expect(inEffect.onState(stateOf(changed, 6))).toBeNull();
  });
});
