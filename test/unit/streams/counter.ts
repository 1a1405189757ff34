import { bytesCodec, type RaftNode, reducer, type StateMachine } from 'rxraft';

type Question = (count: number) => number;

/** A machine that counts commands and keeps none: what it costs itself is next to nothing. */
export type Counter = StateMachine<Uint8Array, number, Question, number>;
export type CounterNode = RaftNode<Uint8Array, number, Question, number>;

export function counter(): Counter {
  const count = (counted: number, _command: Uint8Array) => [counted + 1, counted + 1] as const;
  return reducer(0, count, { command: bytesCodec });
}

/** What is written: the size that benchmarks use. */
const command = new Uint8Array(128);

/** Writes in rounds: always so many outstanding, each written anew once it is answered. */
export function writeRounds(
  node: CounterNode,
  { outstanding, rounds }: { readonly outstanding: number; readonly rounds: number },
): Promise<unknown> {
  const client = async () => {
    for (let round = 0; round < rounds; round++) await node.write(command);
  };
  return Promise.all(Array.from({ length: outstanding }, client));
}
