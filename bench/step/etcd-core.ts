import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atExit } from '../harness/at-exit.ts';

/** It is Go, which is no part of what is built: it is where it was written. */
const source = fileURLToPath(new URL('../../../bench/step/etcd-core/main.go', import.meta.url));
/** Where Debian has the sources of etcd and of what it uses. */
const goPath = '/usr/share/gocode';

/** etcd's own Raft, compiled, to be driven as `ThreeCores` drives ours. */
export class EtcdCore {
  readonly #folder: string;
  readonly #program: string;
  readonly #takeBack: () => void;

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#program = program;
    this.#takeBack = atExit(() => rmSync(folder, { recursive: true, force: true }));
  }

  /** Compiles it. Says why it can't be measured on this machine, and what to do, if it can't. */
  static compile(): EtcdCore | { readonly missing: string } {
    const hasGo = spawnSync('go', ['version']).status === 0;
    if (!hasGo || !existsSync(join(goPath, 'src/go.etcd.io/etcd/raft')))
      return {
        missing:
          'no Go with the sources of etcd; on Debian, `apt-get install golang-go golang-etcd-server-dev`',
      };
    const folder = mkdtempSync(join(tmpdir(), 'rxraft-etcd-core-'));
    const program = join(folder, 'etcd-core');
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: goPath, GOFLAGS: '' };
    const built = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
    const run = built.status === 0 ? spawnSync(program, { input: '', encoding: 'utf8' }) : built;
    if (run.status === 0) return new EtcdCore(folder, program);
    rmSync(folder, { recursive: true, force: true });
    return { missing: `Go can't make it: ${(run.error?.message ?? run.stderr).trim()}` };
  }

  /** Starts a process that measures when it is asked, with so many commands in a message. */
  start(perMessage: number): EtcdCoreProcess {
    return new EtcdCoreProcess(this.#program, perMessage);
  }

  remove(): void {
    this.#takeBack();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Three cores of etcd. */
export class EtcdCoreProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, perMessage: number) {
    const args = ['-per-message', String(perMessage)];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const takeBack = atExit(() => void child.kill('SIGKILL'));
    child.once('exit', takeBack).on('error', ignore);
    child.stdin?.on('error', ignore);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** Commits a second, measured for so long. */
  async sample(ms: number): Promise<number> {
    this.#child.stdin?.write(`${ms}\n`);
    const { value, done } = await this.#lines.next();
    const rate = Number(value);
    if (done === true || !(rate > 0))
      throw new Error(`etcd's core ended, or said ${value} where a rate was due`);
    return rate;
  }

  async kill(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
      return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** That it has ended shows in what it does not say. */
function ignore(): void {}
