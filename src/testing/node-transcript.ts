import type { NodeId } from '../core/index.ts';
import type { RaftNode } from '../streams/raft-node.ts';
import { reducer, type Selector } from '../streams/reducer.ts';
import type { PeerFrame, TransportEvent } from '../transport/transport.ts';
import { describeFrame } from './describe-frame.ts';
import { HoldingTransport } from './holding-transport.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/**
 * Plays a script on whole nodes of the real runtime, in virtual time, and writes down what happens: as
 * `transcribe` does for bare cores, and for what lies around them: founding, forwarding, restarts.
 *
 * Lines that begin with `> ` are commands, `#` begins a comment; all others are what the nodes did. Messages
 * between cores are not written, and neither are elections: what counts is said by `show`.
 *
 * | command | what happens |
 * |---|---|
 * | `nodes n1 n2 n3` | these nodes declare each other as members; none runs yet |
 * | `start n1 electionMs=5000` | n1 starts on its disk, here with another of its numeric options |
 * | `kill n1` | its process is gone |
 * | `wait 100` | 100 ms pass |
 * | `write n1 x`, `read n1` | a client asks n1; the state machine keeps all words |
 * | `hold n1 n2 forwardReply` | frames of this type from n1 to n2 wait from now on |
 * | `release n1 n2 forwardReply` | they leave, over the connection of this moment, and wait no more |
 * | `show` | the nodes as they are |
 */
export async function transcribeNodes(script: string): Promise<string> {
  const stage = new NodeStage();
  const lines: string[] = [];
  try {
    for (const line of script.split('\n')) {
      if (line.startsWith('> ')) lines.push(line, ...(await stage.play(line.slice(2).trim().split(/\s+/))));
      else if (line.startsWith('#') || line === '') lines.push(line);
    }
  } finally {
    await stage.close();
  }
  return lines.join('\n');
}

type Words = readonly string[];
type Node = RaftNode<string, number, Selector<Words, Words>, Words>;

class NodeStage {
  #cluster: VirtualCluster<string, number, Selector<Words, Words>, Words> | undefined;
  readonly #transports = new Map<NodeId, HoldingTransport>();
  /** `n1 n2 raft`: frames of this type wait. */
  readonly #holds = new Set<string>();
  /** The random ids of clusters, in the order in which they came up. */
  readonly #clusterIds: string[] = [];
  #lastRequestId = 0;
  #lines: string[] = [];

  /** Carries out one command; gives the lines that it adds. */
  async play([name = '', ...args]: readonly string[]): Promise<readonly string[]> {
    this.#lines = [];
    const command = this.#commands[name];
    if (command === undefined) {
      throw new RangeError(`no command "${name}", expected one of ${Object.keys(this.#commands).join(', ')}`);
    }
    await command(args);
    return this.#lines;
  }

  /** Ends every node that runs. */
  async close(): Promise<void> {
    await this.#cluster?.close();
  }

  readonly #commands: Readonly<Record<string, (args: readonly string[]) => Promise<void> | void>> = {
    nodes: (ids) => {
      const machine = () =>
        reducer([] as Words, (words, word: string) => [[...words, word], words.length + 1]);
      this.#cluster = new VirtualCluster({ seed: 1, ids, machine, node: { timeoutMs: 60_000 } });
    },
    start: ([id = '', ...options]) => this.#start(id, options),
    kill: ([id = '']) => this.#on.kill(id),
    wait: ([ms]) => this.#on.run(Number(ms)),
    write: ([id = '', word = '']) =>
      this.#ask(id, (node) => node.write(word).then(({ index }) => `committed ${index}`)),
    read: ([id = '']) =>
      this.#ask(id, (node) => node.read((words) => words).then(({ value }) => `[${value.join(' ')}]`)),
    hold: (what) => {
      this.#holds.add(what.join(' '));
    },
    release: ([from = '', to = '', type = '']) => {
      this.#holds.delete(`${from} ${to} ${type}`);
      this.#transports.get(from)?.release(to, type as PeerFrame['type']);
    },
    show: () => {
      for (const id of this.#on.ids) this.#say(`  ${id}: ${this.#statusOf(id)}`);
    },
  };

  get #on(): VirtualCluster<string, number, Selector<Words, Words>, Words> {
    if (this.#cluster === undefined) throw new RangeError('begin with "nodes n1 n2 n3"');
    return this.#cluster;
  }

  #say(line: string): void {
    this.#lines.push(line);
  }

  async #start(id: NodeId, options: readonly string[]): Promise<void> {
    const cluster = this.#on;
    const url = cluster.members.find((member) => member.id === id)?.url ?? '';
    const transport = new HoldingTransport(cluster.network.transport(url), {
      isHeld: (to, { type }) => this.#holds.has(`${id} ${to} ${type}`),
      onSend: (to, frame, isHeld) => this.#onSend({ from: id, to, frame, isHeld }),
      onEvent: (event) => this.#onEvent(id, event),
    });
    this.#transports.set(id, transport);
    const numbers = options.map((option) => option.split('=')).map(([name, value]) => [name, Number(value)]);
    await cluster.start(id, { ...Object.fromEntries(numbers), transport });
  }

  /** A client asks a node. It hears the answer unless the node's process has ended. */
  #ask(id: NodeId, request: (node: Node) => Promise<string>): void {
    const node = this.#on.node(id);
    this.#lastRequestId += 1;
    const answer = `    ${id} answer ${this.#lastRequestId}:`;
    const isThere = () => this.#on.nodes.includes(node);
    request(node).then(
      (result) => isThere() && this.#say(`${answer} ${result}`),
      (error) => isThere() && this.#say(`${answer} ${error.code}, ${error.outcome}`),
    );
  }

  #onSend({
    from,
    to,
    frame,
    isHeld,
  }: {
    from: NodeId;
    to: NodeId;
    frame: PeerFrame;
    isHeld: boolean;
  }): void {
    const text = describeFrame(frame, (id) => this.#nameOf(id));
    if (text !== undefined) this.#say(`    ${from} -> ${to} ${text}${isHeld ? ' (waits)' : ''}`);
  }

  #onEvent(id: NodeId, event: TransportEvent): void {
    if (event.type === 'up' && event.direction === 'outgoing') {
      const { hello } = event;
      const cluster = hello.clusterId === null ? 'of no cluster' : `of ${this.#nameOf(hello.clusterId)}`;
      this.#say(`    ${id} has a connection to ${hello.id}, ${cluster}, start ${hello.bootCounter}`);
    }
    if (event.type === 'refused') this.#say(`    ${id} and ${event.id}: refused, ${event.refusal.code}`);
    const text =
      event.type === 'frame' ? describeFrame(event.frame, (name) => this.#nameOf(name)) : undefined;
    if (event.type === 'frame' && text !== undefined) this.#say(`  ${event.from.id} -> ${id} ${text}`);
  }

  #nameOf(clusterId: string): string {
    if (!this.#clusterIds.includes(clusterId)) this.#clusterIds.push(clusterId);
    return `cluster ${this.#clusterIds.indexOf(clusterId) + 1}`;
  }

  #statusOf(id: NodeId): string {
    const node = this.#on.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) return 'down';
    const { clusterId, role, leaderId, lastApplied } = node.status();
    if (clusterId === null) return 'belongs to no cluster';
    const who = role === 'leader' ? 'leads' : leaderId === null ? 'follows nobody' : `follows ${leaderId}`;
    return `in ${this.#nameOf(clusterId)}, ${who}, applied ${lastApplied}`;
  }
}
