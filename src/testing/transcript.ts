import {
  type Config,
  checkState,
  checkTransition,
  index0,
  type MemberChange,
  type NodeId,
  type Output,
  type RequestId,
  term,
} from '../core/index.ts';
import { BareCluster, type BareStep } from './bare-cluster.ts';
import type { BareNode } from './bare-node.ts';
import { ClusterHistory } from './cluster-history.ts';
import { describeMessage, describeOutput, describeState, nameOf } from './describe.ts';
import type { Disk } from './disk.ts';
import { entriesOf } from './entries.ts';
import { checkHonesty } from './honesty.ts';
import { inputOf } from './operation.ts';
import { expectNone } from './violation.ts';

/**
 * Plays a script and writes down what happens: a text that reads like a play, and is compared as one.
 *
 * Lines that begin with `> ` are commands, `#` begins a comment; all others are what the cluster did, and are
 * written anew. So a transcript is its own script, and a changed one shows as a diff. All invariants are
 * checked after each step. Throws on a command that it does not know.
 *
 * | command | what happens |
 * |---|---|
 * | `disk n1 term 8 vote n2 log 1 1 4` | what n1's disk holds before the cluster starts |
 * | `cluster n1 n2 n3 tickIntervalMs=25` | these nodes start; `+n4` is one that may join |
 * | `cluster … seed=7 machine=durable` | election timeouts are drawn from this seed; machines survive a crash |
 * | `tick n1 100` | n1's clock advances by 100 ms; `tick all 100` |
 * | `jump n1 5000`, `jump n1 -500` | it is set forward or back by so much, in one tick |
 * | `timeout n1` | n1's clock advances until it stands for election, or steps down |
 * | `deliver n1 n2` | the oldest message from n1 to n2 arrives; `deliver n1 n2 all`, or the third, `deliver n1 n2 3` |
 * | `misdeliver n1 n2` | it arrives although n2 has another store than the one it was meant for |
 * | `drop n1 n2`, `double n1 n2` | that message is lost, or will arrive once more |
 * | `cut n1 n2`, `heal` | from now on all messages from n1 to n2 are lost; none is any more |
 * | `flush n1`, `flush n1 1` | n1's disk completes all its requests, or the oldest |
 * | `sync n1 1`, `hear n1` | n1's disk completes its oldest request; n1 hears of the oldest completion |
 * | `log n1`, `apply n1` | n1's log answers a `readLogReq`; its state machine gets on, `apply n1 2` by two entries |
 * | `crash n1`, `crash n1 1` | n1 dies; nothing unflushed survives, or the oldest request |
 * | `restart n1` | n1 starts from its disk |
 * | `write n1 x y`, `read n1` | a client asks n1; `read n1 #7` names its request |
 * | `campaign n1` | the operator wants n1 to lead |
 * | `add n1 n4`, `remove n1 n3`, `promote n1 n4`, `demote n1 n3` | n1 is asked to change the members |
 * | `change n1 #7 add:n4:voter remove:n3` | several changes at once, in a request with a name |
 * | `transfer n1 n2`, `compact n1` | n1 is asked to hand over, or to drop its log |
 * | `keep n1`, `ship n1`, `ship n1 lost` | n1's snapshot is durable; the one it sends arrives, or does not |
 * | `wipe n1` | n1, which is down, loses its disk |
 * | `up n1 n2`, `down n1 n2` | n1's transport has, or has lost, its connection with n2 |
 * | `settle` | all messages, disks and machines get on until nothing is left; only the upshot is written |
 * | `wait n1 1000` | n1's clock advances by 1,000 ms, and everything settles after each tick |
 * | `elect n1` | n1's clock runs out, and everything settles |
 * | `show`, `show n1` | the nodes as they are |
 * | `mail` | the messages on their way |
 */
export function transcribe(script: string): string {
  const stage = new Stage();
  const lines: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('> ')) lines.push(line, ...stage.play(line.slice(2).trim().split(/\s+/)));
    else if (line.startsWith('#') || line === '') lines.push(line);
  }
  return lines.join('\n');
}

type Command = (args: readonly string[]) => void;

class Stage {
  readonly #disks: Record<NodeId, Disk> = {};
  #cluster: BareCluster | undefined;
  readonly #history = new ClusterHistory();
  #lines: string[] = [];
  #isQuiet = false;

  /** Carries out one command; gives the lines that it adds. */
  play([name = '', ...args]: readonly string[]): readonly string[] {
    this.#lines = [];
    const command = this.#commands[name];
    if (command === undefined) {
      throw new RangeError(`no command "${name}", expected one of ${Object.keys(this.#commands).join(', ')}`);
    }
    command(args);
    return this.#lines;
  }

  readonly #commands: Readonly<Record<string, Command>> = {
    disk: ([id = '', ...facts]) => {
      this.#disks[id] = diskOf(facts);
    },
    cluster: (args) => this.#begin(args),
    tick: ([id = '', ms]) => {
      for (const node of id === 'all' ? this.#ids() : [id]) this.#on.tick(node, Number(ms ?? 25));
    },
    jump: ([id = '', ms]) => {
      this.#on.input(id, { type: 'tick', now: this.#on.state(id).now + Number(ms) });
    },
    timeout: ([id = '']) => this.#on.timeOut(id),
    deliver: ([from = '', to = '', all]) =>
      this.#mail(from, to, all, (envelope) => this.#on.deliver(envelope)),
    misdeliver: ([from = '', to = '', which]) =>
      this.#mail(from, to, which, (envelope) => this.#on.misdeliver(envelope)),
    drop: ([from = '', to = '', all]) => this.#mail(from, to, all, (envelope) => this.#on.drop(envelope)),
    double: ([from = '', to = '', which]) =>
      this.#mail(from, to, which, (envelope) => this.#on.duplicate(envelope)),
    cut: ([from = '', to = '']) => this.#on.cut(from, to),
    heal: () => this.#on.heal(),
    flush: ([id = '', count]) => this.#on.flush(id, count === undefined ? undefined : Number(count)),
    sync: ([id = '', count]) => this.#on.sync(id, count === undefined ? undefined : Number(count)),
    hear: ([id = '']) => this.#work(id, ({ unheard }) => unheard > 0 && this.#on.hear(id)),
    log: ([id = '']) => this.#work(id, ({ logReads }) => logReads > 0 && this.#on.readLog(id)),
    apply: ([id = '', count]) =>
      this.#work(
        id,
        (node) => node.canRunMachine && this.#apply(node, count === undefined ? undefined : Number(count)),
      ),
    crash: ([id = '', keep]) => {
      this.#history.forget(id);
      this.#on.crash(id, Number(keep ?? 0));
    },
    restart: ([id = '']) => {
      this.#on.restart(id);
      this.#show(id);
    },
    write: ([at = '', ...args]) => {
      const { id, rest: commands } = namedRequest(args);
      if (id === undefined) this.#on.write(at, commands);
      else this.#on.input(at, inputOf({ type: 'write', at, id, commands }));
    },
    read: ([at = '', ...args]) => {
      const { id } = namedRequest(args);
      if (id === undefined) this.#on.read(at);
      else this.#on.input(at, inputOf({ type: 'read', at, id }));
    },
    change: ([at = '', ...args]) => {
      const { id = 0, rest } = namedRequest(args);
      const changes = rest.map((word) => this.#changeOf(word));
      this.#on.input(at, inputOf({ type: 'changeMembers', at, id, changes }));
    },
    campaign: ([id = '']) => this.#on.input(id, { type: 'campaign', id: 0 }),
    add: ([at = '', id = '', role]) => {
      const member = this.#on.member(id);
      this.#on.changeMembers(at, [{ type: 'add', member, role: role === 'learner' ? role : 'voter' }]);
    },
    remove: ([at = '', ...ids]) =>
      this.#on.changeMembers(
        at,
        ids.map((id) => ({ type: 'remove', id })),
      ),
    demote: ([at = '', id = '']) => this.#on.changeMembers(at, [{ type: 'demote', id }]),
    promote: ([at = '', id = '']) => this.#on.changeMembers(at, [{ type: 'promote', id }]),
    transfer: ([at = '', ...args]) => {
      const { id, rest } = namedRequest(args);
      if (id === undefined) this.#on.transfer(at, rest[0]);
      else this.#on.input(at, inputOf({ type: 'transferLeadership', at, id, to: rest[0] }));
    },
    compact: ([at = '', ...args]) => {
      const { id, rest } = namedRequest(args);
      const keepsPrevious = rest[0] === 'keep';
      if (id === undefined) this.#on.compact(at, keepsPrevious);
      else this.#on.input(at, inputOf({ type: 'compact', at, id, keepsPrevious }));
    },
    keep: ([id = '']) => this.#work(id, ({ canKeepView }) => canKeepView && this.#on.keepView(id)),
    ship: ([id = '', lost]) =>
      this.#work(id, ({ shipments }) => shipments.length > 0 && this.#on.ship(id, lost === 'lost')),
    wipe: ([id = '']) => {
      this.#history.forget(id);
      this.#on.wipe(id);
    },
    up: ([id = '', about = '']) => this.#on.input(id, { type: 'peerUp', id: about }),
    down: ([id = '', about = '']) => this.#on.input(id, { type: 'peerDown', id: about }),
    settle: () => this.#quietly(() => this.#on.settle()),
    wait: ([id = '', ms]) => this.#quietly(() => this.#on.wait(id, Number(ms))),
    elect: ([id = '']) => this.#quietly(() => this.#on.elect(id)),
    show: ([id]) => {
      for (const node of id === undefined ? this.#ids() : [id]) this.#show(node);
    },
    mail: () => {
      for (const { from, to, message } of this.#on.inFlight) {
        this.#lines.push(`  ${nameOf(from)} -> ${nameOf(to)} ${describeMessage(message)}`);
      }
    },
  };

  /** A script that has a node do what there is not to do says something untrue. */
  #work(id: NodeId, act: (node: BareNode) => unknown): void {
    if (act(this.#on.node(id)) === false) throw new RangeError(`${id} has nothing of that kind to do`);
  }

  get #on(): BareCluster {
    if (this.#cluster === undefined) throw new RangeError('begin with "cluster n1 n2 n3"');
    return this.#cluster;
  }

  #ids(): readonly NodeId[] {
    return [...this.#on.nodes.keys()];
  }

  #begin(args: readonly string[]): void {
    const nodes = args.filter((arg) => !arg.includes('=') && !arg.startsWith('+'));
    const joiners = args.filter((arg) => arg.startsWith('+')).map((arg) => arg.slice(1));
    const facts = args.filter((arg) => arg.includes('=')).map((arg) => arg.split('='));
    const { seed = '0', machine, ...limits } = Object.fromEntries(facts) as Record<string, string>;
    const numbers = Object.entries(limits).map(([name, value]) => [name, Number(value)]);
    const config: Partial<Config> = Object.fromEntries(numbers);
    this.#cluster = new BareCluster({
      nodes,
      joiners,
      disks: this.#disks,
      config,
      seed: Number(seed),
      isMachineDurable: machine === 'durable',
      onStep: (taken) => this.#onStep(taken),
    });
    for (const node of this.#cluster.nodes.values()) {
      this.#observe(node);
    }
  }

  #observe({ state, written }: BareNode): void {
    this.#history.observe({ state, batches: written.batches, startTerm: written.start?.term });
  }

  #apply(node: BareNode, count: number | undefined): void {
    const { id } = node.self;
    if (count === undefined) {
      this.#on.apply(id);
      return;
    }
    const completion = node.runMachine(count);
    if (completion !== undefined) this.#on.input(id, completion);
  }

  /** Reads `add:n4:voter`, `remove:n3`, `move:n2:URL`. */
  #changeOf(word: string): MemberChange {
    const [type = '', id = '', ...rest] = word.split(':');
    if (type === 'add') {
      return { type, member: this.#on.member(id), role: rest[0] === 'learner' ? 'learner' : 'voter' };
    }
    return type === 'move'
      ? { type, id, url: rest.join(':') }
      : { type: type as 'remove' | 'promote' | 'demote', id };
  }

  #mail(
    from: NodeId,
    to: NodeId,
    which: string | undefined,
    act: (envelope: BareCluster['inFlight'][number]) => void,
  ): void {
    const sent = this.#on.inFlight.filter((envelope) => envelope.from.id === from && envelope.to.id === to);
    const place = Number(which ?? 1);
    const chosen = which === 'all' ? sent : sent.slice(place - 1, place);
    if (chosen.length === 0) throw new RangeError(`no such message is on its way from ${from} to ${to}`);
    for (const envelope of chosen) {
      this.#lines.push(
        `  ${nameOf(envelope.from)} -> ${nameOf(envelope.to)} ${describeMessage(envelope.message)}`,
      );
      act(envelope);
    }
  }

  #quietly(act: () => void): void {
    this.#isQuiet = true;
    try {
      act();
    } finally {
      this.#isQuiet = false;
    }
  }

  #onStep(taken: BareStep): void {
    const { node, before, outputs } = taken;
    const { state } = node;
    const self = nameOf(node.self);
    expectNone(checkTransition(before, state) ?? checkState(state));
    checkHonesty(taken, this.#on);
    this.#observe(node);
    for (const output of outputs) {
      if (!this.#isQuiet || isNews(output)) this.#lines.push(`    ${self} ${describeOutput(output)}`);
    }
    const hasMoved = before.role.type !== state.role.type || before.currentTerm !== state.currentTerm;
    if (hasMoved) this.#lines.push(`    ${self} is ${state.role.type} in t${state.currentTerm}`);
    if (before.commitIndex !== state.commitIndex) {
      this.#lines.push(`    ${self} has committed through ${state.commitIndex}`);
    }
  }

  #show(id: NodeId): void {
    const node = this.#on.node(id);
    this.#lines.push(`  ${nameOf(node.self)}: ${node.isUp ? describeState(node.state) : 'down'}`);
  }
}

/** Splits off the name that a caller gave to its request: `#7`. */
function namedRequest(args: readonly string[]): { id: RequestId | undefined; rest: readonly string[] } {
  const [first = '', ...rest] = args;
  return first.startsWith('#') ? { id: Number(first.slice(1)), rest } : { id: undefined, rest: args };
}

/** What is worth a line even when only the upshot is wanted: answers, faults, and entries thrown away. */
function isNews(output: Output): boolean {
  switch (output.type) {
    case 'writeRes':
    case 'readRes':
    case 'adminRes':
    case 'fault':
      return true;
    case 'persistReq':
      return output.truncateFrom !== undefined;
    default:
      return false;
  }
}

/** Reads `term 8 vote n2 log 1 1 4`. */
function diskOf(facts: readonly string[]): Disk {
  const after = (name: string) => facts[facts.indexOf(name) + 1];
  const log = facts.includes('log') ? facts.slice(facts.indexOf('log') + 1).map(Number) : [];
  const currentTerm = facts.includes('term') ? Number(after('term')) : (log.at(-1) ?? 0);
  const vote = facts.includes('vote') ? after('vote') : undefined;
  const votedFor = vote === undefined ? null : { id: vote, storeId: vote };
  return {
    hardState: { currentTerm: term(currentTerm), votedFor },
    batches: entriesOf(...log),
    appliedIndex: index0,
  };
}
