import { type RaftNode, RequestError, reducer, type StateMachine } from 'rxraft';
import { VirtualCluster, type VirtualClusterOptions } from '../../../src/testing/virtual-cluster.ts';

/** The words so far, oldest first. */
export type Words = readonly string[];

// biome-ignore lint/suspicious/noExplicitAny: each read chooses the type of its own answer.
export type WordsMachine = StateMachine<string, number, (words: Words) => any, any>;
export type WordsNode = RaftNode<string, number, (words: Words) => unknown, unknown>;
export type WordsCluster = VirtualCluster<string, number, (words: Words) => unknown, unknown>;

/** A machine that keeps every word, and answers how many there are. */
export function wordsMachine(): WordsMachine {
  return reducer([] as Words, (words, word: string) => [[...words, word], words.length + 1] as const);
}

/** All words. */
export const all = (words: Words): Words => words;

/** A cluster of words that has not started. */
export function wordsCluster(
  options: Partial<VirtualClusterOptions<string, number, (words: Words) => unknown, unknown>> = {},
): WordsCluster {
  return new VirtualCluster({ seed: 1, machine: wordsMachine, ...options });
}

/** A cluster of words with a leader. */
export async function startedCluster(
  options: Parameters<typeof wordsCluster>[0] = {},
): Promise<{ cluster: WordsCluster; leader: WordsNode; followers: WordsNode[] }> {
  const cluster = wordsCluster(options);
  await cluster.startAll();
  const leader = await cluster.leader();
  return { cluster, leader, followers: cluster.nodes.filter((node) => node !== leader) };
}

/** What a request was not answered with: its code and outcome. */
export interface Failed {
  readonly code: string;
  readonly outcome: string | undefined;
}

/** How a request ended; it is an error if it was answered. */
export async function failureOf(request: Promise<unknown>): Promise<Failed> {
  try {
    await request;
  } catch (error) {
    if (error instanceof RequestError) return { code: error.code, outcome: error.outcome };
    throw error;
  }
  throw new Error('the request was answered');
}
