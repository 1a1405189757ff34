import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../cli/client.ts';
import type { StatusBody } from '../http/status-body.ts';
import { makeFolder } from './folder.ts';
import type { LaunchedNode } from './launch-config.ts';

/** The process of one node. */
export interface NodeProcess {
  readonly node: LaunchedNode;
  readonly pid: number | undefined;
  /** How it ended, such as `was killed by SIGKILL`; resolves when it has. */
  readonly ended: Promise<string>;
  /** Asks it to end in good order. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

const program = fileURLToPath(new URL('../main.js', import.meta.url));

/** The arguments of `rxraft` that start this node. */
export function serveArguments(node: LaunchedNode, nodes: readonly LaunchedNode[]): readonly string[] {
  const members = nodes.map(({ id, listen }) => `${id}=ws://${listen}`).join(',');
  return [...placeArguments(node), '--members', members];
}

/** Those that start it as one that asks a server of a running cluster to take it in. */
export function joinArguments(node: LaunchedNode, { url }: LaunchedNode): readonly string[] {
  return [...placeArguments(node), '--join', url];
}

function placeArguments({ id, data, listen, http }: LaunchedNode): readonly string[] {
  return ['serve', '--id', id, '--data', data, '--listen', listen, '--http', http];
}

/**
 * Starts a node in a process of its own, which logs to `log` in its folder.
 *
 * It gets a process group of its own, so that Ctrl-C reaches it once, from here; and a channel, which breaks
 * when this process is killed: it then ends in good order.
 */
export function startNode(node: LaunchedNode, nodes: readonly LaunchedNode[]): NodeProcess {
  makeFolder(node.data);
  const log = openLog(node);
  const child = spawn(process.execPath, [program, ...serveArguments(node, nodes)], {
    stdio: ['ignore', 'ignore', log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  return {
    node,
    pid: child.pid,
    ended: endOf(child),
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * Who leads, once the node serves clients; `null` before; `outside` if it has been removed from its cluster. It
 * writes its pid when it listens: whoever answers earlier is a stranger on its port.
 */
export async function sightOf({ node, pid }: NodeProcess): Promise<Sight> {
  try {
    if (Number(readFileSync(join(node.data, 'pid'), 'utf8')) !== pid) return null;
    const { clusterId, members, refusals } = await answerOf<StatusBody>(node, '/status');
    const isOutside = clusterId !== null && !members.some(({ id }) => id === node.id);
    if (isOutside) return 'outside';
    const { leaderId } = await answerOf<{ leaderId: string }>(node, '/readyz');
    return { leaderId, refused: refusals.filter(({ by }) => by === 'us') };
  } catch {
    return null;
  }
}

/** What a node that has just been started sees of its cluster. */
export type Sight =
  | { readonly leaderId: string; readonly refused: StatusBody['refusals'] }
  | 'outside'
  | null;

async function answerOf<T>({ url }: LaunchedNode, path: string): Promise<T> {
  const { status, body } = await ask(url, { method: 'GET', path, timeoutMs: 2_000 });
  if (status !== 200) throw new Error(`${url}${path} answered ${status}`);
  return JSON.parse(body.toString('utf8'));
}

/** A stack trace, or a line that the disk took half of, is for the log. */
const wordsLengthMax = 500;

/** The last things that a node said: of a log entry its message and error, anything else as it is. */
export function lastWords({ data }: LaunchedNode, count = 6): readonly string[] {
  try {
    const lines = readFileSync(join(data, 'log'), 'utf8').trimEnd().split('\n').slice(-count);
    return lines.map((line) => (line.startsWith('{') ? messageOf(line) : line).slice(0, wordsLengthMax));
  } catch {
    return [];
  }
}

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line);
    return err?.message === undefined ? String(msg) : `${msg}: ${err.message}`;
  } catch {
    return line;
  }
}

/** The log of this run; that of the run before is kept as `log.old`. */
function openLog({ data }: LaunchedNode): number {
  const path = join(data, 'log');
  try {
    renameSync(path, `${path}.old`);
  } catch {
    // There was none.
  }
  return openSync(path, 'w');
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with ${code}` : `was killed by ${signal}`),
    );
  });
}
