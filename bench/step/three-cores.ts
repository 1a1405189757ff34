import {
  defaultConfig,
  emptyLog,
  type Index,
  type Input,
  index0,
  initialState,
  type Output,
  type Peer,
  type State,
  step,
  term0,
  votersOnly,
  type Write,
} from 'rxraft/core';

/** How a {@link ThreeCores} gets on. */
export interface ThreeCoresOptions {
  /** Disk and machine complete when everything else has been said, once for all that they were asked meanwhile. */
  readonly groupsCompletions: boolean;
}

const ids = ['n1', 'n2', 'n3'];
const peers: readonly Peer[] = ids.map((id) => ({ id, storeId: id }));

/**
 * Three cores in memory, and nothing else: messages arrive at once and in order, disks and machines are done at once.
 * What is measured with it is `step` alone.
 */
export class ThreeCores {
  readonly states: State[];
  /** How often `step` was called. */
  steps = 0;
  /** How many writes were answered `committed`. */
  committed = 0;
  readonly #groupsCompletions: boolean;
  /** Inputs that are due, in order, and to whom: two lists, so that the driver costs little. */
  readonly #due = { inputs: [] as Input[], to: [] as number[] };
  /** What each node's disk and machine were asked last, and are not done with. */
  readonly #persistSeqs = [0, 0, 0];
  readonly #applies: ({ readonly seq: number; readonly through: Index } | undefined)[] = [
    undefined,
    undefined,
    undefined,
  ];

  constructor({ groupsCompletions }: ThreeCoresOptions) {
    this.#groupsCompletions = groupsCompletions;
    const members = peers.map((peer) => ({ ...peer, url: '' }));
    this.states = peers.map((self) =>
      initialState({
        self,
        group: 0,
        config: defaultConfig,
        seed: 1,
        hardState: { currentTerm: term0, votedFor: null },
        log: emptyLog,
        configurations: [{ index: index0, configuration: votersOnly(members) }],
        appliedIndex: index0,
      }),
    );
    this.#input(0, { type: 'campaign', id: 0 });
    this.settle();
    if (this.leader.role.type !== 'leader') throw new Error('n1 was not elected');
  }

  get leader(): State {
    return this.states[0] as State;
  }

  /** A client writes at the leader. */
  write(write: Write): void {
    this.#input(0, write);
  }

  /** Everything goes on until nothing is left to do. */
  settle(): void {
    const { inputs, to } = this.#due;
    do {
      for (let at = 0; at < inputs.length; at++) this.#input(to[at] as number, inputs[at] as Input);
      inputs.length = 0;
      to.length = 0;
      if (this.#groupsCompletions) for (let at = 0; at < ids.length; at++) this.#complete(at);
    } while (inputs.length > 0);
  }

  /** The disk, then the machine of a node has done all that it was asked. */
  #complete(at: number): void {
    const seq = this.#persistSeqs[at] as number;
    if (seq > 0) {
      this.#persistSeqs[at] = 0;
      this.#isDue(at, { type: 'persistRes', seq });
    }
    const apply = this.#applies[at];
    if (apply === undefined) return;
    this.#applies[at] = undefined;
    this.#isDue(at, applied(apply));
  }

  #isDue(to: number, input: Input): void {
    this.#due.to.push(to);
    this.#due.inputs.push(input);
  }

  #input(at: number, input: Input): void {
    this.steps += 1;
    const { state, outputs } = step(this.states[at] as State, input);
    this.states[at] = state;
    for (let place = 0; place < outputs.length; place++) this.#take(at, outputs[place] as Output);
  }

  #take(at: number, output: Output): void {
    switch (output.type) {
      case 'message':
        this.#isDue(ids.indexOf(output.to.id), {
          type: 'message',
          from: peers[at] as Peer,
          message: output.message,
        });
        return;
      case 'persistReq':
        if (this.#groupsCompletions) this.#persistSeqs[at] = output.seq;
        else this.#isDue(at, { type: 'persistRes', seq: output.seq });
        return;
      case 'applyReq':
        if (this.#groupsCompletions) this.#applies[at] = output;
        else this.#isDue(at, applied(output));
        return;
      case 'writeRes':
        if (output.result.type === 'committed') this.committed += 1;
        return;
      case 'adminRes':
        return;
      default:
        throw new Error(`${ids[at]} asks for ${output.type}: ${JSON.stringify(output)}`);
    }
  }
}

function applied({ seq, through }: { readonly seq: number; readonly through: Index }): Input {
  return { type: 'applyRes', seq, appliedIndex: through, durableIndex: through };
}
