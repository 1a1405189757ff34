import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atExit } from './at-exit.ts';
import { ask } from './http.ts';
import { until } from './until.ts';

/** Where a server lives. */
export interface Place {
  readonly id: string;
  readonly host: string;
  readonly raftPort: number;
  readonly httpPort: number;
  /** The network namespace that it runs in; `null` for our own. */
  readonly namespace: string | null;
}

/** What of `/status` is looked at here. */
export interface Status {
  readonly role: string;
  readonly term: number;
  readonly leaderId: string | null;
  readonly lastIndex: number;
  readonly lastApplied: number;
}

const program = join(
  dirname(createRequire(import.meta.url).resolve('rxraft/package.json')),
  'dist/examples/kv/main.js',
);

/** A key-value server in a process of its own, with default settings. */
export class ServerProcess {
  readonly id: string;
  readonly url: string;
  readonly raftUrl: string;
  readonly #place: Place;
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #said = '';
  #ended: Promise<void> = Promise.resolve();

  constructor(place: Place, folder: string) {
    this.id = place.id;
    this.url = `http://${place.host}:${place.httpPort}`;
    this.raftUrl = `ws://${place.host}:${place.raftPort}`;
    this.#place = place;
    this.#folder = folder;
  }

  /** The process's number; 0 before it has been started. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The folder of its store. */
  get data(): string {
    return join(this.#folder, this.id);
  }

  /** What it has said of late. */
  get said(): string {
    return this.#said.slice(-4000);
  }

  start(members: string): void {
    const { id, host, raftPort, httpPort, namespace } = this.#place;
    const settings = {
      id,
      data: this.data,
      listen: `${host}:${raftPort}`,
      http: `${host}:${httpPort}`,
      members,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const open = namespace === null ? [] : ['--insecure'];
    const inside = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
    const [file = '', ...args] = [...inside, process.execPath, program, 'serve', ...flags, ...open];
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-8000);
    });
    this.#child = child;
    const takeBack = atExit(() => void child.kill('SIGKILL')); // One that is stopped would not end by itself.
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve()).once('close', () => resolve());
    });
    void this.#ended.then(takeBack);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Resolves when its process has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }

  async status(): Promise<Status> {
    const { text } = await ask(this.url, 'GET /status', { timeoutMs: 2_000 });
    return JSON.parse(text) as Status;
  }
}

/** Servers that form a cluster. */
export class ServerCluster {
  readonly servers: readonly ServerProcess[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'rxraft-bench-'));
  readonly #members: string;

  constructor(places: readonly Place[]) {
    atExit(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.servers = places.map((place) => new ServerProcess(place, this.#folder));
    this.#members = this.servers.map(({ id, raftUrl }) => `${id}=${raftUrl}`).join(',');
  }

  start(server: ServerProcess): void {
    server.start(this.#members);
  }

  /** Starts all, and waits until they serve. Resolves with the leader. */
  async begin(): Promise<ServerProcess> {
    for (const server of this.servers) this.start(server);
    return await this.settled();
  }

  /** Waits until all run, agree on a leader, and have applied what it had appended. Resolves with the leader. */
  async settled(): Promise<ServerProcess> {
    const { leader, index } = await until('all servers agree on a leader', async () => {
      const statuses = await Promise.all(this.servers.map((server) => server.status()));
      const at = statuses.findIndex(({ role }) => role === 'leader');
      const found = this.servers[at];
      const status = statuses[at];
      if (found === undefined || status === undefined) return null;
      const isAgreed = statuses.every(({ term, leaderId }) => term === status.term && leaderId === found.id);
      return isAgreed ? { leader: found, index: status.lastIndex } : null;
    });
    for (const server of this.servers)
      await until(`${server.id} has caught up`, async () => (await server.status()).lastApplied >= index);
    return leader;
  }

  /** Kills every process and removes the data. */
  async remove(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
