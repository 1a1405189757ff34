import {
  type Configuration,
  type ConfigurationAt,
  decodeConfiguration,
  type EntryBatch,
  index0,
  type Member,
  type Peer,
  type State,
} from '../core/index.ts';
import { describeConfiguration } from './describe.ts';
import { expectThat } from './violation.ts';
import { shownApart } from './words-of.ts';

/**
 * The configurations that were committed. Any two that follow each other are led by overlapping majorities (§6), and
 * every node that has committed as far, by its log or by a snapshot, goes by the same one.
 */
export class ConfigurationHistory {
  readonly #committed: ConfigurationAt[] = [];

  /** Without a founding configuration, the first that is seen is believed. */
  constructor(founding?: Configuration) {
    if (founding !== undefined) this.#committed.push({ index: index0, configuration: founding });
  }

  /** A configuration entry is committed. */
  commit({ index, payload }: EntryBatch): void {
    const configuration = decodeConfiguration(payload);
    expectThat(configuration !== undefined, () => `the configuration at ${index} is malformed`);
    const next = { index, configuration: configuration as Configuration };
    const last = this.#committed.at(-1);
    if (last !== undefined) expectThat(canFollow(last, next), () => describeStep(last, next));
    this.#committed.push(next);
  }

  /** What a node takes for the configuration of what it has committed is that of the committed log. */
  checkNode({ configurations, commitIndex, self }: State, knownIndex: number): void {
    const held = configurations.findLast((at) => at.index <= commitIndex);
    if (held === undefined || commitIndex > knownIndex) return; // Nothing to compare with.
    const right = this.#committed.findLast((at) => at.index <= commitIndex);
    if (right === undefined) return;
    expectThat(isSameConfiguration(held, right), () => {
      const words = [wordsFor(held), wordsFor(right)] as const;
      const [is, should] = words[0] === words[1] ? shownApart(held, right) : words; // Names may be the same.
      return `${self.id} goes by ${is} at ${commitIndex}, where ${should} is committed`;
    });
  }
}

/** Whether two nodes go by the same configuration of the same entry, addresses and all. */
export function isSameConfiguration(one: ConfigurationAt, other: ConfigurationAt): boolean {
  return one === other || (one.index === other.index && textOf(one) === textOf(other));
}

/** A configuration as text; it is made once. */
function textOf(at: ConfigurationAt): string {
  let text = texts.get(at);
  if (text === undefined) {
    text = JSON.stringify(at.configuration);
    texts.set(at, text);
  }
  return text;
}

const texts = new WeakMap<ConfigurationAt, string>();

/** Whether no two groups of voters that have nobody in common can decide, one by each of them. */
function canFollow(
  { configuration: from }: ConfigurationAt,
  { configuration: to }: ConfigurationAt,
): boolean {
  const voters = everyVoter(from, to);
  for (let chosen = 0; chosen < 2 ** voters.length; chosen++) {
    const isChosen = (peer: Peer) => isAmong(voters, chosen, peer);
    if (decides(from, isChosen) && decides(to, (peer) => !isChosen(peer))) return false;
  }
  return true;
}

/** Whether the voters for whom it holds are a majority of each half. */
function decides({ voters, votersOutgoing }: Configuration, holds: (peer: Peer) => boolean): boolean {
  const isMajority = (half: readonly Member[]) =>
    half.length === 0 || half.filter(holds).length * 2 > half.length;
  return isMajority(voters) && isMajority(votersOutgoing);
}

function isAmong(voters: readonly Peer[], chosen: number, peer: Peer): boolean {
  const place = voters.findIndex((voter) => voter.storeId === peer.storeId);
  return (chosen & (1 << place)) !== 0;
}

function everyVoter(...configurations: readonly Configuration[]): readonly Peer[] {
  const all: Peer[] = [];
  for (const { voters, votersOutgoing } of configurations) {
    for (const voter of [...voters, ...votersOutgoing]) {
      if (!all.some((other) => other.storeId === voter.storeId)) all.push(voter);
    }
  }
  return all;
}

function wordsFor({ index, configuration }: ConfigurationAt): string {
  return `${describeConfiguration(configuration)} of ${index}`;
}

function describeStep(from: ConfigurationAt, to: ConfigurationAt): string {
  return `${wordsFor(to)} is committed after ${wordsFor(from)}: they need not agree`;
}
