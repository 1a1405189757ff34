/// <reference lib="esnext.disposable" preserve="true" />
import { encodePayload } from './codec.ts';
import { type Config, configProblems, defaultConfig } from './config.ts';
import { type Member, votersOnly } from './configuration.ts';
import { crc32 } from './crc32.ts';
import { RaftError } from './errors.ts';
import type { Input } from './input.ts';
import { emptyLog } from './log.ts';
import { foundingProblems, isMemberUrlOrNone } from './member-rules.ts';
import type { Output, ReadResult, WriteResult } from './output.ts';
import { initialState, type Start } from './start.ts';
import type { State } from './state.ts';
import { step } from './step.ts';
import { type GroupId, index0, type NodeId, type Peer, type RequestId, term0 } from './types.ts';

/** What a {@link Raft} can be told; what is left out has the default of {@link Config}. */
export interface RaftConfig extends Partial<Config> {
  /** Any 32-bit integer; nodes may share it. Default 0. */
  readonly seed?: number;
  /** Default 0. */
  readonly group?: GroupId;
}

/** A node of a cluster, by name or whole. A name alone stands for a store of the same name. */
export type PeerLike = NodeId | Peer | Member;

/** `Symbol.dispose` where the language has it; a name of its own elsewhere. */
const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/**
 * One node, for those who want a loop of their own: the state, {@link step} over it, and promises for
 * single requests. It does nothing by itself: no timer, no socket, no disk.
 *
 * ```ts
 * using raft = new Raft('n1', ['n2', 'n3']);
 * const outputs: Output[] = [];
 * raft.step(outputs, { type: 'tick', now: 25 });
 * for (const output of outputs) carryOut(output);
 * ```
 *
 * Not to be entered again from within: a caller that gets a completion while it carries out outputs hands it
 * in afterwards.
 */
export class Raft {
  #state: State;
  #isDisposed = false;
  /** The last id given to a request made here: they count down, so callers of {@link Raft.step} use 0 and up. */
  #lastId: RequestId = 0;
  readonly #writes = new Map<RequestId, (result: WriteResult) => void>();
  readonly #reads = new Map<RequestId, (result: ReadResult) => void>();

  /**
   * A node of a newly founded cluster, with an empty log in term 0.
   *
   * `peers` are the other founding members, the same list on every node; whether it holds this node too makes
   * no difference; 50 in all at most. Throws a {@link RaftError} with code `RAFT_BAD_CONFIG`, which lists every problem.
   *
   * Never for a node that ran before: it would forget its vote (§5.2). See {@link Raft.restore}.
   */
  constructor(id: NodeId, peers: readonly PeerLike[], config: RaftConfig = {}) {
    const { seed = 0, group = 0, ...limits } = config;
    const members = membersOf(id, peers);
    const start: Start = {
      self: members.find((member) => member.id === id) as Member,
      group,
      config: { ...defaultConfig, ...limits },
      seed,
      hardState: { currentTerm: term0, votedFor: null },
      log: emptyLog,
      configurations: [{ index: index0, configuration: votersOnly(members) }],
      appliedIndex: index0,
    };
    this.#state = stateOf(start, foundingProblems(members, isMemberUrlOrNone));
  }

  /**
   * A node that starts again from what its storage loaded. Throws as the constructor does for `start.config`, and for
   * nothing else: names, stores, URLs and the number of members are not looked at. They were when the configuration was
   * accepted, by the rules of that time, and a node that refused it now could not be started on its own data any more.
   */
  static restore(start: Start): Raft {
    const raft = new Raft('n1', []); // Any name that is one: the state takes its place.
    raft.#state = stateOf(start);
    return raft;
  }

  /** The node's name. */
  get id(): NodeId {
    return this.#state.self.id;
  }

  /** The node as it is now: a plain value. */
  get state(): State {
    return this.#state;
  }

  /**
   * Something happens; what the node asks of the world is appended to `outputs`, in order. Answers to
   * {@link Raft.write} and {@link Raft.read} go to their promises instead, so that each request has exactly one
   * answer. Without effect once disposed.
   */
  step(outputs: Output[], input: Input): void {
    if (this.#isDisposed) return; // Late: everybody has been answered.
    const { state, outputs: asked } = step(this.#state, input);
    this.#state = state;
    for (const output of asked) {
      if (!this.#answer(output)) outputs.push(output);
    }
  }

  /**
   * Appends commands, if this node leads: they get indexes one after the other. Resolves with what became of
   * them, and never rejects.
   */
  // biome-ignore lint/style/noRestrictedGlobals: an answer to a caller; `step` itself knows no promise.
  write(outputs: Output[], ...commands: readonly Uint8Array[]): Promise<WriteResult> {
    if (this.#isDisposed) return resolved({ type: 'notCommitted', reason: closed });
    const payload = encodePayload(commands);
    const id = this.#nextId();
    const answer = promiseIn(this.#writes, id);
    const payloadChecksum = crc32(payload);
    this.step(outputs, { type: 'write', id, payload, payloadChecksum, count: commands.length });
    return answer;
  }

  /**
   * A linearizable read (thesis §6.4): `query` comes back in a `readStateMachineReq`. Resolves with what the
   * state machine answered, or why it was not asked, and never rejects.
   */
  // biome-ignore lint/style/noRestrictedGlobals: an answer to a caller; `step` itself knows no promise.
  read(outputs: Output[], query?: Uint8Array): Promise<ReadResult> {
    if (this.#isDisposed) return resolved({ type: 'refused', reason: closed });
    const id = this.#nextId();
    const answer = promiseIn(this.#reads, id);
    this.step(outputs, { type: 'read', id, ...(query && { payload: query }) });
    return answer;
  }

  /**
   * Answers all that is outstanding: writes with `unknown`, since what was appended may yet be committed by
   * another leader (rule 22), reads with a refusal. Safe to call twice.
   */
  dispose(): void {
    this.#isDisposed = true;
    for (const answer of this.#writes.values()) answer({ type: 'unknown' });
    for (const answer of this.#reads.values()) answer({ type: 'refused', reason: closed });
    this.#writes.clear();
    this.#reads.clear();
  }

  /** {@link Raft.dispose}, for `using`. */
  [dispose](): void {
    this.dispose();
  }

  #nextId(): RequestId {
    this.#lastId -= 1;
    return this.#lastId;
  }

  /** Gives an answer to the promise that waits for it, if one does. */
  #answer(output: Output): boolean {
    if (output.type === 'writeRes') return settle(this.#writes, output.id, output.result);
    if (output.type === 'readRes') return settle(this.#reads, output.id, output.result);
    return false;
  }
}

/** A disposed node leads nothing. */
const closed = { type: 'notLeader', leaderId: null } as const;

type Waiting<Result> = Map<RequestId, (result: Result) => void>;

// biome-ignore lint/style/noRestrictedGlobals: an answer to a caller; `step` itself knows no promise.
function promiseIn<Result>(waiting: Waiting<Result>, id: RequestId): Promise<Result> {
  // biome-ignore lint/style/noRestrictedGlobals: as above.
  return new Promise((resolve) => {
    waiting.set(id, resolve);
  });
}

// biome-ignore lint/style/noRestrictedGlobals: an answer to a caller; `step` itself knows no promise.
function resolved<Result>(result: Result): Promise<Result> {
  // biome-ignore lint/style/noRestrictedGlobals: as above.
  return Promise.resolve(result);
}

function settle<Result>(waiting: Waiting<Result>, id: RequestId, result: Result): boolean {
  const answer = waiting.get(id);
  if (answer === undefined) return false;
  waiting.delete(id);
  answer(result);
  return true;
}

/** Every founding member in one order, so that all nodes hold the same configuration. */
function membersOf(id: NodeId, peers: readonly PeerLike[]): readonly Member[] {
  const members = peers.map(memberOf);
  if (!members.some((member) => member.id === id)) members.push(memberOf(id));
  return members.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function memberOf(peer: PeerLike): Member {
  if (typeof peer === 'string') return { id: peer, storeId: peer, url: '' };
  return { id: peer.id, storeId: peer.storeId, url: 'url' in peer ? peer.url : '' };
}

function stateOf(start: Start, problems: readonly string[] = []): State {
  const all = [...problems, ...configProblems(start.config)];
  if (all.length > 0)
    throw new RaftError('RAFT_BAD_CONFIG', `Can't make node ${start.self.id}: ${all.join('; ')}.`);
  return initialState(start);
}
