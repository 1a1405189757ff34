import { interval, map, type Observable, observeOn } from 'rxjs';
import {
  type AdminRes,
  durableIndex,
  type Fault,
  type Input,
  type Output,
  type ReadRes,
  type SendMessage,
  type SendSnapshotReq,
  type State,
  unreachable,
  type WriteRes,
} from '../core/index.ts';
import type { LogLane } from './log-lane.ts';
import type { MachineReq } from './machine-lane.ts';
import type { Settings } from './options.ts';
import { type Stepped, stepWith } from './step-with.ts';

/** Who carries out what the core asks for, besides the log lane. */
export interface CoreSinks {
  readonly message: (output: SendMessage) => void;
  readonly machine: (output: MachineReq) => void;
  readonly sendSnapshot: (output: SendSnapshotReq) => void;
  readonly onWriteRes: (output: WriteRes) => void;
  readonly onReadRes: (output: ReadRes) => void;
  readonly onAdminRes: (output: AdminRes) => void;
  readonly onFault: (fault: Fault, input: Input) => void;
  /** Before the outputs of a step are carried out: what they lead to may end this process. */
  readonly onStepped: (stepped: Stepped) => void;
  /** After the outputs of a step have been carried out. */
  readonly onStep: (state: State) => void;
  /** Something threw, and what it was to do is half-done: the node must stop. */
  readonly onError: (error: unknown) => void;
}

/** What {@link runCore} works with. */
export interface CoreLoop {
  readonly initial: State;
  /** Everything that happens to the node, merged. Its end is the end of the loop. */
  readonly input$: Observable<Input>;
  readonly log: LogLane;
  readonly sinks: CoreSinks;
}

/**
 * The loop around the core: inputs folded through `step`, and the outputs of each step handed to their sinks
 * in the order emitted.
 */
export function runCore({ initial, input$, log, sinks }: CoreLoop): void {
  const carryOut = (stepped: Stepped): void => {
    const { state, outputs, input } = stepped;
    try {
      sinks.onStepped(stepped);
      const { commitIndex, lastApplied } = state;
      log.follow({ durableIndex: durableIndex(state), commitIndex, lastApplied });
      for (const output of outputs) handOut(output, { input, log, sinks });
      if (input.type === 'persistRes') log.evict();
      sinks.onStep(state);
    } catch (error) {
      sinks.onError(error); // An output is lost, perhaps a disk request: to go on would be to wait for it for ever.
    }
  };
  input$.pipe(stepWith(initial)).subscribe(carryOut);
}

function handOut(
  output: Output,
  to: { readonly input: Input; readonly log: LogLane; readonly sinks: CoreSinks },
): void {
  switch (output.type) {
    case 'message':
      return to.sinks.message(output);
    case 'persistReq':
      return to.log.persist(output);
    case 'readLogReq':
      return to.log.answer(output);
    case 'compactLogReq':
      return to.log.compact(output);
    case 'sendSnapshotReq':
      return to.sinks.sendSnapshot(output);
    case 'applyReq':
    case 'readStateMachineReq':
    case 'takeSnapshotReq':
    case 'installSnapshotReq':
      return to.sinks.machine(output);
    case 'writeRes':
      return to.sinks.onWriteRes(output);
    case 'readRes':
      return to.sinks.onReadRes(output);
    case 'adminRes':
      return to.sinks.onAdminRes(output);
    case 'fault':
      return to.sinks.onFault(output, to.input);
    default:
      return unreachable(output);
  }
}

/**
 * Ticks with the node's own clock. Each waits for the end of its event-loop turn, so that messages which
 * arrived while the process was busy are handled first (design §3).
 */
export function ticks(settings: Settings, startedAtMs: number): Observable<Input> {
  return interval(settings.config.tickIntervalMs, settings.timeScheduler).pipe(
    observeOn(settings.turnScheduler),
    map((): Input => ({ type: 'tick', now: Math.floor(settings.clock() - startedAtMs) + 1 })),
  );
}
