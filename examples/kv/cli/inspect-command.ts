import { createReadStream } from 'node:fs';
import { RaftError, type State } from 'rxraft/core';
import { Replay, type ReplayDifference, type ReplaySummary, stateText } from 'rxraft/testing';
import { linesOf } from './lines.ts';
import type { Output } from './output.ts';
import { refuse } from './refusal.ts';

/** What `rxraft inspect replay` is told besides the file. */
export interface ReplayFlags {
  readonly node?: string;
  /** 0 is before the first step. */
  readonly to?: number;
  readonly json?: boolean;
}

/**
 * `rxraft inspect replay`: does again what a recording says, and reports the first difference. With `--node` and `--to`,
 * prints the state there as well: of a node that has started several times, at the latest start that went so far.
 */
export async function replay(path: string, { node, to: seq }: ReplayFlags, output: Output): Promise<void> {
  if ((node === undefined) !== (seq === undefined)) {
    refuse(output, { code: 'USAGE', message: '--node and --to go together' });
    return output.next(
      `rxraft inspect replay ${path} --node n1 --to 40 prints the state after step 40 of n1`,
    );
  }
  let there: State | null = null;
  const run = new Replay({
    onState: (at) => {
      if (at.node === node && at.seq === seq) there = at.state;
    },
  });
  try {
    const difference = await firstDifferenceIn(path, run);
    const summary = run.end();
    output.json({ ...summary, difference, state: there === null ? null : JSON.parse(stateText(there)) });
    if (node !== undefined) showState(there, `step ${seq} of ${node}`, output);
    if (difference !== null) tell(difference, path, output);
    else report(summary, { ...output, text: node === undefined ? output.text : output.say });
  } catch (error) {
    if (!isExpected(error)) throw error;
    const { code, message } = error;
    refuse(output, { code, message }, error instanceof RaftError ? `${message} (${code})` : message);
    output.next(
      code === 'RAFT_RECORDING_VERSION'
        ? 'rxraft inspect replay FILE, of the version that wrote it'
        : 'rxraft serve --record FILE writes a recording, and rxraft inspect replay FILE reads it',
    );
  }
}

async function firstDifferenceIn(path: string, run: Replay): Promise<ReplayDifference | null> {
  for await (const line of linesOf(createReadStream(path, { encoding: 'utf8' }))) {
    const difference = run.take(line);
    if (difference !== null) return difference;
  }
  return null;
}

function showState(state: State | null, moment: string, output: Output): void {
  if (state === null) output.fail(`the recording has no ${moment}`);
  else output.text(stateText(state));
}

function report({ steps, nodes, starts, missing, cutOff }: ReplaySummary, output: Output): void {
  output.text(`${count(steps, 'step')} of ${count(nodes, 'node')} replayed, no difference`);
  if (starts > nodes) output.say(`${starts} starts of nodes are in it`);
  if (missing > 0) output.say(`${count(missing, 'step')} could not be written when it was recorded`);
  if (cutOff > 0) output.say(`${count(cutOff, 'line')} cut off: a process ended while it wrote`);
  if (steps === 0) output.next('rxraft serve --record FILE writes a recording');
}

function tell(difference: ReplayDifference, file: string, output: Output): void {
  const { node, seq, line, path, recorded, replayed } = difference;
  output.fail(
    `step ${seq} of ${node} (line ${line}) came out differently at ${path}:\n` +
      `  recorded ${JSON.stringify(recorded)}\n  replayed ${JSON.stringify(replayed)}`,
  );
  output.next(`rxraft inspect replay ${file} --node ${node} --to ${seq - 1} prints the state before it`);
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}

/** What a file can be like: not there, damaged, of another version. */
function isExpected(error: unknown): error is Error & { readonly code: string } {
  const isSystem = error instanceof Error && 'syscall' in error;
  return isSystem || error instanceof RaftError;
}
