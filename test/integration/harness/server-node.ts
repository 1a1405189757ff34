import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { StatusBody } from '../../../examples/kv/http/status-body.ts';
import { guardChild } from './guard.ts';
import { type Answer, ask, type Sending, statusOf } from './http.ts';
import { until } from './until.ts';

const packageFolder = dirname(createRequire(import.meta.url).resolve('rxraft/package.json'));

/** The program, as `npm run build` makes it. */
export const program = join(packageFolder, 'dist/examples/kv/main.js');

/** What `npm start` runs once everything is built. */
export const launcher = join(packageFolder, 'dist/examples/kv/start.js');

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where a node keeps its data and is reached. */
export interface NodePlace {
  readonly id: string;
  readonly data: string;
  readonly raftPort: number;
  readonly httpPort: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Where the others reach it, if that is not where it listens. */
  readonly advertise?: string;
  /** The network namespace that its processes run in, if not our own. */
  readonly namespace?: string;
}

/** How a process is started, if not as usual. */
export interface Starting {
  readonly stderr?: 'pipe' | number;
  readonly namespace?: string | undefined;
}

/** Starts a script with a channel: should this process end, it ends itself, too. */
export function startProgram(
  args: readonly string[],
  script = program,
  { stderr = 'pipe', namespace }: Starting = {},
): ChildProcess {
  if (!existsSync(script)) throw new Error(`${script} is not there: npm run build makes it`);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RXRAFT_')));
  const inside = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]; // The process becomes ours.
  const [file = '', ...rest] = [...inside, process.execPath, script, ...args];
  const child = spawn(file, rest, {
    stdio: ['ignore', 'pipe', stderr, 'ipc'],
    env: { ...env, NO_COLOR: '1' },
  });
  guardChild(child);
  return child;
}

/** A node of a cluster, and the processes that it runs in, one after the other. */
export class ServerNode {
  readonly place: NodePlace;
  readonly url: string;
  readonly raftUrl: string;
  /** Resolves with the end of the latest process. */
  ended: Promise<End> = Promise.resolve({ code: null, signal: null });
  private members: string;
  private child: ChildProcess | null = null;
  private readonly said: string[] = [];

  constructor(place: NodePlace) {
    this.place = place;
    const { host = '127.0.0.1' } = place;
    this.url = `http://${host}:${place.httpPort}`;
    this.raftUrl = place.advertise ?? `ws://${host}:${place.raftPort}`;
    this.members = `${place.id}=${this.raftUrl}`;
  }

  get id(): string {
    return this.place.id;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.id} does not run`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child !== null;
  }

  /** Everything that its processes have said so far. */
  get log(): string {
    return this.said.join('');
  }

  /** Says who is in the cluster: this node alone, unless it is told. */
  setMembers(nodes: readonly ServerNode[]): void {
    this.members = nodes.map(({ id, raftUrl }) => `${id}=${raftUrl}`).join(',');
  }

  /** Starts a process. Further arguments win over what the node would say itself. */
  start(...args: readonly string[]): void {
    this.startWith({ stderr: 'pipe' }, ...args);
  }

  /** The same, with its log where that descriptor leads. */
  startWith({ stderr }: { readonly stderr: 'pipe' | number }, ...args: readonly string[]): void {
    const { id, data, raftPort, httpPort, host = '127.0.0.1', namespace } = this.place;
    const own = [
      ['--id', id],
      ['--data', data],
      ['--listen', `${host}:${raftPort}`],
      ['--http', `${host}:${httpPort}`],
      ['--members', this.members],
    ];
    const isJoining = args.includes('--join');
    const isLeft = ([flag = '']: readonly string[]): boolean =>
      !args.includes(flag) && !(isJoining && flag === '--members');
    const left = own.filter(isLeft).flat();
    const child = startProgram(['serve', ...left, ...args], program, { stderr, namespace });
    this.child = child;
    this.hear(`--- ${id} starts with pid ${child.pid}\n`);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.hear(`--- ${id} with pid ${child.pid} ended with ${code ?? signal}\n`);
        if (this.child === child) this.child = null;
        resolve({ code, signal });
      });
    });
  }

  /** Takes what its processes say. */
  protected hear(text: string): void {
    this.said.push(text);
  }

  /** Sends its process a signal, by its pid. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Ends its process as a crash would. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Asks its process to end, and resolves when it has. */
  stop(name: NodeJS.Signals = 'SIGTERM'): Promise<End> {
    this.signal(name);
    return this.ended;
  }

  status(): Promise<StatusBody> {
    return statusOf(this.url);
  }

  ask(line: string, sending?: Sending): Promise<Answer> {
    return ask(this.url, line, sending);
  }

  /** Waits until it serves and knows a leader that answers. */
  async ready(): Promise<void> {
    await until(`${this.id} is ready`, async () => {
      const answer = await this.ask('GET /readyz');
      if (answer.status !== 200) throw new Error(answer.text);
      return true;
    });
  }

  /** Waits until it has said this. */
  async says(words: string | RegExp): Promise<void> {
    await until(`${this.id} says ${words}`, () =>
      typeof words === 'string' ? this.log.includes(words) : words.test(this.log),
    );
  }
}
