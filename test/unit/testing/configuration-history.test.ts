import { describe, expect, it } from 'vitest';
import { type Configuration, index, index0, type State } from '../../../src/core/index.ts';
import { ConfigurationHistory } from '../../../src/testing/configuration-history.ts';

const member = (id: string, port: number) => ({
  id,
  storeId: `store-of-${id}`,
  url: `ws://127.0.0.1:${port}`,
});
const configurationOf = (port: number): Configuration => ({
  voters: [member('n1', 7101), member('n2', port)],
  votersOutgoing: [],
  learners: [],
});

/** A node that goes by this configuration, the founding one. */
function nodeWith(configuration: Configuration): State {
  return {
    self: { id: 'n1', storeId: 'store-of-n1' },
    commitIndex: index(3),
    configurations: [{ index: index0, configuration }],
  } as unknown as State;
}

describe('a node that goes by another configuration than was committed', () => {
  const history = new ConfigurationHistory(configurationOf(7102));

  it('is found, also if only an address differs, and the message shows it', () => {
    expect(() => history.checkNode(nodeWith(configurationOf(7109)), 3)).toThrow(
      /^n1 goes by .*7109.* at 3, where .*7102.* is committed$/,
    );
  });

  it('is not one with the same in another object', () => {
    expect(() => history.checkNode(nodeWith(configurationOf(7102)), 3)).not.toThrow();
  });
});
