import { requestError } from '../../streams/errors.ts';
import type { Committed, RequestOptions } from '../../streams/raft-node.ts';
import { openSession, type Session } from '../../streams/session.ts';
import type { SessionCommand, SessionResult } from '../../streams/sessions.ts';
import type { Codec } from '../../streams/state-machine.ts';
import type { Dice } from '../dice.ts';
import { shown, travelledWords } from '../words-of.ts';
import type { Operation } from './options.ts';
import type { Run } from './run.ts';
import type { SimProcess } from './sim-process.ts';

/** Sessions that are used at the same time. */
const sessionsMax = 3;

/** Those who ask: each request goes to a node of the client's choice, and what it is answered is kept. */
export class Clients<Command, Result, Query, Answer> {
  readonly #run: Run<Command, Result, Query, Answer>;
  readonly #sessions: Promise<Session<unknown, unknown>>[] = [];
  /** Requests through sessions that still try. */
  readonly #trying = new Set<Promise<unknown>>();

  /** Of any machine: they have the same. */
  #results: Codec<Result> | undefined;

  constructor(run: Run<Command, Result, Query, Answer>) {
    this.#run = run;
  }

  /** One client asks for something. In words; `null` if there is nobody to ask. */
  ask(dice: Dice, number: number): string | null {
    const processes = this.#run.cluster.processes.filter(({ node }) => node !== null);
    if (processes.length === 0) return null;
    const process = dice.pick(processes);
    const operation = this.#run.settings.workload(dice, number);
    const timeoutMs = dice.pick([300, 1000, 3000]);
    return this.#begin(process, operation, { dice, timeoutMs });
  }

  #begin(
    process: SimProcess<Command, Result, Query, Answer>,
    operation: Operation<Command, Query>,
    { dice, timeoutMs }: { readonly dice: Dice; readonly timeoutMs: number },
  ): string {
    const { id } = process;
    if (operation.type === 'read') {
      this.#read(process, operation, timeoutMs);
      return `${id} is asked ${shown(operation.query)}`;
    }
    if (this.#run.settings.hasSessions && dice.chance(80)) {
      const number = dice.below(sessionsMax);
      this.#writeOnce(operation.command, { number, dice });
      return `session ${number + 1} writes ${shown(operation.command)}`;
    }
    const { hasSessions } = this.#run.settings;
    const command = hasSessions
      ? ({ type: 'plain', command: operation.command } as Command)
      : operation.command;
    this.write(process, command, { timeoutMs }).catch(() => {}); // Kept by the log of requests.
    return `${id} is to write ${shown(operation.command)}`;
  }

  /** Writes through a node, and keeps what it is answered; never settles if the node ends first. */
  write(
    process: SimProcess<Command, Result, Query, Answer>,
    command: Command,
    { once, ...options }: WriteOptions,
  ): Promise<Committed<Result>> {
    const { requests, cluster } = this.#run;
    const record = requests.beginWrite(process.id, command, once);
    this.#results = process.machine.result;
    const { request } = record;
    return new Promise((resolve, reject) => {
      process.subscription.add(() => {
        requests.end(request);
        if (record.outcome === null) cluster.counts.lost += 1;
        reject(requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The node has ended.'));
      });
      const onAnswer = (note: () => void, go: () => void) => {
        if (!process.isAlive) return;
        this.#guarded(note);
        go();
      };
      process.loop.run(() => {
        process.node?.write({ request, command }, options).then(
          (committed) =>
            onAnswer(
              () => requests.committed(record, { ...committed, result: travelled(process, committed) }),
              () => resolve(committed),
            ),
          (error) =>
            onAnswer(
              () => requests.failed(record, error),
              () => reject(error),
            ),
        );
      });
    });
  }

  #read(
    process: SimProcess<Command, Result, Query, Answer>,
    { query, consistency = 'linearizable' }: Extract<Operation<Command, Query>, { type: 'read' }>,
    timeoutMs: number,
  ): void {
    const { requests } = this.#run;
    const isLinearizable = consistency === 'linearizable';
    const applied = process.node?.status().lastApplied ?? 0;
    const floor = consistency === 'stale' ? { floor: applied } : {}; // Of a session: all that anybody was told.
    const record = requests.beginRead(process.id, { query, isLinearizable, ...floor });
    process.subscription.add(() => requests.end(record.request));
    const onAnswer = (note: () => void) => process.isAlive && this.#guarded(note);
    process.loop.run(() => {
      process.node?.read(query, { consistency, timeoutMs, index: record.floor }).then(
        (answer) => onAnswer(() => requests.read(record, answer)),
        (error) =>
          onAnswer(() => {
            const isOfMachine = this.#run.cluster.queryErrors.has(error);
            if (isOfMachine) requests.readThrew(record, error);
            else requests.readFailed(record, error);
          }),
      );
    });
  }

  /** Writes through a session, which sends it again until it knows what became of it. */
  #writeOnce(command: unknown, { number, dice }: { readonly number: number; readonly dice: Dice }): void {
    const { requests } = this.#run;
    const record = requests.beginOnce(command);
    const boxed = new OnceCommand(record.once, command);
    const once = this.#session(number, dice).then((session) => session.write(boxed, { timeoutMs: 4000 }));
    this.#trying.add(once);
    const end = (note: () => void) => {
      this.#trying.delete(once);
      this.#guarded(note);
    };
    once.then(
      (committed) =>
        end(() => requests.onceCommitted(record, { ...committed, result: this.#onceWords(committed) })),
      (error) => end(() => requests.onceFailed(record, error)),
    );
  }

  /** A result of the wrapped machine as text, as it travels: in that of the session. */
  #onceWords({ result }: Committed<unknown>): string {
    const applied = { type: 'applied', result } as Result;
    return this.#results === undefined ? '' : travelledWords(this.#results, applied);
  }

  #session(number: number, dice: Dice): Promise<Session<unknown, unknown>> {
    const opened = this.#sessions[number];
    if (opened !== undefined) return opened;
    const clock = () => this.#run.nowMs;
    const write = (command: SessionCommand<unknown>, options: RequestOptions) =>
      this.#writeAnywhere(command, { dice, options });
    const opening = openSession<unknown, unknown>(
      { write: write as SessionWrite },
      { clock, timeoutMs: 4000 },
    );
    this.#sessions[number] = opening;
    opening.catch(() => delete this.#sessions[number]); // The next one tries again.
    return opening;
  }

  async #writeAnywhere(
    command: SessionCommand<unknown>,
    { dice, options }: { readonly dice: Dice; readonly options: RequestOptions },
  ): Promise<unknown> {
    const { once, sent } = unboxed(command);
    for (;;) {
      const processes = this.#run.cluster.processes.filter(({ node }) => node !== null);
      if (processes.length > 0)
        return this.write(dice.pick(processes), sent as Command, { ...options, once });
      await this.#run.sleep(50);
    }
  }

  /** Whether some request through a session still tries. */
  get isTrying(): boolean {
    return this.#trying.size > 0;
  }

  #guarded(note: () => void): void {
    try {
      note();
    } catch (error) {
      this.#run.cluster.fail(error);
    }
  }
}

/** A command that knows which write through a session it is: all copies that the session sends share it. */
class OnceCommand {
  readonly once: number;
  readonly command: unknown;

  constructor(once: number, command: unknown) {
    this.once = once;
    this.command = command;
  }
}

/** What goes into the log, and which write through a session it is. */
function unboxed(command: SessionCommand<unknown>): {
  readonly once: number | undefined;
  readonly sent: SessionCommand<unknown>;
} {
  if (command.type !== 'once') return { once: undefined, sent: command };
  const boxed = command.command as OnceCommand;
  return { once: boxed.once, sent: { ...command, command: boxed.command } };
}

type WriteOptions = RequestOptions & { readonly once?: number | undefined };

/** A result as text. It may have come from the leader as bytes or, where the node leads, as it is. */
function travelled<Command, Result, Query, Answer>(
  { machine }: SimProcess<Command, Result, Query, Answer>,
  { result }: Committed<Result>,
): string {
  return travelledWords(machine.result, result);
}

type SessionWrite = (
  command: SessionCommand<unknown>,
  options?: RequestOptions,
) => Promise<Committed<SessionResult<unknown>>>;
