import type { MemberChange, NodeId } from '../core/index.ts';
import type { Envelope } from './bare-cluster.ts';
import { CheckedCluster, type CheckedClusterOptions } from './checked-cluster.ts';
import { describeMessage } from './describe.ts';
import type { Operation } from './operation.ts';
import { InvariantViolation } from './violation.ts';

/** An operation that was carried out again. */
interface Played {
  readonly operation: Operation;
  /** How many messages had been sent before it. */
  readonly sentBefore: number;
  /** Of a delivery: which message it was, counted from the first one sent. */
  readonly mail: number | undefined;
}

/** What came of carrying out a list of operations. */
export interface Rerun {
  /** Those that were possible, to the one that broke a promise. */
  readonly played: readonly Played[];
  readonly sent: readonly Envelope[];
  /** The promise that was broken, in words; `undefined` if none was. */
  readonly problem: string | undefined;
  /** How many operations were tried. */
  readonly tried: number;
}

/**
 * Carries out operations on a new cluster. A message is delivered if one that says the same, or at least one of its kind
 * and term, was sent from the same node to the same; what is not possible is left out.
 */
export function rerun(made: CheckedClusterOptions, operations: readonly Operation[]): Rerun {
  const played: Played[] = [];
  const mailbox = new Mailbox();
  let tried = 0;
  try {
    const stage = new CheckedCluster(made);
    for (const operation of operations) {
      tried += 1;
      const sentBefore = mailbox.sent.length;
      const mail = operation.type === 'deliver' ? mailbox.find(operation.envelope) : undefined;
      if (operation.type === 'deliver' && mail === undefined) continue;
      const envelope = mail === undefined ? undefined : (mailbox.sent[mail] as Envelope);
      const real =
        operation.type === 'deliver' && envelope !== undefined ? { ...operation, envelope } : operation;
      const place = played.push({ operation: real, sentBefore, mail });
      if (!stage.perform(real)) played.length = place - 1;
      mailbox.take(stage.cluster.inFlight);
    }
    stage.checkMachines();
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error; // A fault of the simulation, and no finding.
    return { played, sent: mailbox.sent, problem: error.message, tried };
  }
  return { played, sent: mailbox.sent, problem: undefined, tried };
}

/** Every message that was sent; a network may deliver it at any time, and again. */
class Mailbox {
  readonly sent: Envelope[] = [];
  readonly #byText = new Map<string, number>();
  readonly #byKind = new Map<string, number>();

  /** Takes what is on its way. */
  take(inFlight: Envelope[]): void {
    for (const envelope of inFlight) {
      const place = this.sent.push(envelope) - 1;
      this.#byText.set(textOf(envelope), place);
      this.#byKind.set(kindOf(envelope), place);
    }
    inFlight.length = 0;
  }

  /** The newest message that says the same, or is of the same kind. */
  find(envelope: Envelope): number | undefined {
    return this.#byText.get(textOf(envelope)) ?? this.#byKind.get(kindOf(envelope));
  }
}

function textOf({ from, to, message }: Envelope): string {
  return `${from.storeId}>${to.storeId} ${describeMessage(message)}`;
}

function kindOf({ from, to, message }: Envelope): string {
  return `${from.storeId}>${to.storeId} ${message.type} ${message.term}`;
}

/** What was played, as commands that `transcribe` understands. */
export function describeScript(made: CheckedClusterOptions, { played, sent }: Rerun): readonly string[] {
  const mail = new MailOnItsWay(played, sent);
  return [describeCluster(made), ...played.flatMap((each) => commandsOf(each, mail))].map(
    (line) => `> ${line}`,
  );
}

/** Where messages stand among those from one node to another, as a transcript counts them. */
class MailOnItsWay {
  readonly #sent: readonly Envelope[];
  readonly #uses = new Map<number, number>();
  readonly #waiting: number[] = [];
  #arrived = 0;

  constructor(played: readonly Played[], sent: readonly Envelope[]) {
    this.#sent = sent;
    for (const { mail } of played)
      if (mail !== undefined) this.#uses.set(mail, (this.#uses.get(mail) ?? 0) + 1);
  }

  /** The commands that deliver a message, and keep it for later if it comes again. */
  commandsOf(mail: number, sentBefore: number): readonly string[] {
    for (; this.#arrived < sentBefore; this.#arrived++) this.#waiting.push(this.#arrived);
    const { from, to } = this.#sent[mail] as Envelope;
    const place = this.#placeOf(mail, from.id, to.id);
    const which = `${from.id} ${to.id}${place === 0 ? '' : ` ${place + 1}`}`;
    const left = (this.#uses.get(mail) ?? 1) - 1;
    this.#uses.set(mail, left);
    this.#waiting.splice(this.#waiting.indexOf(mail), 1);
    if (left === 0) return [`misdeliver ${which}`];
    this.#waiting.push(mail);
    return [`double ${which}`, `misdeliver ${which}`];
  }

  #placeOf(mail: number, from: NodeId, to: NodeId): number {
    const isBetween = (place: number) =>
      this.#sent[place]?.from.id === from && this.#sent[place]?.to.id === to;
    return this.#waiting.filter(isBetween).indexOf(mail);
  }
}

function describeCluster({
  founders,
  joiners,
  config,
  seed,
  isMachineDurable,
}: CheckedClusterOptions): string {
  const limits = Object.entries(config).map(([name, value]) => `${name}=${value}`);
  const machine = isMachineDurable ? ['machine=durable'] : [];
  const parts = [...founders, ...joiners.map((id) => `+${id}`), ...limits, `seed=${seed}`, ...machine];
  return `cluster ${parts.join(' ')}`;
}

function commandsOf({ operation, sentBefore, mail }: Played, onItsWay: MailOnItsWay): readonly string[] {
  const { type, at } = operation;
  switch (type) {
    case 'deliver': {
      const commands = onItsWay.commandsOf(mail as number, sentBefore);
      const isRightStore = operation.envelope.to.storeId === at;
      return isRightStore ? commands.map((command) => command.replace('misdeliver', 'deliver')) : commands;
    }
    case 'tick':
      return [
        operation.ms > 0 && operation.ms <= 30 ? `tick ${at} ${operation.ms}` : `jump ${at} ${operation.ms}`,
      ];
    case 'sync':
    case 'flush':
    case 'apply':
      return [`${type} ${at} ${operation.count}`];
    case 'ship':
      return [`ship ${at}${operation.isLost ? ' lost' : ''}`];
    case 'crash':
      return [`crash ${at}${operation.keep === 0 ? '' : ` ${operation.keep}`}`];
    case 'up':
    case 'down':
      return [`${type} ${at} ${operation.about}`];
    case 'write':
      return [`write ${at} #${operation.id} ${operation.commands.join(' ')}`];
    case 'read':
      return [`read ${at} #${operation.id}`];
    case 'changeMembers':
      return [`change ${at} #${operation.id} ${operation.changes.map(describeChange).join(' ')}`];
    case 'transferLeadership':
      return [`transfer ${at} #${operation.id}${operation.to === undefined ? '' : ` ${operation.to}`}`];
    case 'compact':
      return [`compact ${at} #${operation.id}${operation.keepsPrevious ? ' keep' : ''}`];
    default:
      return [`${type} ${at}`];
  }
}

/** One word: `add:n4:learner`, `remove:n3`, `move:n2:URL`. */
function describeChange(change: MemberChange): string {
  if (change.type === 'add') return `add:${change.member.id}:${change.role}`;
  return change.type === 'move' ? `move:${change.id}:${change.url}` : `${change.type}:${change.id}`;
}
