import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Message, messageOf } from '../../../examples/maelstrom/message.ts';
import { guardChild } from './guard.ts';
import { program } from './server-node.ts';

/** What Maelstrom is given as `--bin`. */
export const wrapper = fileURLToPath(new URL('../../../examples/maelstrom/node.sh', import.meta.url));

/** How a {@link MaelstromProcess} is run. */
export interface MaelstromProcessOptions {
  readonly id: string;
  readonly ids: readonly string[];
  readonly folder: string;
  /** What is started; by default, the program itself. */
  readonly command?: readonly [string, ...string[]];
  /** Told of each message that it sends. */
  readonly onMessage: (message: Message) => void;
}

/** One node of Maelstrom, and the processes that it runs in, one after the other. */
export class MaelstromProcess {
  readonly id: string;
  /** Lines on stdout that were no messages of this node: there must be none. */
  readonly strayLines: string[] = [];
  /** How many processes there were. */
  starts = 0;
  ended: Promise<number | NodeJS.Signals | null> = Promise.resolve(null);
  readonly #options: MaelstromProcessOptions;
  readonly #said: string[] = [];
  #child: ChildProcess | null = null;
  #onReady: (() => void) | null = null;

  constructor(options: MaelstromProcessOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** The end of what its processes have said on stderr. */
  get log(): string {
    return this.#said.join('').split('\n').slice(-30).join('\n');
  }

  /** Starts a process, and resolves when it has answered `init`, or has ended. */
  start(): Promise<void> {
    const {
      folder,
      id,
      ids,
      command = [process.execPath, program, 'maelstrom', '--timeout-ms', '1500'],
    } = this.#options;
    const [file, ...args] = command;
    const env = { ...process.env, MINI_MAELSTROM_DIR: join(folder, 'state'), NO_COLOR: '1' };
    const child = spawn(file, args, { cwd: folder, env });
    guardChild(child);
    this.#child = child;
    this.starts += 1;
    child.stdin.on('error', () => undefined); // It was killed: its messages are lost, as all are.
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#said.push(text));
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(child, line));
    const ready = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        if (this.#child === child) this.#child = null;
        this.#onReady?.();
        resolve(code ?? signal);
      });
    });
    this.tell({ src: 'c0', dest: id, body: { type: 'init', msg_id: 1, node_id: id, node_ids: ids } });
    return ready;
  }

  #onLine(child: ChildProcess, line: string): void {
    if (this.#child !== child) return; // Killed before it was read.
    const message = messageOf(line);
    if (message === null || message.src !== this.id) this.strayLines.push(line);
    else if (message.dest === 'c0') this.#onReady?.();
    else this.#options.onMessage(message);
  }

  /** Writes a message to its stdin. */
  tell(message: Message): void {
    this.tellLine(JSON.stringify(message));
  }

  /** Writes any line. */
  tellLine(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  /** Ends it as a crash would. Nothing that it wrote and nobody has read yet counts any more. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to end, and resolves with how it did. */
  stop(how: 'stdin' | NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    if (how === 'stdin') this.#child?.stdin?.end();
    else this.#child?.kill(how);
    return this.ended;
  }
}
